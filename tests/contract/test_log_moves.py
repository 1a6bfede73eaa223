"""Statuses never go backwards; a late status still leaves its instant."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.messages.message import ARRIVED, Message, Status, may_move
from shared.messages.payload import Channel
from shared.messages.ports import Log, Move, Moved
from tests.contract.making import NOON, ORGANISATION, SECOND, TEMPLATE, message, stored_row
from tests.contract.world import World

KEY = (ORGANISATION, "m-1")
THEN = NOON + timedelta(minutes=5)
ENDED = [status for status in Status if status is not Status.PENDING]


async def brought_to(log: Log, status: Status) -> Message:
    await log.add(message(due_at=NOON))
    if status is not Status.PENDING:
        reason = "undeliverable" if status is Status.FAILED else None
        assert (await log.move(*KEY, Move(status=status, at=NOON, reason=reason))).won
    return await stored_row(log)


@pytest.mark.parametrize("after", Status)
@pytest.mark.parametrize("before", Status)
async def test_the_table_of_moves(world: World, before: Status, after: Status) -> None:
    stood = await brought_to(world.log, before)
    reason = "provider_rejected" if after is Status.FAILED else None
    moved = await world.log.move(*KEY, Move(status=after, at=THEN, provider_message_id="p", reason=reason))
    row = await stored_row(world.log)
    assert moved.before == stood
    assert moved.won is may_move(before, after)
    if moved.won:
        assert (row.status, row.reason, row.provider_message_id) == (after, reason, "p")
        assert (row.due_at, row.lease_until, row.unknown_since) == (None, None, None)
        assert row.instant_of(after) == THEN
        kept = {one for one in ENDED if one is not after and not (one is Status.FAILED and after in ARRIVED)}
        assert all(row.instant_of(one) == stood.instant_of(one) for one in kept)
    else:
        assert (row.status, row.reason, row.due_at) == (stood.status, stood.reason, stood.due_at)


@pytest.mark.parametrize("before", Status)
async def test_a_duplicate_of_sent_follows_the_table_of_moves(world: World, before: Status) -> None:
    stood = await brought_to(world.log, before)
    duplicate = Move(status=Status.SENT, at=THEN, provider_message_id="p", by_attempt=stood.attempts, is_duplicate=True)
    moved = await world.log.move(*KEY, duplicate)
    row = await stored_row(world.log)
    assert (moved.won, moved.before) == (may_move(before, Status.SENT), stood)
    assert row.status is (Status.SENT if moved.won else before)
    assert row.provider_message_id == "p"


@pytest.mark.parametrize(
    ("before", "late"),
    [
        (before, late)
        for before in ENDED
        for late in (Status.SENT, Status.DELIVERED, Status.READ)
        if not may_move(before, late) and before is not late
    ],
)
async def test_a_late_status_adds_its_instant_and_the_providers_id_once(
    world: World, before: Status, late: Status
) -> None:
    stood = await brought_to(world.log, before)
    for number in (1, 2):
        named, is_duplicate = f"p-{number}", late is Status.SENT
        late_move = Move(status=late, at=THEN + number * SECOND, provider_message_id=named, is_duplicate=is_duplicate)
        assert not (await world.log.move(*KEY, late_move)).won
    row = await stored_row(world.log)
    assert (row.status, row.reason) == (stood.status, stood.reason)
    assert (row.instant_of(late), row.provider_message_id) == (THEN + SECOND, "p-1")
    assert row.instant_of(before) == NOON


async def test_a_late_failure_changes_nothing(world: World) -> None:
    stood = await brought_to(world.log, Status.DELIVERED)
    failed = Move(status=Status.FAILED, at=THEN, reason="undeliverable", provider_message_id="p")
    assert not (await world.log.move(*KEY, failed)).won
    assert await stored_row(world.log) == stood


@pytest.mark.parametrize("proof", [Status.DELIVERED, Status.READ])
async def test_proof_of_arrival_leaves_no_trace_of_a_failure(world: World, proof: Status) -> None:
    """The row looks the same as if the failure had come after the proof."""
    await brought_to(world.log, Status.FAILED)
    assert (await world.log.move(*KEY, Move(status=proof, at=THEN))).won
    row = await stored_row(world.log)
    assert (row.status, row.reason, row.failed_at, row.instant_of(proof)) == (proof, None, None, THEN)


@pytest.mark.parametrize("reported", [Status.SENT, Status.DELIVERED, Status.READ])
async def test_the_earlier_instant_of_a_repeated_status_stays(world: World, reported: Status) -> None:
    await brought_to(world.log, Status.READ)
    stood = (await stored_row(world.log)).instant_of(reported)
    for number, stays in ((60, 60), (90, 60), (30, 30), (29.5, 30), (30, 30)):
        before = (await stored_row(world.log)).instant_of(reported)
        reported_at = NOON - timedelta(hours=1) + number * SECOND
        late = Move(status=reported, at=reported_at, is_duplicate=reported is Status.SENT)
        moved = await world.log.move(*KEY, late)
        expected = NOON - timedelta(hours=1) + stays * SECOND
        assert (moved.won, moved.noted) == (False, before != expected)
        assert (await stored_row(world.log)).instant_of(reported) == expected
    assert stood == (NOON if reported is Status.READ else None)


async def test_the_first_provider_message_id_stays(world: World) -> None:
    await world.log.add(message())
    await world.log.move(*KEY, Move(status=Status.SENT, at=NOON, provider_message_id="first"))
    await world.log.move(*KEY, Move(status=Status.DELIVERED, at=THEN, provider_message_id="second"))
    assert (await stored_row(world.log)).provider_message_id == "first"


@pytest.mark.parametrize(("attempt", "won"), [(None, True), (0, False), (1, True), (2, False)])
async def test_a_failure_of_another_attempt_changes_nothing(world: World, attempt: int | None, won: bool) -> None:
    await world.log.add(message())
    row = (await world.log.claim(*KEY, token="t", now=NOON, lease_until=THEN)).message
    moved = await world.log.move(*KEY, Move(status=Status.FAILED, at=NOON, attempt=attempt, reason="undeliverable"))
    assert (moved.won, moved.before) == (won, row)
    assert won or await stored_row(world.log) == row


@pytest.mark.parametrize("unclaimed", [False, True])
@pytest.mark.parametrize("is_claimed", [False, True])
async def test_a_move_for_unclaimed_messages_does_not_end_a_claimed_one(
    world: World, is_claimed: bool, unclaimed: bool
) -> None:
    await world.log.add(message())
    if is_claimed:
        await world.log.claim(*KEY, token="t", now=NOON, lease_until=THEN)
    stood = await stored_row(world.log)
    move = Move(status=Status.FAILED, at=NOON, reason="cancelled", unclaimed=unclaimed)
    won = (await world.log.move(*KEY, move)).won
    assert won is not (is_claimed and unclaimed)
    ended = replace(stood, status=Status.FAILED, reason="cancelled", failed_at=NOON, lease_until=None, claim_token=None)
    assert await stored_row(world.log) == (ended if won else stood)


@pytest.mark.parametrize(("attempts", "only_pending", "won"), [(0, True, True), (1, True, False), (1, False, True)])
async def test_a_persons_cancel_does_not_end_a_message_that_was_sent_and_goes_once_more(
    world: World, attempts: int, only_pending: bool, won: bool
) -> None:
    await world.log.add(replace(message(), fallback_template=TEMPLATE))
    if attempts:
        await world.log.claim(*KEY, token="t", now=NOON, lease_until=THEN)
        await world.log.move(*KEY, Move(status=Status.SENT, at=NOON))
        assert await world.log.retry_message(*KEY, attempt=1, due_at=THEN)
    move = Move(status=Status.FAILED, at=THEN, reason="cancelled", unclaimed=True, only_pending=only_pending)
    assert (await world.log.move(*KEY, move)).won is won


async def test_a_move_of_an_unknown_message_is_a_no_op(world: World) -> None:
    moved = await world.log.move(*KEY, Move(status=Status.SENT, at=NOON, provider_message_id="p"))
    assert (moved.won, moved.before) == (False, None)
    assert await world.log.get(*KEY) is None


@pytest.mark.parametrize("before", Status)
async def test_a_sent_message_is_not_ended_as_unsent(world: World, before: Status) -> None:
    """A sweep read the row as pending. Before the sweep writes, the message may have been sent."""
    await brought_to(world.log, before)
    move = Move(status=Status.FAILED, at=THEN, reason="cancelled", unclaimed=True)
    assert (await world.log.move(*KEY, move)).won is (before is Status.PENDING)


@pytest.mark.parametrize("reported", [Status.SENT, Status.DELIVERED, Status.READ])
@pytest.mark.parametrize(("first", "second", "stays"), [(60, 0, 0), (0, 60, 0), (1.5, 0, 1.5), (2, 0, 0)])
@pytest.mark.parametrize("minutes", [None, 3])
async def test_a_late_move_keeps_the_earliest_reported_instant(
    world: World, reported: Status, first: float, second: float, stays: float, minutes: int | None
) -> None:
    """The first report names an attempt that the row does not know: only its instant is kept, and the status comes with
    the second report. If the reports come out of order, the second has the earlier instant."""
    await world.log.add(replace(message(), fallback_minutes=minutes))
    unknown = Move(status=reported, at=NOON + first * SECOND, attempt=1)
    assert not (await world.log.move(*KEY, unknown)).won
    assert (await world.log.move(*KEY, Move(status=reported, at=NOON + second * SECOND))).won
    row = await stored_row(world.log)
    assert (row.status, row.instant_of(reported)) == (reported, NOON + stays * SECOND)


@pytest.mark.parametrize("is_duplicate", [False, True])
@pytest.mark.parametrize("reported", ENDED)
@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("other", [{"channel": Channel.WHATSAPP}, {"sender": "another number"}], ids=str)
async def test_a_status_that_cannot_be_the_messages_own_changes_nothing(
    world: World, other: dict[str, Any], before: Status, reported: Status, is_duplicate: bool
) -> None:
    """Neither a status nor an instant nor an ID changes. An SMS has no key at Meta, and a number reports only on its
    own messages."""
    await world.log.add(message(due_at=NOON))
    await world.log.claim(*KEY, token="t", now=NOON, lease_until=NOON + SECOND, sender="its number")
    if before is not Status.PENDING:
        reason = "undeliverable" if before is Status.FAILED else None
        assert (await world.log.move(*KEY, Move(status=before, at=THEN, reason=reason))).won
    stood = await stored_row(world.log)
    reason = "undeliverable" if reported is Status.FAILED else None
    move = Move(status=reported, at=NOON, reason=reason, provider_message_id="p", is_duplicate=is_duplicate, **other)
    assert await world.log.move(*KEY, move) == Moved(won=False, before=None)
    assert await stored_row(world.log) == stood


@pytest.mark.parametrize("sender", [None, "its number"])
async def test_a_status_of_its_own_channel_and_number_moves_it(world: World, sender: str | None) -> None:
    """A status may come before the row names the number that sent it."""
    await world.log.add(message(due_at=NOON))
    if sender is not None:
        await world.log.claim(*KEY, token="t", now=NOON, lease_until=NOON + SECOND, sender=sender)
    move = Move(status=Status.DELIVERED, at=THEN, channel=Channel.SMS, sender="its number")
    assert (await world.log.move(*KEY, move)).won
