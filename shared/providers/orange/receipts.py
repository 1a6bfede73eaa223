"""Orange's delivery receipts (reference/orange_sms.md, section 4): unsigned, untimed, at least once and maybe never."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.json import JsonObject, JsonValue
from shared.domain.receipt import ORANGE_STATUSES, OrangeReceipt
from shared.providers.answers import identifier, obj, objects, parse, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a body held. `ignored` counts what names no message or no status; one for a body that holds nothing."""

    receipts: list[OrangeReceipt]
    ignored: int


def receipts(body: bytes | str) -> Read:
    """Every receipt of a callback. Never raises; correlate by `receipt_id` only."""
    found = [_receipt(notification, info) for notification, info in _infos(parse(body))]
    known = [receipt for receipt in found if receipt]
    return Read(receipts=known, ignored=len(found) - len(known) if found else 1)


def _infos(document: JsonValue) -> Iterator[tuple[JsonObject, JsonObject]]:
    for item in objects(document):
        notification = obj(item.get("deliveryInfoNotification"))
        for info in objects(notification.get("deliveryInfo")):
            yield notification, info


def _receipt(notification: JsonObject, info: JsonObject) -> OrangeReceipt | None:
    receipt_id = identifier(notification.get("callbackData"))
    status = _label(info.get("deliveryStatus")) or _label(obj(info.get("delivery")).get("deliveryStatus"))
    if not receipt_id or not status:
        return None
    return OrangeReceipt(receipt_id=receipt_id, delivery_status=status, status=ORANGE_STATUSES.get(status))


def _label(value: JsonValue) -> str:
    """A status as Orange wrote it, known or not, fit to be stored."""
    return "".join(character for character in text(value)[:64] if character.isascii() and character.isprintable())
