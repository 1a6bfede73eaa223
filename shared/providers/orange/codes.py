"""Orange's error codes as data (reference/orange_sms.md, section 2): what each one means for the message at hand.

api.md's list of reasons is closed, so the nearest one stands where none fits exactly: a wrong path or sender address
(404) is told as a sender that Orange does not know, a fault in every request of ours as the provider being down.
"""

from collections.abc import Mapping
from functools import partial

from shared.messages.errors import Scope
from shared.providers.errors import Rule, bug, person, retry, stop, throttled, unknown

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
