"""Every event that may be logged or counted: its name, its fields and its metrics. The alarms, the dashboard and the
saved queries of template.yaml use these names; tests compare them with this list.

IDs (of a message, a distribution, an organisation) are fields of a log line and never dimensions of a metric.
CloudWatch charges each combination of dimensions as a metric of its own, so a dimension must have few values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

IDENTITIES: Final = frozenset(("message_id", "parent", "distribution_id", "organisation"))

DIMENSIONS: Final = frozenset(("channel", "found", "outcome", "provider", "reason", "status", "decision"))
"""Fields with few values: those of an enumeration, or of api.md's closed list of reasons."""

ACCEPTED: Final = "accepted"
"""The outcome of a call that the provider accepted. The other outcomes are the `Kind` of the call's error."""


class Unit(StrEnum):
    """CloudWatch's own names of units."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What one event adds to a metric: 1, or the number in its field `value`. The fields in `by` become dimensions.

    With `when` (field, values), only events whose field has one of these values count. Milliseconds are kept one by
    one, counts are added up.
    """

    name: str
    by: tuple[str, ...] = ()
    value: str | None = None
    when: tuple[str, tuple[str, ...]] | None = None
    unit: Unit = Unit.COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`fields` are the names that the event may carry; none may hold personal data. `is_warning`: an operator may have
    to look. If `logged` is false, the event is only counted.
    """

    fields: frozenset[str] = frozenset()
    metrics: tuple[Metric, ...] = ()
    is_warning: bool = False
    logged: bool = True


def _event(*fields: str, counts: tuple[Metric, ...] = (), logged: bool = True) -> Event:
    return Event(fields=frozenset(fields), metrics=counts, logged=logged)


def _warning_event(*fields: str, counts: tuple[Metric, ...] = ()) -> Event:
    return Event(fields=frozenset(fields), metrics=counts, is_warning=True)


def _one(name: str, *by: str) -> tuple[Metric, ...]:
    return (Metric(name=name, by=by),)


def _sum(name: str, value: str, *by: str) -> tuple[Metric, ...]:
    return (Metric(name=name, by=by, value=value),)


def _time(name: str, value: str, *by: str) -> Metric:
    return Metric(name=name, by=by, value=value, when=("outcome", (ACCEPTED,)), unit=Unit.MILLISECONDS)


_OF_A_MOVE = (
    # Moves to `sent` are left out: `Calls` already counts what the provider accepted, and a second count costs money.
    Metric(name="MessagesMoved", by=("channel", "status"), when=("status", ("delivered", "read", "failed"))),
    Metric(name="Failures", by=("channel", "reason"), when=("status", ("failed",))),
)

_OF_A_CALL = (
    # All three metrics have the same dimensions, so that one line holds them together.
    Metric(name="Calls", by=("channel", "outcome")),
    _time("CallMilliseconds", "milliseconds", "channel", "outcome"),
    _time("LateMilliseconds", "late_milliseconds", "channel", "outcome"),
)

EVENTS: Final[Mapping[str, Event]] = {
    # ── From the queue to the provider ──
    "message_moved": _event(
        *("message_id", "channel", "before", "status", "reason", "organisation", "distribution_id"), counts=_OF_A_MOVE
    ),
    "provider_called": _event(
        "channel", "outcome", "milliseconds", "late_milliseconds", counts=_OF_A_CALL, logged=False
    ),
    "send_was_slow": _event("message_id", "channel", "outcome", "milliseconds", counts=_one("SlowSends", "channel")),
    "send_not_accepted": _event(
        *("message_id", "channel", "kind", "code", "attempt", "organisation", "distribution_id")
    ),
    "request_refused_as_wrong": _warning_event(
        *("message_id", "code", "channel", "organisation"), counts=_one("RequestsRefusedAsWrong")
    ),
    "stop_error": _warning_event("organisation", "channel", "reason", counts=_one("StopErrors")),
    "quota_used_up": _warning_event("organisation", "channel", counts=_one("QuotasUsedUp")),
    "send_slot_rebooked": _event("channel", counts=_one("SendSlotsRebooked", "channel"), logged=False),
    "message_held_at_gate": _event("message_id", "decision", "reason", counts=_one("HeldAtGate", "decision")),
    "claim_too_late": _event("message_id"),
    "queue_message_dropped": _event("message_id", "found", counts=_one("QueueMessagesDropped", "found")),
    "text_half_dropped": _event("message_id"),
    "message_handling_failed": _warning_event("message_id", "organisation", "error", counts=_one("OwnFailures")),
    "unknown_outcome_resent": _event("message_id", counts=_one("ResentWithUnknownOutcome")),
    "unknown_outcome_lifted": _event("message_id", "looks"),
    "fallbacks_wait": _event("messages", counts=(Metric(name="FallbacksWaiting", value="messages"),)),
    "fallback_begun": _event("message_id", "parent", "status", counts=_one("FallbacksBegun")),
    "opt_out_received": _event("message_id", "code", "kept", counts=_one("OptOutsReceived")),
    "queue_message_refused": _warning_event("message_id", "channel", "organisation", counts=_one("OwnFailures")),
    "agenda_worked_off": _event("shard", "messages", counts=_sum("AgendaTakenUp", "messages")),
    "agenda_message_failed": _warning_event("message_id", "organisation", "error", counts=_one("OwnFailures")),
    # ── Dead letters ──
    "dead_letter": _warning_event(
        *("message_id", "channel", "organisation", "distribution_id", "reason", "attempts"),
        counts=_one("DeadLetters", "channel", "reason"),
    ),
    "dead_letters_stand": _event(
        "organisation", "channel", "messages", counts=_sum("DeadLettersStanding", "messages", "channel")
    ),
    "dead_letter_dropped": _event("message_id", "status"),
    "dead_letter_of_no_message": _warning_event("message_id", "organisation"),
    "dead_letter_not_taken": _warning_event("message_id", "organisation", "error", counts=_one("OwnFailures")),
    "dead_letters_redriven": _event("asked", "redriven", counts=_sum("DeadLettersRedriven", "redriven")),
    # ── Webhooks ──
    "webhook_refused": _warning_event("organisation", "provider", counts=_one("WebhooksRefused", "provider")),
    "webhook_malformed": _event("organisation", "provider", counts=_one("WebhooksMalformed", "provider")),
    "report_failed": _warning_event("organisation", "provider", "error", counts=_one("OwnFailures")),
    "report_ignored": _event("provider", "parts"),
    "receipt_parked": _event("delivery_status", "named", counts=_one("ReceiptsParked")),
    "status_not_moved": _event("message_id", "status", "stands", counts=_one("MovesWithoutEffect", "status")),
    "status_for_unknown_message": _event("message_id", "status", counts=_one("StatusesUnmatched")),
    "message_held_by_provider": _event("message_id"),
    "webhook_event_not_taken": _warning_event("organisation", "webhook_event", "error"),
    "webhook_event_without_integration": _event("organisation"),
    "webhook_event_of_another_account": _event(
        "organisation", "webhook_event", "account_is_set", counts=_one("WebhooksOfOthers")
    ),
    "account_warning": _warning_event("organisation", "warning", "restriction"),
    "account_examined": _event("organisation", "can_send"),
    "account_unread": _event("organisation", "code", "tries"),
    "restriction_is_over": _event("organisation", "restriction"),
    "template_updated": _event("template", "language", "status", "is_new"),
    "account_restricted": _warning_event("organisation", "restriction"),
    "inbound": _event("organisation", "opens_session", "wish", counts=_one("MessagesReceived")),
    "inbound_to_another_number": _event("organisation", counts=_one("WebhooksOfOthers")),
    # ── Distributions ──
    "distribution_planned": _event("distribution_id", "status", "accepted", "rejected"),
    "distribution_controlled": _event("distribution_id", "action", "status"),
    "distribution_stopped": _warning_event(
        "organisation", "distribution_id", "reason", counts=_one("DistributionsStopped")
    ),
    "hold_set": _warning_event(
        "organisation", "channel", "scope", "reason", "distribution_id", counts=_one("HoldsSet")
    ),
    "hold_tried": _event("organisation", "channel", "scope", "message_id"),
    "hold_ended": _event("organisation", "channel", "scope"),
    "hold_cause_unread": _event("organisation", "channel", "code"),
    "distribution_overdue": _warning_event("organisation", "distribution_id"),
    "distribution_completed": _event("distribution_id", counts=_one("DistributionsCompleted")),
    "chunk_released": _event(
        *("organisation", "distribution_id", "run", "chunk", "messages", "channel"),
        counts=(*_one("DistributionsReleasing", "channel"), *_sum("MessagesReleased", "messages", "channel")),
    ),
    "count_came_late": _event("distribution_id"),
    "rate_limit_full": _event("channel", counts=_one("DistributionsReleasing", "channel"), logged=False),
    "upload_unreadable": _event("distribution_id", "why"),
    "schedule_not_set": _warning_event("organisation", "distribution_id", "error"),
    "schedule_not_removed": _warning_event("distribution_id", "error"),
    # ── Exports ──
    "export_requested": _event("organisation", "sub", "kind"),
    "export_done": _event("organisation", "rows"),
    "export_failed": _warning_event("organisation", "reason"),
    # ── Look-ups by number ──
    "phone_looked_up": _event("organisation", "sub"),
    "consent_looked_up": _event("organisation", "sub"),
    "lookup_refused": _warning_event("organisation", "sub", "lookup"),
    # ── The machine ──
    "tick": _event(
        *("tasks", "overdue", "late_shards"),
        counts=(
            *_one("Ticks"),
            *_sum("TickTasks", "tasks"),
            *_sum("DistributionsOverdue", "overdue"),
            *_sum("AgendaShardsOverdue", "late_shards"),
        ),
    ),
    "task_begun": _event("kind", "organisation", "distribution_id"),
    "tick_one": _event("distribution_id"),
    "erasure_round": _event("organisation", "round"),
    "account_not_proved": _event("organisation", "code"),
    "number_status_unread": _event("organisation", "code"),
    "templates_unread": _event("organisation", "code"),
    "template_not_submitted": _event("template", "code"),
    "token_store_unreachable": _warning_event("organisation", "error"),
    "crash": _warning_event("where", "error", "places", counts=_one("OwnFailures")),
}


class Telemetry(Protocol):
    """Writes log lines and metrics for the events of `EVENTS`."""

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Report an event of normal operation."""
        ...

    def warning_event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Report an event that an operator may have to look at."""
        ...
