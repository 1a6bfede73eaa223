from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.messages.errors import Kind, SendError
from shared.messages.fallback import Start
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.messages.status_writer import move_of_receipt, move_of_report
from shared.providers.orange.receipts import FORMAT
from shared.webhooks.updates import Attempt, StatusReport

THEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ATTEMPT = Attempt(message_id="2d1f6a0e-0000-5000-8000-000000000001", number=2)
WITHHELD = SendError(Kind.RECIPIENT, "130472", "experiment_withheld")
LOCKED = SendError(Kind.STOP, "131031", "account_restricted")
UNWILLING = SendError(Kind.RECIPIENT, "131050", "opted_out")
SMS, META = Channel.SMS, Channel.WHATSAPP
NAMELESS = SendError(Kind.BUG, "135000")


@pytest.mark.parametrize(
    ("delivery_status", "move"),
    [
        ("DeliveredToTerminal", Move(status=Status.DELIVERED, at=THEN, channel=SMS)),
        ("DeliveredToNetwork", Move(status=Status.SENT, at=THEN, channel=SMS)),
        ("MessageWaiting", Move(status=Status.SENT, at=THEN, channel=SMS)),
        ("DeliveryImpossible", Move(status=Status.FAILED, at=THEN, reason="undeliverable", channel=SMS)),
        ("DeliveryUncertain", None),
        ("DeliveryNotificationNotSupported", None),
        ("deliveredtoterminal", None),
        ("", None),
    ],
)
def test_the_move_of_each_orange_status(delivery_status: str, move: Move | None) -> None:
    """reference/orange_sms.md §4. A status that proves nothing moves nothing."""
    assert move_of_receipt(FORMAT.statuses.get(delivery_status), THEN) == move


def report(status: Status, attempt: Attempt | None = ATTEMPT, error: SendError | None = None) -> StatusReport:
    return StatusReport(attempt=attempt, provider_message_id="wamid.x", status=status, at=THEN, error=error)


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED, Status.READ])
@pytest.mark.parametrize("error", [None, WITHHELD])
def test_proof_of_arrival_counts_for_every_attempt(status: Status, error: SendError | None) -> None:
    by_attempt = 2 if status is Status.SENT else None
    is_duplicate = status is Status.SENT
    expected = Move(
        status=status,
        at=THEN,
        provider_message_id="wamid.x",
        by_attempt=by_attempt,
        is_duplicate=is_duplicate,
        channel=META,
    )
    assert move_of_report(report(status, error=error)) == expected


@pytest.mark.parametrize(
    ("error", "reason", "fallback"),
    [
        (WITHHELD, "experiment_withheld", Start.NOW),
        (NAMELESS, "provider_rejected", Start.IN_TIME),
        (LOCKED, "provider_rejected", Start.IN_TIME),
        (None, "provider_rejected", Start.NOW),
        (UNWILLING, "opted_out", Start.NEVER),
    ],
)
def test_a_failure_counts_for_its_own_attempt_and_always_has_a_reason(
    error: SendError | None, reason: str, fallback: Start
) -> None:
    move = move_of_report(report(Status.FAILED, error=error))
    reported = Move(
        status=Status.FAILED, at=THEN, attempt=2, provider_message_id="wamid.x", reason=reason, channel=META
    )
    assert move == replace(reported, fallback=fallback)
    assert move_of_report(report(Status.FAILED, None, error)).attempt is None
