"""One queue message wins the right to call the provider. Only an outcome that is certainly not sent gives it back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.messages.message import Message, Status
from shared.messages.ports import Claim, ClaimAnswer, Log, Move
from tests.contract.making import NOON, ORGANISATION, SECOND, message, stored_row
from tests.contract.world import World

LEASE = timedelta(seconds=90)
KEY = (ORGANISATION, "m-1")
TOKEN = "the first"
LATER = NOON + timedelta(hours=1)


async def claim(log: Log, now: datetime = NOON, token: str = "another") -> Claim:
    return await log.claim(*KEY, token=token, now=now, lease_until=now + LEASE)


async def claimed(world: World, *, due_at: datetime | None = None) -> Message:
    await world.log.add(message(due_at=due_at))
    answer = await claim(world.log, token=TOKEN)
    assert answer.answer is ClaimAnswer.WON
    assert answer.message is not None
    return answer.message


@pytest.mark.parametrize("due_at", [None, NOON, LATER], ids=["unwatched", "due", "with_next_check"])
async def test_a_claim_takes_a_lease_and_counts_the_attempt(world: World, due_at: datetime | None) -> None:
    row = await claimed(world, due_at=due_at)
    next_check = NOON + LEASE if due_at else None
    held = replace(message(), attempts=1, lease_until=NOON + LEASE, claim_token=TOKEN, claimed_at=NOON)
    claimed_row = replace(held, due_at=next_check)
    assert row == claimed_row == await stored_row(world.log)


@pytest.mark.parametrize(
    ("later", "answer"),
    [
        (timedelta(0), ClaimAnswer.HELD),
        (LEASE - SECOND, ClaimAnswer.HELD),
        (LEASE, ClaimAnswer.LAPSED),
        (2 * LEASE, ClaimAnswer.LAPSED),
    ],
)
@pytest.mark.parametrize("due_at", [None, NOON], ids=["without_next_check", "with_next_check"])
async def test_a_second_queue_message_never_wins(
    world: World, due_at: datetime | None, later: timedelta, answer: ClaimAnswer
) -> None:
    row = await claimed(world, due_at=due_at)
    assert await claim(world.another().log, NOON + later) == Claim(answer=answer, message=row)
    assert await stored_row(world.log) == row


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
async def test_an_ended_message_cannot_be_claimed(world: World, status: Status) -> None:
    await claimed(world)
    await world.log.move(*KEY, Move(status=status, at=NOON))
    row = await stored_row(world.log)
    assert await claim(world.log) == Claim(answer=ClaimAnswer.DONE, message=row)
    assert await stored_row(world.log) == row


async def test_a_message_missing_from_the_log_cannot_be_claimed(world: World) -> None:
    assert await claim(world.log) == Claim(answer=ClaimAnswer.DONE, message=None)


async def test_a_message_with_an_unknown_outcome_is_never_claimed_again(world: World) -> None:
    await claimed(world)
    assert await world.log.mark_unknown(*KEY, token=TOKEN, now=NOON, due_at=LATER)
    row = await stored_row(world.log)
    assert (row.unknown_since, row.due_at, row.lease_until) == (NOON, LATER, NOON + LEASE)
    assert await claim(world.log, LATER) == Claim(answer=ClaimAnswer.DONE, message=row)
    assert not await world.log.mark_unknown(*KEY, token=TOKEN, now=LATER, due_at=LATER + SECOND)
    assert await stored_row(world.log) == row


@pytest.mark.parametrize("token", ["another", None])
async def test_only_the_claim_that_holds_the_lease_changes_the_row(world: World, token: str | None) -> None:
    row = await claimed(world)
    assert not await world.log.mark_unknown(*KEY, token=token, now=NOON, due_at=LATER)
    assert not await world.log.give_back(*KEY, token=token, due_at=LATER, uses_attempt=True)
    move = Move(status=Status.FAILED, at=NOON, attempt=1, claim="another", reason="outcome_unknown")
    assert not (await world.log.move(*KEY, move)).won
    assert await stored_row(world.log) == row


@pytest.mark.parametrize("due_at", [None, NOON], ids=["without_next_check", "with_next_check"])
async def test_a_repeated_claim_recognises_its_first_attempt(world: World, due_at: datetime | None) -> None:
    """AWS's client repeats a write whose answer was lost."""
    row = await claimed(world, due_at=due_at)
    assert await claim(world.another().log, token=TOKEN) == Claim(answer=ClaimAnswer.WON, message=row)
    assert await stored_row(world.log) == row


async def test_a_repeated_claim_does_not_win_after_the_claim_has_ended(world: World) -> None:
    await claimed(world)
    await world.log.mark_unknown(*KEY, token=TOKEN, now=NOON, due_at=LATER)
    assert (await claim(world.log, token=TOKEN)).answer is ClaimAnswer.DONE
    await world.log.move(*KEY, Move(status=Status.SENT, at=NOON))
    assert (await claim(world.log, token=TOKEN)).answer is ClaimAnswer.DONE
    assert (await stored_row(world.log)).claim_token is None


async def test_giving_back_twice_does_not_take_the_lease_of_the_next_claim(world: World) -> None:
    """The next claim has the same attempt number, but another token."""
    await claimed(world)
    assert await world.log.give_back(*KEY, token=TOKEN, due_at=None, uses_attempt=False)
    next_one = await claim(world.log)
    assert next_one.message is not None
    assert next_one.message.attempts == 1
    assert not await world.log.give_back(*KEY, token=TOKEN, due_at=None, uses_attempt=False)
    end = Move(status=Status.FAILED, at=NOON, attempt=1, claim=TOKEN, reason="outcome_unknown")
    assert not (await world.log.move(*KEY, end)).won
    assert await stored_row(world.log) == next_one.message


@pytest.mark.parametrize("with_next_check", [None, NOON], ids=["without_next_check", "with_next_check"])
@pytest.mark.parametrize("due_at", [None, LATER], ids=["for no check", "for the agenda"])
@pytest.mark.parametrize(("uses_attempt", "attempts"), [(True, 1), (False, 0)])
async def test_a_message_that_was_certainly_not_sent_can_be_claimed_again(
    world: World, with_next_check: datetime | None, due_at: datetime | None, uses_attempt: bool, attempts: int
) -> None:
    await claimed(world, due_at=with_next_check)
    assert await world.log.give_back(*KEY, token=TOKEN, due_at=due_at, uses_attempt=uses_attempt)
    assert await stored_row(world.log) == replace(message(), attempts=attempts, due_at=due_at, claimed_at=NOON)
    assert not await world.log.give_back(*KEY, token=TOKEN, due_at=NOON, uses_attempt=uses_attempt)
    again = await claim(world.log)
    assert again.answer is ClaimAnswer.WON
    assert again.message is not None
    assert (again.message.attempts, again.message.due_at) == (attempts + 1, NOON + LEASE if due_at else None)


async def test_certainly_not_sent_replaces_an_unknown_outcome(world: World) -> None:
    """The agenda took a slow worker's lease as expired. Then that worker learns that the provider refused."""
    await claimed(world)
    await world.log.mark_unknown(*KEY, token=TOKEN, now=NOON + LEASE, due_at=LATER)
    assert await world.log.give_back(*KEY, token=TOKEN, due_at=LATER, uses_attempt=True)
    assert await stored_row(world.log) == replace(message(), attempts=1, due_at=LATER, claimed_at=NOON)


async def test_a_message_that_was_given_back_gets_no_unknown_outcome(world: World) -> None:
    """The agenda has seen an expired lease. Before it writes, the worker records that nothing was sent."""
    await claimed(world)
    await world.log.give_back(*KEY, token=TOKEN, due_at=LATER, uses_attempt=True)
    row = await stored_row(world.log)
    assert not await world.log.mark_unknown(*KEY, token=TOKEN, now=LATER, due_at=LATER)
    assert await stored_row(world.log) == row


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
async def test_an_ended_message_is_neither_given_back_nor_marked_unknown(world: World, status: Status) -> None:
    await claimed(world)
    await world.log.move(*KEY, Move(status=status, at=NOON))
    row = await stored_row(world.log)
    assert not await world.log.give_back(*KEY, token=TOKEN, due_at=LATER, uses_attempt=True)
    assert not await world.log.mark_unknown(*KEY, token=TOKEN, now=NOON, due_at=LATER)
    assert not await world.log.postpone(*KEY, due_at=LATER)
    assert await stored_row(world.log) == row
