"""What a reset asks of the stack's own AWS, in which order."""

import json
import threading
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.reset import ACCESS_PATH, RESTORE_PATH, Reset

SHUT, OPEN = (ACCESS_PATH, {"is_open": False}), (ACCESS_PATH, {"is_open": True})
EMPTIED: tuple[str, dict[str, object]] = (RESTORE_PATH, {})


@contextmanager
def listening(*, fails: str = "") -> Iterator[tuple[str, list[tuple[str, object]]]]:
    """Its address, and what it was asked; `fails` is a path that it answers with 500."""
    asked: list[tuple[str, object]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(500 if self.path == fails else 204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def reset(url: str) -> Reset:
    return Reset(aws_url=url, simulators_url=None, pools={}, scheduler=None)


def test_what_is_refused_while_the_world_is_emptied_is_nobodys_fault() -> None:
    with listening() as (url, asked):
        reset(url).now()
    assert asked == [SHUT, EMPTIED, EMPTIED, OPEN]


def test_refusals_count_again_whatever_becomes_of_the_reset() -> None:
    with listening(fails=RESTORE_PATH) as (url, asked), pytest.raises(urllib.error.HTTPError):
        reset(url).now()
    assert asked == [SHUT, EMPTIED, OPEN]
