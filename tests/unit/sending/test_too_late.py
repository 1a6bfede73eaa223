"""A worker may stand still between the gate check and the call, and quiet hours may begin.

The claim is the last step that can be undone. tests/simulation meets these cases only by chance.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.campaigns.distribution import Action, Distribution
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.messages.ports import Claim
from shared.sending.send import STALE
from tests.fakes.office import DEMO, Office

SECOND = timedelta(seconds=1)
SEVEN = datetime(2026, 11, 24, 7, tzinfo=UTC)


def office_whose_claim_takes(time: timedelta, *, start: datetime | None = None, meanwhile: Any = None) -> Office:
    """Only the first claim takes that time. `meanwhile`: another actor's action."""
    office = Office()
    office.clock.instant = start or office.clock.instant
    claim, waits = office.log.claim, [time]

    async def slow(*args: Any, **how: Any) -> Claim:
        if waits:
            office.clock.instant += waits.pop()
            if meanwhile is not None:
                await meanwhile(office)
        return await claim(*args, **how)

    office.log.claim = slow  # type: ignore[method-assign]  # slower
    return office


def released(office: Office, channel: Channel) -> Distribution:
    made = office.distribute(1, channel=channel)
    office.do_tasks()
    return made


def first_queue_message(office: Office, channel: Channel) -> None:
    """At its send slot."""
    [queue_message] = office.queue.take()
    office.run(office.step(channel).send_all([queue_message]))


@pytest.mark.parametrize("single", [True, False])
def test_quiet_hours_begin_between_gate_check_and_call(single: bool) -> None:
    office = office_whose_claim_takes(3 * SECOND, start=datetime(2026, 11, 23, 20, 59, 50, tzinfo=UTC))
    _ = office.single() if single else released(office, Channel.SMS)
    office.clock.instant = datetime(2026, 11, 23, 20, 59, 58, tzinfo=UTC)
    [queue_message] = office.queue.take()
    office.run(office.step(Channel.SMS).send_all([queue_message]))
    [row] = office.log.rows.values()
    assert office.provider.calls == 0
    assert (row.status, row.lease_until, row.due_at, row.attempts) == (Status.PENDING, None, SEVEN, 0)
    office.clock.instant = SEVEN
    office.tick()
    office.deliver(within=timedelta(minutes=1))
    assert office.row(row.message_id).status is Status.SENT


def test_a_call_that_would_arrive_in_quiet_hours_is_not_begun() -> None:
    office = office_whose_claim_takes(timedelta(milliseconds=300), start=datetime(2026, 11, 23, 20, 59, 50, tzinfo=UTC))
    office.single()
    office.clock.instant = datetime(2026, 11, 23, 20, 59, 58, 900_000, tzinfo=UTC)
    first_queue_message(office, Channel.SMS)
    assert office.provider.calls == 0
    office.deliver(within=timedelta(minutes=3))
    [row] = office.log.rows.values()
    assert (office.provider.calls, row.due_at) == (0, SEVEN)


@pytest.mark.parametrize("channel", Channel)
def test_a_pause_while_the_worker_stands_still(channel: Channel) -> None:
    made: list[Distribution] = []

    async def pause(office: Office) -> None:
        await office.control.act(DEMO, made[0].distribution_id, Action.PAUSE)

    office = office_whose_claim_takes(STALE + SECOND, meanwhile=pause)
    made.append(released(office, channel))
    first_queue_message(office, channel)
    [row] = office.log.rows.values()
    assert (office.provider.calls, row.status, row.lease_until) == (0, Status.PENDING, None)
    office.run(office.control.act(DEMO, made[0].distribution_id, Action.RESUME))
    office.do_tasks()
    office.deliver(channel, within=timedelta(minutes=1))
    assert (office.provider.calls, office.row(row.message_id).status) == (1, Status.SENT)


@pytest.mark.parametrize("channel", Channel)
def test_a_late_claim_is_given_back_although_no_fact_has_changed(channel: Channel) -> None:
    """A new queue message with a new send slot; no attempt is used."""
    office = office_whose_claim_takes(STALE + SECOND)
    released(office, channel)
    first_queue_message(office, channel)
    assert (office.provider.calls, len(office.queue.waiting)) == (0, 1)
    office.deliver(channel, within=timedelta(minutes=1))
    [row] = office.log.rows.values()
    assert (office.provider.calls, row.status, row.attempts) == (1, Status.SENT, 1)


def test_a_slow_claim_within_the_limit_still_calls() -> None:
    office = office_whose_claim_takes(STALE)
    office.single()
    first_queue_message(office, Channel.SMS)
    assert office.provider.calls == 1
