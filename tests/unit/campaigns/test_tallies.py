"""A recount and a worker write counts at the same time: each move counts once, in any order."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.campaigns.counts import group_of
from shared.campaigns.distribution import Counts, Distribution, DistributionStatus
from shared.messages.message import Chunk, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.office import DEMO, Office

HOUR = timedelta(hours=1)


@pytest.fixture
def office() -> Office:
    return Office()


def stored(office: Office, made: Distribution) -> Distribution:
    return office.distributions.items[DEMO, made.distribution_id]


def shown(office: Office, made: Distribution) -> Counts:
    return office.run(office.browse.distribution(DEMO, made.distribution_id)).counts


def listed(office: Office) -> Counter[Status]:
    return Counter(row.status for row in office.log.rows.values())


def minutes_pass(office: Office, count: int) -> None:
    for _ in range(count):
        office.clock.pass_by(seconds=60)
        office.tick()
        office.deliver()


def sent(office: Office, rows: int) -> Distribution:
    """A distribution whose rows have all been sent and counted."""
    made = office.distribute(rows)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=60))
    assert shown(office, made).by_status == {Status.SENT: rows}
    return made


def at_point(office: Office, point: str, nth: int, act: Callable[[], Awaitable[None]]) -> None:
    """Another worker acts once, while this one is at a point."""
    whole, passed = office.points.__call__, Counter[str]()

    async def pass_by(name: str) -> None:
        passed[name] += 1
        if (name, passed[name]) == (point, nth):
            await act()
        await whole(name)

    for fake in (office.distributions, office.log, office.plans):
        fake._points = pass_by  # type: ignore[assignment]


async def delivered(office: Office, rows: int, status_writer: Any) -> None:
    """Moves the first rows to delivered, without counting them yet."""
    for row in list(office.log.rows.values())[:rows]:
        await status_writer.move(DEMO, row.message_id, Move(status=Status.DELIVERED, at=office.clock.now()))


@pytest.mark.parametrize("jump", [timedelta(), HOUR], ids=["at once", "after a jump of the clock"])
def test_a_recount_between_a_senders_moves_and_its_count_counts_them_once(office: Office, jump: timedelta) -> None:
    """The sender stops after its moves. Meanwhile the distribution completes; then the sender goes on."""
    made = office.distribute(4)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=30))
    late = office.status_writer()
    office.run(delivered(office, 3, late))
    office.clock.instant += jump
    minutes_pass(office, 3)
    assert stored(office, made).status is DistributionStatus.COMPLETED
    office.run(late.flush())
    assert shown(office, made).by_status == {Status.SENT: 1, Status.DELIVERED: 3}
    assert "count_came_late" in [name for name, _ in office.telemetry.events]
    minutes_pass(office, 2)
    assert shown(office, made).by_status == listed(office)
    assert not [one for one in office.distributions.recounts if group_of(one[1]) == made.distribution_id]


@pytest.mark.parametrize("before_the_log_is_read", [True, False])
@pytest.mark.parametrize("is_counted", [True, False])
def test_moves_around_the_instant_at_which_a_recount_reads_the_log(
    office: Office, before_the_log_is_read: bool, is_counted: bool
) -> None:
    """A third receipt was lost with its worker, so the recount has something to correct."""
    made = sent(office, 4)
    office.run(delivered(office, 1, office.status_writer()))
    late = office.status_writer()

    async def other() -> None:
        row = list(office.log.rows.values())[-1]
        await late.move(DEMO, row.message_id, Move(status=Status.READ, at=office.clock.now()))
        if is_counted:
            await late.flush()

    at_point(office, "log.get_many" if before_the_log_is_read else "distributions.set_counts", 1, other)
    office.run(office.tallies.recount(stored(office, made)))
    office.clock.pass_by(seconds=20)
    office.run(late.flush())
    office.tick()
    assert shown(office, made).by_status == listed(office) == {Status.SENT: 2, Status.DELIVERED: 1, Status.READ: 1}


def test_a_distribution_does_not_complete_while_workers_count_on_a_wrong_chunk(office: Office) -> None:
    made = sent(office, 4)
    chunk = Chunk(distribution_id=made.distribution_id, run=0, number=0)
    wrong, right = (
        Counts(by_status={Status.SENT: -1, Status.READ: 1}),
        Counts(by_status={Status.SENT: 1, Status.READ: -1}),
    )
    office.run(office.distributions.count(DEMO, chunk, wrong, began=office.clock.now()))

    async def always(name: str) -> None:
        if name == "distributions.set_counts":
            for change in (right, wrong, wrong):
                await office.distributions.count(DEMO, chunk, change, began=office.clock.now())

    office.distributions._points = always  # type: ignore[assignment]
    assert not office.run(office.tallies.all_settled(stored(office, made)))
    office.distributions._points = office.points
    assert office.run(office.tallies.all_settled(stored(office, made)))
    assert shown(office, made).by_status == {Status.SENT: 4}


@pytest.mark.parametrize("point", ["distributions.count"])
def test_counts_of_a_dead_consumer_are_corrected_when_its_work_is_repeated(office: Office, point: str) -> None:
    """Also after the distribution has completed, and within a minute in place of three days."""
    made = sent(office, 4)
    minutes_pass(office, 3)
    assert stored(office, made).status is DistributionStatus.COMPLETED

    async def receipts() -> None:
        status_writer = office.status_writer()
        await delivered(office, 2, status_writer)
        await status_writer.flush()

    assert office.killed(receipts(), (point, 1))
    assert shown(office, made).by_status == {Status.SENT: 4}
    office.run(receipts())
    minutes_pass(office, 1)
    assert shown(office, made).by_status == listed(office) == {Status.SENT: 2, Status.DELIVERED: 2}


def test_counts_of_a_dead_sender_are_corrected_when_its_queue_message_is_repeated(office: Office) -> None:
    """Before the distribution completes, while other rows wait for their send slots."""
    made = office.distribute(60)
    office.do_tasks()
    batch = office.queue.take(office.clock.pass_by(seconds=3), most=5)
    assert office.killed(office.step(Channel.SMS).send_all(batch), ("distributions.count", 1))
    assert shown(office, made).of(Status.SENT) == 0
    office.run(office.step(Channel.SMS).send_all(batch))
    office.tick()
    assert shown(office, made).of(Status.SENT) == listed(office)[Status.SENT] == len(batch)


def test_a_duplicate_of_the_senders_own_status_asks_for_no_recount(office: Office) -> None:
    """Meta reports `sent` for every message after its answer. A recount for each would double a message's cost."""
    office.distribute(3, channel=Channel.WHATSAPP)
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    for row in list(office.log.rows.values()):
        attempt = Attempt(message_id=row.message_id, number=row.attempts)
        reported = StatusReport(
            attempt=attempt,
            provider_message_id=row.provider_message_id or "",
            status=Status.SENT,
            at=office.clock.now(),
        )
        office.reported(reported)
    assert office.points.passed["distributions.want_recount"] == 0


def test_a_senders_own_status_after_its_report_asks_for_a_recount(office: Office) -> None:
    """The webhook came first, and its consumer may have died before it counted."""
    office.distribute(1, channel=Channel.WHATSAPP)
    office.do_tasks()
    [row] = office.log.rows.values()
    status_writer = office.status_writer()
    for is_duplicate in (True, False):
        move = Move(status=Status.SENT, at=office.clock.now(), is_duplicate=is_duplicate)
        office.run(status_writer.move(DEMO, row.message_id, move))
    office.run(status_writer.flush())
    assert office.points.passed["distributions.want_recount"] == 1
