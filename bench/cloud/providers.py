"""Stubs of Meta and Orange. They accept every message after a set time, note it, and check only the rate."""

import itertools
from collections import deque
from typing import Any
from urllib.parse import unquote

type Body = dict[str, Any]
REPORTED_AFTER = 1.0
"""Seconds between the acceptance of a message and its first status."""
THROTTLED_BY_META = (400, {"error": {"code": 130429, "message": "(#130429) Rate limit hit", "type": "OAuthException"}})
THROTTLED_BY_ORANGE = (403, {"code": 53, "message": "Too many requests", "description": "The spike arrest limit."})
"""reference/whatsapp.md, section 3, and reference/orange_sms.md, section 5."""


class Providers:
    """What the providers accepted.

    `taken` has (seconds on the event loop's clock, recipient) of every message, in order. `sent` has the same messages
    with the names that webhooks use. `throttled` counts the messages above `rate` in any second (0: no limit).
    """

    def __init__(self, seconds: float, rate: int = 0) -> None:
        """`seconds` is how long an answer takes."""
        self.seconds = seconds
        self.taken: list[tuple[float, str]] = []
        self.sent: list[dict[str, str]] = []
        self.throttled = 0
        self._number = itertools.count(1)
        self._rate = rate
        self._last: deque[float] = deque(maxlen=rate)

    def clear(self) -> None:
        """Forget all messages."""
        self.taken.clear()
        self.sent.clear()
        self.throttled = 0
        self._last.clear()

    def reported(self, now: float) -> list[dict[str, str]]:
        """The messages whose first status may have been posted by `now`."""
        return [one for one, (at, _) in zip(self.sent, self.taken, strict=True) if at <= now - REPORTED_AFTER]

    def answer(self, path: str, body: Body, now: float) -> tuple[int, Body]:
        """Answer one call. `path` has no query."""
        if path.endswith(("/messages", "/requests")) and self._is_too_fast(now):
            self.throttled += 1
            return THROTTLED_BY_META if path.endswith("/messages") else THROTTLED_BY_ORANGE
        if path.endswith("/messages"):
            self.taken.append((now, str(body["to"])))
            wamid, key = f"wamid.{next(self._number):032d}", str(body.get("biz_opaque_callback_data", ""))
            self.sent.append({"id": wamid, "to": str(body["to"]), "key": key})
            contact = {"input": body["to"], "wa_id": str(body["to"]).lstrip("+")}
            message = {"id": wamid, "message_status": "accepted"}
            return 200, {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}
        if path.endswith("/media"):
            return 200, {"id": str(next(self._number))}
        if path.endswith("/token"):
            return 200, {"token_type": "Bearer", "access_token": "bench", "expires_in": "3600"}
        if path.endswith("/requests"):
            request = body["outboundSMSMessageRequest"]
            self.taken.append((now, str(request["address"])))
            sender = unquote(path.split("/")[-2])
            receipt = f"{next(self._number):036d}"
            self.sent.append({"id": receipt, "to": str(request["address"]), "key": ""})
            url = f"https://api.orange.com/smsmessaging/v1/outbound/{sender}/requests/{receipt}"
            return 201, {"outboundSMSMessageRequest": {**request, "resourceURL": url}}
        return 404, {}

    def _is_too_fast(self, now: float) -> bool:
        """Whether `rate` messages were accepted in the second before. A throttled message does not count."""
        if not self._rate:
            return False
        if len(self._last) == self._rate and self._last[0] > now - 1:
            return True
        self._last.append(now)
        return False
