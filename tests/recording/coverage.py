"""What a recording covers and what it lacks: by operation, status and code."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.recording.tape import LANGUAGES, Json, Operation

PROBLEMS = [
    "bad_request", "dhis2_refused", "dhis2_unreachable", "forbidden", "idempotency_in_progress",
    "idempotency_key_missing", "idempotency_key_reused", "integration_missing", "not_found", "provider_refused",
    "quiet_hours", "rate_limited", "state_conflict", "template_missing", "too_large", "unprocessable",
    "unsupported_media_type", "upload_missing", "use_upload",
]  # fmt: skip
FIELDS = [
    "callback_url_not_allowed", "card_host_not_allowed", "card_missing", "card_url_invalid", "column_twice",
    "consent_missing", "country_not_covered", "dhis2_attribute_missing", "dhis2_not_active", "encoding_unknown",
    "fallback_invalid", "field_invalid", "field_unknown", "file_empty", "header_missing", "not_this_format",
    "opted_out", "phone_column_missing", "phone_invalid", "phone_missing", "phone_not_mobile", "phone_obsolete",
    "phone_several", "quote_unclosed", "row_unreadable", "send_at_past", "sender_missing",
    "template_not_approved", "template_not_submitted", "template_required", "template_unknown", "text_empty",
    "text_too_long", "variable_missing", "variable_unknown",
]  # fmt: skip
REASONS = [
    "already_sent", "cancelled", "card_not_a_picture", "card_too_large", "card_unreachable", "erased",
    "experiment_withheld", "expired", "not_on_whatsapp", "outcome_unknown", "provider_rejected",
    "receipt_missing", "undeliverable",
]  # fmt: skip
STATUS_REASONS = [
    "account_restricted", "balance_empty", "braked", "cards_unavailable", "contract_expired",
    "country_not_subscribed", "daily_limit", "expired", "file_unreadable", "paused_by_user", "payment_required",
    "permission_missing", "provider_down", "sender_name_not_approved", "template_disabled", "template_paused",
    "template_recategorised", "token_invalid",
]  # fmt: skip
WARNINGS = [
    "cards_older_than_24h", "cards_unreachable", "characters_removed", "daily_limit_exceeded",
    "gsm7_not_possible", "language_fallback", "lines_skipped", "pages_missing", "peak_hours", "receipts_missing",
    "sender_name_narrow", "template_marketing", "template_status_unknown", "ucs2", "unknown_columns",
    "units_insufficient", "units_missing",
]  # fmt: skip
"""api.md, Codes."""


class NotCoveredError(Exception):
    """The recording lacks an operation in one of the languages."""


def coverage(operations: Sequence[Operation], exchanges: Sequence[Json]) -> Json:
    """The statuses that each operation answered in each language, and the codes of api.md that occurred."""
    statuses: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for one in exchanges:
        if one["operation"]:
            statuses[one["operation"]][_language(one["language"])].add(one["status"])
    met = _codes(exchanges)
    lists = {
        "problems": (PROBLEMS, met["problem"]),
        "fields": (FIELDS, met["error"]),
        "reasons": (REASONS, met["reason"]),
        "status_reasons": (STATUS_REASONS, met["status_reason"]),
        "warnings": (WARNINGS, met["warning"]),
    }
    return {
        "exchanges": len(exchanges),
        "operations": {
            one.name: {language: sorted(statuses[one.name][language]) for language in LANGUAGES} for one in operations
        },
        "not_provoked": {
            "statuses": sorted(_not_met(operations, statuses)),
            **{name: sorted(set(known) - found) for name, (known, found) in lists.items()},
        },
    }


def hold_complete(covered: Mapping[str, Any]) -> None:
    """Raises NotCoveredError unless every operation succeeded in both languages."""
    missing = [
        f"{name} ({language})"
        for name, languages in covered["operations"].items()
        for language, statuses in languages.items()
        if not any(200 <= status < 300 for status in statuses)
    ]
    if missing:
        raise NotCoveredError(f"never taken: {', '.join(missing)}")


def _not_met(operations: Iterable[Operation], statuses: Mapping[str, Mapping[str, set[int]]]) -> Iterator[str]:
    for one in operations:
        for status in one.statuses:
            wanting = [language for language in LANGUAGES if int(status) not in statuses[one.name][language]]
            if wanting:
                yield f"{status} of {one.name} ({', '.join(wanting)})"


def _language(asked: str | None) -> str:
    return asked if asked in LANGUAGES else "other"


def _codes(exchanges: Sequence[Json]) -> Mapping[str, set[str]]:
    met: dict[str, set[str]] = defaultdict(set)
    for one in exchanges:
        kind = "problem" if one["status"] >= 400 else ""
        for where, code in _found(one["body"], kind):
            met[where].add(code)
    return met


def _found(value: Any, kind: str) -> Iterator[tuple[str, str]]:
    """(kind of code, code) of each code within a body."""
    if isinstance(value, list):
        for inner in value:
            yield from _found(inner, kind)
        return
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "code" and isinstance(inner, str):
            yield kind, inner
        elif name == "by_reason" and isinstance(inner, dict):
            yield from (("reason", code) for code in inner)
        elif name in {"reason", "status_reason"} and isinstance(inner, str):
            # A message's reason may be a field's code. A hold's reason is one of the status reasons.
            yield from ((where, inner) for where in ("reason", "status_reason", "error"))
        else:
            yield from _found(inner, {"errors": "error", "warnings": "warning"}.get(name, kind))
