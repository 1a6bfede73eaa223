"""Masking: the part of a phone number that may be stored, shown and logged."""

import base64
import binascii
import re

_TWO_DIGIT_CODES = frozenset(
    str(code) for codes in (range(30, 35), range(43, 50), range(51, 59), range(60, 67), range(90, 96)) for code in codes
) | frozenset(("20", "27", "36", "39", "40", "41", "81", "82", "84", "86", "98"))
"""ITU E.164: no calling code begins another one. 1 and 7 have one digit, these two, all others three."""

_E164 = re.compile(r"\+[0-9]{1,15}", re.ASCII)

_DIGITS = re.compile(rb"[0-9]{7,}")

_CLEAR_DIGITS = re.compile(r"[0-9]{7,}", re.ASCII)

_LIKE_A_NUMBER = re.compile(
    r"(?<![0-9])(?![0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9]))(?![0-9]{2}[/.][0-9]{2}[/.][0-9]{4}(?![0-9]))"
    r"\+?[(]?[0-9](?:(?:[ .]{0,2}[0-9]){7,14}|(?:[ .()/-]{0,2}[0-9]){8,14})"
)

_LONGEST_NUMBER = 15

_PREFIX = "wamid."


def mask(e164: str) -> str:
    """+221770000001 → +22177***0001: calling code, two digits, three asterisks, the last four.

    A national number with less than eight digits shows its calling code and only so many last digits that four stay
    hidden. A text that is not E.164 becomes "***".
    """
    if not _E164.fullmatch(e164):
        return "***"
    digits = e164[1:]
    length = 1 if digits[0] in "17" else 2 if digits[:2] in _TWO_DIGIT_CODES else 3
    code, national = digits[:length], digits[length:]
    if len(national) >= 8:
        return f"+{code}{national[:2]}***{national[-4:]}"
    shown = max(len(national) - 4, 0)
    return f"+{code}***{national[len(national) - shown :]}"


def without_numbers(text: str) -> str:
    """A text with "***" in place of every digit sequence that may be a phone number.

    Eight digits with spaces, dots or nothing between them may be a number. With brackets, slashes or hyphens it takes
    nine, so that dates stay, also with a time after them.
    """
    return _LIKE_A_NUMBER.sub("***", text)


def blank_number_in_wamid(wamid: str) -> str:
    """Meta's message ID with the phone number in it blanked. It keeps its form; the same ID always gives the same
    result.

    After "wamid." comes base64 of a binary record. In it, the number's digits follow a byte with their count
    (reference/whatsapp.md §1). These digits become zeros, also where they occur again; the rest, which makes the ID
    unique, stays. If no such digits are found, all runs of seven or more digits become zeros.

    Seven or more digits in the ID's own text become asterisks, so that an ID that is not base64 does not show a number
    either. The digits are not replaced by a hash: a hash without a key could be reversed by trying all numbers.
    """
    prefix = _PREFIX if wamid.startswith(_PREFIX) else ""
    body = wamid[len(prefix) :]
    record = _decode(body)
    if record is not None and (blanked := _blank(record)) != record:
        body = _encode(blanked, like=body)
    return prefix + _CLEAR_DIGITS.sub(lambda run: "*" * len(run[0]), body)


def stored_message_id(provider_message_id: str) -> str:
    """A provider's message ID as the log stores it: Meta's with its number blanked, Orange's unchanged."""
    return (
        blank_number_in_wamid(provider_message_id) if provider_message_id.startswith(_PREFIX) else provider_message_id
    )


def _blank(record: bytes) -> bytes:
    runs = list(_DIGITS.finditer(record))
    counted = {run[0] for run in runs if _is_counted(record, run)}
    numbers = counted or {run[0] for run in runs}
    for number in sorted(numbers, key=len, reverse=True):
        record = record.replace(number, b"0" * len(number))
    return record


def _is_counted(record: bytes, run: re.Match[bytes]) -> bool:
    length = len(run[0])
    return length <= _LONGEST_NUMBER and run.start() > 0 and record[run.start() - 1] == length


def _decode(body: str) -> bytes | None:
    bare = body.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _encode(record: bytes, *, like: str) -> str:
    urlsafe = "-" in like or "_" in like
    text = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(record).decode("ascii")
    return text if like.endswith("=") else text.rstrip("=")
