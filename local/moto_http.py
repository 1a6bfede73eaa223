"""Serves moto over HTTP: one request at a time, with connections that stay open.

It replaces moto's own server, which needs Flask, closes each connection after one answer and is not safe for threads.
It hands a request to the dispatcher that moto's decorators use. Its own routes:

- `POST /_stack/clock {"now": …}` moves moto's time.
- `GET /_stack/queues` tells how many messages of each queue are visible, and how many are hidden.
- `GET /_stack/requests` tells how often each operation was called.
- `GET /_stack/access` tells what roles were allowed and refused.
- `POST /_stack/faults {…}` makes AWS fail now and then.
"""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import time_machine
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber

from local import moto_mends
from local.moto_access import LEDGER
from local.moto_faults import FAULTS_PATH, Faults, halved, with_refused
from local.moto_mends import SERVER_LOCK
from local.moto_state import Snapshot
from local.reset import ACCESS_PATH, QUEUES_PATH, RESTORE_PATH, SNAPSHOT_PATH
from shared.base.instants import from_rfc3339

CLOCK_PATH = "/_stack/clock"
REQUESTS_PATH = "/_stack/requests"
EXPIRY_PERIOD = timedelta(minutes=1)
# These headers describe the transport, so this server sets them itself.
_TRANSPORT_HEADERS = frozenset({"content-length", "transfer-encoding", "connection"})
_INTERNAL_ERROR = json.dumps({"__type": "InternalServerError", "message": "moto failed; the error is in the log"})

log = logging.getLogger(__name__)

type Answer = tuple[int, Mapping[str, Any], str | bytes]
"""Status, headers and body."""


class MotoHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open: a handshake would be half the cost of a small request
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: "MotoServer"

    def handle_expect_100(self) -> bool:
        answered = super().handle_expect_100()
        self.wfile.flush()  # the client waits up to a second for this before it sends the body
        return answered

    def answer(self) -> None:
        if self.headers.get("transfer-encoding"):
            self._reply(411, {}, b"<Error><Code>MissingContentLength</Code></Error>")
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        own = self._asked_of_the_stack(body)
        if own is not None:
            self._reply(*own)
            return
        host = aws_host(self.headers, self.path)
        headers = HTTPHeaders()
        for name, value in self.headers.items():
            headers[name] = host if name.lower() == "host" else value
        operation = self.headers.get("x-amz-target") or f"{host.partition('.')[0]} {self.command}"

        def dispatched(content: bytes) -> Answer:
            url = f"https://{host}{self.path}"
            return self.server.dispatch(AWSPreparedRequest(self.command, url, headers, content, stream_output=False))

        with SERVER_LOCK:
            try:
                status, answer_headers, answer = self.server.answered(operation, body, dispatched)
            except Exception:  # a bug in moto: answer 500 as AWS would, so that clients try again
                log.exception("moto failed", extra={"operation": operation})
                status, answer_headers, answer = 500, {}, _INTERNAL_ERROR
        self._reply(int(status), answer_headers, answer.encode() if isinstance(answer, str) else answer)

    def _asked_of_the_stack(self, body: bytes) -> tuple[int, Mapping[str, str], bytes] | None:
        """The answer to a request for one of the server's own routes; None if the request is for AWS."""
        if self.command == "POST":
            return (204, {}, b"") if self._done(body) else None
        reported = self._reported()
        if reported is None:
            return None
        return 200, {"content-type": "application/json"}, json.dumps(reported).encode()

    def _done(self, body: bytes) -> bool:
        """Do what one of the server's own routes asks for; False if the request is for AWS."""
        if self.path == CLOCK_PATH:
            self.server.move_to(from_rfc3339(json.loads(body)["now"]))
        elif self.path == SNAPSHOT_PATH:
            self.server.remember()
        elif self.path == RESTORE_PATH:
            self.server.restore()
        elif self.path == FAULTS_PATH:
            self.server.faults = Faults.read(json.loads(body))
        elif self.path == ACCESS_PATH:
            LEDGER.is_open = bool(json.loads(body)["is_open"])
        else:
            return False
        return True

    def _reported(self) -> object:
        """What one of the server's own routes tells; None if the request is for AWS."""
        if self.path == FAULTS_PATH:
            return self.server.failed
        if self.path == REQUESTS_PATH:
            return self.server.requests
        if self.path not in {QUEUES_PATH, ACCESS_PATH}:
            return None
        with SERVER_LOCK:
            return moto_mends.queue_counts() if self.path == QUEUES_PATH else LEDGER.as_json()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer  # noqa: N815 - http.server's names

    def _reply(self, status: int, headers: Mapping[str, Any], body: bytes) -> None:
        self.send_response_only(status)
        length = len(body)
        for name, value in headers.items():
            if name.lower() == "content-length" and self.command == "HEAD":
                length = int(value)
            if name.lower() not in _TRANSPORT_HEADERS:
                self.send_header(name, str(value))
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: paths hold the names of secrets, and the signatures of presigned URLs."""


class MotoServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, travel: time_machine.Traveller) -> None:
        super().__init__((host, port), MotoHandler)
        self._stubber = BotocoreStubber()
        self._travel = travel
        self.requests: Counter[str] = Counter()
        self.faults = Faults()
        self.failed: Counter[str] = Counter()
        self._snapshot: Snapshot | None = None

    def answered(self, operation: str, body: bytes, dispatched: Callable[[bytes], Answer]) -> Answer:
        """moto's answer, or the failure that `faults` chose for this call."""
        self.requests[operation] += 1
        fault = self.faults.next(operation)
        if fault is None:
            return dispatched(body)
        if fault.part:
            kept, dropped = halved(body)
            status, headers, answer = dispatched(kept)
            self.failed[operation] += bool(dropped)
            return status, headers, with_refused(answer, dropped)
        self.failed[operation] += 1
        if fault.took_effect:
            dispatched(body)
        return fault.answer

    def dispatch(self, request: AWSPreparedRequest) -> Answer:
        answer = self._stubber.process_request(request)
        return answer or (404, {}, f"moto knows no service at {request.url}")

    def remember(self) -> None:
        self._snapshot = Snapshot.take()

    def restore(self) -> None:
        if self._snapshot is not None:
            self._snapshot.restore()

    def move_to(self, instant: datetime) -> None:
        with SERVER_LOCK:
            self._travel.move_to(instant)
            moto_mends.expire_items()
            moto_mends.wake_receivers()


def aws_host(headers: Message, path: str) -> str:
    """AWS's own host for a request, from the service and region of its signature. Unsigned requests are for S3."""
    authorization = headers.get("authorization") or ""
    _, _, credential = authorization.partition("Credential=")
    if not credential:
        credential = (parse_qs(urlsplit(path).query).get("X-Amz-Credential") or [""])[0]
    scope = credential.split(",")[0].split("/")
    region, service = scope[2:4] if len(scope) >= 4 else ("us-east-1", "s3")
    if service == "dynamodb" and (headers.get("x-amz-target") or "").startswith("DynamoDBStreams"):
        service = "streams.dynamodb"
    return f"{service}.{region}.amazonaws.com"


def serve(hosts: list[str], port: int, now: datetime) -> list[MotoServer]:
    """Patch moto, set its time to `now` and bind each address. The caller calls `serve_forever` of the first server."""
    moto_mends.apply_all()
    # The time runs on from there. All that moto stamps has the stack's time.
    travel = time_machine.travel(now, tick=True).start()
    servers = [MotoServer(host, port, travel) for host in hosts]
    threading.Thread(target=_expire_forever, daemon=True).start()
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return servers


def _expire_forever() -> None:
    while True:
        time.sleep(EXPIRY_PERIOD.total_seconds())
        moto_mends.expire_items()
