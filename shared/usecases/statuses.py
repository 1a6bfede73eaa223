"""What providers say of a message afterwards, as moves of its status."""

from datetime import datetime

from shared.domain.receipt import ORANGE_STATUSES, StatusReport
from shared.domain.status import Status
from shared.usecases.ports import Move


def move_of_orange(delivery_status: str, at: datetime) -> Move | None:
    """Orange gives no time stamp: `at` is when we heard."""
    status = ORANGE_STATUSES.get(delivery_status)
    if status is None:
        return None
    return Move(status=status, at=at, reason="undeliverable" if status is Status.FAILED else None)


def move_of_report(report: StatusReport) -> Move:
    """A WhatsApp status. A `failed` counts only for the attempt that it names."""
    failed = report.status is Status.FAILED
    return Move(
        status=report.status,
        at=report.at,
        attempt=report.attempt.number if failed and report.attempt else None,
        provider_message_id=report.provider_message_id,
        reason=((report.error.reason if report.error else "") or "provider_rejected") if failed else None,
    )
