"""Meta's answers to decisions. Total: HTML, nothing, half a document and codes of next year all have one."""

import re

from shared.base.json import JsonObject, JsonValue
from shared.messages.errors import Kind, SendError
from shared.providers.answers import integer, obj, parse, text
from shared.providers.errors import Call, Rule, bug, person, stop, throttled, unknown
from shared.providers.meta.codes import STATUSES, rule

STALE_MEDIA = "100/media"
"""The code of a send that named a media ID which Meta no longer has: upload once more (reference, section 2)."""

LOST_STATUSES = frozenset({500, 502, 504})

_MEDIA = re.compile(r"media attachment id", re.IGNORECASE)

_ADDRESSEE = re.compile(
    r"""\bparam(?:eter)?s?\W{1,3}(?:to|recipient)(?:$|['"\])]|\W+(?:is|must|has)\b)|\brecipient(?: phone)? number\b""",
    re.IGNORECASE,
)

_NO_SUCH_OBJECT = 33
"""Subcode of 100 where the phone number ID is wrong or out of the token's reach: every send would fail alike."""


def error_from_response(status: int, body: bytes, call: Call = Call.ONCE) -> SendError:
    """The decision for an answer other than 2xx. The code decides; the HTTP status only where the code is silent.

    An unknown code with a 4xx is `bug`: surely rejected, costs this message alone and wakes an engineer, where `stop`
    would hold a whole campaign for what may be one person's fault, and `recipient` would burn its list in silence.
    """
    error = obj(obj(parse(body)).get("error"))
    code = integer(error.get("code"))
    found = _rule(status, code, error)
    if call is Call.REPEATABLE:
        found = found.repeatable()
    return found.error(_name(status, code, error))


def error_from_code(code: JsonValue) -> SendError:
    """The decision for an error in a status webhook: there, `failed` proves that the message did not arrive.

    So nothing is unknown, and an unheard-of code is taken as this person's: the campaign goes on, a fallback may start.
    """
    number = integer(code)
    found = rule(number) if number is not None else None
    return (found.repeatable() if found else person("undeliverable")).error("none" if number is None else str(number))


def _rule(status: int, code: int | None, error: JsonObject) -> Rule:
    found = rule(code) if code is not None else None
    if status == 429:
        return found if found and found.kind is Kind.THROTTLED else throttled(2)
    if found is None:
        return _by_status(status)
    if found.kind is Kind.RETRY and status in LOST_STATUSES:
        return unknown()  # "try again" is Meta's advice; that nothing went out is not documented for these
    if code in (100, 131009):
        return _bad_parameter(found, error)
    return found


def _by_status(status: int) -> Rule:
    if status in STATUSES:
        return STATUSES[status]
    return unknown() if status < 300 or status >= 500 else bug()


def _bad_parameter(found: Rule, error: JsonObject) -> Rule:
    if integer(error.get("error_subcode")) == _NO_SUCH_OBJECT:
        return stop("permission_missing")
    return person("phone_invalid") if not _is_stale(error) and _ADDRESSEE.search(_said(error)) else found


def _is_stale(error: JsonObject) -> bool:
    return bool(_MEDIA.search(_said(error)))


def _said(error: JsonObject) -> str:
    """All of Meta's words: only for telling apart what shares a code, never for logs."""
    details = error.get("error_data")
    return f"{text(error.get('message'))} {text(details) or text(obj(details).get('details'))}"


def _name(status: int, code: int | None, error: JsonObject) -> str:
    if code == 100 and _is_stale(error):
        return STALE_MEDIA
    return f"HTTP {status}" if code is None else str(code)
