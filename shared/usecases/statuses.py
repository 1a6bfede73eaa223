"""What providers say of a message afterwards, as moves of its status."""

from datetime import datetime

from shared.domain.errors import Kind
from shared.domain.fallback import Start, start_after
from shared.domain.payload import Channel
from shared.domain.receipt import StatusReport
from shared.domain.status import Status
from shared.usecases.ports import Move


def move_of_receipt(status: Status | None, at: datetime) -> Move | None:
    """The receipt of an SMS. It has no time stamp: `at` is when we heard. None: it says nothing."""
    if status is None:
        return None
    reason = "undeliverable" if status is Status.FAILED else None
    return Move(status=status, at=at, reason=reason, channel=Channel.SMS)


def move_of_report(report: StatusReport) -> Move:
    """A WhatsApp status. A `failed` counts only for the attempt that it names.

    The reason of an error that stops more than its message is a distribution's: on the message it reads as a refusal.
    """
    failed = report.status is Status.FAILED
    kind = report.error.kind if report.error else Kind.RECIPIENT
    told = report.error.reason if report.error and report.error.kind is not Kind.STOP else ""
    reason = (told or "provider_rejected") if failed else None
    return Move(
        status=report.status,
        at=report.at,
        attempt=report.attempt.number if failed and report.attempt else None,
        provider_message_id=report.provider_message_id,
        reason=reason,
        card_half=failed and report.attempt is not None and report.attempt.card_half,
        told_by=report.attempt.number if report.attempt and report.status is Status.SENT else None,
        fallback=start_after(kind, reason) if reason is not None else Start.NEVER,
        rests_until=report.error.rests_until(report.at) if failed and report.error else None,
        is_echo=report.status is Status.SENT,
        channel=Channel.WHATSAPP,
        sender=report.phone_number_id or None,
    )
