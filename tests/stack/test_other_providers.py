"""`make run` with other providers than the simulators. A send needs only /media and /messages, /token and /requests."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, override

import pytest

from local.simulators.cards import draw
from tests.stack.programme import Programme
from tests.stack.running import started


class Provider(BaseHTTPRequestHandler):
    """Both providers and a card server, with the least that a send needs."""

    asked: ClassVar[list[str]] = []

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(200, draw("DKR-VAC-008200"), "image/png")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        last = self.path.rpartition("/")[2]
        self.asked.append(last)
        answers: dict[str, tuple[int, Any]] = {
            "media": (200, {"id": "1"}),
            "messages": (200, {"messages": [{"id": "wamid.HBgMMjIxNzcwMDA4MjAw"}]}),
            "token": (200, {"token_type": "Bearer", "access_token": "t", "expires_in": 3600}),
            "requests": (201, {"outboundSMSMessageRequest": {"resourceURL": "https://api.example.org/requests/abc-1"}}),
        }
        code, body = answers.get(last, (404, {}))
        self._answer(code, json.dumps(body).encode(), "application/json")

    def _answer(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_send_needs_four_paths(provider: str, tmp_path: Path) -> None:
    environment = {"META_GRAPH_URL": provider, "ORANGE_API_URL": provider, "CARD_HOSTS": "127.0.0.1"}
    with started(tmp_path / "log", **environment) as stack, Programme(stack, "elsewhere") as programme:
        card = f"{provider}/cards/{{card_code}}.png"
        for channel in ("whatsapp", "sms"):
            content = {"template": {"name": "vaccination_card"}}
            recipient = programme.recipient(8200, card_image=card)
            sent = programme.ok(programme.send(recipient, channel=channel, content=content))
            assert programme.settled(sent["message_id"], "sent")["attempts"] == 1
    assert sorted(Provider.asked) == ["media", "messages", "requests", "token"]
