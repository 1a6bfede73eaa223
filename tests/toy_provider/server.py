"""Kite's own side: takes calls, gives the prepared answers, and makes receipts."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx2


class KiteServer:
    """`answers`: HTTP status and body for the next calls, in place of a reference."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.calls: list[tuple[datetime, httpx2.Request]] = []
        self._now = now

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append((self._now(), request))
        if self.answers:
            status, body = self.answers.pop(0)
            return httpx2.Response(status, content=body)
        return httpx2.Response(202, json={"items": [{"ref": f"ref-{len(self.calls)}", "state": "queued"}]})

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for _, request in self.calls]


def field_error(number: int) -> bytes:
    return json.dumps({"field_error": {"number": number}}).encode()


def reported(*events: tuple[str, str], to: str = "221770008200") -> bytes:
    """The body of a callback: references and their events."""
    return json.dumps({"events": [{"ref": ref, "event": event, "to": to} for ref, event in events]}).encode()
