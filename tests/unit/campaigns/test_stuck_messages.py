"""A released row is pending, and no queue message carries it any more: it still gets an outcome.

Found by tests/simulation. AWS's client may repeat a claim that has taken effect, and a queue message may be delivered
twice while the worker with the claim dies. The second queue message meets the live claim and is dropped. Before the
fix, no later step came back to the row.
"""

from datetime import timedelta

import pytest

from shared.base.instants import from_milliseconds, milliseconds
from shared.campaigns.control import advance_task
from shared.campaigns.distribution import Action, Counts, Distribution, DistributionStatus
from shared.campaigns.release import PATIENCE, SLOT_PASSED
from shared.messages.message import Chunk, Status
from shared.messages.payload import Channel
from tests.fakes.office import DEMO, Office

MINUTE = timedelta(minutes=1)


@pytest.fixture
def office() -> Office:
    return Office()


def minutes_pass(office: Office, count: int, step: int = 1) -> None:
    for _ in range(0, count, step):
        office.clock.pass_by(minutes=step)
        office.tick()
        for channel in Channel:
            office.deliver(channel)


def stored(office: Office, made: Distribution) -> DistributionStatus:
    return office.distributions.items[DEMO, made.distribution_id].status


@pytest.mark.parametrize("channel", Channel)
def test_a_row_whose_queue_message_met_a_dead_workers_claim_ends(office: Office, channel: Channel) -> None:
    made = office.distribute(2, channel=channel)
    office.do_tasks()
    queue_messages = office.queue.take()
    assert office.killed(office.step(channel).send_all(queue_messages[:1]), ("provider.send", 1))
    office.run(office.step(channel).send_all(queue_messages))
    claimed = next(row for row in office.log.rows.values() if row.lease_until is not None)
    assert (claimed.due_at, office.queue.waiting, len(office.provider.accepted)) == (None, [], 1)
    minutes_pass(office, 26 * 60, step=20)
    row = office.row(claimed.message_id)
    assert (row.status, row.reason) == (Status.FAILED, "outcome_unknown")
    assert stored(office, made) is DistributionStatus.COMPLETED
    assert len(office.provider.accepted) == 1


@pytest.mark.parametrize("channel", Channel)
def test_a_row_whose_queue_message_was_lost_is_sent(office: Office, channel: Channel) -> None:
    made = office.distribute(3, channel=channel)
    office.do_tasks()
    office.queue.waiting.pop()
    minutes_pass(office, 40)
    assert {row.status for row in office.log.rows.values()} == {Status.SENT}
    assert len(office.provider.accepted) == 3
    assert stored(office, made) is DistributionStatus.COMPLETED


def test_a_row_in_a_chunk_that_a_resume_skipped_is_sent(office: Office) -> None:
    """An ADD that AWS's client sent twice: a resume skips the chunk, and its pending row has lost its queue message."""
    made = office.distribute(2)
    office.do_tasks()
    office.run(office.step(Channel.SMS).send_all(office.queue.take(most=1)))
    chunk = Chunk(distribution_id=made.distribution_id, run=0, number=0)
    change = Counts(by_status={Status.SENT: 1})
    office.run(office.distributions.count(DEMO, chunk, change, began=office.clock.now()))
    for action in (Action.PAUSE, Action.RESUME):
        office.run(office.control.act(DEMO, made.distribution_id, action))
    office.do_tasks()
    office.deliver()
    minutes_pass(office, 40)
    assert {row.status for row in office.log.rows.values()} == {Status.SENT}
    assert stored(office, made) is DistributionStatus.COMPLETED


def test_rows_that_wait_for_their_send_slot_get_no_next_check(office: Office) -> None:
    """At 5 a second, a tenth of them express, 30 rows take 7 s. The next look comes after a minute."""
    made = office.distribute(30)
    office.do_tasks()
    last = office.distributions.items[DEMO, made.distribution_id].last_send_slot
    assert last is not None
    office.clock.instant = from_milliseconds(milliseconds(last + SLOT_PASSED))  # rows keep instants in milliseconds
    office.run(office.fanout().work(advance_task(made), office.clock.now() + MINUTE))
    assert {row.due_at for row in office.log.rows.values()} == {None}
    office.clock.pass_by(seconds=1)
    office.run(office.fanout().work(advance_task(made), office.clock.now() + MINUTE))
    assert {row.due_at for row in office.log.rows.values()} == {office.clock.now() + PATIENCE}


def test_an_existing_next_check_is_not_postponed(office: Office) -> None:
    office.distribute(1)
    office.do_tasks()
    office.queue.waiting = []
    minutes_pass(office, 2)
    [row] = office.log.rows.values()
    first = row.due_at
    assert first is not None
    assert first - office.clock.now() <= PATIENCE
    minutes_pass(office, 5)
    assert office.row(row.message_id).due_at == first
