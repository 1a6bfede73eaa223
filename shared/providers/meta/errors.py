"""Meta's error answers as `SendError`s. It never raises: HTML, an empty body, a cut document and unknown codes all have
a result.
"""

import re
from collections.abc import Mapping
from functools import partial

from shared.base.json import JsonObject, JsonValue
from shared.messages.errors import Kind, Scope, SendError
from shared.providers.answers import Call, Rule, bug, integer, obj, parse, person, retry, stop, text, throttled, unknown

STALE_MEDIA = "100/media"
"""The code of a send whose media ID Meta no longer has: the card must be uploaded again (reference, section 2)."""

LOST_STATUSES = frozenset({500, 502, 504})

_MEDIA = re.compile(r"media attachment id", re.IGNORECASE)

_ADDRESSEE = re.compile(
    r"""\bparam(?:eter)?s?\W{1,3}(?:to|recipient)(?:$|['"\])]|\W+(?:is|must|has)\b)|\brecipient(?: phone)? number\b""",
    re.IGNORECASE,
)

_NO_SUCH_OBJECT = 33
"""Subcode of 100: the phone number ID is wrong, or the token may not use it. Every send would fail the same way."""


def error_from_response(status: int, body: bytes, call: Call = Call.ONCE) -> SendError:
    """The error for an answer other than 2xx. The code decides; the HTTP status counts only if the code is absent or
    unknown.

    An unknown code with a 4xx is `bug`: the message was certainly rejected, only this message fails, and the engineers
    are alerted. `stop` would hold a whole campaign because of one person, and `recipient` could make a whole list fail
    without an alert.
    """
    error = obj(obj(parse(body)).get("error"))
    code = integer(error.get("code"))
    found = _rule(status, code, error)
    if call is Call.REPEATABLE:
        found = found.repeatable()
    return found.error(_name(status, code, error))


def error_from_code(code: JsonValue) -> SendError:
    """The error in a status webhook. There, `failed` proves that the message did not arrive.

    So the outcome is not unknown. An unknown code counts as this person's: the campaign goes on, and a fallback may
    start.
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
        return unknown()  # Meta advises to try again, but does not say that nothing was sent
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
    """All texts of the answer. They distinguish errors with the same code and must not be logged."""
    details = error.get("error_data")
    return f"{text(error.get('message'))} {text(details) or text(obj(details).get('details'))}"


def _name(status: int, code: int | None, error: JsonObject) -> str:
    if code == 100 and _is_stale(error):
        return STALE_MEDIA
    return f"HTTP {status}" if code is None else str(code)


# Meta's error codes as data (reference/whatsapp.md, section 4): what each code means for the message. The actions of
# Meta's page become kinds: B and L are retry (throttled if the whole number or app must slow down), R recipient, T and
# S stop (T for the template in its language, S for the account; 130497 for the country), F bug. api.md's list of
# reasons is closed, so the nearest reason is used.


MINUTES = 60.0

DAY = 24 * 60 * MINUTES

FEW = 5
"""Tries for an error that may be temporary or may be a wrong request."""

_account = partial(stop, scope=Scope.ACCOUNT)

_country = partial(stop, scope=Scope.COUNTRY)

_template = partial(stop, scope=Scope.TEMPLATE)

CODES: Mapping[int, Rule] = {
    0: _account("token_invalid"),
    1: retry(most_attempts=FEW),
    2: retry(),
    3: _account("permission_missing"),
    4: throttled(5 * MINUTES),
    10: _account("permission_missing"),
    33: _account("permission_missing"),
    100: bug(),
    104: _account("token_invalid"),
    190: _account("token_invalid"),
    200: _account("permission_missing"),
    368: _account("account_restricted"),
    80007: throttled(15 * MINUTES),
    130403: person("undeliverable"),
    130429: throttled(2),
    130472: person("experiment_withheld"),
    130497: _country("country_not_subscribed"),
    130501: bug(),
    131000: unknown(),
    131005: _account("permission_missing"),
    131008: bug(),
    131009: bug(),
    131014: retry(MINUTES, most_attempts=2),
    131016: retry(),
    131021: person("undeliverable"),
    131026: person("not_on_whatsapp"),
    131030: person("provider_rejected"),
    131031: _account("account_restricted"),
    131037: _account("account_restricted"),
    131042: _account("payment_required"),
    131044: _account("payment_required"),
    131045: _account("account_restricted"),
    131047: person("template_required"),
    131048: _account("account_restricted"),
    131049: person("undeliverable", rests=DAY),  # Meta punishes the account for retries (reference, section 4)
    131050: person("opted_out"),
    131051: bug(),
    131052: bug(),
    131053: Rule(
        Kind.BUG, "card_not_a_picture", refuses_picture=True
    ),  # we send media IDs, so Meta refuses the uploaded picture
    131055: bug(),
    131056: throttled(1, person_only=True),  # the send step waits 4^n seconds
    131057: throttled(MINUTES),
    131059: bug(),
    131062: bug(),
    131063: _template("template_recategorised"),
    131064: _account("account_restricted"),
    132000: _template("template_disabled"),
    132001: _template("template_disabled"),
    132005: person("text_too_long"),
    132007: _template("template_disabled"),
    132008: person("provider_rejected", if_repeated="template_disabled"),
    132012: person("provider_rejected", if_repeated="template_disabled"),
    132018: person("provider_rejected", if_repeated="template_disabled"),
    132015: _template("template_paused"),
    132016: _template("template_disabled"),
    132068: _template("template_disabled"),
    132069: _template("template_paused"),
    133000: _account("account_restricted"),
    133004: retry(),
    133005: _account("account_restricted"),
    133006: _account("account_restricted"),
    133008: _account("account_restricted"),
    133009: _account("account_restricted"),
    133010: _account("account_restricted"),
    133015: _account("account_restricted"),
    133016: _account("account_restricted"),
    134011: _account("payment_required"),
    134100: bug(),
    134101: retry(10 * MINUTES),
    134102: _template("template_disabled"),
    135000: bug(),
    137000: person("undeliverable"),
    2494100: throttled(5 * MINUTES),
}

RANGES: Mapping[range, Rule] = {
    range(200, 300): _account("permission_missing"),
    range(2388000, 2389000): bug(),
}

STATUSES: Mapping[int, Rule] = {
    401: _account("token_invalid"),
    403: _account("permission_missing"),
    408: retry(),
    429: throttled(2),
    503: retry(),
}
"""HTTP statuses, for answers whose code is absent or unknown."""


def rule(code: int) -> Rule | None:
    """The rule for a code; None if the code is unknown."""
    return CODES.get(code) or next((found for codes, found in RANGES.items() if code in codes), None)
