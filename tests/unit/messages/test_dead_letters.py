"""A queue message that never succeeds: its message becomes a dead letter, and no other message waits for it.

A person redrives it. It then passes the gate and is sent once.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, override

import pytest

from shared.base.ids import shard_of
from shared.campaigns.distribution import Action, DistributionStatus
from shared.integrations.integration import SmsIntegration
from shared.messages.dead_letters import AT_ONCE, DeadQueueMessage
from shared.messages.errors import Kind, SendError
from shared.messages.message import KEPT_FOR, DeadReason, Message, Status, dead_letter_id
from shared.messages.payload import Channel, Payload
from shared.messages.ports import AGENDA_SHARDS, LogQuery
from shared.messages.queue_message import QueueMessage
from tests.fakes.consents import revoked
from tests.fakes.log import FakeLog
from tests.fakes.office import DEMO, Office
from tests.fakes.rest import FakeIntegrations, FakeProvider

RECEIVES = 12
"""maxReceiveCount in template.yaml."""
EVENING = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


class Poisoned(FakeProvider[Any]):
    """A message to one of these numbers raises an unexpected error."""

    numbers: frozenset[str] = frozenset()

    @override
    async def prepare(self, integration: Any, payload: Payload) -> str:
        if payload.to in self.numbers:
            raise ZeroDivisionError
        return await super().prepare(integration, payload)


@pytest.fixture
def office() -> Office:
    office = Office()
    office.provider = Poisoned(office.points)
    return office


def poison(office: Office, *numbers: str) -> None:
    assert isinstance(office.provider, Poisoned)
    office.provider.numbers = frozenset(numbers)


def dead_queue_message(queue_message: QueueMessage) -> DeadQueueMessage:
    return DeadQueueMessage(
        organisation=queue_message.organisation,
        message_id=queue_message.message_id,
        reason=DeadReason.HANDLING_FAILED,
        attempts=RECEIVES,
    )


def given_up(office: Office, queue_messages: Sequence[QueueMessage]) -> list[bool]:
    return office.run(
        office.dead_letters().take_all([dead_queue_message(queue_message) for queue_message in queue_messages])
    )


def dies(office: Office) -> list[str]:
    """New workers receive every queue message as often as the queue allows. Those that never succeed are given up.
    Returns the present dead letters."""
    queue_messages = office.queue.take()
    for _ in range(RECEIVES):
        office.clock.pass_by(minutes=6)
        done = [
            office.run(office.step(queue_message.channel).send_all([queue_message])) for queue_message in queue_messages
        ]
        queue_messages = [
            queue_message for queue_message, (fine,) in zip(queue_messages, done, strict=True) if not fine
        ]
    assert all(given_up(office, queue_messages))
    return letters(office)


def letters(office: Office, organisation: str = DEMO) -> list[str]:
    page = office.run(office.log.page(LogQuery(organisation=organisation, dead=True), None, 50))
    return [dead_letter_id(row.message_id, row.dead.received_at) for row in page.items if row.dead]


def redriven(office: Office, *identities: str, organisation: str = DEMO) -> int:
    return office.run(office.redrives().some(organisation, identities))


def goes_on(office: Office, minutes: int = 10, channel: Channel = Channel.SMS) -> None:
    for _ in range(minutes):
        office.do_tasks()
        office.deliver(channel, within=timedelta(seconds=60))
        office.tick()


def dead_single(office: Office, channel: Channel = Channel.SMS) -> tuple[Message, str]:
    made = office.single(channel=channel)
    poison(office, "+221770008200")
    [letter] = dies(office)
    return office.row(made.message_id), letter


def recipients(office: Office) -> list[str]:
    return sorted(number for number, _ in office.provider.accepted)


@pytest.mark.parametrize("channel", Channel)
def test_a_dead_letter_waits_and_is_sent_once_after_a_redrive(office: Office, channel: Channel) -> None:
    row, letter = dead_single(office, channel)
    assert row.dead is not None
    assert (row.dead.reason, row.dead.attempts, row.status, row.attempts) == ("handling_failed", 12, Status.PENDING, 0)
    office.clock.pass_by(days=13)
    goes_on(office, channel=channel)
    assert office.queue.waiting == []
    assert letters(office) == [letter]
    office.clock.instant = datetime(2026, 12, 6, 10, tzinfo=UTC)
    poison(office)
    assert redriven(office, letter) == 1
    assert letters(office) == []
    goes_on(office, channel=channel)
    assert recipients(office) == ["+221770008200"]
    assert office.row(row.message_id).status is Status.SENT


def test_a_failing_queue_message_never_blocks_others(office: Office) -> None:
    """Neither in the sender's batch nor among the dead letters."""
    distribution = office.distribute(5)
    poison(office, "+221770000003")
    office.do_tasks()
    queue_messages = office.queue.take()
    done = office.run(office.step(Channel.SMS).send_all(queue_messages))
    assert sorted(done) == [False, True, True, True, True]
    office.queue.waiting = [queue_message for queue_message, fine in zip(queue_messages, done, strict=True) if not fine]
    [letter] = dies(office)
    assert recipients(office) == [f"+22177000000{number}" for number in (1, 2, 4, 5)]
    goes_on(office, minutes=120)
    [found] = office.distributions.items.values()
    assert (found.status, letters(office)) == (DistributionStatus.SENDING, [letter])
    poison(office)
    redriven(office, letter)
    goes_on(office)
    assert recipients(office) == [f"+22177000000{number}" for number in range(1, 6)]
    [found] = office.distributions.items.values()
    assert found.status is DistributionStatus.COMPLETED
    counts = office.run(office.browse.distribution(DEMO, distribution.distribution_id)).counts
    assert counts.by_status == {Status.SENT: 5}


def test_a_message_that_cannot_be_marked_dead_blocks_no_other(office: Office) -> None:
    office.distribute(3)
    office.do_tasks()
    queue_messages = office.queue.take()

    class Torn(FakeLog):
        @override
        async def get(self, organisation: str, message_id: str) -> Message | None:
            if message_id == queue_messages[1].message_id:
                raise ConnectionError
            return await super().get(organisation, message_id)

    torn = Torn(office.points)
    torn.rows, office.log = office.log.rows, torn
    unheard = replace(queue_messages[0], message_id="of-nobody")
    assert given_up(office, [queue_messages[0], queue_messages[1], unheard, queue_messages[2]]) == [
        True,
        False,
        True,
        True,
    ]
    assert {letter.partition(".")[0] for letter in letters(office)} == {
        queue_messages[0].message_id,
        queue_messages[2].message_id,
    }
    assert office.telemetry.warning_events[-3:] == ["dead_letter_not_taken", "dead_letter_of_no_message", "dead_letter"]


def test_repeated_concurrent_redrives_send_it_once(office: Office) -> None:
    _, letter = dead_single(office)
    poison(office)

    async def crowd() -> list[int]:
        asked = [office.redrives().some(DEMO, [letter, letter]) for _ in range(3)]
        return await asyncio.gather(*asked, office.redrives().all(DEMO), office.redrives().all(DEMO))

    assert sum(office.run(crowd())) == 1
    goes_on(office)
    assert redriven(office, letter) == 0
    goes_on(office)
    assert len(office.provider.accepted) == 1


@pytest.mark.parametrize("point", [("log.redrive", 1), ("tasks.put", 1)])
def test_a_killed_redrive_that_is_repeated_sends_it_once(office: Office, point: tuple[str, int]) -> None:
    _, letter = dead_single(office)
    poison(office)
    assert office.killed(office.redrives().some(DEMO, [letter]), point)
    redriven(office, letter)
    goes_on(office)
    assert (len(office.provider.accepted), letters(office)) == (1, [])


def test_the_tick_completes_a_redrive_killed_at_its_second_step(office: Office) -> None:
    _, letter = dead_single(office)
    poison(office)
    assert office.killed(office.redrives().some(DEMO, [letter]), ("tasks.put", 1))
    goes_on(office)
    assert len(office.provider.accepted) == 1


def test_a_queue_message_comes_again_if_marking_it_dead_was_killed(office: Office) -> None:
    made = office.single()
    queue_messages = office.queue.take()
    work = office.dead_letters().take_all([dead_queue_message(queue_message) for queue_message in queue_messages])
    assert office.killed(work, ("log.mark_dead", 1))
    assert letters(office) == []
    assert given_up(office, queue_messages) == [True]
    [letter] = letters(office)
    office.clock.pass_by(minutes=90)
    assert given_up(office, queue_messages) == [True]
    assert letters(office) == [letter]
    assert office.row(made.message_id).dead is not None


def test_a_message_sent_by_another_queue_message_is_no_dead_letter_any_more(office: Office) -> None:
    office.single()
    queue_messages = office.queue.take()
    given_up(office, queue_messages)
    [letter] = letters(office)
    office.queue.waiting = queue_messages
    goes_on(office)
    assert letters(office) == []
    assert redriven(office, letter) == 0
    assert given_up(office, queue_messages) == [True]
    goes_on(office)
    assert (letters(office), len(office.provider.accepted)) == ([], 1)


def test_a_message_that_dies_again_is_another_dead_letter(office: Office) -> None:
    _, first = dead_single(office)
    assert redriven(office, first) == 1
    office.do_tasks()
    [second] = dies(office)
    assert second != first
    assert redriven(office, first) == 0
    assert letters(office) == [second]
    poison(office)
    assert office.run(office.redrives().all(DEMO)) == 1
    goes_on(office)
    assert len(office.provider.accepted) == 1


def test_a_paused_distribution_sends_it_once_it_is_resumed(office: Office) -> None:
    distribution = office.distribute(1)
    office.do_tasks()
    given_up(office, office.queue.take())
    office.run(office.control.act(DEMO, distribution.distribution_id, Action.PAUSE))
    redriven(office, *letters(office))
    goes_on(office, minutes=20)
    assert office.provider.accepted == []
    office.run(office.control.act(DEMO, distribution.distribution_id, Action.RESUME))
    goes_on(office, minutes=20)
    assert len(office.provider.accepted) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cancelled_distribution_ends_it(office: Office, when: str) -> None:
    distribution = office.distribute(1)
    office.do_tasks()
    [queue_message] = office.queue.take()
    given_up(office, [queue_message])
    [letter] = letters(office)
    if when == "after":
        redriven(office, letter)
    office.run(office.control.act(DEMO, distribution.distribution_id, Action.CANCEL))
    goes_on(office)
    assert redriven(office, letter) == 0
    goes_on(office)
    row = office.row(queue_message.message_id)
    assert (row.status, row.reason, office.provider.accepted) == (Status.FAILED, "cancelled", [])


@pytest.mark.parametrize("channel", Channel)
def test_a_redrive_sends_nothing_to_a_person_who_opted_out(office: Office, channel: Channel) -> None:
    row, letter = dead_single(office, channel)
    poison(office)
    office.run(office.people.record(DEMO, row.person, [revoked(office.clock.now())]))
    redriven(office, letter)
    goes_on(office, channel=channel)
    row = office.row(row.message_id)
    assert (row.status, row.reason, office.provider.accepted) == (Status.FAILED, "opted_out", [])


def test_a_redrive_at_night_waits_for_the_morning(office: Office) -> None:
    row, letter = dead_single(office)
    poison(office)
    office.clock.instant = NIGHT
    redriven(office, letter)
    goes_on(office)
    row = office.row(row.message_id)
    assert (row.status, row.scheduled_for) == (Status.PENDING, datetime(2026, 11, 24, 7, tzinfo=UTC))
    office.clock.instant = datetime(2026, 11, 24, 7, tzinfo=UTC)
    goes_on(office)
    assert len(office.provider.accepted) == 1


def test_a_message_that_the_gate_postponed_is_no_dead_letter(office: Office) -> None:
    """One of two queue messages dies in the evening; the other reaches the gate at night. No person has to redrive
    it."""
    office.clock.instant = EVENING
    made = office.single()
    queue_messages = office.queue.take()
    given_up(office, queue_messages)
    office.clock.instant = NIGHT
    office.run(office.step(Channel.SMS).send_all(queue_messages))
    assert letters(office) == []
    office.clock.instant = datetime(2026, 11, 24, 7, tzinfo=UTC)
    goes_on(office)
    assert office.row(made.message_id).status is Status.SENT


@pytest.mark.parametrize("waits", [timedelta(minutes=1), timedelta(hours=9)])
def test_a_message_that_waits_for_its_hour_is_no_dead_letter(office: Office, waits: timedelta) -> None:
    """Its other queue message reached the gate at night. A redrive before its hour would be too early."""
    opens = datetime(2026, 11, 24, 7, tzinfo=UTC)
    office.clock.instant = EVENING
    office.single()
    queue_messages = office.queue.take()
    office.clock.instant = NIGHT
    office.run(office.step(Channel.SMS).send_all(queue_messages))
    office.clock.instant = opens - waits
    assert given_up(office, queue_messages) == [True]
    assert letters(office) == []
    office.clock.instant = opens
    goes_on(office)
    assert len(office.provider.accepted) == 1


def test_a_message_with_a_retry_to_come_is_no_dead_letter(office: Office) -> None:
    office.single()
    queue_messages = office.queue.take()
    office.provider.answers = [SendError(Kind.RETRY, "503", "provider_down", retry_after=1800)]
    office.run(office.step(Channel.SMS).send_all(queue_messages))
    assert given_up(office, queue_messages) == [True]
    assert letters(office) == []
    office.clock.pass_by(minutes=30)
    goes_on(office)
    assert len(office.provider.accepted) == 1


@pytest.mark.parametrize("torn", [1, 150], ids=["one", "more than a page"])
def test_rows_that_the_agenda_cannot_handle_block_no_others_in_their_shard(office: Office, torn: int) -> None:
    """For example because of unreadable settings, which are only theirs."""

    class Torn(FakeIntegrations):
        @override
        async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
            if organisation == "torn":
                raise ValueError
            return await super().sms(organisation, version=version, uncached=uncached)

    ours = office.single()
    office.queue.waiting = []
    reading = Torn()
    reading.kept, office.integrations = office.integrations.kept, reading
    shard = shard_of(ours.message_id, AGENDA_SHARDS)
    names = (name for name in map(str, itertools.count()) if shard_of(name, AGENDA_SHARDS) == shard)
    for name in itertools.islice(names, torn):
        theirs = replace(ours, organisation="torn", message_id=name, due_at=ours.accepted_at)
        office.log.rows["torn", name] = theirs
    office.clock.pass_by(minutes=1)
    goes_on(office, minutes=5)
    assert len(office.provider.accepted) == 1
    assert office.telemetry.warning_events.count("agenda_message_failed") >= torn
    theirs_now = [row for (organisation, _), row in office.log.rows.items() if organisation == "torn"]
    assert all(row.due_at and row.due_at > office.clock.now() - timedelta(minutes=2) for row in theirs_now)


def test_a_message_whose_content_is_gone_ends(office: Office) -> None:
    row, letter = dead_single(office)
    office.plans.objects.clear()
    redriven(office, letter)
    goes_on(office)
    assert (office.row(row.message_id).status, office.row(row.message_id).reason) == (Status.FAILED, "expired")


@pytest.mark.parametrize("channel", Channel)
def test_an_expired_claim_is_an_unknown_outcome_and_no_dead_letter(office: Office, channel: Channel) -> None:
    """The queue message was the last to find the row, and the worker with the claim is dead."""
    distribution = office.distribute(1, channel=channel)
    office.do_tasks()
    queue_messages = office.queue.take()
    assert office.killed(office.step(channel).send_all(queue_messages), ("provider.send", 1))
    assert given_up(office, queue_messages) == [False], "its holder may still be at work"
    office.clock.pass_by(minutes=90)
    assert given_up(office, queue_messages) == [True]
    assert given_up(office, queue_messages) == [True]
    assert letters(office) == []
    for _ in range(60):
        office.clock.pass_by(minutes=30)
        office.tick()
    row = office.row(queue_messages[0].message_id)
    assert (row.status, row.reason, row.dead) == (Status.FAILED, "outcome_unknown", None)
    counts = office.run(office.browse.distribution(DEMO, distribution.distribution_id)).counts
    assert counts.by_status == {Status.FAILED: 1}


def test_a_dead_letter_ends_after_fourteen_days_and_then_its_distribution(office: Office) -> None:
    office.distribute(1)
    office.do_tasks()
    given_up(office, office.queue.take())
    [letter] = letters(office)
    office.clock.pass_by(seconds=KEPT_FOR.total_seconds() - 1)
    office.tick()
    assert letters(office) == [letter]
    office.clock.pass_by(seconds=1)
    assert redriven(office, letter) == 0, "its time is over: the agenda ends it"
    assert letters(office) == [letter]
    goes_on(office)
    [row] = office.log.rows.values()
    assert (row.status, row.reason, letters(office)) == (Status.FAILED, "expired", [])
    [distribution] = office.distributions.items.values()
    assert (distribution.status, office.provider.accepted) == (DistributionStatus.COMPLETED, [])


def test_a_dead_letter_checked_too_early_goes_on_waiting(office: Office) -> None:
    """An older next check may still be in the agenda's index."""
    row, _ = dead_single(office)
    office.log.rows[DEMO, row.message_id] = replace(row, due_at=office.clock.now())
    office.tick()
    assert office.row(row.message_id) == row
    assert office.queue.waiting == []


def test_no_organisation_redrives_another_organisations_messages(office: Office) -> None:
    _, letter = dead_single(office)
    poison(office)
    assert letters(office, "other") == []
    assert redriven(office, letter, organisation="other") == 0
    assert office.run(office.redrives().all("other")) == 0
    goes_on(office)
    assert (letters(office), office.provider.accepted) == ([letter], [])


def test_a_redrive_of_very_many_continues_by_itself(office: Office) -> None:
    row, _ = dead_single(office)
    many = AT_ONCE + 350
    for number in range(many):
        queue_message = replace(row, message_id=f"m-{number:05}")
        office.log.rows[DEMO, queue_message.message_id] = queue_message
    office.log.rows["other", "theirs"] = replace(row, organisation="other", message_id="theirs")
    assert office.run(office.redrives().all(DEMO)) == AT_ONCE
    assert sum(one.dead is None for one in office.log.rows.values()) == AT_ONCE
    [rest] = [task for task in office.tasks.tasks if task.kind == "redrive"]
    office.tasks.tasks = []
    office.run(office.fanout().work(rest, office.clock.now()))
    assert office.tasks.tasks == [rest], "no time was left: as it was"
    for _ in range(2):
        office.run(office.fanout().work(rest, office.clock.now() + timedelta(minutes=1)))
    assert [one.message_id for one in office.log.rows.values() if one.dead is not None] == ["theirs"]
