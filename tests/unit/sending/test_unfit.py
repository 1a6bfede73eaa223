"""A message that a queue can never carry ends by itself; the others of its chunk are sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import override

import pytest

from shared.base.ids import fallback_id
from shared.campaigns.distribution import Distribution, DistributionStatus
from shared.messages.message import Chunk, Status
from shared.messages.payload import Channel
from shared.messages.queue_message import QueueMessage
from shared.sending.enqueue_now import UNFIT
from shared.texts.content import Content, FallbackOrder
from tests.fakes.office import DEMO, Office
from tests.fakes.rest import FakeChannelQueue

GIANT = "x" * 1_000_000
ROWS, SEVENTH = 150, 7
ENDED = ({Status.SENT: ROWS - 1, Status.FAILED: 1}, {UNFIT: 1}, DistributionStatus.COMPLETED)


@pytest.fixture
def office() -> Office:
    return Office()


def with_a_giant(office: Office, channel: Channel = Channel.SMS) -> Distribution:
    """A confirmed distribution whose seventh row no queue accepts."""
    made = office.distribute(ROWS, channel=channel)
    chunk = Chunk(distribution_id=made.distribution_id, run=0, number=0)
    key = office.plans.chunk_key(DEMO, made.planned.attempt, chunk)
    rows = office.run(office.plans.read_chunk(DEMO, made.planned.attempt, chunk))
    assert rows is not None
    office.plans.objects[key] = tuple(
        replace(row, payload=replace(row.payload, text=GIANT)) if row.payload and row.row == SEVENTH else row
        for row in rows
    )
    return made


def outcome(office: Office, made: Distribution) -> tuple[dict[Status, int], dict[str, int], DistributionStatus]:
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    counts = {status: count for status, count in view.counts.by_status.items() if count}
    return counts, view.counts.by_reason, view.distribution.status


@pytest.mark.parametrize("channel", Channel)
def test_an_unfit_message_does_not_block_its_chunk(office: Office, channel: Channel) -> None:
    made = with_a_giant(office, channel)
    office.finish(channel)
    assert outcome(office, made) == ENDED
    assert len(office.provider.accepted) == ROWS - 1
    assert office.telemetry.warning_events == ["queue_message_refused"]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", ["queue.put", "log.move", "distributions.count", "distributions.save"])
def test_after_a_kill_the_next_worker_ends_the_unfit_message(office: Office, point: str, nth: int) -> None:
    made = with_a_giant(office)
    [task], office.tasks.tasks = office.tasks.tasks, []
    until = office.clock.now() + timedelta(minutes=5)
    killed = office.killed(office.fanout().work(task, until), (point, nth))
    assert killed or nth == 2  # both chunks are queued at once, and one row ends once
    office.tasks.tasks.append(task)
    office.finish()
    assert outcome(office, made) == ENDED
    assert sorted({number for number, _ in office.provider.accepted}) == sorted(
        f"+22177000{number:04d}" for number in range(1, ROWS + 1) if number != SEVENTH
    )
    assert len(office.provider.accepted) == ROWS - 1


class RefusingQueue(FakeChannelQueue):
    """Refuses all messages of one channel."""

    refused: Channel = Channel.WHATSAPP

    @override
    async def offer(self, queue_messages: Sequence[QueueMessage], now: datetime) -> Sequence[QueueMessage]:
        mine = [one for one in queue_messages if one.channel is self.refused]
        return [*mine, *await super().offer([one for one in queue_messages if one not in mine], now)]


def test_a_single_message_ends_with_the_reason(office: Office) -> None:
    office.queue = RefusingQueue(office.points)
    made = office.single(channel=Channel.WHATSAPP)
    row = office.row(made.message_id)
    assert (row.status, row.reason, row.due_at) == (Status.FAILED, UNFIT, None)
    office.tick()
    assert office.provider.calls == 0
    again = office.single(channel=Channel.WHATSAPP)
    assert again.message_id == made.message_id


def test_the_fallback_of_an_unfit_message_is_sent(office: Office) -> None:
    """It was certainly not sent and never will be; the SMS has another text."""
    office.queue = RefusingQueue(office.points)
    wish = FallbackOrder(content=Content(text="SMS pour {first_name}"), after_minutes=90)
    made = office.single(channel=Channel.WHATSAPP, fallback=wish)
    office.tick()
    office.deliver(within=timedelta(seconds=10))
    sms = office.row(fallback_id(made.message_id))
    assert (sms.channel, sms.status) == (Channel.SMS, Status.SENT)
