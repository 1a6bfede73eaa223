"""The providers' webhooks, as API Gateway hands them over."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from bench.stand import CLOCK, ORGANISATION
from local.simulators.meta.inbound import person
from tests.fakes.office import WHATSAPP
from tests.unit.http.events import event as http_event

type Call = Mapping[str, object]
type Status = Mapping[str, object]


def orange_calls(sent: Sequence[Mapping[str, str]]) -> list[Call]:
    """One receipt a call, as Orange does."""
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


def meta_calls(sent: Sequence[Mapping[str, str]], a_call: int) -> list[Call]:
    """sent, delivered and read of each message, so many statuses in a call."""
    at = str(int(CLOCK.now().timestamp()))
    statuses = [
        {"id": one["id"], "status": status, "timestamp": at, "biz_opaque_callback_data": one["key"]}
        for status in ("sent", "delivered", "read")
        for one in sent
    ]
    return [
        signed([{"metadata": {"phone_number_id": "1"}, "statuses": statuses[start : start + a_call]}])
        for start in range(0, len(statuses), a_call)
    ]


def told(wamid: str, status: str, at: int, key: str, wa_id: str) -> Status:
    """A change's value with one status, as Meta tells it since April 2026: the person by number and by user ID.
    `at`: seconds since 1970."""
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
    """A body of Meta's with so many changes, signed with the app secret."""
    changes = [{"field": "messages", "value": value} for value in values]
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": changes}]}).encode()
    signature = hmac.new(b"a", body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}"}
    path = {"organisation_id": ORGANISATION}
    return http_event("POST /webhooks/whatsapp/{organisation_id}", path=path, headers=headers, body=body)
