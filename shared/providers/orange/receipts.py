"""Orange's delivery receipts (reference/orange_sms.md, section 4). They have no signature and no time; Orange may send
one several times or never.
"""

import json
import re
from collections.abc import Iterator, Mapping

from shared.base.json import JsonObject, JsonValue
from shared.messages.message import Status
from shared.providers.answers import PIECE_BYTES, identifier, obj, objects, parse, text
from shared.webhooks.updates import Receipt, ReceiptFormat, ReceiptsRead

STATUSES: Mapping[str, Status] = {
    "DeliveredToTerminal": Status.DELIVERED,
    "DeliveredToNetwork": Status.SENT,
    "MessageWaiting": Status.SENT,
    "DeliveryImpossible": Status.FAILED,
}
"""reference/orange_sms.md §4. DeliveryUncertain and unknown statuses change nothing."""

_ADDRESS = re.compile(r"(?:tel:)?\+?([1-9][0-9]{7,14})", re.ASCII)

_DIGITS = re.compile(r"[0-9](?:[ .()/-]{0,2}[0-9]){4,}", re.ASCII)
"""A digit sequence. If a status contains a phone number, the number must not be stored or logged."""


def pieces(body: bytes) -> list[str]:
    """The body's receipts, each once, in documents of less than 50 kB. Empty if there are none.

    The documents are ASCII, because SQS refuses some characters that JSON allows; its limit is 1 MiB. They contain only
    the fields that `receipts` reads. A receipt that is too large by itself is left out.
    """
    try:
        return [f"[{','.join(packed)}]" for packed in _packed(_written(parse(body)))]
    except RecursionError:
        return []


def _written(document: JsonValue) -> Iterator[str]:
    for notification, info in _infos(document):
        reported = {"callbackData": identifier(notification.get("callbackData")), "deliveryInfo": info}
        yield json.dumps({"deliveryInfoNotification": reported}, separators=(",", ":"))


def _packed(receipts: Iterator[str]) -> Iterator[list[str]]:
    packed: list[str] = []
    size = 0
    for one in receipts:
        if len(one) + 2 >= PIECE_BYTES:
            continue
        if packed and size + len(one) + 2 >= PIECE_BYTES:
            yield packed
            packed, size = [], 0
        packed.append(one)
        size += len(one) + 1
    if packed:
        yield packed


def receipts(body: bytes | str) -> ReceiptsRead:
    """Every receipt in a callback. Never raises. Use only `receipt_id` to find the message."""
    found = [_receipt(notification, info) for notification, info in _infos(parse(body))]
    known = [receipt for receipt in found if receipt]
    return ReceiptsRead(receipts=known, ignored=len(found) - len(known) if found else 1)


def _infos(document: JsonValue) -> Iterator[tuple[JsonObject, JsonObject]]:
    for item in objects(document):
        notification = obj(item.get("deliveryInfoNotification"))
        for info in objects(notification.get("deliveryInfo")):
            yield notification, info


def _receipt(notification: JsonObject, info: JsonObject) -> Receipt | None:
    receipt_id = identifier(notification.get("callbackData"))
    status = _label(info.get("deliveryStatus")) or _label(obj(info.get("delivery")).get("deliveryStatus"))
    if not receipt_id or not status:
        return None
    return Receipt(
        receipt_id=receipt_id,
        delivery_status=_DIGITS.sub("#", status),
        address=_address(text(info.get("address"))),
    )


def _address(value: str) -> str | None:
    """ "tel:+221…" as E.164. Some gateways leave out "tel:" or the plus sign; those are accepted."""
    found = _ADDRESS.fullmatch(value)
    return f"+{found[1]}" if found else None


def _label(value: JsonValue) -> str:
    """A status as Orange sent it, known or unknown, in a form that can be stored."""
    return "".join(character for character in text(value)[:64] if character.isascii() and character.isprintable())


FORMAT = ReceiptFormat(pieces=pieces, read=receipts, statuses=STATUSES)
