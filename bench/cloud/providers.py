"""Meta and Orange that take everything after a set time, and note when and to whom. No check, no receipt."""

import itertools
from typing import Any
from urllib.parse import unquote

type Body = dict[str, Any]
TOLD_AFTER = 1.0
"""Seconds after a message was taken."""


class Providers:
    """`taken`: (seconds on the event loop's clock, recipient) of every message, in order. `sent`: the same by the names
    that webhooks use."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, str]] = []
        self.sent: list[dict[str, str]] = []
        self._number = itertools.count(1)

    def told(self, now: float) -> list[dict[str, str]]:
        """Those of which a webhook may tell by now: a status takes its time."""
        return [one for one, (at, _) in zip(self.sent, self.taken, strict=True) if at <= now - TOLD_AFTER]

    def answer(self, path: str, body: Body, now: float) -> tuple[int, Body]:
        """One call. `path` without query."""
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
