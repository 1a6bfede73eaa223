"""What a worker learns from the provider's answers: to slow down, and to stop before a whole list fails."""

from datetime import datetime, timedelta

import pytest

from shared.base.instants import from_microseconds
from shared.campaigns.distribution import DistributionStatus
from shared.holds.keeper import MOST_ALIKE
from shared.messages.errors import Kind, SendError
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.pacing.slots import LONGEST, Backoff
from tests.fakes.office import DEMO, SMS, Office
from tests.fakes.virtual import OrderedOffice
from tests.fakes.world import MORNING

THROTTLED = SendError(Kind.THROTTLED, "403/53", retry_after=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
@pytest.mark.parametrize(
    "error",
    [
        SendError(Kind.RECIPIENT, "400/24", "provider_rejected"),
        SendError(Kind.RECIPIENT, "POL0001", "provider_rejected"),
        SendError(Kind.RECIPIENT, "SVC0280", "text_too_long"),
        SendError(Kind.BUG, "HTTP 418", "provider_rejected"),
    ],
    ids=str,
)
def test_the_same_refusal_again_and_again_pauses_before_the_whole_list_fails(
    office: Office, channel: Channel, error: SendError
) -> None:
    made = office.distribute(40, channel=channel)
    office.do_tasks()
    office.provider.answers = [error] * 40
    step = office.step(channel)
    while office.queue.waiting:
        office.clock.pass_by(seconds=5)
        office.run(step.send_all(office.queue.take(most=1)))
    stored = office.distributions.items[DEMO, made.distribution_id]
    assert (stored.status, stored.status_reason) == (DistributionStatus.PAUSED, "provider_down")
    rows = [row.status for row in office.log.rows.values()]
    assert (rows.count(Status.FAILED), rows.count(Status.PENDING)) == (MOST_ALIKE - 1, 40 - MOST_ALIKE + 1)
    assert not [row for row in office.log.rows.values() if row.lease_until is not None]


@pytest.mark.parametrize(
    "answers",
    [
        [SendError(Kind.RECIPIENT, "SVC0002", "phone_invalid")] * 40,
        [SendError(Kind.RECIPIENT, "131026", "not_on_whatsapp")] * 40,
        [*[SendError(Kind.RECIPIENT, "POL0001", "provider_rejected")] * (MOST_ALIKE - 1), None] * 4,
        [SendError(Kind.RECIPIENT, code, "provider_rejected") for _ in range(20) for code in ("400/20", "POL0001")],
    ],
    ids=["numbers", "people", "broken by one that was taken", "not alike"],
)
def test_refusals_that_may_be_each_recipients_own_pause_nothing(
    office: Office, answers: list[SendError | None]
) -> None:
    made = office.distribute(40)
    office.do_tasks()
    office.provider.answers = answers
    step = office.step(Channel.SMS)
    while office.queue.waiting:
        office.clock.pass_by(seconds=5)
        office.run(step.send_all(office.queue.take(most=1)))
    assert office.distributions.items[DEMO, made.distribution_id].status is DistributionStatus.SENDING
    assert not [row for row in office.log.rows.values() if row.status is Status.PENDING]


def test_the_same_refusal_of_single_messages_pauses_nothing(office: Office) -> None:
    step = office.step(Channel.SMS)
    for number in range(MOST_ALIKE + 2):
        office.provider.answers = [SendError(Kind.RECIPIENT, "POL0001", "provider_rejected")]
        message = office.single(8200 + number)
        office.clock.pass_by(seconds=2)
        office.run(step.send_all(office.queue.take()))
        assert office.row(message.message_id).status is Status.FAILED


def test_a_rate_limit_that_stays_throttled_is_held_longer_each_time(office: Office) -> None:
    message = office.single()
    step = office.step(Channel.SMS)
    office.provider.answers = [THROTTLED] * 4
    holds = []
    for _ in range(4):
        office.run(step.send_all(office.queue.take()))
        holds.append((office.rate_limits.held_until(SMS.rate_limit) - office.clock.now()).total_seconds())
        office.clock.instant = office.rate_limits.held_until(SMS.rate_limit)
    assert holds == [1, 2, 4, 8]
    office.clock.pass_by(seconds=3)
    office.run(step.send_all(office.queue.take()))
    assert (office.row(message.message_id).status, office.row(message.message_id).attempts) == (Status.SENT, 1)
    office.provider.answers = [THROTTLED]
    office.single(8201)
    office.run(step.send_all(office.queue.take()))
    assert office.rate_limits.held_until(SMS.rate_limit) - office.clock.now() == SECOND


def test_queue_messages_that_are_late_together_still_leave_at_the_rate() -> None:
    """A cold start: their send slots still count, and were two seconds' worth."""
    office = OrderedOffice()
    office.distribute(10)
    office.do_tasks()
    queue_messages = office.queue.take()
    office.clock.instant = from_microseconds(queue_messages[-1].slot_at) + 2 * SECOND
    calls: list[datetime] = []
    office.provider.called = lambda: calls.append(office.clock.now())
    office.run(office.step(Channel.SMS).send_all(queue_messages))
    assert len(calls) == 10
    assert not [nth for nth in range(5) if calls[nth + 5] - calls[nth] < SECOND]
    assert office.points.passed["rate_limits.book"] == 1  # the chunk's own booking: there was no new one


def test_a_used_up_quota_is_a_warning_event(office: Office) -> None:
    office.single()
    office.provider.answers = [SendError(Kind.THROTTLED, "403/53", retry_after=3600)]
    office.deliver()
    assert "quota_used_up" in office.telemetry.warning_events
    assert office.rate_limits.held_until(SMS.rate_limit) - office.clock.now() == timedelta(hours=1)


def test_calls_from_before_the_cooldown_neither_lengthen_nor_end_it() -> None:
    backoff, limit = Backoff(), "account"
    until = backoff.throttled(limit, MORNING, SECOND)
    for _ in range(9):
        assert backoff.throttled(limit, MORNING, SECOND) == until
    backoff.passed(limit, MORNING)
    assert backoff.throttled(limit, until, SECOND) == until + 2 * SECOND


def test_doubling_has_a_limit_but_the_providers_own_time_counts() -> None:
    backoff, now = Backoff(), MORNING
    for _ in range(10):
        now = backoff.throttled("account", now, SECOND)
    assert backoff.throttled("account", now, SECOND) - now == LONGEST
    assert backoff.throttled("account", now, timedelta(hours=1)) - now == timedelta(hours=1)
