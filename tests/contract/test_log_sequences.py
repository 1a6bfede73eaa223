"""Any sequence of calls by workers, providers, agenda and gate: the fake and AWS answer alike."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.base.ids import shard_of
from shared.holds.hold import ACCOUNT
from shared.messages.fallback import Start
from shared.messages.message import ALLOWED_FROM, Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import AGENDA_SHARDS, Log, Move
from shared.storage.aws import Aws
from tests.contract.cloud import deploy, on_aws
from tests.contract.making import NOON, TEMPLATE, message
from tests.contract.world import in_memory
from tests.examples import examples
from tests.fakes.world import FakeClock
from tests.template.reading import Node

INSTANTS = st.integers(0, 6).map(lambda minutes: NOON + timedelta(minutes=minutes))
LEASE = timedelta(seconds=90)
ATTEMPTS = st.integers(0, 3)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the log about one message."""

    name: str
    arguments: dict[str, object] = field(default_factory=dict)


def operation(name: str, **arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Operation]:
    return st.fixed_dictionaries(arguments).map(lambda values: Operation(name, values))


TOKENS = st.sampled_from(["t-1", "t-2", "t-3"])
CLAIMS = st.builds(
    lambda now, token: Operation("claim", {"token": token, "now": now, "lease_until": now + LEASE}), INSTANTS, TOKENS
)
MOVES = st.builds(
    Move,
    status=st.sampled_from(Status),
    at=INSTANTS,
    attempt=st.none() | ATTEMPTS,
    claim=st.none() | TOKENS,
    provider_message_id=st.sampled_from([None, "p-1", "p-2"]),
    reason=st.sampled_from([None, "undeliverable", "expired"]),
    unclaimed=st.booleans(),
    only_pending=st.booleans(),
    card_half=st.booleans(),
    by_attempt=st.none() | ATTEMPTS,
    fallback=st.sampled_from(Start),
    rests_until=st.none() | INSTANTS,
).map(lambda move: Operation("move", {"move": move}))
REPORTS = st.lists(
    st.builds(
        Move,
        status=st.sampled_from([one for one in Status if one is not Status.PENDING]),
        at=INSTANTS,
        attempt=st.sampled_from([None, None, 0, 1]),
        provider_message_id=st.sampled_from([None, "p-1", "p-2"]),
        by_attempt=st.none() | st.integers(0, 1),
    ).map(lambda move: Operation("move", {"move": move})),
    min_size=2,
    max_size=4,
)
"""Short lists with few different reports: every run then meets a mistake in the order of two reports."""
OPERATIONS = st.lists(
    st.one_of(
        CLAIMS,
        CLAIMS,
        MOVES,
        operation(
            "give_back",
            token=st.none() | TOKENS,
            due_at=st.none() | INSTANTS,
            uses_attempt=st.booleans(),
            card_failed_at=st.none() | INSTANTS,
        ),
        operation("mark_unknown", token=st.none() | TOKENS, now=INSTANTS, due_at=INSTANTS),
        operation("note_card", attempt=ATTEMPTS),
        operation("card_taken", attempt=ATTEMPTS, due_at=INSTANTS),
        operation(
            "retry_message",
            attempt=ATTEMPTS,
            due_at=INSTANTS,
            card_half=st.booleans(),
            as_template=st.booleans(),
            card_after=st.none() | INSTANTS,
        ),
        operation("park", channel=st.just(Channel.SMS), seen=INSTANTS, scope=st.just(ACCOUNT)),
        operation("resend", attempt=ATTEMPTS, due_at=INSTANTS),
        operation("postpone", due_at=st.none() | INSTANTS, scheduled_for=st.none() | INSTANTS),
        operation("move_next_check", seen=INSTANTS, due_at=st.none() | INSTANTS),
        operation("fall_back"),
        operation("note_successor", successor=st.sampled_from(["m-8", "m-9"])),
    ),
    min_size=4,
    max_size=12,
)


SENT_TO_NO_ATTEMPT = Operation("move", {"move": Move(status=Status.SENT, at=NOON + timedelta(minutes=1), attempt=1)})
SENT_EARLIER = Operation("move", {"move": Move(status=Status.SENT, at=NOON)})
"""Two reports out of order, to which the fake and DynamoDB once gave different dates."""


async def done(log: Log, row: Message, one: Operation) -> tuple[object, Message | None]:
    """The log's answer, and the row after the call."""
    answer: object = await getattr(log, one.name)(row.organisation, row.message_id, **one.arguments)
    return answer, await log.get(row.organisation, row.message_id)


def reachable(before: Status) -> set[Status]:
    return {after for after, allowed in ALLOWED_FROM.items() if before in allowed} | {before}


async def compared(logs: tuple[Log, Log], row: Message, operations: Sequence[Operation]) -> None:
    stood = row
    for log in logs:
        assert await log.add(row)
    for one in operations:
        memory, cloud = [await done(log, row, one) for log in logs]
        assert memory == cloud
        stands = cloud[1]
        assert stands is not None
        assert stands.status in reachable(stood.status)
        assert stands.unknown_since is None or stands.lease_until is not None
        assert stands.is_open or stands.lease_until is None
        assert (stands.claim_token is None) == (stands.lease_until is None)
        assert stands.is_open or stands.due_at is None or stands.awaits_fallback
        assert not (stands.fell_back and stands.is_open)
        assert stands.held_by is None or stands.due_at is not None
        stood = stands
    shard = shard_of(row.message_id, AGENDA_SHARDS)
    for log in logs:
        due = await log.due(shard, NOON + timedelta(hours=1), 1000)
        parked = await log.parked(row.organisation, row.channel, ACCOUNT, 1000)
        mine = [one for one in (*due, *parked) if one.organisation == row.organisation]
        assert mine == ([stood] if stood.due_at else [])
        assert all(one.held_by for one in parked)


@pytest.mark.parametrize(("reported", "usual"), [(OPERATIONS, 30), (REPORTS, 60)], ids=["everything", "reports"])
def test_the_fake_and_aws_answer_alike(
    aws: Aws, described: Node, reported: st.SearchStrategy[list[Operation]], usual: int
) -> None:
    cloud = on_aws(aws, deploy(aws, described), FakeClock()).log
    organisations = (f"o-{number}" for number in count())

    @settings(max_examples=examples(usual))
    @given(reported, st.booleans(), st.booleans(), st.none() | st.integers(1, 3))
    @example([SENT_TO_NO_ATTEMPT, SENT_EARLIER], False, False, None)
    def check(
        operations: list[Operation], has_next_check: bool, has_fallback_template: bool, minutes: int | None
    ) -> None:
        row = message(organisation=next(organisations), due_at=NOON if has_next_check else None)
        row = replace(row, fallback_template=TEMPLATE if has_fallback_template else None, fallback_minutes=minutes)
        asyncio.run(compared((in_memory().log, cloud), row, operations))

    check()
