"""A WhatsApp number's pulse, and the moving count of people."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import cast, override

import pytest

from shared.messages.fallback import Silence
from shared.sending.last_heard import STEP
from shared.sending.unknown_outcome import LastHeard
from shared.storage.aws import Aws
from shared.storage.dynamodb.unknown_outcomes import DynamoLastHeard
from tests.contract.making import NOON, ORGANISATION, SECOND
from tests.contract.world import World

HOUR = timedelta(hours=1)
NUMBER = (ORGANISATION, "1060001")
PORTFOLIO = (ORGANISATION, "77")


async def test_a_number_of_which_nothing_was_heard(world: World) -> None:
    assert await world.last_heard_store.read(*NUMBER) == LastHeard()


async def test_a_report_time_only_moves_forward(world: World) -> None:
    await world.last_heard_store.note_reports(*NUMBER, claimed_at=NOON)
    await world.last_heard_store.held(*NUMBER, NOON + SECOND)
    assert await world.another().last_heard_store.read(*NUMBER) == LastHeard(last_claimed_at=NOON, held=NOON + SECOND)
    await world.another().last_heard_store.note_reports(*NUMBER, claimed_at=NOON - HOUR)
    await world.another().last_heard_store.held(*NUMBER, NOON)
    assert await world.last_heard_store.read(*NUMBER) == LastHeard(last_claimed_at=NOON, held=NOON + SECOND)
    await world.last_heard_store.note_reports(*NUMBER, claimed_at=NOON + HOUR)
    assert await world.last_heard_store.read(*NUMBER) == LastHeard(last_claimed_at=NOON + HOUR, held=NOON + SECOND)


async def test_numbers_and_organisations_have_their_own(world: World) -> None:
    await world.last_heard_store.note_reports(*NUMBER, claimed_at=NOON)
    assert await world.last_heard_store.read(ORGANISATION, "1060002") == LastHeard()
    assert await world.last_heard_store.read("other", "1060001") == LastHeard()


async def test_what_was_claimed_is_exact_and_the_last_instant_nearly(world: World) -> None:
    """A message in doubt, or one that waits with its fallback, may have been claimed a moment before another."""
    for number in range(20):
        instant = NOON + number * SECOND / 10
        last_heard = await world.last_heard_store.note_reports(*NUMBER, claimed_at=instant, at=instant)
        assert last_heard.last_claimed_at == instant
    assert await world.another().last_heard_store.read(*NUMBER) == LastHeard(
        last_claimed_at=NOON + 1.9 * SECOND, last_heard_at=NOON
    )
    await world.last_heard_store.note_reports(*NUMBER, at=NOON + STEP)
    assert await world.last_heard_store.read(*NUMBER) == LastHeard(
        last_claimed_at=NOON + 1.9 * SECOND, last_heard_at=NOON + STEP
    )


async def test_of_two_instants_each_moves_by_itself(world: World) -> None:
    """A late status: of a message that was claimed after all others, told long before."""
    await world.last_heard_store.note_reports(*NUMBER, claimed_at=NOON, at=NOON + HOUR)
    late = await world.another().last_heard_store.note_reports(*NUMBER, claimed_at=NOON + SECOND, at=NOON + 2 * SECOND)
    assert (
        late
        == await world.last_heard_store.read(*NUMBER)
        == LastHeard(last_claimed_at=NOON + SECOND, last_heard_at=NOON + HOUR)
    )
    early = await world.another().last_heard_store.note_reports(*NUMBER, claimed_at=NOON, at=NOON + 2 * HOUR)
    assert (
        early
        == await world.last_heard_store.read(*NUMBER)
        == LastHeard(last_claimed_at=NOON + SECOND, last_heard_at=NOON + 2 * HOUR)
    )
    assert await world.another().last_heard_store.note_reports(*NUMBER, claimed_at=NOON, at=NOON) == early, (
        "nothing new"
    )


async def test_a_person_counts_once_in_24_hours(world: World) -> None:
    for hours in (0, 0, 1, 5, 23):
        assert await world.people_count.take(*PORTFOLIO, "p", limit=250, now=NOON + hours * HOUR) is None
        assert await world.another().people_count.used(*PORTFOLIO, NOON + hours * HOUR) == 1
    assert await world.people_count.used(*PORTFOLIO, NOON + 47 * HOUR) == 1, "24 hours from the latest message on"
    assert await world.people_count.used(*PORTFOLIO, NOON + 48 * HOUR) == 0
    assert await world.people_count.take(*PORTFOLIO, "p", limit=250, now=NOON + 60 * HOUR) is None
    assert await world.people_count.used(*PORTFOLIO, NOON + 60 * HOUR) == 1


async def test_whoever_comes_when_it_is_full_is_not_counted(world: World) -> None:
    for number in range(3):
        assert await world.people_count.take(*PORTFOLIO, f"p-{number}", limit=3, now=NOON + number * HOUR) is None
    full = await world.people_count.take(*PORTFOLIO, "p-3", limit=3, now=NOON + 3 * HOUR)
    assert full == NOON + 25 * HOUR == await world.people_count.opens_at(*PORTFOLIO, 3, NOON + 3 * HOUR)
    assert await world.people_count.used(*PORTFOLIO, NOON + 3 * HOUR) == 3
    assert await world.people_count.take(*PORTFOLIO, "p-0", limit=3, now=NOON + 3 * HOUR) is None, "counted already"
    assert await world.people_count.take(*PORTFOLIO, "p-3", limit=3, now=NOON + 26 * HOUR) is None
    assert await world.people_count.take(*PORTFOLIO, "p-4", limit=None, now=NOON + 26 * HOUR) is None, (
        "unknown: only counted"
    )
    assert await world.people_count.used(*PORTFOLIO, NOON + 26 * HOUR) == 4


@pytest.mark.parametrize(("limit", "taken"), [(5, 5), (20, 12)])
async def test_many_workers_at_once_never_pass_the_limit(world: World, limit: int, taken: int) -> None:
    workers = [world.another().people_count for _ in range(12)]
    answers = await asyncio.gather(
        *(count.take(*PORTFOLIO, f"p-{number}", limit=limit, now=NOON) for number, count in enumerate(workers))
    )
    assert sum(answer is None for answer in answers) <= taken
    assert await world.people_count.used(*PORTFOLIO, NOON) == sum(answer is None for answer in answers)


async def test_one_person_at_many_workers_counts_once(world: World) -> None:
    workers = [world.another().people_count for _ in range(6)]
    await asyncio.gather(*(count.take(*PORTFOLIO, "p", limit=100, now=NOON) for count in workers))
    assert await world.people_count.used(*PORTFOLIO, NOON) == 1


async def test_portfolios_and_organisations_count_their_own(world: World) -> None:
    await world.people_count.take(*PORTFOLIO, "p", limit=1, now=NOON)
    assert await world.people_count.take(ORGANISATION, "78", "p", limit=1, now=NOON) is None
    assert await world.people_count.take("other", "77", "p", limit=1, now=NOON) is None
    assert await world.people_count.used(*PORTFOLIO, NOON) == 1


async def test_a_silence_is_noted_for_each_distribution_and_the_longest_stands(world: World) -> None:
    owner = (ORGANISATION, "d-1")
    assert await world.last_heard_store.silence(*owner) is None
    first = Silence(phone_number_id="1060001", noted_at=NOON, until=NOON + HOUR)
    await world.last_heard_store.note_silence(*owner, first)
    assert await world.another().last_heard_store.silence(*owner) == first
    await world.another().last_heard_store.note_silence(
        *owner, replace(first, noted_at=NOON + SECOND, until=NOON + SECOND)
    )
    assert await world.last_heard_store.silence(*owner) == first
    longer = replace(first, noted_at=NOON + SECOND, until=NOON + 2 * HOUR)
    await world.last_heard_store.note_silence(*owner, longer)
    assert await world.last_heard_store.silence(*owner) == longer
    assert await world.last_heard_store.silence(ORGANISATION, "d-2") is None
    assert await world.last_heard_store.silence("other", "d-1") is None


class Slow(Aws):
    """Writes nothing: counts what it is asked to, and fails the first time where it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.asked = 0
        self._fails = fails

    @override
    async def run[T](self, call: object) -> T:
        self.asked += 1
        await asyncio.sleep(0)
        if self._fails and self.asked == 1:
            raise ConnectionError
        return cast("T", None)


async def test_a_report_time_that_could_not_be_written_is_written_when_it_is_heard_again() -> None:
    aws = Slow(fails=True)
    last_heard_store = DynamoLastHeard(aws, "state")
    with pytest.raises(ConnectionError):
        await last_heard_store.note_reports(*NUMBER, claimed_at=NOON)
    await last_heard_store.note_reports(*NUMBER, claimed_at=NOON)
    assert aws.asked == 2
