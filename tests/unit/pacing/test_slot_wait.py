"""The claim comes a moment before the send slot, and the call at the slot. What the worker learns in between still
counts."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.base.instants import from_microseconds, microseconds
from shared.messages.errors import Kind, SendError
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.pacing.slots import AHEAD
from tests.fakes.office import Office
from tests.fakes.virtual import OrderedOffice

SECOND = timedelta(seconds=1)
ROUNDED = timedelta(microseconds=10)
"""The loop's own clock is a float."""


def calls_of(office: Office) -> list[datetime]:
    """The times of all later calls to the provider."""
    calls: list[datetime] = []
    office.provider.called = lambda: calls.append(office.clock.now())
    return calls


@pytest.mark.parametrize("milliseconds", [0, 20, 49])
@pytest.mark.parametrize("channel", Channel)
def test_the_call_is_made_at_its_slot_after_a_slow_claim(channel: Channel, milliseconds: int) -> None:
    office = OrderedOffice()
    office.distribute(10, channel=channel)
    office.do_tasks()
    claim, claimed = office.log.claim, []

    async def slow(*args: object, **how: object) -> object:
        claimed.append(office.clock.now())
        await office.clock.sleep(milliseconds / 1000)
        return await claim(*args, **how)  # type: ignore[arg-type]

    office.log.claim = slow  # type: ignore[assignment,method-assign]  # slower
    queue_messages, calls = office.queue.take(), calls_of(office)
    office.run(office.step(channel).send_all(queue_messages))
    send_slots = [from_microseconds(queue_message.slot_at) for queue_message in queue_messages]
    late = [at - send_slot for send_slot, at in zip(send_slots, calls, strict=True)]
    ahead = [send_slot - at for send_slot, at in zip(send_slots, claimed, strict=True)]
    assert all(timedelta() <= one <= ROUNDED for one in late)
    assert all(AHEAD - ROUNDED <= one <= AHEAD for one in ahead)


def test_a_claim_that_takes_longer_delays_only_its_own_call() -> None:
    office = OrderedOffice()
    office.distribute(2)
    office.do_tasks()
    claim, waits = office.log.claim, [0.3]

    async def slow(*args: object, **how: object) -> object:
        if waits:
            await office.clock.sleep(waits.pop())
        return await claim(*args, **how)  # type: ignore[arg-type]

    office.log.claim = slow  # type: ignore[assignment,method-assign]  # slower
    queue_messages, calls = office.queue.take(), calls_of(office)
    office.run(office.step(Channel.SMS).send_all(queue_messages))
    first, second = (from_microseconds(queue_message.slot_at) for queue_message in queue_messages)
    held_up = first - AHEAD + timedelta(seconds=0.3)
    assert all(abs(at - due) <= ROUNDED for at, due in zip(sorted(calls), sorted([held_up, second]), strict=True))


def test_repeated_queue_messages_delay_no_other_call() -> None:
    """At five a second, three repeats of the first queue message would use the slots of three others."""
    office = OrderedOffice()
    office.distribute(6)
    office.do_tasks()
    queue_messages, calls = office.queue.take(), calls_of(office)
    office.run(office.step(Channel.SMS).send_all([*queue_messages, *[queue_messages[0]] * 3]))
    send_slots = [from_microseconds(queue_message.slot_at) for queue_message in queue_messages]
    assert all(at - due <= ROUNDED for due, at in zip(send_slots, calls, strict=True))


@pytest.mark.parametrize("channel", Channel)
def test_a_throttle_after_the_claim_keeps_the_message_unsent(channel: Channel) -> None:
    """The first call is throttled while the others have claimed. They are given back unsent, without using an attempt,
    and leave once each after the cooldown."""
    office = OrderedOffice()
    office.distribute(3, channel=channel)
    office.do_tasks()
    queue_messages, calls = office.queue.take(), calls_of(office)
    at = queue_messages[0].slot_at
    close = [
        queue_messages[0],
        *(queue_message.with_slot(at + 1000 * nth) for nth, queue_message in enumerate(queue_messages[1:], start=1)),
    ]
    office.provider.answers = [SendError(Kind.THROTTLED, "403/53", retry_after=2)]
    office.run(office.step(channel).send_all(close))
    assert len(calls) == 1
    assert [row.lease_until for row in office.log.rows.values()] == [None] * 3
    assert [row.attempts for row in office.log.rows.values()] == [0] * 3
    assert "claim_too_late" in office.telemetry.names()
    office.deliver(channel, within=timedelta(seconds=10))
    assert {row.status for row in office.log.rows.values()} == {Status.SENT}
    assert len(calls) == 1 + 3
    assert min(calls[1:]) - calls[0] >= 2 * SECOND


def test_the_gate_check_is_for_the_time_of_the_call() -> None:
    """Just before nine in the evening, for a call at nine: no claim is made that would have to be given back."""
    office = OrderedOffice()
    nine = datetime(2026, 11, 23, 21, tzinfo=UTC)
    office.clock.instant = nine - 10 * SECOND
    message = office.single()
    [queue_message] = office.queue.take()
    office.clock.instant = nine - AHEAD
    sent = queue_message.with_slot(microseconds(nine))
    office.run(office.step(Channel.SMS).send_all([sent]))
    row = office.row(message.message_id)
    assert (office.points.passed["log.claim"], office.provider.calls) == (0, 0)
    assert row.due_at == datetime(2026, 11, 24, 7, tzinfo=UTC)
