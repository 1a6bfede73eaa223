import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.campaigns.counts import counted
from shared.campaigns.distribution import Counts, together
from shared.messages.message import ARRIVED, Chunk, Message, PayloadRef, Status, may_move
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.messages.status_writer import StatusWriter, change_of
from tests.fakes.bulk import FakeDistributions
from tests.fakes.log import FakeLog
from tests.fakes.world import FakeClock, FakeTelemetry, Points

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE_OF_NOW = int(NOW.timestamp()) // 60
CHUNK = Chunk(distribution_id="d", run=0, number=0)
MESSAGE = Message(
    organisation="demo",
    message_id="0",
    channel=Channel.SMS,
    accepted_at=NOW,
    recipient="+22177***0001",
    person="0" * 32,
    country="SN",
    payload=PayloadRef(object_key="plans/demo/d/0", row=1),
    chunk=CHUNK,
)
REASONS = ("undeliverable", "cancelled", "not_on_whatsapp")


def moved(message: Message, move: Move) -> Message | None:
    """The row after a won move; None if the table of moves refuses it."""
    if not may_move(message.status, move.status):
        return None
    return replace(message, status=move.status, reason=move.reason)


def recounted(messages: list[Message]) -> Counts:
    """A recount: the statuses of all rows that are not pending, the reasons of the failed ones, and those that
    arrived."""
    settled = [message for message in messages if message.status is not Status.PENDING]
    reasons = Counter(message.reason for message in settled if message.status is Status.FAILED and message.reason)
    return Counts(
        by_status=dict(Counter(message.status for message in settled)),
        by_reason={reason: count for reason, count in reasons.items() if reason is not None},
        reached=sum(message.status in ARRIVED for message in settled),
    )


def move_to(status: Status, reason: str | None) -> Move:
    return Move(status=status, at=NOW, reason=reason if status is Status.FAILED else None)


moves = st.builds(move_to, st.sampled_from(Status), st.none() | st.sampled_from(REASONS))
many_moves = st.lists(st.tuples(st.integers(0, 3), moves), max_size=40)


@given(many_moves)
def test_the_changes_of_won_moves_add_up_to_a_recount(wishes: list[tuple[int, Move]]) -> None:
    messages = [replace(MESSAGE, message_id=str(number)) for number in range(4)]
    counts = Counts()
    for number, move in wishes:
        after = moved(messages[number], move)
        if after is not None:
            counts = counts.plus(change_of(messages[number], move))
            messages[number] = after
        assert replace(counts, awaiting={}) == recounted(messages)
        assert all(count > 0 for count in (*counts.by_status.values(), *counts.by_reason.values()))


@pytest.mark.parametrize(
    ("before", "reason", "move", "change"),
    [
        (
            Status.PENDING,
            None,
            move_to(Status.SENT, None),
            Counts(by_status={Status.SENT: 1}, awaiting={MINUTE_OF_NOW: 1}),
        ),
        (
            Status.SENT,
            None,
            move_to(Status.READ, None),
            Counts(by_status={Status.SENT: -1, Status.READ: 1}, reached=1),
        ),
        (
            Status.PENDING,
            None,
            move_to(Status.FAILED, "cancelled"),
            Counts(by_status={Status.FAILED: 1}, by_reason={"cancelled": 1}),
        ),
        (
            Status.FAILED,
            "undeliverable",
            move_to(Status.DELIVERED, None),
            Counts(by_status={Status.FAILED: -1, Status.DELIVERED: 1}, by_reason={"undeliverable": -1}, reached=1),
        ),
    ],
)
def test_the_counts_of_one_move(before: Status, reason: str | None, move: Move, change: Counts) -> None:
    assert change_of(replace(MESSAGE, status=before, reason=reason), move) == change


async def settle(wishes: list[tuple[int, Move]], flushes: set[int]) -> tuple[Counts, Counts]:
    """The counts that a status writer wrote, and a recount of its log."""
    points, telemetry = Points(), FakeTelemetry()
    log, distributions = FakeLog(points), FakeDistributions(points)
    for number in range(3):
        await log.add(replace(MESSAGE, message_id=str(number)))
    status_writer = StatusWriter(log, distributions, telemetry, FakeClock(NOW))
    for step, (number, move) in enumerate(wishes):
        await status_writer.move("demo", str(number), move)
        if step in flushes:
            await status_writer.flush()
    await status_writer.flush()
    counts = await distributions.counts("demo", "d")
    messages = await log.get_many("demo", ["0", "1", "2"])
    return counts.get((0, 0), Counts()), together(map(counted, messages.values()))


@given(many_moves, st.sets(st.integers(0, 39)))
def test_a_status_writer_counts_each_move_once(wishes: list[tuple[int, Move]], flushes: set[int]) -> None:
    """Message 3 is not in the log: a status for it changes nothing."""
    written, found = asyncio.run(settle(wishes, flushes))
    assert written == found


def test_no_ops_and_moves_have_different_events() -> None:
    async def reported() -> list[str]:
        points, telemetry = Points(), FakeTelemetry()
        log = FakeLog(points)
        await log.add(MESSAGE)
        status_writer = StatusWriter(log, FakeDistributions(points), telemetry, FakeClock(NOW))
        for identity, status in (("0", Status.READ), ("0", Status.SENT), ("0", Status.READ), ("9", Status.SENT)):
            await status_writer.move("demo", identity, move_to(status, None))
        return [name for name, _ in telemetry.events]

    expected = ["message_moved", "status_not_moved", "status_not_moved", "status_for_unknown_message"]
    assert asyncio.run(reported()) == expected


def test_a_claimed_message_is_not_ended_as_unsent() -> None:
    async def end(message: Message) -> bool:
        points = Points()
        log = FakeLog(points)
        await log.add(message)
        status_writer = StatusWriter(log, FakeDistributions(points), FakeTelemetry(), FakeClock(NOW))
        return (await status_writer.end_unsent("demo", "0", "cancelled", NOW)).won

    assert asyncio.run(end(MESSAGE))
    assert not asyncio.run(end(replace(MESSAGE, lease_until=NOW)))
    assert not asyncio.run(end(replace(MESSAGE, status=Status.SENT)))
