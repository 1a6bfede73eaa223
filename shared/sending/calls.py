"""What is told of a call to a provider: its outcome, how long it took, how late it came."""

from datetime import datetime, timedelta

from shared.base.events import Telemetry
from shared.base.instants import from_microseconds
from shared.messages.queue_message import Dispatch

SLOW = timedelta(seconds=2)
"""A call that takes as long gets a line of its own; how long the others took is a metric."""


def tell_call(telemetry: Telemetry, dispatch: Dispatch, between: tuple[datetime, datetime], outcome: str) -> None:
    """`between`: when the provider was asked, and when it had answered. Late is after the departure of this copy."""
    asked_at, answered_at = between
    milliseconds = _milliseconds(answered_at - asked_at)
    telemetry.event(
        "provider_called",
        channel=dispatch.channel,
        outcome=outcome,
        milliseconds=milliseconds,
        late_milliseconds=_milliseconds(asked_at - from_microseconds(dispatch.slot_at)),
    )
    if answered_at - asked_at >= SLOW:
        telemetry.event(
            "send_was_slow",
            message_id=dispatch.message_id,
            channel=dispatch.channel,
            outcome=outcome,
            milliseconds=milliseconds,
        )


def _milliseconds(span: timedelta) -> int:
    """Never below zero: a message that leaves a moment before its time is not late."""
    return max(round(span / timedelta(milliseconds=1)), 0)
