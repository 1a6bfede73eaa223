"""Meta's error codes as data (reference/whatsapp.md, section 4): what each one means for the message at hand.

The page's actions become kinds: B and L retry (throttled where the whole number or app must slow down), R recipient,
T and S stop, F bug. api.md's list of reasons is closed, so the nearest one stands where none fits exactly.
"""

from collections.abc import Mapping

from shared.domain.errors import Kind
from shared.providers.rules import Rule, bug, person, retry, stop, throttled, unknown

MINUTES = 60.0

CODES: Mapping[int, Rule] = {
    0: stop("token_invalid"),
    1: retry(),
    2: retry(),
    3: stop("permission_missing"),
    4: throttled(5 * MINUTES),
    10: stop("permission_missing"),
    33: stop("permission_missing"),
    100: bug(),
    104: stop("token_invalid"),
    190: stop("token_invalid"),
    200: stop("permission_missing"),
    368: stop("account_restricted"),
    80007: throttled(15 * MINUTES),
    130403: person("undeliverable"),
    130429: throttled(2),
    130472: person("experiment_withheld"),
    130497: person("country_not_covered"),
    130501: bug(),
    131000: unknown(),
    131005: stop("permission_missing"),
    131008: bug(),
    131009: bug(),
    131014: retry(MINUTES),
    131016: retry(),
    131021: person("undeliverable"),
    131026: person("not_on_whatsapp"),
    131030: person("provider_rejected"),
    131031: stop("account_restricted"),
    131037: stop("account_restricted"),
    131042: stop("payment_required"),
    131044: stop("payment_required"),
    131045: stop("account_restricted"),
    131047: person("template_required"),
    131048: stop("account_restricted"),
    131049: person("undeliverable"),
    131050: person("opted_out"),
    131051: bug(),
    131052: bug(),
    131053: Rule(Kind.BUG, "card_not_a_picture"),  # we send by ID, never by link: the picture itself is refused
    131055: bug(),
    131056: throttled(6, person_only=True),
    131057: throttled(MINUTES),
    131059: bug(),
    131062: bug(),
    131063: stop("template_recategorised"),
    131064: stop("account_restricted"),
    132000: stop("template_disabled"),
    132001: stop("template_disabled"),
    132005: person("text_too_long"),
    132007: stop("template_disabled"),
    132008: person("provider_rejected"),
    132012: person("provider_rejected"),
    132018: person("provider_rejected"),
    132015: stop("template_paused"),
    132016: stop("template_disabled"),
    132068: stop("template_disabled"),
    132069: stop("template_paused"),
    133000: stop("account_restricted"),
    133004: retry(),
    133005: stop("account_restricted"),
    133006: stop("account_restricted"),
    133008: stop("account_restricted"),
    133009: stop("account_restricted"),
    133010: stop("account_restricted"),
    133015: stop("account_restricted"),
    133016: stop("account_restricted"),
    134011: stop("payment_required"),
    134100: bug(),
    134101: retry(10 * MINUTES),
    134102: stop("template_disabled"),
    135000: bug(),
    137000: person("undeliverable"),
    2494100: throttled(5 * MINUTES),
}

RANGES: Mapping[range, Rule] = {
    range(200, 300): stop("permission_missing"),
    range(2388000, 2389000): bug(),
}

STATUSES: Mapping[int, Rule] = {
    401: stop("token_invalid"),
    403: stop("permission_missing"),
    408: retry(),
    429: throttled(2),
    503: retry(),
}
"""HTTP statuses of answers whose code is absent or unknown to us."""

TEMPLATE_REASONS = frozenset({"template_paused", "template_disabled", "template_recategorised"})
"""These stop what uses the template; every other stop is the account's."""


def rule(code: int) -> Rule | None:
    """What is known of a code."""
    return CODES.get(code) or next((found for codes, found in RANGES.items() if code in codes), None)
