"""Kite's delivery receipts: a list of events, each with the reference that Kite answered to the send."""

import json
from collections.abc import Mapping

from shared.messages.message import Status
from shared.providers.answers import identifier, obj, objects, parse
from shared.webhooks.updates import Receipt, ReceiptFormat, ReceiptsRead

STATUSES: Mapping[str, Status] = {
    "ON_ITS_WAY": Status.SENT,
    "ARRIVED": Status.DELIVERED,
    "LOST": Status.FAILED,
}


def _pieces(body: bytes) -> list[str]:
    return [json.dumps({"events": [event]}) for event in objects(obj(parse(body)).get("events"))]


def _read(document: str) -> ReceiptsRead:
    events = objects(obj(parse(document)).get("events"))
    found = [
        Receipt(
            receipt_id=identifier(event.get("ref")),
            delivery_status=identifier(event.get("event")),
            address=f"+{identifier(event.get('to'))}",
        )
        for event in events
    ]
    named = [receipt for receipt in found if receipt.receipt_id and receipt.delivery_status]
    return ReceiptsRead(receipts=named, ignored=len(found) - len(named) if found else 1)


FORMAT = ReceiptFormat(pieces=_pieces, read=_read, statuses=STATUSES)
