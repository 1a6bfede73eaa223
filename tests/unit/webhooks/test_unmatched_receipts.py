"""Receipts without a message and messages without a receipt: they are matched only if they certainly belong together.

Invented days of one number: calls with an answer, with a time-out or with a dead worker; receipts that are early, late,
doubled or of other programs on the same account; consumers killed at every step; all in any order.
"""

import asyncio
import heapq
import itertools
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.base.instants import Clock
from shared.messages.message import Message, Status
from shared.messages.payload import ORANGE
from shared.messages.ports import Move
from shared.messages.status_writer import StatusWriter
from shared.providers.meta import webhook
from shared.providers.orange.receipts import FORMAT
from shared.recipients.number_key import NumberKey
from shared.sending.channel import NameReceipts, Taken
from shared.webhooks.ingress import ReceiptAdapter, Receiver, Report
from shared.webhooks.meta_documents import MetaAdapter
from shared.webhooks.unmatched_receipts import LOOK_AGAIN_AFTER, MOST_LOOKS, NoteUnknown, UnmatchedReceipts
from tests.contract.making import NOON, ORGANISATION, message
from tests.examples import examples
from tests.fakes.bulk import FakeDistributions
from tests.fakes.log import FakeLog
from tests.fakes.office import Office
from tests.fakes.orange import FakeUnknownSms
from tests.fakes.rest import FakeReceipts, FakeStatusQueue
from tests.fakes.world import FakeClock, FakeTelemetry, KilledError, Points

NUMBER = "+221770000001"
LEASE = timedelta(seconds=90)
KEY = NumberKey(b"k" * 64)
PERSON = KEY.person(ORGANISATION, NUMBER)


def report(receipt_id: str, status: str = "DeliveredToTerminal", number: str = NUMBER) -> Report:
    info = {"address": f"tel:{number}", "deliveryStatus": status}
    document = json.dumps({"deliveryInfoNotification": {"callbackData": receipt_id, "deliveryInfo": info}})
    return Report(organisation=ORGANISATION, provider=ORANGE, document=document)


class Days:
    """The sender's and the consumer's parts on fakes, and a timetable of events."""

    def __init__(self) -> None:
        self.clock: FakeClock = FakeClock(NOON)
        self.points = Points()
        self.log = FakeLog(self.points)
        self.receipts = FakeReceipts(self.points)
        self.unknown = FakeUnknownSms(self.points)
        self.queue = FakeStatusQueue()
        self.telemetry = FakeTelemetry()
        self.status_writer = StatusWriter(self.log, FakeDistributions(self.points), self.telemetry, self.clock)
        self._agenda: list[tuple[datetime, int, Callable[[], Coroutine[Any, Any, None]]]] = []
        self._serial = itertools.count()

    def at(self, instant: datetime, what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        heapq.heappush(self._agenda, (instant, next(self._serial), what))

    async def run(self) -> None:
        while self._agenda:
            instant, _, what = heapq.heappop(self._agenda)
            self.clock.instant = max(instant, self.clock.instant)
            await what()

    # The sender.

    async def call(self, message_id: str) -> Message:
        await self.log.add(replace(message(message_id), person=PERSON))
        now = self.clock.now()
        claim = await self.log.claim(
            ORGANISATION, message_id, token="t", now=now, lease_until=now + LEASE, provider=ORANGE
        )
        assert claim.message is not None
        return claim.message

    async def answered(self, claimed: Message, receipt_id: str) -> None:
        taken = Taken(provider_message_id=receipt_id)
        name = NameReceipts(provider=ORANGE, statuses=FORMAT.statuses, receipts=self.receipts, now=self.clock.now)
        moves = await name(claimed, taken)
        sent = Move(status=Status.SENT, at=self.clock.now(), provider_message_id=receipt_id)
        for move in (sent, *moves):
            await self.status_writer.move(ORGANISATION, claimed.message_id, move)

    async def lost(self, claimed: Message) -> None:
        await NoteUnknown(unknown=self.unknown)(claimed)
        failed = Move(status=Status.FAILED, at=self.clock.now(), attempt=claimed.attempts, reason="outcome_unknown")
        await self.status_writer.move(ORGANISATION, claimed.message_id, failed)

    # The consumer.

    def receiver(self) -> Receiver:
        clock: Clock = self.clock
        unmatched_receipts = UnmatchedReceipts(self.unknown, KEY.person)
        receipts = ReceiptAdapter(
            formats={ORANGE: FORMAT}, receipts=self.receipts, unmatched_receipts=unmatched_receipts, queue=self.queue
        )
        meta = MetaAdapter(whatsapp=webhook, statuses=Office().status_effects(self.status_writer))
        return Receiver(self.status_writer, meta, receipts, self.telemetry, clock)

    async def receive(self, one: Report) -> None:
        assert await self.receiver().receive_all([one]) == [True]
        for delay, again in self.queue.delayed:
            self.at(self.clock.now() + timedelta(seconds=delay), lambda again=again: self.receive(again))  # type: ignore[misc]
        self.queue.delayed = []

    def row(self, message_id: str) -> Message:
        return self.log.rows[ORGANISATION, message_id]

    def ends(self, message_id: str) -> tuple[Status, str | None]:
        row = self.row(message_id)
        return row.status, row.reason


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def lived(script: Callable[[Days], Coroutine[Any, Any, None]]) -> Days:
    days = Days()

    async def live() -> None:
        await script(days)
        await days.run()

    asyncio.run(live())
    return days


@pytest.mark.parametrize("received", [0.5, 20, 300])
@pytest.mark.parametrize("noticed", [15, 400, 3000])
def test_a_receipt_settles_a_lost_answer_in_either_order(received: float, noticed: float) -> None:
    async def script(days: Days) -> None:
        claimed = await days.call("m-1")
        days.at(after(seconds=received), lambda: days.receive(report("r-1")))
        days.at(after(seconds=noticed), lambda: days.lost(claimed))

    days = lived(script)
    assert days.ends("m-1") == (Status.DELIVERED, None)


def test_later_receipts_are_matched_at_once() -> None:
    async def script(days: Days) -> None:
        await days.lost(await days.call("m-1"))
        days.at(after(seconds=1), lambda: days.receive(report("r-1")))
        days.at(after(hours=2), lambda: days.receive(report("r-1")))

    days = lived(script)
    assert days.ends("m-1") == (Status.DELIVERED, None)
    assert days.receipts.names == {(ORGANISATION, ORANGE, "r-1"): "m-1"}


@pytest.mark.parametrize(
    "status", ["DeliveredToNetwork", "MessageWaiting", "DeliveryUncertain", "DeliveryImpossible", "x"]
)
def test_only_proof_of_arrival_settles_it(status: str) -> None:
    async def script(days: Days) -> None:
        await days.lost(await days.call("m-1"))
        days.at(after(seconds=1), lambda: days.receive(report("r-1", status)))

    days = lived(script)
    assert days.ends("m-1") == (Status.FAILED, "outcome_unknown")
    assert days.receipts.names == {}


def test_of_two_messages_with_an_unknown_outcome_none_is_settled() -> None:
    async def script(days: Days) -> None:
        await days.lost(await days.call("m-1"))
        days.at(after(hours=20), lambda: second(days))
        days.at(after(hours=20, seconds=5), lambda: days.receive(report("r-1")))

    async def second(days: Days) -> None:
        await days.lost(await days.call("m-2"))

    days = lived(script)
    assert {days.ends(one) for one in ("m-1", "m-2")} == {(Status.FAILED, "outcome_unknown")}


def test_two_receipts_at_the_same_time_settle_nothing() -> None:
    async def script(days: Days) -> None:
        await days.lost(await days.call("m-1"))
        for look in range(1, MOST_LOOKS):
            both = [replace(report(one), looks=look, received_at=after(seconds=1)) for one in ("r-1", "r-2")]
            if look == 1:
                await days.unknown.meet(ORGANISATION, PERSON, ORANGE, "r-2", after(seconds=1))
            for one in both:
                await days.receive(one)

    assert lived(script).ends("m-1") == (Status.FAILED, "outcome_unknown")


@pytest.mark.parametrize("number", ["+221770000002", "not a number"])
def test_a_receipt_for_another_number_settles_nothing(number: str) -> None:
    async def script(days: Days) -> None:
        await days.lost(await days.call("m-1"))
        days.at(after(seconds=1), lambda: days.receive(report("r-1", number=number)))

    assert lived(script).ends("m-1") == (Status.FAILED, "outcome_unknown")


@pytest.mark.parametrize("hours", [-1, 25])
def test_a_receipt_from_before_the_call_or_another_day_settles_nothing(hours: float) -> None:
    async def script(days: Days) -> None:
        await days.lost(await days.call("m-1"))
        await days.receive(replace(report("r-1"), looks=1, received_at=after(hours=hours)))

    assert lived(script).ends("m-1") == (Status.FAILED, "outcome_unknown")


def test_an_unmatched_receipt_is_checked_for_an_hour_and_then_dropped() -> None:
    async def script(days: Days) -> None:
        await days.receive(report("r-1"))

    days = lived(script)
    assert days.clock.now() == NOON + MOST_LOOKS * LOOK_AGAIN_AFTER
    assert days.telemetry.names().count("receipt_parked") == MOST_LOOKS + 1


@pytest.mark.parametrize("point", ["receipts.park", "unknown.meet", "receipts.name", "log.move"])
def test_a_consumer_killed_anywhere_still_settles_the_message(point: str) -> None:
    """SQS brings the report again."""
    days = Days()

    async def prepare() -> None:
        await days.lost(await days.call("m-1"))

    asyncio.run(prepare())
    second_look = replace(report("r-1"), looks=1, received_at=after(seconds=1))
    days.points.kill_before = (point, days.points.passed[point] + 1)
    with pytest.raises(KilledError):
        asyncio.run(days.receive(second_look))
    days.points.kill_before = None
    asyncio.run(days.receive(second_look))
    assert days.ends("m-1") == (Status.DELIVERED, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One message to the number. Seconds count from its call unless said otherwise."""

    called: int
    """Minutes after noon."""
    end: str
    """answered, lost (time-out or reset) or dead (the worker died after the answer)."""
    settled: int
    taken: bool
    reported: tuple[tuple[int, str], ...]
    """Orange's reports on it, in Orange's own order."""


def plots() -> st.SearchStrategy[Plot]:
    reported = st.lists(
        st.tuples(
            st.integers(0, 3 * 3600),
            st.sampled_from(["DeliveredToTerminal"] * 3 + ["DeliveredToNetwork", "DeliveryImpossible", "Odd"]),
        ),
        max_size=4,
    ).map(tuple)
    return st.builds(
        lambda called, end, settled, taken, reported: Plot(
            called=called,
            end=end,
            settled={"answered": settled % 60, "lost": 5 + settled % 20, "dead": 360 + settled % 400}[end],
            taken=taken or end != "lost",
            reported=reported,
        ),
        st.integers(0, 30 * 60),
        st.sampled_from(["answered", "lost", "lost", "dead"]),
        st.integers(0, 1000),
        st.booleans(),
        reported,
    )


@settings(max_examples=examples(100))
@given(st.lists(plots(), min_size=1, max_size=4))
def test_no_undelivered_message_is_shown_as_delivered(stories: list[Plot]) -> None:
    """Each message has its own outcome, for all calls to one number. A single message with an unknown outcome is
    found."""

    async def script(days: Days) -> None:
        for number, plot in enumerate(stories):
            days.at(after(minutes=plot.called), lambda number=number, plot=plot: begin(days, number, plot))  # type: ignore[misc]

    async def begin(days: Days, number: int, plot: Plot) -> None:
        claimed = await days.call(f"m-{number}")
        settled = days.clock.now() + timedelta(seconds=plot.settled)
        if plot.end == "answered":
            days.at(settled, lambda: days.answered(claimed, f"r-{number}"))
        else:
            days.at(settled, lambda: days.lost(claimed))
        for seconds, status in plot.reported if plot.taken else ():
            received = days.clock.now() + timedelta(seconds=seconds)
            days.at(received, lambda status=status: days.receive(report(f"r-{number}", status)))  # type: ignore[misc]

    days = lived(script)
    arrived = [plot.taken and "DeliveredToTerminal" in dict(map(reversed, plot.reported)) for plot in stories]  # type: ignore[arg-type]
    for number, plot in enumerate(stories):
        status, reason = days.ends(f"m-{number}")
        assert (status is Status.DELIVERED) <= arrived[number]
        if plot.end == "answered":
            assert (status is Status.DELIVERED) == arrived[number]
        elif status is not Status.DELIVERED:
            assert (status, reason) == (Status.FAILED, "outcome_unknown")
    if len(stories) == 1:
        assert (days.ends("m-0")[0] is Status.DELIVERED) == arrived[0]
