"""Just enough of S3 and DynamoDB for one planning run, in a process of its own, so that the stub's work is not
measured.

It makes the upload while it is read, forgets every write, and has no consent record. It keeps a digest of all chunks:
two runs over the same upload must have written the same.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import ClassVar, override

from bench.upload import FORMS, length, pieces


class Written:
    """The digest and the number of the objects that were put."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._digest = 0
        self.objects = 0

    def take(self, key: str, body: bytes) -> None:
        """Add one object. The digest does not depend on the order of the writes."""
        one = int.from_bytes(hashlib.sha256(key.encode() + b"\n" + body).digest()[:16])
        with self._lock:
            self.objects += 1
            self._digest ^= one

    @property
    def digest(self) -> str:
        return f"{self._digest:032x}"


class Stub(BaseHTTPRequestHandler):
    """GET of any object is the upload, PUT takes an object, and POST is a BatchGetItem that finds nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    form: ClassVar[str] = "csv"
    rows: ClassVar[int] = 0
    written: ClassVar[Written] = Written()

    @override
    def handle_expect_100(self) -> bool:
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def do_GET(self) -> None:
        if self.path == "/_written":
            reported = {"objects": self.written.objects, "digest": self.written.digest}
            self._answer(json.dumps(reported).encode())
            return
        self._head(length(self.form, self.rows))
        for piece in pieces(self.form, self.rows):
            self.wfile.write(piece)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.written.take(self.path.partition("?")[0], body)
        self._answer(b"")

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        nothing: dict[str, object] = {
            "Responses": {table: [] for table in request["RequestItems"]},
            "UnprocessedKeys": {},
        }
        self._answer(json.dumps(nothing).encode())

    def _answer(self, body: bytes) -> None:
        self._head(len(body))
        self.wfile.write(body)

    def _head(self, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def serve() -> Iterator[str]:
    """Yield the address, then serve until the process is ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    yield f"http://127.0.0.1:{server.server_port}"
    server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--form", choices=FORMS, required=True)
    parser.add_argument("--rows", type=int, required=True)
    arguments = parser.parse_args()
    Stub.form, Stub.rows = arguments.form, arguments.rows
    length(Stub.form, Stub.rows)  # a workbook is made here, before anything is measured
    for address in serve():
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
