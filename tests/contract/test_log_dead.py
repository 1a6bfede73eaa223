"""A dead letter: marked on its row, listed for its own organisation, and ended by any later change of the row."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.ids import shard_of
from shared.messages.message import KEPT_FOR, Chunk, DeadLetter, DeadReason, Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import AGENDA_SHARDS, ClaimAnswer, LogQuery, Move
from tests.contract.making import NOON, ORGANISATION, SECOND, message, stored_row
from tests.contract.world import World

KEY = (ORGANISATION, "m-1")
SHARD = shard_of("m-1", AGENDA_SHARDS)
LATER = NOON + timedelta(hours=1)
LETTER = DeadLetter(received_at=LATER, reason=DeadReason.HANDLING_FAILED, attempts=12)
DEAD = LogQuery(organisation=ORGANISATION, dead=True)
ENDED = Move(status=Status.FAILED, at=NOON, reason="cancelled", unclaimed=True)


async def listed(world: World, query: LogQuery = DEAD) -> list[str]:
    page = await world.log.page(query, None, 50)
    return [row.message_id for row in page.items]


@pytest.mark.parametrize("row", [message(), message(due_at=NOON)], ids=["without_next_check", "with_next_check"])
async def test_a_dead_letter_is_listed_and_not_due_until_it_ends(world: World, row: Message) -> None:
    await world.log.add(row)
    assert await listed(world) == []
    assert await world.log.mark_dead(*KEY, LETTER)
    assert await stored_row(world.log) == replace(row, dead=LETTER, due_at=LETTER.ends_at)
    assert LETTER.ends_at == LATER + KEPT_FOR
    assert await listed(world) == ["m-1"]
    assert await world.log.due(SHARD, LETTER.ends_at - SECOND, 10) == []
    assert [one.message_id for one in await world.log.due(SHARD, LETTER.ends_at, 10)] == ["m-1"]


async def test_only_the_first_dead_letter_counts(world: World) -> None:
    await world.log.add(message())
    assert await world.log.mark_dead(*KEY, LETTER)
    assert not await world.log.mark_dead(*KEY, replace(LETTER, received_at=LATER + SECOND))
    assert (await stored_row(world.log)).dead == LETTER


async def test_a_missing_claimed_or_ended_message_is_not_marked_dead(world: World) -> None:
    assert not await world.log.mark_dead(*KEY, LETTER)
    await world.log.add(message())
    await world.log.claim(*KEY, token="t", now=NOON, lease_until=LATER)
    assert not await world.log.mark_dead(*KEY, LETTER)
    await world.log.move(*KEY, Move(status=Status.SENT, at=NOON))
    assert not await world.log.mark_dead(*KEY, LETTER)
    assert await listed(world) == []


async def test_a_dead_letter_is_redriven_once(world: World) -> None:
    await world.log.add(message())
    await world.log.mark_dead(*KEY, LETTER)
    assert not await world.log.redrive(*KEY, died_at=LATER - SECOND, due_at=LATER)
    assert not await world.log.redrive("other", "m-1", died_at=LATER, due_at=LATER)
    assert await listed(world) == ["m-1"]
    assert await world.log.redrive(*KEY, died_at=LATER, due_at=LATER)
    assert not await world.log.redrive(*KEY, died_at=LATER, due_at=LATER + SECOND)
    assert await stored_row(world.log) == message(due_at=LATER)
    assert [one.message_id for one in await world.log.due(SHARD, LATER, 10)] == ["m-1"]
    assert await listed(world) == []
    again = replace(LETTER, received_at=LATER + 5 * SECOND, reason=DeadReason.COPY_UNREADABLE)
    assert await world.log.mark_dead(*KEY, again)
    assert not await world.log.redrive(*KEY, died_at=LATER, due_at=LATER)
    assert (await stored_row(world.log)).dead == again


async def claimed(world: World) -> None:
    claim = await world.log.claim(*KEY, token="t", now=NOON, lease_until=LATER)
    assert claim.answer is ClaimAnswer.WON
    assert claim.message is not None
    assert (claim.message.dead, claim.message.due_at) == (None, LATER)


async def sent(world: World) -> None:
    assert (await world.log.move(*KEY, Move(status=Status.SENT, at=NOON))).won


async def ended(world: World) -> None:
    assert (await world.log.move(*KEY, ENDED)).won


async def postponed(world: World) -> None:
    assert await world.log.postpone(*KEY, due_at=LATER, scheduled_for=LATER)


@pytest.mark.parametrize("happening", [claimed, sent, ended, postponed])
async def test_every_other_change_ends_the_dead_letter(
    world: World, happening: Callable[[World], Awaitable[None]]
) -> None:
    """Another queue message may still come, a webhook may be on its way, and a person may cancel."""
    await world.log.add(message())
    await world.log.mark_dead(*KEY, LETTER)
    await happening(world)
    row = await stored_row(world.log)
    assert row.dead is None
    assert row.due_at in (None, LATER)
    assert await listed(world) == []
    assert not await world.log.redrive(*KEY, died_at=LATER, due_at=LATER)


async def test_the_list_has_each_dead_letter_of_the_organisation_once_newest_first(world: World) -> None:
    rows = [
        message(
            f"m-{number:02}",
            accepted_at=NOON + number // 3 * SECOND,
            channel=Channel.SMS if number % 2 else Channel.WHATSAPP,
            chunk=Chunk(distribution_id="d", run=0, number=0) if number % 5 else None,
        )
        for number in range(20)
    ]
    await world.log.add_all([*rows, *(replace(row, organisation="other") for row in rows)])
    dead = [row for number, row in enumerate(rows) if number % 3]
    for row in dead:
        await world.log.mark_dead(ORGANISATION, row.message_id, LETTER)
    await world.log.mark_dead("other", "m-00", LETTER)
    expected = [one.message_id for one in sorted(dead, key=lambda one: (one.accepted_at, one.message_id), reverse=True)]
    found, position, pages = list[str](), None, 0
    while pages == 0 or position is not None:
        page = await world.log.page(DEAD, position, 4)
        assert {row.organisation for row in page.items} <= {ORGANISATION}
        found += [row.message_id for row in page.items]
        position, pages = page.position, pages + 1
    assert found == expected
    assert pages == 4
    texts = [one for one in expected if int(one[2:]) % 2]
    assert await listed(world, replace(DEAD, channel=Channel.SMS)) == texts
    assert await listed(world, LogQuery(organisation="other", dead=True)) == ["m-00"]
    assert len((await world.log.page(LogQuery(organisation=ORGANISATION), None, 50)).items) == 20


async def test_dead_letters_are_counted_by_organisation_and_channel(world: World) -> None:
    assert await world.log.count_dead_letters(10) == {}
    rows = [
        message("m-1"),
        message("m-2"),
        message("m-3", channel=Channel.WHATSAPP),
        message("m-1", organisation="other"),
        message("m-4"),
    ]
    for row in rows:
        await world.log.add(row)
        if row.message_id != "m-4":
            assert await world.log.mark_dead(row.organisation, row.message_id, LETTER)
    counted = {(ORGANISATION, Channel.SMS): 2, (ORGANISATION, Channel.WHATSAPP): 1, ("other", Channel.SMS): 1}
    assert await world.log.count_dead_letters(10) == counted
    assert sum((await world.log.count_dead_letters(3)).values()) == 3
    assert await world.log.redrive(*KEY, died_at=LATER, due_at=LATER)
    assert (await world.log.count_dead_letters(10))[ORGANISATION, Channel.SMS] == 1
