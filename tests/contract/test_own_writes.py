"""AWS's client repeats a write whose answer was lost. The repeat recognises its first attempt, or changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from moto.core.models import botocore_stubber

from shared.campaigns.distribution import DistributionStatus
from shared.messages.message import DeadLetter, DeadReason, Message
from shared.messages.payload import ORANGE, Channel
from shared.messages.ports import ClaimAnswer
from shared.pacing.rate_limit import RateLimit, Share
from shared.storage.aws import Aws
from tests.contract.cloud import deploy, on_aws
from tests.contract.making import NOON, ORGANISATION, distribution, message, stored_row
from tests.contract.world import World
from tests.fakes.world import FakeClock
from tests.template.reading import Node

LEASE = timedelta(seconds=90)
KEY = (ORGANISATION, "m-1")
RATE_LIMIT = RateLimit(organisation=ORGANISATION, channel=Channel.SMS, provider=ORANGE, account_id="client")
LETTER = DeadLetter(received_at=NOON, reason=DeadReason.HANDLING_FAILED, attempts=12)


@pytest.fixture
def own(aws: Aws, described: Node, monkeypatch: pytest.MonkeyPatch) -> World:
    """Without botocore's pauses between two attempts."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    return on_aws(aws, deploy(aws, described), FakeClock())


@contextmanager
def answers_lost(aws: Aws, operation: str, times: int = 1) -> Iterator[Callable[[], int]]:
    """DynamoDB does the first `times` requests, and their answers are lost. Gives the number of requests."""
    made = 0

    def lose(event_name: str, request: Any, **_: object) -> Any:
        nonlocal made
        made += 1
        answer = botocore_stubber(event_name, request)
        if made <= times:
            raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
        return answer

    clients: tuple[Any, ...] = (aws.dynamodb, aws.claiming)
    for client in clients:
        client.meta.events.register_first(f"before-send.dynamodb.{operation}", lose)
    try:
        yield lambda: made
    finally:
        for client in clients:
            client.meta.events.unregister(f"before-send.dynamodb.{operation}", lose)


async def claimed(world: World, token: str) -> Message:
    found = await world.log.claim(*KEY, token=token, now=NOON, lease_until=NOON + LEASE)
    assert found.answer is ClaimAnswer.WON
    assert found.message is not None
    return found.message


async def test_a_claim(aws: Aws, own: World) -> None:
    await own.log.add(message())
    with answers_lost(aws, "UpdateItem") as requests:
        row = await claimed(own, "t-1")
    assert requests() == 2
    assert (row.attempts, row.claim_token) == (1, "t-1")
    assert await stored_row(own.log) == row


async def test_a_claim_of_a_row_with_a_next_check(aws: Aws, own: World) -> None:
    """The second of its two writes makes the claim."""
    await own.log.add(message(due_at=NOON))
    with answers_lost(aws, "UpdateItem", times=2), pytest.raises(ReadTimeoutError):
        await claimed(own, "t-0")
    with answers_lost(aws, "UpdateItem", times=1):
        row = await claimed(own, "t-1")
    assert (row.attempts, row.due_at) == (1, NOON + LEASE)


async def test_an_unanswered_claim_is_given_back_by_its_token(aws: Aws, own: World) -> None:
    await own.log.add(message())
    with answers_lost(aws, "UpdateItem", times=2) as requests, pytest.raises(ReadTimeoutError):
        await claimed(own, "t-1")
    assert requests() == 2, "3 s in all: a second try, and no more"
    assert await own.log.give_back(*KEY, token="t-1", due_at=None, uses_attempt=False)
    assert (await claimed(own, "t-2")).attempts == 1


async def test_giving_back(aws: Aws, own: World) -> None:
    await own.log.add(message())
    await claimed(own, "t-1")
    with answers_lost(aws, "UpdateItem"):
        await own.log.give_back(*KEY, token="t-1", due_at=None, uses_attempt=False)
    row = await stored_row(own.log)
    assert (row.attempts, row.lease_until, row.claim_token) == (0, None, None)


async def test_a_message_counts_as_new_although_the_answer_was_lost(aws: Aws, own: World) -> None:
    with answers_lost(aws, "PutItem"):
        assert await own.log.add(message(due_at=NOON))
    assert not await own.log.add(message(campaign_id="another"))


async def test_a_row_is_retried_or_marked_dead(aws: Aws, own: World) -> None:
    await own.log.add(replace(message(), fallback_template="vaccination_card/fr"))
    await claimed(own, "t-1")
    with answers_lost(aws, "UpdateItem"):
        assert await own.log.retry_message(*KEY, attempt=1, due_at=NOON)
    await own.log.add(message("m-2"))
    with answers_lost(aws, "UpdateItem"):
        assert await own.log.mark_dead(ORGANISATION, "m-2", LETTER)


async def test_a_distribution_is_made_and_saved(aws: Aws, own: World) -> None:
    mine = replace(distribution(status=DistributionStatus.PLANNING), planner="t-1")
    with answers_lost(aws, "PutItem"):
        assert await own.distributions.create(mine) is None
    with answers_lost(aws, "PutItem"):
        saved = await own.distributions.save(replace(mine, planner="t-2", planning_until=NOON))
    assert saved is not None
    assert await own.distributions.get(ORGANISATION, "d-1") == saved
    other = replace(mine, planner="t-3", planning_until=NOON)
    assert await own.distributions.save(other) is None, "another who took it up in the same instant"
    assert await own.distributions.create(replace(mine, planner="t-4")) == saved


@pytest.mark.parametrize("is_first", [True, False], ids=["the first", "a further one"])
async def test_send_slots_are_booked_once(aws: Aws, own: World, is_first: bool) -> None:
    if not is_first:
        await own.rate_limits.book(RATE_LIMIT, Share.BULK, rate=5, earliest=NOON, count=1)
    with answers_lost(aws, "PutItem" if is_first else "UpdateItem"):
        booking = await own.rate_limits.book(RATE_LIMIT, Share.BULK, rate=5, earliest=NOON, count=100)
    state = await own.another().rate_limits.state(RATE_LIMIT)
    assert state.next_bulk == booking.next_free, "no departure is left empty"


async def test_a_person_is_counted(aws: Aws, own: World) -> None:
    with answers_lost(aws, "PutItem"):
        await own.people_count.take(ORGANISATION, "p", "person", limit=10, now=NOON)
    assert await own.people_count.used(ORGANISATION, "p", NOON) == 1, "not taken for counted by another worker"
