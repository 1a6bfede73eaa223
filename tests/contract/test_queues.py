"""Queues: every message comes out unchanged and in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from shared.base.instants import microseconds
from shared.campaigns.ports import Task
from shared.messages.payload import META, ORANGE, Channel
from shared.messages.queue_message import QueueMessage
from shared.storage.aws import Aws
from shared.storage.queues import QueueError, SqsChannelQueue, SqsStatusQueue
from shared.webhooks.ingress import Report
from tests.contract.making import BARE_PAYLOAD, CHUNK, FULL_PAYLOAD, NOON, ORGANISATION
from tests.contract.world import World

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


def queue_message(
    number: int, channel: Channel = Channel.SMS, *, seconds: float = 0, now: datetime = NOON
) -> QueueMessage:
    """A queue message with a send slot so many seconds after `now`."""
    return QueueMessage(
        organisation=ORGANISATION,
        message_id=f"m-{number}",
        channel=channel,
        person="0123456789abcdef0123456789abcdef",
        slot_at=microseconds(now + timedelta(seconds=seconds)),
        payload=BARE_PAYLOAD,
    )


FULL = replace(queue_message(0, Channel.WHATSAPP), payload=FULL_PAYLOAD, chunk=CHUNK, epoch=3, integration_version=7)


async def test_each_channel_has_a_queue_and_every_field_is_kept(world: World) -> None:
    now = world.clock.now()
    full = replace(FULL, slot_at=microseconds(now))
    texting = [queue_message(number, now=now) for number in range(1, 26)]
    await world.channels.offer([full, *texting], now)
    await world.channels.offer([], now)
    assert sorted(world.hands.queue_messages(Channel.SMS), key=str) == sorted(texting, key=str)


async def test_a_whatsapp_message_comes_out_whole(world: World) -> None:
    now = world.clock.now()
    full = replace(FULL, slot_at=microseconds(now))
    await world.channels.offer([full], now)
    assert list(world.hands.queue_messages(Channel.WHATSAPP)) == [full]


ODD = (
    "".join(map(chr, (*range(32), 127, 0x85, 0xFDD0, 0xFFFE, 0xFFFF, 0x1FFFF, 0x10FFFF)))
    + 'é بطاقة 👩🏾\u200d⚕️ \\ud800 "'
)


async def test_a_body_may_contain_every_character(world: World) -> None:
    """SQS refuses some of these characters, so bodies are ASCII."""
    now = world.clock.now()
    odd = replace(queue_message(1, now=now), payload=replace(BARE_PAYLOAD, text=ODD))
    assert await world.channels.offer([odd, queue_message(2, now=now)], now) == []
    assert sorted(world.hands.queue_messages(Channel.SMS), key=str) == sorted([odd, queue_message(2, now=now)], key=str)
    reports = [Report(organisation=ORGANISATION, provider=ORANGE, document=ODD)]
    await world.status_queue.put(reports)
    assert list(world.hands.reports()) == reports
    tasks = [Task(kind="redrive", organisation=ORGANISATION, place=ODD)]
    await world.task_queue.put(tasks)
    assert list(world.hands.tasks()) == tasks


async def test_messages_that_are_too_long_are_reported_and_the_others_queued(world: World) -> None:
    now = world.clock.now()
    ten = [queue_message(number, now=now) for number in range(1, 11)]
    giants = [
        replace(queue_message(number, now=now), payload=replace(BARE_PAYLOAD, text="é" * 150_000))
        for number in (11, 12)
    ]
    fitting = replace(queue_message(13, now=now), payload=replace(BARE_PAYLOAD, text="é" * 140_000))
    assert await world.channels.offer([*ten[:5], giants[0], fitting, *ten[5:], giants[1]], now) == giants
    assert sorted(world.hands.queue_messages(Channel.SMS), key=str) == sorted([*ten, fitting], key=str)
    assert await world.channels.offer(giants, now) == giants


async def test_a_queue_message_becomes_visible_shortly_before_its_send_slot(world: World) -> None:
    now = world.clock.now()
    late, early, past = (
        queue_message(number, seconds=seconds, now=now) for number, seconds in ((1, 100), (2, 20), (3, -9))
    )
    await world.channels.offer([late, early, past], now)
    assert list(world.hands.queue_messages(Channel.SMS)) == [past]
    assert list(world.hands.queue_messages(Channel.SMS, after=10)) == []
    assert list(world.hands.queue_messages(Channel.SMS, after=20)) == [early]
    assert list(world.hands.queue_messages(Channel.SMS, after=100)) == [late]


async def test_tasks_come_out(world: World) -> None:
    tasks = [
        Task(kind="plan", organisation=ORGANISATION, distribution_id="d-1"),
        Task(kind="advance", organisation=ORGANISATION, distribution_id="d-1"),
        *(Task(kind="agenda", shard=shard) for shard in range(8)),
        *(Task(kind="advance", organisation="other", distribution_id=f"d-{number}") for number in range(5)),
    ]
    await world.task_queue.put(tasks)
    assert sorted(world.hands.tasks(), key=str) == sorted(tasks, key=str)


async def test_reports_come_out(world: World) -> None:
    reports = [
        Report(organisation=ORGANISATION, provider=META, document='{"é": "🎉\\n"}'),
        *(Report(organisation="other", provider=ORANGE, document=f"[{number}]") for number in range(11)),
    ]
    await world.status_queue.put(reports)
    assert sorted(world.hands.reports(), key=str) == sorted(reports, key=str)


async def test_tasks_are_delayed(cloud: World) -> None:
    """Only on AWS: the fake gives tasks out at once."""
    await cloud.task_queue.put([Task(kind="agenda")], delay=900)
    assert list(cloud.hands.tasks()) == []


class StubSqs:
    """Records requests and refuses each body as often as told."""

    def __init__(self, refusals: dict[str, int], faults: dict[str, str]) -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self.taken: list[str] = []
        self._refusals = refusals
        self._faults = faults

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.requests.append(Entries)
        failed = []
        for entry in Entries:
            body = entry["MessageBody"]
            if body in self._faults:
                failed.append({"Id": entry["Id"], "Code": self._faults[body], "SenderFault": True})
            elif self._refusals.get(body, 0):
                self._refusals[body] -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.taken.append(body)
        return {"Failed": failed} if failed else {}


class StubbedAws(Aws):
    """An Aws whose SQS is a stub."""

    def __init__(self, refusals: dict[str, int] | None = None, faults: dict[str, str] | None = None) -> None:
        super().__init__()
        self.stub = StubSqs(refusals or {}, faults or {})
        self.sqs: SQSClient = cast("SQSClient", self.stub)


def reports(count: int, document: str = "x") -> list[Report]:
    return [Report(organisation=f"o-{number % 3}", provider=ORANGE, document=document) for number in range(count)]


async def test_a_batch_holds_ten_with_ids_of_their_own_and_groups_by_organisation() -> None:
    aws = StubbedAws()
    await SqsStatusQueue(aws, "q").put(reports(23))
    assert sorted(len(request) for request in aws.stub.requests) == [3, 10, 10]
    for request in aws.stub.requests:
        assert len({entry["Id"] for entry in request}) == len(request)
        assert {entry["MessageGroupId"] for entry in request} == {"o-0", "o-1", "o-2"}


async def test_a_batch_stays_below_the_longest_that_sqs_takes() -> None:
    aws = StubbedAws()
    await SqsStatusQueue(aws, "q").put(reports(10, "é" * 100_000))
    assert len(aws.stub.requests) == 10  # 600 kB each in ASCII
    sizes = [sum(len(entry["MessageBody"].encode()) for entry in request) for request in aws.stub.requests]
    assert max(sizes) <= 1024 * 1024
    assert len(aws.stub.taken) == 10


async def test_only_refused_entries_are_sent_again() -> None:
    queue_messages = [queue_message(number) for number in range(14)]
    bodies = await _bodies(queue_messages)
    aws = StubbedAws({bodies[0]: 1, bodies[3]: 4, bodies[12]: 2})
    await SqsChannelQueue(aws, {Channel.SMS: "q"}).offer(queue_messages, NOON)
    assert sorted(aws.stub.taken) == sorted(bodies)


async def test_an_entry_that_is_always_refused_raises() -> None:
    queue_messages = [queue_message(number) for number in range(3)]
    bodies = await _bodies(queue_messages)
    aws = StubbedAws({bodies[1]: 1000})
    with pytest.raises(QueueError, match=r"^1 of 3 messages refused$"):
        await SqsChannelQueue(aws, {Channel.SMS: "q"}).offer(queue_messages, NOON)
    assert sorted(aws.stub.taken) == sorted([bodies[0], bodies[2]])


@pytest.mark.parametrize("code", ["InvalidMessageContents", "AWS.SimpleQueueService.InvalidMessageContents"])
async def test_messages_with_refused_contents_are_reported_and_the_others_queued(code: str) -> None:
    queue_messages = [queue_message(number) for number in range(14)]
    bodies = await _bodies(queue_messages)
    aws = StubbedAws({bodies[0]: 1}, {bodies[6]: code, bodies[13]: code})
    reported = await SqsChannelQueue(aws, {Channel.SMS: "q"}).offer(queue_messages, NOON)
    assert reported == [queue_messages[6], queue_messages[13]]
    assert sorted(aws.stub.taken) == sorted(set(bodies) - {bodies[6], bodies[13]})


async def test_another_sender_fault_ends_no_message() -> None:
    """A KMS key that the queue may not use fails every message until it is corrected: no message may end."""
    queue_messages = [queue_message(number) for number in range(3)]
    bodies = await _bodies(queue_messages)
    aws = StubbedAws(faults=dict.fromkeys(bodies, "KMS.AccessDeniedException"))
    with pytest.raises(QueueError, match=r"^3 of 3 messages refused$"):
        await SqsChannelQueue(aws, {Channel.SMS: "q"}).offer(queue_messages, NOON)


@pytest.mark.parametrize(
    ("seconds", "delay"),
    [(-5, 0), (0, 0), (1.9, 0), (2, 1), (300.5, 299), (901, 900), (86_400, 900)],
)
async def test_the_delay_is_in_whole_seconds_and_at_most_the_longest_of_sqs(seconds: float, delay: int) -> None:
    aws = StubbedAws()
    now = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
    await SqsChannelQueue(aws, {Channel.SMS: "q"}).offer([queue_message(1, seconds=seconds, now=now)], now)
    assert [[entry["DelaySeconds"] for entry in request] for request in aws.stub.requests] == [[delay]]


async def _bodies(queue_messages: list[QueueMessage]) -> list[str]:
    aws = StubbedAws()
    for one in queue_messages:
        await SqsChannelQueue(aws, {Channel.SMS: "q"}).offer([one], NOON)
    return aws.stub.taken


async def test_a_report_may_come_back_later(world: World) -> None:
    later = Report(organisation=ORGANISATION, provider=ORANGE, document="{}", looks=1, received_at=NOON)
    await world.status_queue.put([later], delay=900)
    assert list(world.hands.reports()) == []
    await world.status_queue.put([later])
    assert list(world.hands.reports()) == [later]
