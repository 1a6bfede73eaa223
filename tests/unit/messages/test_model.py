"""Plan, confirm, pause, resume, cancel, tick, send and webhook in any order. Workers are killed, queue messages are
lost and doubled, providers refuse, and nights fall.

The model checks what a person may rely on. Every row gets an outcome and no person gets two messages. No message leaves
in quiet hours, before its time, in a pause, after a cancel or faster than the rate.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar, override
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.base.instants import from_microseconds
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.counts import RECEIPT_MISSING, misses_receipt
from shared.campaigns.distribution import Action, Distribution, DistributionStatus, Schedule, ScheduleMode
from shared.campaigns.stored_content import PlannedRow
from shared.messages.errors import Kind, SendError
from shared.messages.message import Status
from shared.messages.payload import Channel, Payload
from shared.messages.ports import Move
from shared.messages.queue_message import QueueMessage
from shared.policy.gate_check import KNOWN_FOR
from shared.recipients.countries import COVERED
from shared.sending.channel import Taken
from shared.webhooks.updates import Attempt, StatusReport
from tests.examples import examples
from tests.fakes.office import DEMO, SMS, WHATSAPP, recipient
from tests.fakes.rest import FakeProvider
from tests.fakes.virtual import OrderedOffice
from tests.fakes.world import Points

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
VISIBILITY = timedelta(seconds=360)
LATE = timedelta(seconds=5)
"""A send slot missed by less than this still counts."""
QUIET_FROM, QUIET_TO = time(21), time(7)
PREFIXES = {"SN": "+2217700", "MG": "+2613200"}
MOST_ROWS = 330
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LOST = "lost on the way there"
ANSWERS = {
    "retry": SendError(Kind.RETRY, "503", "provider_rejected"),
    "throttled": SendError(Kind.THROTTLED, "429", retry_after=7),
    "unknown, taken": SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown"),
    "unknown, not taken": SendError(Kind.UNKNOWN, LOST, "outcome_unknown"),
    "recipient": SendError(Kind.RECIPIENT, "131026", "undeliverable"),
    "stop": SendError(Kind.STOP, "POL0001", "balance_empty"),
}
SENDER_POINTS = (
    "distributions.get_many",
    "log.claim",
    "provider.send",
    "provider.answer",
    "log.move",
    "distributions.count",
)
FANOUT_POINTS = (
    "distributions.get",
    "plans.read_chunk",
    "log.add",
    "distributions.save",
    "rate_limits.book",
    "queue.put",
    "log.move",
    "tasks.put",
)
GONE = (Status.SENT, Status.DELIVERED, Status.READ)


class Ledger(FakeProvider[Any]):
    """A provider that reports every call and every stop to the model before it answers. It can lose a request."""

    def __init__(self, points: Points, observe: Callable[[Payload, str], None], stopped: Callable[[], None]) -> None:
        super().__init__(points)
        self._next_check = observe
        self._stopped = stopped

    @override
    async def send(self, integration: Any, payload: Payload, prepared: str, *, key: str) -> Taken:
        self._next_check(payload, key)
        if self.answers and self.answers[0] is not None and self.answers[0].code == LOST:
            error = self.answers.pop(0)
            assert error is not None
            raise error
        try:
            return await super().send(integration, payload, prepared, key=key)
        except SendError as error:
            if error.kind is Kind.STOP:
                self._stopped()
            raise


@dataclass(slots=True, kw_only=True)
class Model:
    """What is known from outside: the requests, and the calls to the provider."""

    rate: int
    numbers: dict[str, str] = field(default_factory=dict)
    """Message → number."""
    calls: deque[datetime] = field(default_factory=deque)
    late_until: datetime = LONG_AGO
    """Until then queue messages may have missed their send slots and still count."""
    stopped_at: datetime = LONG_AGO
    """When the provider last refused all our messages. A worker at its gate check learns of it a second later."""
    wrongs: list[str] = field(default_factory=list)

    def called(self, now: datetime) -> None:
        """Adds a call. The calls of the last second must keep to the rate, or after a stall to five seconds' worth."""
        self.calls.append(now)
        while self.calls[0] <= now - SECOND:
            self.calls.popleft()
        allowed = self.rate + 1 if now > self.late_until else self.rate * 6 + 1
        if len(self.calls) > allowed:
            self.wrongs.append(f"{len(self.calls)} calls in the second before {now}")


class Bulk(RuleBasedStateMachine):
    """One organisation, one channel, and all that may happen to it."""

    channel: ClassVar[Channel]

    @initialize(start=st.sampled_from([time(6, 50), time(10), time(17, 55), time(20, 57)]))
    def open_the_office(self, start: time) -> None:
        self.office = OrderedOffice()
        self.office.clock.instant = datetime(2026, 11, 23, start.hour, start.minute, tzinfo=UTC)
        self.office.provider = Ledger(self.office.points, self.observe, self.stopped)
        self.model = Model(rate=(SMS if self.channel is Channel.SMS else WHATSAPP).rate_per_second)
        self.invisible: list[tuple[datetime, QueueMessage]] = []
        self.made: list[str] = []
        self.people = 0
        self.reported = 0

    # ------------------------------------------------------------------------------------------------- what may happen

    @precondition(lambda self: self.people < MOST_ROWS and len(self.made) < 3)
    @rule(
        rows=st.integers(1, 130),
        abroad=st.integers(0, 40),
        confirm=st.booleans(),
        mode=st.sampled_from([ScheduleMode.AUTO, ScheduleMode.AUTO, ScheduleMode.AT, ScheduleMode.OFF_PEAK]),
        minutes=st.integers(1, 90),
    )
    def plan(self, rows: int, abroad: int, confirm: bool, mode: ScheduleMode, minutes: int) -> None:
        people = [self.person("SN") for _ in range(rows)] + [self.person("MG") for _ in range(abroad)]
        at = self.now + minutes * MINUTE if mode is ScheduleMode.AT else None
        new = self.office.new_distribution(
            [recipient(number, phone=phone) for number, phone in people],
            channel=self.channel,
            key=f"d{len(self.made)}",
            confirm=confirm,
        )
        made = self.office.run(self.office.planning().create(replace(new, schedule=Schedule(mode=mode, at=at))))
        assert made.planned.accepted == len(people)
        self.made.append(made.distribution_id)
        chunks = (one for one in self.office.plans.objects.values() if isinstance(one, tuple))
        planned_rows = (row for chunk in chunks for row in chunk if isinstance(row, PlannedRow))
        self.model.numbers |= {row.message_id: row.payload.to for row in planned_rows if row.payload}

    @precondition(lambda self: self.people < MOST_ROWS)
    @rule()
    def single(self) -> None:
        number, phone = self.person("SN")
        message = self.office.single(number, self.channel)
        self.model.numbers[message.message_id] = phone

    @precondition(lambda self: self.made)
    @rule(data=st.data(), action=st.sampled_from([*Action, Action.CONFIRM, Action.RESUME, Action.RESUME]))
    def act(self, data: st.DataObject, action: Action) -> None:
        identity = data.draw(st.sampled_from(self.made))
        refused = None
        try:
            self.office.run(self.office.control.act(DEMO, identity, action))
        except Refusal as refusal:
            refused = refusal.code
        assert refused in (None, ProblemCode.STATE_CONFLICT)

    @rule()
    def tick(self) -> None:
        self.office.run(self.office.fanout().tick())

    @rule()
    def work(self) -> None:
        self.office.do_tasks()

    @rule(seconds=st.integers(1, 90))
    def send(self, seconds: int) -> None:
        self.office.run(self.senders_work(seconds * SECOND))

    @rule(minutes=st.sampled_from([1, 3, 16, 60, 240, 700]))
    def no_worker_works(self, minutes: int) -> None:
        self.time_passes(minutes * MINUTE)

    @rule(answers=st.lists(st.sampled_from([*ANSWERS, "fine", "fine"]), min_size=1, max_size=6))
    def provider_will_answer(self, answers: list[str]) -> None:
        self.office.provider.answers = [ANSWERS.get(one) for one in answers]

    @precondition(lambda self: self.office.queue.waiting)
    @rule(point=st.sampled_from(SENDER_POINTS), nth=st.integers(1, 12))
    def a_sender_is_killed(self, point: str, nth: int) -> None:
        """Its queue messages come again after the queue's visibility time-out, also those that it had handled."""
        first = from_microseconds(min(one.slot_at for one in self.office.queue.waiting))
        batch = self.office.queue.take(first, most=10)
        at = self.now
        self.office.killed(self.office.step(self.channel).send_all(batch), (point, nth))
        self.invisible += [(at + VISIBILITY, one) for one in batch]
        self.time_passes(timedelta())

    @precondition(lambda self: self.office.tasks.tasks)
    @rule(point=st.sampled_from(FANOUT_POINTS), nth=st.integers(1, 120), again=st.booleans())
    def a_fan_out_is_killed(self, point: str, nth: int, again: bool) -> None:
        """Its task comes again or is lost for good. If it is lost, the tick finds the due distribution."""
        task = self.office.tasks.tasks.pop(0)
        self.office.killed(self.office.fanout().work(task, self.now + 5 * MINUTE), (point, nth))
        if again:
            self.office.tasks.tasks.append(task)

    @precondition(lambda self: self.office.queue.waiting)
    @rule(data=st.data())
    def queue_messages_are_doubled(self, data: st.DataObject) -> None:
        waiting = self.office.queue.waiting
        self.office.queue.waiting = waiting + waiting[: data.draw(st.integers(1, 5))]

    @rule(count=st.integers(1, 50), ends=st.sampled_from([None, Status.DELIVERED, Status.READ, Status.FAILED]))
    def provider_tells(self, count: int, ends: Status | None) -> None:
        """Statuses in the order in which the messages were taken, some of them twice."""
        taken = self.office.provider.accepted[self.reported : self.reported + count]
        self.reported += len(taken)
        for number, (_, key) in enumerate(taken):
            self.tell(key, Status.SENT)
            if ends is not None:
                for _ in range(1 + number % 2):
                    self.tell(key, ends)

    # ------------------------------------------------------------------------------------------------ what must be true

    @invariant()
    def nothing_goes_out_when_it_must_not(self) -> None:
        assert getattr(self, "model", None) is None or self.model.wrongs == []

    @invariant()
    def no_person_gets_two(self) -> None:
        if hasattr(self, "office"):
            assert [one for one, times in self.taken().items() if times > 1] == []

    @override
    def teardown(self) -> None:
        if hasattr(self, "office"):
            self.let_everything_come_to_rest()
            self.nothing_goes_out_when_it_must_not()
            self.no_person_gets_two()
            self.every_row_has_an_outcome()

    def every_row_has_an_outcome(self) -> None:
        """Each accepted row of a confirmed list has an outcome in the log, the ledger agrees, and each count equals the
        number of rows that the log lists."""
        for identity in self.made:
            found = self.stored(identity)
            view = self.office.run(self.office.browse.distribution(DEMO, identity))
            rows = [row for row in self.office.log.rows.values() if row.distribution_id == identity]
            reasons = Counter(row.reason for row in rows if row.status is Status.FAILED)
            reasons.update(RECEIPT_MISSING for row in rows if misses_receipt(row, self.now))
            over = (DistributionStatus.CANCELLED, DistributionStatus.COMPLETED)
            assert found.status in (over if found.was_confirmed else (*over[:1], DistributionStatus.PLANNED))
            assert len(rows) == (found.planned.accepted if found.was_confirmed else 0)
            assert view.counts.by_status == Counter(row.status for row in rows)
            assert view.counts.by_reason == reasons
        taken = self.taken()
        for row in self.office.log.rows.values():
            sent = taken[self.model.numbers[row.message_id]]
            if row.status in GONE:
                assert sent == 1, row
            else:
                assert (row.status, row.reason is not None) == (Status.FAILED, True), row
                assert not sent or row.reason in ("outcome_unknown", "undeliverable"), row

    # ------------------------------------------------------------------------------------------------------ the machine

    @property
    def now(self) -> datetime:
        return self.office.clock.now()

    def stored(self, identity: str) -> Distribution:
        return self.office.distributions.items[DEMO, identity]

    def taken(self) -> Counter[str]:
        return Counter(phone for phone, _ in self.office.provider.accepted)

    def person(self, country: str) -> tuple[int, str]:
        self.people += 1
        return self.people, f"{PREFIXES[country]}{self.people:05d}"

    def observe(self, payload: Payload, key: str) -> None:
        """Every call, at its own time."""
        attempt = Attempt.read(key)
        assert attempt is not None
        self.model.called(self.now)
        self.model.wrongs += self.wrongs_of(payload, attempt.message_id)

    def stopped(self) -> None:
        self.model.stopped_at = self.now

    def wrongs_of(self, payload: Payload, message_id: str) -> Iterable[str]:
        local = self.now.astimezone(ZoneInfo(COVERED[payload.country].zone)).time()
        is_sms = self.channel is Channel.SMS
        if is_sms and (local >= QUIET_FROM or local < QUIET_TO):
            yield f"a text at {local} in {payload.country}"
        row = self.office.row(message_id)
        if row.distribution_id is None:
            return
        found = self.stored(row.distribution_id)
        # A held distribution sends a message now and then, to probe its hold.
        if not found.may_leave and not self.has_just_stopped(found):
            yield f"a message of a distribution that is {found.status} ({found.status_reason}) at {self.now}"
        if found.schedule.at is not None and self.now < found.schedule.at:
            yield f"a message {found.schedule.at - self.now} too early"
        if is_sms and found.schedule.mode is ScheduleMode.OFF_PEAK and time(8) <= local < time(10):
            yield f"a message at {local}, in peak hours"

    def has_just_stopped(self, found: Distribution) -> bool:
        return found.status_reason != "paused_by_user" and self.now <= self.model.stopped_at + KNOWN_FOR

    def time_passes(self, time: timedelta) -> None:
        """No worker takes the queue messages meanwhile, so they will be late."""
        self.office.clock.instant += time
        self.model.late_until = self.now + LATE + SECOND

    async def senders_work(self, time: timedelta) -> None:
        """As many workers as needed, each with a batch of up to ten. At the end each finishes its batch."""
        end, workers = self.now + time, []
        while self.now < end:
            self.come_back()
            while batch := self.office.queue.take(self.now, most=10):
                workers.append(asyncio.create_task(self.office.step(self.channel).send_all(batch)))
            await self.office.clock.sleep(0.2)
        handled = await asyncio.gather(*workers)
        assert all(done for batch in handled for done in batch)
        self.time_passes(timedelta())

    def come_back(self) -> None:
        self.office.queue.waiting += [one for at, one in self.invisible if at <= self.now]
        self.invisible = [(at, one) for at, one in self.invisible if at > self.now]

    def tell(self, key: str, status: Status) -> None:
        attempt = Attempt.read(key)
        assert attempt is not None
        error = SendError(Kind.RECIPIENT, "131026", "undeliverable") if status is Status.FAILED else None
        if self.channel is Channel.WHATSAPP:
            report = StatusReport(
                attempt=attempt, provider_message_id=f"provider-{key}", status=status, at=self.now, error=error
            )
            self.office.reported(report)
            return
        status_writer = self.office.status_writer()
        reason = error.reason if error else None
        self.office.run(status_writer.move(DEMO, attempt.message_id, Move(status=status, at=self.now, reason=reason)))
        self.office.run(status_writer.flush())

    def let_everything_come_to_rest(self) -> None:
        """Resumes what is paused, lets the provider accept everything, and lets time pass until nothing is due."""
        self.office.provider.answers = []
        for _ in range(300):
            for identity in self.made:
                if self.stored(identity).status is DistributionStatus.PAUSED:
                    self.office.run(self.office.control.act(DEMO, identity, Action.RESUME))
            self.office.tick()
            while self.office.tasks.tasks:
                self.office.do_tasks()
            busy = bool(self.office.queue.waiting)
            self.office.run(self.senders_work(MINUTE))
            self.provider_tells_all()
            if self.is_at_rest():
                return
            self.time_passes(timedelta() if busy else 20 * MINUTE)
        waiting = [row for row in self.office.log.rows.values() if row.due_at or row.status is Status.PENDING]
        raise AssertionError(f"it never comes to rest: {self.now} {waiting}")

    def provider_tells_all(self) -> None:
        for _, key in self.office.provider.accepted[self.reported :]:
            self.tell(key, Status.SENT)
        self.reported = len(self.office.provider.accepted)

    def is_at_rest(self) -> bool:
        return not self.invisible and not self.office.queue.waiting and not list(self.next_due())

    def next_due(self) -> Iterable[datetime]:
        """Of distributions under way and of messages. An unconfirmed plan waits a week for its confirmation."""
        for one in self.office.distributions.items.values():
            if one.due_at is not None and one.status is not DistributionStatus.PLANNED:
                yield one.due_at
        yield from (row.due_at for row in self.office.log.rows.values() if row.due_at is not None)
        yield from (at for at, _ in self.invisible)


class BulkSms(Bulk):
    channel = Channel.SMS


class BulkWhatsApp(Bulk):
    channel = Channel.WHATSAPP


ENOUGH = settings(
    max_examples=examples(12), stateful_step_count=25, suppress_health_check=list(HealthCheck), print_blob=True
)
TestBulkSms = BulkSms.TestCase
TestBulkSms.settings = ENOUGH
TestBulkWhatsApp = BulkWhatsApp.TestCase
TestBulkWhatsApp.settings = ENOUGH
