"""What was last heard of a WhatsApp number, and the count of people over 24 hours."""

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


async def test_a_number_without_reports(world: World) -> None:
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


async def test_the_claim_time_is_exact_and_the_report_time_approximate(world: World) -> None:
    """A message with an unknown outcome, or one that waits for its fallback, may have been claimed just before
    another."""
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


async def test_each_of_the_two_instants_moves_by_itself(world: World) -> None:
    """A late status: its message was claimed after all others, and Meta's time is long past."""
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


async def test_a_person_beyond_the_limit_is_not_counted(world: World) -> None:
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
async def test_many_concurrent_workers_never_exceed_the_limit(world: World, limit: int, taken: int) -> None:
    workers = [world.another().people_count for _ in range(12)]
    answers = await asyncio.gather(
        *(count.take(*PORTFOLIO, f"p-{number}", limit=limit, now=NOON) for number, count in enumerate(workers))
    )
    assert sum(answer is None for answer in answers) <= taken
    assert await world.people_count.used(*PORTFOLIO, NOON) == sum(answer is None for answer in answers)


async def test_one_person_counts_once_at_many_workers(world: World) -> None:
    workers = [world.another().people_count for _ in range(6)]
    await asyncio.gather(*(count.take(*PORTFOLIO, "p", limit=100, now=NOON) for count in workers))
    assert await world.people_count.used(*PORTFOLIO, NOON) == 1


async def test_portfolios_and_organisations_count_their_own(world: World) -> None:
    await world.people_count.take(*PORTFOLIO, "p", limit=1, now=NOON)
    assert await world.people_count.take(ORGANISATION, "78", "p", limit=1, now=NOON) is None
    assert await world.people_count.take("other", "77", "p", limit=1, now=NOON) is None
    assert await world.people_count.used(*PORTFOLIO, NOON) == 1


async def test_the_longest_silence_of_each_distribution_is_kept(world: World) -> None:
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
    """Writes nothing. Counts the writes, and fails the first one if `fails`."""

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


async def test_a_failed_write_of_a_report_time_is_repeated_with_the_next_report() -> None:
    aws = Slow(fails=True)
    last_heard_store = DynamoLastHeard(aws, "state")
    with pytest.raises(ConnectionError):
        await last_heard_store.note_reports(*NUMBER, claimed_at=NOON)
    await last_heard_store.note_reports(*NUMBER, claimed_at=NOON)
    assert aws.asked == 2
