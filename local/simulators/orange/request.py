"""Reads a request to …/outbound/{sender}/requests strictly (reference/orange_sms.md §2)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote

import phonenumbers
from phonenumbers import PhoneNumberType

from local.simulators.json_body import as_object, parsed_object
from local.simulators.orange.countries import Country, country_of_sender
from local.simulators.orange.errors import OrangeError
from local.simulators.settings import Settings

_SENDER_NAME = re.compile(r"[A-Za-z0-9 -]{1,11}")
MAX_CHARACTERS = 1600


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One SMS that passed the checks."""

    number: str
    country: Country
    sender_address: str
    sender_name: str | None
    message: str
    landline: bool


def check_path(raw_path: bytes, sender: str) -> None:
    """Check that the path holds `tel:+…` percent-encoded. Raises OrangeError 404/60 otherwise."""
    segment = raw_path.decode("ascii", "replace").rsplit("/", 2)[-2]
    if segment.upper() != quote(sender, safe="").upper() or not sender.startswith("tel:+"):
        raise OrangeError("404/60")


def read(raw: bytes, sender: str, settings: Settings) -> Text:
    """Return the text in a body. Raises OrangeError."""
    if not raw:
        raise OrangeError("400/21")
    body = parsed_object(raw)
    if body is None:
        raise OrangeError("400/22")
    outer = _part(body, "outboundSMSMessageRequest", {"outboundSMSMessageRequest"})
    inner = _fields(outer, {"address", "senderAddress", "senderName", "outboundSMSTextMessage"})
    if _text(inner, "senderAddress") != sender:
        raise OrangeError("SVC0002", "senderAddress")
    country = country_of_sender(sender, settings.senders)
    if country is None:
        raise OrangeError("SVC0002", "senderAddress")
    number, landline = _recipient(_text(inner, "address"), country)
    message = _text(_fields(_part(inner, "outboundSMSTextMessage", inner), {"message"}), "message")
    if not message.strip():
        raise OrangeError("SVC0002", "message")
    if len(message) > MAX_CHARACTERS:
        raise OrangeError("SVC0280", str(MAX_CHARACTERS))
    return Text(
        number=number,
        country=country,
        sender_address=sender,
        sender_name=_sender_name(inner, settings),
        message=message,
        landline=landline,
    )


def _sender_name(inner: dict[str, object], settings: Settings) -> str | None:
    if "senderName" not in inner:
        return None
    name = _text(inner, "senderName")
    if not _SENDER_NAME.fullmatch(name) or name in settings.unapproved_sender_names:
        raise OrangeError("SVC0002", "senderName")
    return name


def _recipient(address: str, country: Country) -> tuple[str, bool]:
    """Return the number in E.164, and whether it is a landline. There is one recipient, in the sender's country."""
    number = address.removeprefix("tel:")
    if not re.fullmatch(r"tel:\+\d{8,15}", address):
        raise OrangeError("SVC0002", "address")
    parsed = phonenumbers.parse(number)
    if not phonenumbers.is_valid_number_for_region(parsed, country.code):
        raise OrangeError("SVC0004", "address")
    return number, phonenumbers.number_type(parsed) == PhoneNumberType.FIXED_LINE


def _fields(value: dict[str, object], allowed: Collection[str]) -> dict[str, object]:
    for name in value:
        if name not in allowed:
            raise OrangeError("400/24", name)
    return value


def _part(value: dict[str, object], name: str, allowed: Collection[str]) -> dict[str, object]:
    _fields(value, allowed)
    if name not in value:
        raise OrangeError("400/23", name)
    part = as_object(value[name])
    if part is None:
        raise OrangeError("400/24", name)
    return part


def _text(value: dict[str, object], name: str) -> str:
    if name not in value:
        raise OrangeError("400/23", name)
    text = value[name]
    if not isinstance(text, str):
        raise OrangeError("400/24", name)
    return text
