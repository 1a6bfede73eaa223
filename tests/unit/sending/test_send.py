"""The send step sends each message once. The tests kill workers at every call that they make."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, override

import pytest

from shared.base.instants import from_microseconds
from shared.campaigns.distribution import Action
from shared.holds.hold import ACCOUNT
from shared.integrations.integration import SmsIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.message import Status
from shared.messages.payload import Channel, Payload
from shared.messages.ports import Claim, Move
from shared.sending.channel import Taken
from tests.fakes.consents import record, revoked
from tests.fakes.log import FakeLog
from tests.fakes.office import DEMO, SMS, Office
from tests.fakes.rest import FakeIntegrations, FakeProvider

POINTS = (
    "people.consents",
    "provider.prepare",
    "rate_limits.state",
    "log.claim",
    "provider.send",
    "provider.answer",
    "receipts.name",
    "log.move",
)
SMS_AFTER_THE_CLAIM = POINTS.index("provider.send")


@pytest.fixture
def office() -> Office:
    return Office()


def test_one_queue_message_is_sent_and_recorded(office: Office) -> None:
    message = office.single()
    office.deliver()
    row = office.row(message.message_id)
    assert (row.status, row.attempts, row.lease_until, row.due_at) == (Status.SENT, 1, None, None)
    assert office.provider.accepted == [("+221770008200", f"{message.message_id}.1")]


def test_queue_messages_delivered_twice_at_once_make_one_call(office: Office) -> None:
    message = office.single()
    [queue_message] = office.queue.take()
    rebooked = [queue_message.with_slot(queue_message.slot_at + later) for later in (1, 2)]
    assert office.run(office.step(Channel.SMS).send_all([queue_message, *rebooked, queue_message])) == [True] * 4
    office.run(office.step(Channel.SMS).send_all([queue_message]))
    assert office.provider.calls == 1
    assert office.row(message.message_id).status is Status.SENT


class Unanswered(FakeLog):
    """The first claim takes effect, and its answer is lost."""

    @override
    async def claim(self, organisation: str, message_id: str, **how: Any) -> Claim:
        claim = await super().claim(organisation, message_id, **how)
        if self._points.passed["log.claim"] == 1:
            raise TimeoutError
        return claim


class Outdated(FakeIntegrations):
    """The administrator has corrected the settings. A read without a version gets the old ones."""

    @override
    async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
        return replace(SMS, version=2) if version > 1 else SMS


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("bulk", [False, True], ids=["single", "bulk"])
def test_a_claim_without_an_answer_goes_back_and_the_queue_message_comes_again(bulk: bool, channel: Channel) -> None:
    office = Office()
    office.log = Unanswered(office.points)
    office.put_together()
    if bulk:
        office.distribute(1, channel=channel)
        office.do_tasks()
    else:
        office.single(channel=channel)
    [queue_message] = office.queue.take()
    office.clock.instant = from_microseconds(queue_message.slot_at)
    assert office.run(office.step(channel).send_all([queue_message])) == [False]
    row = office.row(queue_message.message_id)
    assert (row.lease_until, row.claim_token, row.attempts, office.provider.calls) == (None, None, 0, 0)
    assert office.run(office.step(channel).send_all([queue_message])) == [True]
    row = office.row(queue_message.message_id)
    assert (row.status, row.attempts, office.provider.calls) == (Status.SENT, 1, 1)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_anywhere_never_makes_a_second_call(office: Office, channel: Channel, point: str) -> None:
    """The queue message comes again each time it becomes visible, and the agenda checks the row."""
    message = office.single(channel=channel)
    [queue_message] = office.queue.take()
    was_killed = office.killed(office.step(channel).send_all([queue_message]), (point, 1))
    assert was_killed or channel is Channel.WHATSAPP
    for _ in range(3):
        office.clock.pass_by(seconds=360)
        office.run(office.step(channel).send_all([queue_message]))
        office.tick()
        office.deliver(channel)
    office.clock.pass_by(hours=25)
    office.tick()
    row = office.row(message.message_id)
    assert len(office.provider.accepted) <= 1
    if not was_killed or POINTS.index(point) < SMS_AFTER_THE_CLAIM:
        assert row.status is Status.SENT
        assert len(office.provider.accepted) == 1
    else:
        assert (row.status, row.reason) == (Status.FAILED, "outcome_unknown")


def test_proof_of_arrival_settles_an_unknown_outcome(office: Office) -> None:
    office.provider.answers = [SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown")]
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    row = office.row(message.message_id)
    assert (row.status, row.unknown_since) == (Status.PENDING, office.clock.now())
    move = Move(status=Status.DELIVERED, at=office.clock.now())
    office.run(office.status_writer().move(DEMO, message.message_id, move))
    assert office.row(message.message_id).status is Status.DELIVERED
    office.clock.pass_by(hours=25)
    office.tick()
    assert office.row(message.message_id).status is Status.DELIVERED


def test_a_failure_of_an_older_attempt_does_not_change_this_one(office: Office) -> None:
    office.provider.answers = [SendError(Kind.RETRY, "503")]
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    office.clock.pass_by(seconds=61)
    office.tick()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=1))
    assert office.row(message.message_id).attempts == 2
    old = Move(status=Status.FAILED, at=office.clock.now(), attempt=1, reason="undeliverable")
    assert not office.run(office.status_writer().move(DEMO, message.message_id, old)).won
    assert office.row(message.message_id).status is Status.SENT


def test_a_token_corrected_meanwhile_is_used_at_once(office: Office) -> None:
    """The sender's cached settings are older than the administrator's last change."""
    message = office.single()
    office.provider.answers = [SendError(Kind.STOP, "401/41", "token_invalid")]
    office.integrations = Outdated()
    step = office.step(Channel.SMS)
    office.run(step.send_all(office.queue.take()))
    [again] = office.queue.take()
    assert again.integration_version == 2
    office.run(step.send_all([again]))
    assert office.row(message.message_id).status is Status.SENT


def test_retries_wait_longer_each_time_and_end_after_a_day_of_tries(office: Office) -> None:
    office.provider.answers = [SendError(Kind.RETRY, "503")] * 100
    message = office.single()
    waits = []
    while office.row(message.message_id).status is Status.PENDING:
        office.deliver(within=timedelta(seconds=2))
        due_at = office.row(message.message_id).due_at
        if due_at is not None:
            waits.append((due_at - office.clock.now()).total_seconds())
            office.clock.instant = max(due_at, office.clock.now())
            office.tick()
    assert waits[:4] == pytest.approx([60, 120, 240, 480], abs=2)
    row = office.row(message.message_id)
    assert (row.status, row.reason) == (Status.FAILED, "expired")
    assert office.provider.accepted == []


def test_a_throttle_holds_the_rate_limit_and_uses_up_no_attempt(office: Office) -> None:
    office.provider.answers = [SendError(Kind.THROTTLED, "403/53", retry_after=3)]
    message = office.single()
    [queue_message] = office.queue.take()
    office.run(office.step(Channel.SMS).send_all([queue_message]))
    now = office.clock.now()
    assert office.rate_limits.held_until(SMS.rate_limit) == now + timedelta(seconds=3)
    assert office.row(message.message_id).attempts == 0
    [again] = office.queue.waiting
    assert again.slot_at > queue_message.slot_at
    office.deliver(within=timedelta(seconds=10))
    assert (office.row(message.message_id).status, office.row(message.message_id).attempts) == (Status.SENT, 1)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (SendError(Kind.RECIPIENT, "131026", "not_on_whatsapp"), Status.FAILED, "not_on_whatsapp"),
        (SendError(Kind.BUG, "131009", "provider_rejected"), Status.FAILED, "provider_rejected"),
        (SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown"), Status.FAILED, "outcome_unknown"),
        (SendError(Kind.STOP, "401/42", "token_invalid"), Status.PENDING, None),
    ],
)
def test_the_providers_answer_decides(office: Office, error: SendError, status: Status, reason: str | None) -> None:
    office.provider.answers = [error]
    message = office.single()
    office.deliver()
    row = office.row(message.message_id)
    assert (row.status, row.reason) == (status, reason)
    assert row.lease_until is None
    assert (row.due_at is not None) == (status is Status.PENDING)


def test_an_unavailable_card_fails_without_a_call(office: Office) -> None:
    office.provider.preparing = [SendError(Kind.RECIPIENT, "404", "card_unreachable")] * 2
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    assert office.row(message.message_id).reason == "card_unreachable"
    assert office.provider.calls == 0


def test_after_a_missed_send_slot_a_new_one_is_booked(office: Office) -> None:
    message = office.single()
    [queue_message] = office.queue.take()
    missed = office.clock.pass_by(seconds=6)
    office.run(office.step(Channel.SMS).send_all([queue_message]))
    assert office.queue.waiting == []
    assert missed <= office.clock.now() <= missed + timedelta(seconds=2)
    assert office.row(message.message_id).status is Status.SENT
    assert office.provider.calls == 1


def test_late_queue_messages_leave_at_the_pace_of_the_rate_limit(office: Office) -> None:
    """With any number of late queue messages and any worker: missed slots are not made up for."""
    office.distribute(40)
    office.do_tasks()
    queue_messages = office.queue.take()
    office.clock.pass_by(seconds=60)
    began = office.clock.now()
    for number in range(4):
        office.run(office.step(Channel.SMS).send_all(queue_messages[10 * number : 10 * number + 10]))
    assert len(office.provider.accepted) == 40
    assert office.clock.now() - began >= timedelta(seconds=40 / 5 - 1)


def test_a_late_queue_message_with_a_far_slot_goes_back_to_the_queue(office: Office) -> None:
    message = office.single()
    [queue_message] = office.queue.take()
    office.clock.pass_by(seconds=6)
    until = office.clock.now() + timedelta(seconds=120)
    office.run(office.rate_limits.hold(SMS.rate_limit, until))
    office.run(office.step(Channel.SMS).send_all([queue_message]))
    assert office.provider.calls == 0
    [again] = office.queue.waiting
    assert from_microseconds(again.slot_at) >= until
    office.deliver(within=timedelta(seconds=121))
    assert office.row(message.message_id).status is Status.SENT


def test_a_batch_reads_its_facts_together(office: Office) -> None:
    """Ten late queue messages: each fact is read once, and one booking serves all."""
    office.distribute(10)
    office.do_tasks()
    queue_messages = office.queue.take()
    office.clock.pass_by(seconds=60)
    before = Counter(office.points.passed)
    office.run(office.step(Channel.SMS).send_all(queue_messages))
    assert len(office.provider.accepted) == 10
    read = office.points.passed - before
    assert read["distributions.get_many"] <= 4
    assert read["people.consents"] <= 4
    assert read["rate_limits.book"] == 1
    assert read["log.claim"] == read["log.move"] == 10


def test_a_pause_is_seen_within_a_second_in_spite_of_the_cache(office: Office) -> None:
    made = office.distribute(2)
    office.do_tasks()
    [first, second] = office.queue.take()
    step = office.step(Channel.SMS)
    office.run(step.send_all([first]))
    office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    office.clock.pass_by(seconds=1.1)
    office.run(step.send_all([second]))
    assert len(office.provider.accepted) == 1
    assert office.row(second.message_id).status is Status.PENDING


def test_the_gate_is_checked_just_before_the_call(office: Office) -> None:
    message = office.single()
    row = office.row(message.message_id)
    office.people.records[DEMO, row.person] = record(revoked(office.clock.now()))
    office.deliver()
    assert office.row(message.message_id).reason == "opted_out"
    assert office.provider.calls == 0


def test_a_message_that_reaches_its_sender_in_quiet_hours_waits_for_the_morning(office: Office) -> None:
    office.clock.instant = datetime(2026, 11, 23, 20, 59, 59, tzinfo=UTC)
    message = office.single()
    office.clock.instant = datetime(2026, 11, 23, 21, 0, 0, tzinfo=UTC)
    office.deliver()
    morning = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    row = office.row(message.message_id)
    assert (row.status, row.due_at, row.scheduled_for) == (Status.PENDING, morning, morning)
    for instant in (morning - timedelta(seconds=1), morning):
        office.clock.instant = instant
        office.tick()
        office.deliver(within=timedelta(seconds=0.9))
        assert (office.provider.calls == 1) == (instant == morning)


def test_a_single_message_waits_for_the_end_of_its_hold(office: Office) -> None:
    office.provider.answers = [SendError(Kind.STOP, "401/41", "token_invalid")]
    message = office.single()
    assert message.due_at is not None
    office.deliver()
    assert "stop_error" in office.telemetry.warning_events
    assert office.row(message.message_id).due_at == office.clock.now() + timedelta(minutes=1)
    office.balances.answer = SendError(Kind.STOP, "401/41", "token_invalid")
    office.provider.answers = [SendError(Kind.STOP, "401/41", "token_invalid")]
    office.clock.pass_by(minutes=1)
    office.tick()
    office.deliver(within=timedelta(seconds=15))
    assert office.provider.calls == 2, "one message has tried it"
    office.clock.pass_by(minutes=1)
    office.tick()
    row = office.row(message.message_id)
    assert (row.attempts, row.status) == (0, Status.PENDING)
    assert office.holds.items[DEMO, Channel.SMS].held_scopes() == [ACCOUNT]
    office.balances.answer = []
    office.clock.pass_by(minutes=1)
    office.tick()
    office.do_tasks()
    office.deliver(within=timedelta(seconds=15))
    assert office.row(message.message_id).status is Status.SENT


def test_a_call_is_logged_with_its_outcome_and_delay(office: Office) -> None:
    office.provider.answers = [SendError(Kind.THROTTLED, "429", "")]
    office.single()
    office.deliver()
    office.deliver(within=timedelta(seconds=2))
    reported = [fields for name, fields in office.telemetry.events if name == "provider_called"]
    assert [(one["channel"], one["outcome"]) for one in reported] == [
        (Channel.SMS, "throttled"),
        (Channel.SMS, "accepted"),
    ]
    assert all(isinstance(one["late_milliseconds"], int) and one["late_milliseconds"] >= 0 for one in reported)
    assert "send_was_slow" not in office.telemetry.names()


@pytest.mark.parametrize(("seconds", "is_slow"), [(1.9, False), (2.0, True)])
def test_a_slow_call_has_a_line_of_its_own(office: Office, seconds: float, is_slow: bool) -> None:
    class Slow(FakeProvider[SmsIntegration]):
        @override
        async def send(self, integration: SmsIntegration, payload: Payload, prepared: str, *, key: str) -> Taken:
            await office.clock.sleep(seconds)
            return await super().send(integration, payload, prepared, key=key)

    office.provider = Slow(office.points)
    message = office.single()
    office.deliver()
    reported = [fields for name, fields in office.telemetry.events if name == "send_was_slow"]
    line = {"message_id": message.message_id, "channel": "sms", "outcome": "accepted", "milliseconds": 2000}
    assert reported == ([line] if is_slow else [])


class Slow(FakeProvider[Any]):
    """Its preparation takes so many seconds."""

    seconds = 26.0

    @override
    async def prepare(self, integration: Any, payload: Payload) -> str:
        await self.clock.sleep(self.seconds)
        return await super().prepare(integration, payload)

    clock: Any = None


@pytest.mark.parametrize(("seconds", "calls"), [(3.0, 1), (26.0, 0)])
def test_a_call_that_could_not_be_recorded_in_time_is_not_made(office: Office, seconds: float, calls: int) -> None:
    """A slow card has used the time in which the provider could answer."""
    office.provider = Slow(office.points)
    office.provider.clock, office.provider.seconds = office.clock, seconds
    message = office.single()
    [queue_message] = office.queue.take()
    office.clock.instant = from_microseconds(queue_message.slot_at)
    office.run(office.step(Channel.SMS).send_all([queue_message]))
    assert office.provider.calls == calls
    row = office.row(message.message_id)
    assert (row.lease_until, row.reason) == (None, None)
    assert calls or len(office.queue.waiting) == 1
