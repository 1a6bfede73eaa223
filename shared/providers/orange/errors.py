"""Orange's answers to decisions. Three documented shapes, OAuth's fourth, and whatever else a gateway may say."""

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
    """An answer that is no success, in its parts. `said` is all of Orange's words: never for logs."""

    status: int
    gateway: int | None
    one_api: str
    oauth: str
    policy: bool
    said: str

    @property
    def code(self) -> str:
        """For logs: "403/53", "SVC0002", "invalid_client", "HTTP 502"."""
        if self.gateway is not None:
            return f"{self.status}/{self.gateway}"
        return self.one_api or (self.oauth if self.oauth in OAUTH else f"HTTP {self.status}")

    @property
    def throttles(self) -> bool:
        """A 403 is not always fatal: with code 53 it is the rate limit."""
        return self.status == 429 or self.gateway == 53

    @property
    def may_have_been_sent(self) -> bool:
        """May hide an empty balance or an ended contract, for which no error body is documented: see the contracts."""
        return (self.status == 403 or self.policy) and not self.throttles

    @property
    def refuses_token(self) -> bool:
        """Worth one new token; not where we sent none."""
        return self.status == 401 and self.gateway != 40


def read(status: int, body: bytes) -> Answer:
    """Total: whatever the body is."""
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
    """The decision for an answer other than 2xx."""
    return error_from_answer(read(status, body), call)


def error_from_answer(answer: Answer, call: Call = Call.ONCE) -> SendError:
    """The code decides; the HTTP status where it is silent or a 5xx, after which nobody knows what was sent.

    An unknown code with an unlisted 4xx is `bug`: it costs this message alone and wakes an engineer.
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
    """The texts of the answer, `variables` included: a list, a string or absent."""
    exceptions = [obj(exception) for exception in obj(request_error).values()]
    found = [exception.get(name) for exception in exceptions for name in ("text", "variables")]
    found += [obj(document).get(name) for name in ("message", "description", "error_description")]
    return [text(word) for value in found for word in (value if isinstance(value, list) else [value])]


# Orange's error codes as data (reference/orange_sms.md, section 2): what each one means for the message at hand.
#
# api.md's list of reasons is closed, so the nearest one stands where none fits exactly: a wrong path or sender
# address (404) is told as a sender that Orange does not know, a fault in every request of ours as the provider being
# down.


_country = partial(stop, scope=Scope.COUNTRY)
"""Subscription, bundle, sender name and sender address are one per country (reference, section 7)."""

SECOND = 1.0

QUOTA_SECONDS = 3600.0
"""A used-up quota does not come back within seconds; Orange gives neither Retry-After nor the period's end."""

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
"""The gateway's catalogue by `code`. Its codes 1, 5 and 6 say no more than the HTTP status they come with."""

ONE_API: Mapping[str, Rule] = {
    "SVC0001": person("provider_rejected"),  # with a 5xx the status decides
    "SVC0002": person("phone_invalid"),
    "SVC0003": person("phone_invalid"),
    "SVC0004": person("phone_invalid"),
    "SVC0280": person("text_too_long"),
    "POL0001": person("provider_rejected"),  # after a look at the contracts
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
"""HTTP statuses of answers whose code is absent or unknown to us."""
