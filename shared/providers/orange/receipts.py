"""Orange's delivery receipts (reference/orange_sms.md, section 4): unsigned, untimed, at least once and maybe never."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.json import JsonObject, JsonValue
from shared.domain.receipt import ORANGE_STATUSES, OrangeReceipt
from shared.providers.answers import identifier, obj, objects, parse, text

_ADDRESS = re.compile(r"(?:tel:)?\+?([1-9][0-9]{7,14})", re.ASCII)
_DIGITS = re.compile(r"[0-9]{5,}", re.ASCII)
"""A status is stored and logged as Orange writes it; should a number stand in it, that is not."""


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
    return OrangeReceipt(
        receipt_id=receipt_id,
        delivery_status=_DIGITS.sub("#", status),
        status=ORANGE_STATUSES.get(status),
        address=_address(text(info.get("address"))),
    )


def _address(value: str) -> str | None:
    """tel:+221… as E.164; also without the signs, as some gateways write it."""
    found = _ADDRESS.fullmatch(value)
    return f"+{found[1]}" if found else None


def _label(value: JsonValue) -> str:
    """A status as Orange wrote it, known or not, fit to be stored."""
    return "".join(character for character in text(value)[:64] if character.isascii() and character.isprintable())
