"""Orange's error answers as `SendError`s: three documented forms, OAuth's fourth, and any other answer of a gateway."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from shared.base.json import JsonValue
from shared.messages.errors import Scope, SendError
from shared.providers.answers import Call, Rule, bug, integer, obj, parse, person, retry, stop, text, throttled, unknown

_SENDER = re.compile(r"sender[ _-]?(name|address)", re.IGNORECASE)

_QUOTA = re.compile(r"quota", re.IGNORECASE)

_MESSAGE_ID = re.compile(r"[A-Z]{3}[0-9]{4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The parts of an error answer. `said` has all texts of the answer and must not be logged."""

    status: int
    gateway: int | None
    one_api: str
    oauth: str
    policy: bool
    said: str

    @property
    def code(self) -> str:
        """The code for logs: "403/53", "SVC0002", "invalid_client", "HTTP 502"."""
        if self.gateway is not None:
            return f"{self.status}/{self.gateway}"
        return self.one_api or (self.oauth if self.oauth in OAUTH else f"HTTP {self.status}")

    @property
    def throttles(self) -> bool:
        """Whether Orange throttles. A 403 with code 53 means the rate limit."""
        return self.status == 429 or self.gateway == 53

    @property
    def needs_contracts(self) -> bool:
        """Whether the cause may be an empty balance or an ended contract. Orange documents no error body for these
        cases, so the contracts must be read.
        """
        return (self.status == 403 or self.policy) and not self.throttles

    @property
    def refuses_token(self) -> bool:
        """Whether a new token may help. Code 40 means that our request had no token."""
        return self.status == 401 and self.gateway != 40


def read(status: int, body: bytes) -> Answer:
    """The parts of an answer. Never raises."""
    document = obj(parse(body))
    request_error = obj(document.get("requestError"))
    policy = obj(request_error.get("policyException"))
    exception = policy or obj(request_error.get("serviceException"))
    message_id = text(exception.get("messageId"))
    return Answer(
        status=status,
        gateway=integer(document.get("code")),
        one_api=message_id if _MESSAGE_ID.fullmatch(message_id) else "",
        oauth=text(document.get("error")),
        policy="policyException" in request_error,
        said=" ".join(_words(request_error, document)),
    )


def error_from_response(status: int, body: bytes, call: Call = Call.ONCE) -> SendError:
    """The error for an answer other than 2xx."""
    return error_from_answer(read(status, body), call)


def error_from_answer(answer: Answer, call: Call = Call.ONCE) -> SendError:
    """The error for an answer. The code decides. If the code is absent or unknown, or the status is 5xx, the status
    decides; after most 5xx it is unknown whether the message was sent.

    An unknown code with an unlisted 4xx is `bug`: only this message fails, and the engineers are alerted.
    """
    found = _rule(answer)
    return (found.repeatable() if call is Call.REPEATABLE else found).error(answer.code)


def _rule(answer: Answer) -> Rule:
    if answer.throttles:
        return throttled(QUOTA_SECONDS) if _QUOTA.search(answer.said) else GATEWAY[53]
    if answer.status >= 500 or answer.status < 300:
        return STATUSES.get(answer.status, unknown())
    if answer.status == 400 and _SENDER.search(answer.said):
        return stop("sender_name_not_approved", Scope.COUNTRY)
    known = ONE_API.get(answer.one_api) or GATEWAY.get(answer.gateway or 0) or OAUTH.get(answer.oauth)
    return known or STATUSES.get(answer.status, bug())


def _words(request_error: JsonValue, document: JsonValue) -> list[str]:
    """The texts of the answer. `variables` may be a list, a string or absent."""
    exceptions = [obj(exception) for exception in obj(request_error).values()]
    found = [exception.get(name) for exception in exceptions for name in ("text", "variables")]
    found += [obj(document).get(name) for name in ("message", "description", "error_description")]
    return [text(word) for value in found for word in (value if isinstance(value, list) else [value])]


# Orange's error codes as data (reference/orange_sms.md, section 2): what each code means for the message. api.md's list
# of reasons is closed, so the nearest reason is used: for a wrong path or sender address (404) a sender that Orange
# does not know, for an error in all our requests that the provider is down.


_country = partial(stop, scope=Scope.COUNTRY)
"""Subscription, bundle, sender name and sender address belong to one country (reference, section 7)."""

SECOND = 1.0

QUOTA_SECONDS = 3600.0
"""A used-up quota takes long to come back. Orange sends neither Retry-After nor the end of the period."""

GATEWAY: Mapping[int, Rule] = {
    **dict.fromkeys(range(20, 29), person("provider_rejected")),
    40: stop("token_invalid"),
    41: stop("token_invalid"),
    42: stop("token_invalid"),
    50: _country("country_not_subscribed"),
    51: stop("account_restricted"),
    52: stop("account_restricted"),
    53: throttled(SECOND),
    60: _country("sender_name_not_approved"),
    61: stop("provider_down"),
    62: stop("provider_down"),
    63: retry(),
    64: stop("provider_down"),
    66: stop("provider_down"),
    67: stop("provider_down"),
    68: stop("provider_down"),
    69: stop("provider_down"),
}
"""The gateway's codes (`code`). Its codes 1, 5 and 6 say no more than the HTTP status that comes with them."""

ONE_API: Mapping[str, Rule] = {
    "SVC0001": person("provider_rejected"),  # with a 5xx, the status decides
    "SVC0002": person("phone_invalid"),
    "SVC0003": person("phone_invalid"),
    "SVC0004": person("phone_invalid"),
    "SVC0280": person("text_too_long"),
    "POL0001": person("provider_rejected"),  # the contracts are read first
    "POL1009": _country("country_not_subscribed"),
    "POL1010": _country("account_restricted"),
}
"""GSMA's `messageId`s."""

OAUTH: Mapping[str, Rule] = {
    "invalid_client": stop("token_invalid"),
    "unauthorized_client": stop("token_invalid"),
    "invalid_token": stop("token_invalid"),
    "invalid_grant": stop("token_invalid"),
    "invalid_request": bug(),
    "unsupported_grant_type": bug(),
}
"""`error` of {error, error_description}."""

STATUSES: Mapping[int, Rule] = {
    401: stop("token_invalid"),
    403: person("provider_rejected"),
    404: _country("sender_name_not_approved"),
    405: stop("provider_down"),
    406: stop("provider_down"),
    408: retry(),
    409: stop("provider_down"),
    411: stop("provider_down"),
    413: stop("provider_down"),
    414: stop("provider_down"),
    415: stop("provider_down"),
    429: throttled(SECOND),
    500: unknown(),
    502: unknown(),
    503: retry(),
    504: unknown(),
}
"""HTTP statuses, for answers whose code is absent or unknown."""
