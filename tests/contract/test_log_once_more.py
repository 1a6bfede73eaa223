"""Messages that may be sent once more, and only once: as a template after a closed session, after an unknown outcome,
and a text whose card was taken."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.messages.fallback import Start
from shared.messages.message import Message, Status
from shared.messages.ports import ClaimAnswer, Move
from tests.contract.making import NOON, ORGANISATION, SECOND, TEMPLATE, message, stored_row
from tests.contract.world import World

KEY = (ORGANISATION, "m-1")
LEASE = timedelta(seconds=90)
LATER = NOON + timedelta(hours=1)
SENT = Move(status=Status.SENT, at=NOON, by_attempt=1)


async def claimed(world: World, *, fallback_template: bool = True) -> Message:
    await world.log.add(replace(message(), fallback_template=TEMPLATE if fallback_template else None))
    return await claimed_again(world)


async def claimed_again(world: World) -> Message:
    claim = await world.log.claim(*KEY, token="t", now=NOON, lease_until=NOON + LEASE, sender="1060001")
    assert claim.answer is ClaimAnswer.WON
    assert claim.message is not None
    return claim.message


async def test_a_claim_records_its_instant_and_the_sender(world: World) -> None:
    row = await claimed(world)
    assert (row.claimed_at, row.sender) == (NOON, "1060001")
    assert await stored_row(world.log) == row


@pytest.mark.parametrize("is_duplicate", [True, False])
@pytest.mark.parametrize("is_sent", [True, False])
async def test_only_the_new_attempt_of_a_retried_message_counts(
    world: World, is_sent: bool, is_duplicate: bool
) -> None:
    await claimed(world)
    if is_sent:
        await world.log.move(*KEY, SENT)
    assert await world.log.retry_message(*KEY, attempt=1, due_at=LATER)
    row = await stored_row(world.log)
    assert (row.status, row.retrying, row.due_at) == (Status.SENT if is_sent else Status.PENDING, True, LATER)
    reported = replace(SENT, is_duplicate=is_duplicate)
    late = (reported, Move(status=Status.FAILED, at=NOON, attempt=1, reason="template_required"))
    for move in late:
        assert not (await world.log.move(*KEY, move)).won
    assert not await world.log.retry_message(*KEY, attempt=1, due_at=NOON)
    again = await claimed_again(world)
    assert (again.attempts, again.as_template, again.lease_until) == (2, True, NOON + LEASE)
    for move in late:
        assert not (await world.log.move(*KEY, move)).won
    assert (await world.log.move(*KEY, replace(reported, by_attempt=2))).won
    row = await stored_row(world.log)
    assert (row.status, row.retrying, row.due_at, row.lease_until) == (Status.SENT, False, None, None)
    assert not await world.log.retry_message(*KEY, attempt=2, due_at=LATER)


@pytest.mark.parametrize("is_sent", [True, False])
async def test_a_message_that_a_stop_error_refused_later_is_sent_again_unchanged(world: World, is_sent: bool) -> None:
    await claimed(world, fallback_template=False)
    if is_sent:
        await world.log.move(*KEY, SENT)
    assert not await world.log.retry_message(*KEY, attempt=2, due_at=LATER, as_template=False)
    assert await world.log.retry_message(*KEY, attempt=1, due_at=LATER, as_template=False)
    row = await stored_row(world.log)
    assert (row.as_template, row.retrying, row.lease_until, row.due_at) == (False, True, None, LATER)
    failed = Move(status=Status.FAILED, at=NOON, attempt=1, reason="undeliverable")
    assert not (await world.log.move(*KEY, failed)).won
    assert not await world.log.retry_message(*KEY, attempt=1, due_at=NOON, as_template=False)
    again = await claimed_again(world)
    assert (again.attempts, again.as_template) == (2, False)
    assert await world.log.retry_message(*KEY, attempt=2, due_at=LATER, as_template=False)


@pytest.mark.parametrize("is_sent", [True, False])
async def test_a_message_is_sent_with_a_new_upload_once(world: World, is_sent: bool) -> None:
    await claimed(world, fallback_template=False)
    if is_sent:
        await world.log.move(*KEY, SENT)
    assert not await world.log.retry_message(*KEY, attempt=2, due_at=LATER, as_template=False, card_after=NOON)
    for _ in range(2):  # the same write again, because its answer was lost
        assert await world.log.retry_message(*KEY, attempt=1, due_at=LATER, as_template=False, card_after=NOON)
    row = await stored_row(world.log)
    assert (row.card_after, row.retrying, row.lease_until, row.due_at) == (NOON, True, None, LATER)
    again = await claimed_again(world)
    assert (again.attempts, again.card_after) == (2, NOON)
    assert not await world.log.retry_message(*KEY, attempt=2, due_at=LATER, as_template=False, card_after=LATER)
    assert await world.log.retry_message(*KEY, attempt=2, due_at=LATER, as_template=False)
    assert (await stored_row(world.log)).card_after == NOON


async def test_a_message_whose_fallback_has_begun_is_not_retried(world: World) -> None:
    await world.log.add(replace(message(), fallback_template="vaccination_card/fr", fallback_minutes=5))
    await claimed_again(world)
    assert (await world.log.move(*KEY, SENT)).won
    assert await world.log.fall_back(*KEY)
    assert not await world.log.retry_message(*KEY, attempt=1, due_at=LATER)


async def test_the_first_successor_of_a_failed_message_keeps_its_place(world: World) -> None:
    await world.log.add(message())
    assert not await world.log.note_successor(*KEY, successor="m-8"), "it has not failed"
    await world.log.move(*KEY, Move(status=Status.FAILED, at=NOON))
    for _ in range(2):  # the same write again, because its answer was lost
        assert await world.log.note_successor(*KEY, successor="m-8")
        assert not await world.log.note_successor(*KEY, successor="m-9")
    assert (await stored_row(world.log)).successor_message_id == "m-8"
    await world.log.move(*KEY, Move(status=Status.DELIVERED, at=LATER))
    assert await world.log.note_successor(*KEY, successor="m-8"), "it has the place still"
    assert not await world.log.note_successor(ORGANISATION, "unknown", successor="m-8")


async def test_a_message_has_a_fallback_or_a_successor_but_not_both(world: World) -> None:
    await awaits_fallback(world)
    await world.log.move(*KEY, Move(status=Status.FAILED, at=LATER, fallback=Start.NOW))
    assert not await world.log.note_successor(*KEY, successor="m-8"), "its fallback is due"
    assert await world.log.fall_back(*KEY)
    await world.log.move_next_check(*KEY, seen=LATER, due_at=None)
    assert not await world.log.note_successor(*KEY, successor="m-8"), "its fallback has begun"


async def test_no_fallback_begins_once_a_message_has_a_successor(world: World) -> None:
    row = replace(message(), status=Status.FAILED, fallback_minutes=5, due_at=NOON, successor_message_id="m-8")
    await world.log.add(row)
    assert not await world.log.fall_back(*KEY)


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.READ])
async def test_proof_of_arrival_ends_a_retried_message(world: World, status: Status) -> None:
    await claimed(world)
    await world.log.retry_message(*KEY, attempt=1, due_at=LATER)
    assert (await world.log.move(*KEY, Move(status=status, at=NOON))).won
    row = await stored_row(world.log)
    assert (row.status, row.retrying, row.due_at) == (status, False, None)
    assert (await world.log.claim(*KEY, token="t", now=NOON, lease_until=NOON + LEASE)).answer is ClaimAnswer.DONE


@pytest.mark.parametrize("ended", [Status.DELIVERED, Status.READ, Status.FAILED])
async def test_an_ended_message_is_not_retried(world: World, ended: Status) -> None:
    await claimed(world)
    await world.log.move(*KEY, Move(status=ended, at=NOON))
    assert not await world.log.retry_message(*KEY, attempt=1, due_at=LATER)


@pytest.mark.parametrize(("fallback_template", "attempt"), [(False, 1), (True, 0), (True, 2)])
async def test_only_the_latest_attempt_with_a_fallback_template_is_retried(
    world: World, fallback_template: bool, attempt: int
) -> None:
    row = await claimed(world, fallback_template=fallback_template)
    assert not await world.log.retry_message(*KEY, attempt=attempt, due_at=LATER)
    assert await stored_row(world.log) == row


async def test_a_retried_message_can_end_unsent(world: World) -> None:
    await claimed(world)
    await world.log.move(*KEY, SENT)
    await world.log.retry_message(*KEY, attempt=1, due_at=LATER)
    end = Move(status=Status.FAILED, at=NOON, reason="cancelled", unclaimed=True)
    assert (await world.log.move(*KEY, end)).won
    row = await stored_row(world.log)
    assert (row.status, row.retrying, row.due_at) == (Status.FAILED, False, None)


async def test_only_the_holder_of_the_lease_records_the_card(world: World) -> None:
    await claimed(world)
    assert not await world.log.note_card(*KEY, attempt=2)
    assert await world.log.note_card(*KEY, attempt=1)
    assert (await stored_row(world.log)).card_attempt == 1
    await world.log.give_back(*KEY, token="t", due_at=LATER, uses_attempt=True)
    assert not await world.log.note_card(*KEY, attempt=1)
    again = await claimed_again(world)
    assert (again.attempts, again.card_attempt) == (2, 1)
    whole = Move(status=Status.FAILED, at=NOON, attempt=1, reason="undeliverable")
    assert not (await world.log.move(*KEY, whole)).won, "the text of the first attempt is an old story"
    assert (await world.log.move(*KEY, replace(whole, card_half=True))).won


async def test_a_failed_card_ends_the_message_before_the_card_is_recorded(world: World) -> None:
    await claimed(world)
    card = Move(status=Status.FAILED, at=NOON, attempt=1, card_half=True, reason="undeliverable")
    assert (await world.log.move(*KEY, card)).won
    assert not await world.log.note_card(*KEY, attempt=1)


async def test_a_card_proved_by_its_status_ends_the_unknown_outcome(world: World) -> None:
    await claimed(world)
    await world.log.mark_unknown(*KEY, token="t", now=NOON, due_at=LATER)
    assert await world.log.card_taken(*KEY, attempt=1, due_at=NOON + SECOND)
    row = await stored_row(world.log)
    assert (row.card_attempt, row.unknown_since, row.lease_until, row.due_at) == (1, None, None, NOON + SECOND)
    assert not await world.log.card_taken(*KEY, attempt=1, due_at=LATER)
    assert await stored_row(world.log) == row


async def test_a_cards_status_does_not_end_an_unknown_outcome_of_the_text(world: World) -> None:
    await claimed(world)
    await world.log.note_card(*KEY, attempt=1)
    await world.log.mark_unknown(*KEY, token="t", now=NOON, due_at=LATER)
    row = await stored_row(world.log)
    assert not await world.log.card_taken(*KEY, attempt=1, due_at=NOON)
    assert await stored_row(world.log) == row


async def test_a_cards_status_during_a_live_claim_leaves_the_lease(world: World) -> None:
    await claimed(world)
    assert await world.log.card_taken(*KEY, attempt=1, due_at=NOON)
    row = await stored_row(world.log)
    assert (row.card_attempt, row.lease_until, row.due_at) == (1, NOON + LEASE, None)
    assert await world.log.note_card(*KEY, attempt=1)


async def test_a_message_with_an_unknown_outcome_is_resent_once(world: World) -> None:
    await claimed(world)
    assert not await world.log.resend(*KEY, attempt=1, due_at=NOON)
    await world.log.mark_unknown(*KEY, token="t", now=NOON, due_at=LATER)
    assert not await world.log.resend(*KEY, attempt=2, due_at=NOON)
    assert await world.log.resend(*KEY, attempt=1, due_at=NOON)
    assert not await world.log.resend(*KEY, attempt=1, due_at=NOON)
    again = await claimed_again(world)
    assert (again.attempts, again.resent, again.unknown_since) == (2, True, None)
    assert await world.log.mark_unknown(*KEY, token="t", now=NOON, due_at=LATER)
    assert not await world.log.resend(*KEY, attempt=2, due_at=NOON)


async def awaits_fallback(world: World, **sent: bool) -> Message:
    await world.log.add(replace(message(), fallback_template="vaccination_card/fr", fallback_minutes=5))
    await claimed_again(world)
    assert (await world.log.move(*KEY, replace(SENT, quality_hold=sent.get("quality_hold", False)))).won
    return await stored_row(world.log)


@pytest.mark.parametrize("is_held", [True, False])
async def test_the_providers_answer_records_a_quality_hold(world: World, is_held: bool) -> None:
    assert (await awaits_fallback(world, quality_hold=is_held)).quality_hold is is_held
    assert not (await world.log.move(*KEY, SENT)).won
    assert (await stored_row(world.log)).quality_hold is is_held


async def test_that_meta_reports_is_recorded_with_the_next_check(world: World) -> None:
    row = await awaits_fallback(world)
    assert (row.reporting, row.due_at) == (False, NOON + timedelta(minutes=5))
    for due_at in (LATER, LATER, NOON):
        assert await world.log.note_reporting(*KEY, attempt=1, due_at=due_at)
        row = await stored_row(world.log)
        assert (row.reporting, row.due_at, row.status) == (True, due_at, Status.SENT)
    assert await world.log.fall_back(*KEY)
    assert not await world.log.note_reporting(*KEY, attempt=1, due_at=LATER), "it has begun"


@pytest.mark.parametrize("what", ["pending", "another attempt", "delivered", "failed", "not watched", "retrying"])
async def test_that_meta_reports_is_recorded_only_for_a_waiting_fallback(world: World, what: str) -> None:
    if what == "pending":
        await world.log.add(replace(message(), fallback_minutes=5, due_at=NOON))
        await claimed_again(world)
    else:
        row = await awaits_fallback(world)
        if what in ("delivered", "failed"):
            await world.log.move(*KEY, Move(status=Status(what), at=NOON, reason="x" if what == "failed" else None))
        if what == "not watched":
            assert row.due_at is not None
            await world.log.move_next_check(*KEY, seen=row.due_at, due_at=None)
        if what == "retrying":
            await world.log.retry_message(*KEY, attempt=1, due_at=LATER)
    before = await stored_row(world.log)
    assert not await world.log.note_reporting(*KEY, attempt=2 if what == "another attempt" else 1, due_at=NOON)
    assert await stored_row(world.log) == before


async def test_facts_of_an_attempt_are_cleared_for_the_next(world: World) -> None:
    await awaits_fallback(world, quality_hold=True)
    assert await world.log.note_reporting(*KEY, attempt=1, due_at=LATER)
    assert await world.log.retry_message(*KEY, attempt=1, due_at=LATER)
    row = await stored_row(world.log)
    assert (row.reporting, row.quality_hold) == (False, False)


async def test_a_row_is_reached_once(world: World) -> None:
    await world.log.add(message())
    answers = [await world.log.note_reached(*KEY) for _ in range(2)]
    assert [one.won for one in answers] == [True, False]
    assert [one.before is not None and one.before.reached for one in answers] == [False, True]
    assert (await stored_row(world.log)).reached
    missing = await world.log.note_reached(ORGANISATION, "none")
    assert (missing.won, missing.before) == (False, None)
