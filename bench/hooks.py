"""The calls of the providers' webhooks, as API Gateway delivers them."""

import hashlib
import hmac
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from bench.stand import CLOCK, ORGANISATION
from local.simulators.meta.inbound import person
from tests.fakes.office import WHATSAPP
from tests.unit.api.events import event as http_event

type Call = Mapping[str, object]
type Status = Mapping[str, object]
LATER = {"sent": 0.0, "delivered": 1.5, "read": 5.0}
"""Seconds after Meta's answer. They are estimates; what matters is that the statuses do not come together."""


def orange_calls(sent: Sequence[Mapping[str, str]]) -> list[Call]:
    """Return one receipt per call, as Orange posts them."""
    path = {"organisation_id": ORGANISATION, "token": "r"}
    return [
        http_event(
            "POST /webhooks/orange/{organisation_id}/{token}",
            path=path,
            body={
                "deliveryInfoNotification": {
                    "callbackData": one["id"],
                    "deliveryInfo": {"address": one["to"], "deliveryStatus": "DeliveredToTerminal"},
                }
            },
        )
        for one in sent
    ]


class MetaCalls:
    """Meta's statuses: sent, delivered and read of each message, some time apart, `a_call` statuses in a call."""

    def __init__(self, a_call: int) -> None:
        self._a_call = a_call
        self._owed: dict[str, deque[tuple[float, Mapping[str, str]]]] = {status: deque() for status in LATER}

    def owe(self, sent: Sequence[Mapping[str, str]], now: float) -> None:
        """Note messages that were accepted by `now` (seconds)."""
        for status, owed in self._owed.items():
            owed.extend((now + LATER[status], one) for one in sent)

    def due(self, now: float, *, is_last: bool) -> Iterator[Call]:
        """Yield the calls that are due by `now`. A body that is not full leaves only if no more messages come
        (`is_last`).
        """
        for status, owed in self._owed.items():
            while owed and owed[0][0] <= now and (len(owed) >= self._a_call or is_last):
                some = [owed.popleft()[1] for _ in range(min(self._a_call, len(owed)))]
                yield signed(
                    [{"metadata": {"phone_number_id": "1"}, "statuses": [_status(one, status) for one in some]}]
                )

    @property
    def is_done(self) -> bool:
        """Whether all statuses have been posted."""
        return not any(self._owed.values())


def _status(one: Mapping[str, str], status: str) -> Status:
    at = str(int(CLOCK.now().timestamp()))
    return {"id": one["id"], "status": status, "timestamp": at, "biz_opaque_callback_data": one["key"]}


def reported(wamid: str, status: str, at: int, key: str, wa_id: str) -> Status:
    """Return a change's value with one status, as Meta posts it since April 2026: with the person's number and user ID.

    `at` is in seconds since 1970.
    """
    pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": WHATSAPP.sender_number.lstrip("+"), "phone_number_id": "1"},
        "contacts": [person(wa_id).contact()],
        "statuses": [
            {
                "id": wamid,
                "status": status,
                "timestamp": str(at),
                "recipient_id": wa_id,
                "biz_opaque_callback_data": key,
                **({"pricing": pricing} if status != "read" else {}),
            }
        ],
    }


def signed(values: Sequence[Mapping[str, object]]) -> Call:
    """Return a body of Meta's with these changes, signed with the app secret."""
    changes = [{"field": "messages", "value": value} for value in values]
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": changes}]}).encode()
    signature = hmac.new(b"a", body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}"}
    path = {"organisation_id": ORGANISATION}
    return http_event("POST /webhooks/whatsapp/{organisation_id}", path=path, headers=headers, body=body)
