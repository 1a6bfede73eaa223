"""Kite's error codes as data: what each one means for the message."""

from collections.abc import Mapping

from shared.messages.errors import Scope
from shared.providers.answers import Rule, bug, person, retry, stop, throttled, unknown

FAULTS: Mapping[int, Rule] = {
    3: person("phone_invalid"),
    4: person("text_too_long"),
    5: retry(),
    7: throttled(2.0),
    9: stop("token_invalid"),
    12: stop("country_not_subscribed", Scope.COUNTRY),
    30: bug(),
}
"""`field_error.number` of a refusal."""

STATUSES: Mapping[int, Rule] = {401: stop("token_invalid"), 429: throttled(1.0), 503: retry()}
"""HTTP statuses of answers without such a number."""
OTHER = (bug(), unknown())
"""For every other HTTP status: below 500, and from 500 on."""
