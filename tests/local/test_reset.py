"""The calls of a reset to the stack's own AWS, and their order."""

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
    """A server's address and the calls that it got. It answers the path `fails` with 500."""
    asked: list[tuple[str, object]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(500 if self.path == fails else 204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def reset(url: str) -> Reset:
    return Reset(aws_url=url, simulators_url=None, pools={}, scheduler=None)


def test_refusals_are_not_recorded_while_the_stack_is_emptied() -> None:
    with listening() as (url, asked):
        reset(url).now()
    assert asked == [SHUT, EMPTIED, EMPTIED, OPEN]


def test_refusals_are_recorded_again_even_if_the_reset_fails() -> None:
    with listening(fails=RESTORE_PATH) as (url, asked), pytest.raises(urllib.error.HTTPError):
        reset(url).now()
    assert asked == [SHUT, EMPTIED, OPEN]
