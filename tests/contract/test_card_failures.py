"""Failures of card hosts are counted for all senders together. The log notes since when a card could not be fetched."""

from datetime import timedelta

from shared.cards.failures import CardPair
from tests.contract.making import NOON, ORGANISATION, message
from tests.contract.world import World

PAIR = CardPair(organisation=ORGANISATION, distribution_id="d-1", host="cards.example.org:8443")
OTHERS = (
    CardPair(organisation=ORGANISATION, distribution_id="d-1", host="s3://oomus-cards"),
    CardPair(organisation=ORGANISATION, distribution_id="d-2", host=PAIR.host),
    CardPair(organisation="another", distribution_id="d-1", host=PAIR.host),
)
MINUTE = timedelta(minutes=1)


async def test_failures_in_a_row_are_counted_over_all_senders(world: World) -> None:
    elsewhere = world.another().card_failures
    assert [await world.card_failures.failed(PAIR, NOON) for _ in range(2)] == [1, 2]
    assert [await elsewhere.failed(PAIR, NOON + MINUTE) for _ in range(2)] == [3, 4]


async def test_each_distribution_and_host_has_a_count_of_its_own(world: World) -> None:
    await world.card_failures.failed(PAIR, NOON)
    assert [await world.card_failures.failed(one, NOON) for one in OTHERS] == [1, 1, 1]


async def test_a_served_card_resets_the_count(world: World) -> None:
    await world.card_failures.failed(PAIR, NOON)
    await world.card_failures.failed(OTHERS[0], NOON)
    await world.another().card_failures.served(PAIR)
    assert await world.card_failures.failed(PAIR, NOON + MINUTE) == 1
    assert await world.card_failures.failed(OTHERS[0], NOON) == 2


async def test_a_served_card_without_a_count_changes_nothing(world: World) -> None:
    await world.card_failures.served(PAIR)
    assert await world.card_failures.failed(PAIR, NOON) == 1


async def test_the_log_notes_since_when_a_card_cannot_be_fetched(world: World) -> None:
    logged = message()
    key = (ORGANISATION, logged.message_id)
    await world.log.add(logged)
    for since in (NOON, None):
        await world.log.claim(*key, token="t", now=NOON, lease_until=NOON + MINUTE)
        assert await world.log.give_back(
            *key, token="t", due_at=NOON + MINUTE, uses_attempt=False, card_failed_at=since
        )
        row = await world.log.get(*key)
        assert row is not None
        assert (row.card_failed_at, row.lease_until, row.due_at) == (since, None, NOON + MINUTE)
