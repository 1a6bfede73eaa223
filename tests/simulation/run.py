"""The run of a seed, from its first request until nothing is due any more, and the checker's result."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from shared.campaigns.counts import RECEIPT_MISSING, misses_receipt
from shared.campaigns.distribution import Action, DistributionStatus, Schedule, ScheduleMode
from shared.messages.message import ARRIVED, Message, Status
from shared.messages.payload import Channel
from shared.messages.status_writer import StillUnderWayError
from tests.fakes.office import DEMO
from tests.fakes.virtual import VirtualLoop
from tests.fakes.world import KilledError
from tests.simulation.checker import Violation, violations
from tests.simulation.clients import NEVER, NUMBERS, Clients
from tests.simulation.evidence import Call, ConsentStatement, Evidence, Idle, Row
from tests.simulation.faults import ONE_CLOCK, Dice, roll
from tests.simulation.providers import REASONS_OF_WARNING_UPDATES
from tests.simulation.raising import raised
from tests.simulation.scheduling import UnavailableError
from tests.simulation.world import RATES, STARTS, World

MINUTE = timedelta(minutes=1)
GRACE = 0.5
"""Seconds from the gate check to the provider, without slow parts."""
LONG_GRACE = 12.0
"""Seconds with slow stores, stalls and slow tokens in between."""
MOST_ROUNDS, PATIENT_ROUNDS = 300, 20
ONE_STEP = 900.0
"""Seconds to the next tick once little happens: a day with one unknown outcome need not have 1,440 ticks."""
IDLE_FOR = timedelta(hours=1)
"""Nothing is under way if nothing is due for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a run."""

    seed: int
    injected: dict[str, int]
    messages: int
    wrongs: Sequence[Violation]
    trace: str
    steps: Sequence[str]
    evidence: Evidence


def run(seed: int, *, spoken: bool = False) -> Outcome:
    """Runs a seed. `spoken` keeps every step as text."""
    return run_with(roll(seed), seed, spoken=spoken)


def run_with(
    dice: Dice, seed: int = 0, *, spoken: bool = False, prepare: Callable[[World], None] | None = None
) -> Outcome:
    """Runs with given dice, in a world that `prepare` may change."""
    world = World(dice)
    if prepare is not None:
        prepare(world)
    if spoken:
        world.points.spoken = []
    script = Script(world)
    early = _played(script)
    evidence = script.evidence()
    wrongs = early or [*violations(evidence), *(Violation("wrong", text) for text in script.problems())]
    return Outcome(
        seed=seed,
        injected=dict(dice.injected),
        messages=len(evidence["people"]),
        wrongs=wrongs,
        trace=world.points.trace,
        steps=world.points.spoken or (),
        evidence=evidence,
    )


def _played(script: "Script") -> Sequence[Violation]:
    """The exception that ended the run, if any. Its evidence is then incomplete and proves nothing more."""
    try:
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(script.world.clock)) as runner:
            runner.run(script.play())
    except Exception as error:
        return [raised(error)]
    return ()


EXPECTED = (UnavailableError.__name__, StillUnderWayError.__name__)
"""Errors that a worker may report: an injected one, and the request for a repetition of a webhook."""
CROSSINGS = {
    "clock_crosses_21": ("SN", datetime(2026, 11, 23, 21, tzinfo=UTC)),
    "clock_crosses_07": ("SN", datetime(2026, 11, 23, 7, tzinfo=UTC)),
    "peak_hours_begin": ("SN", datetime(2026, 11, 23, 8, tzinfo=UTC)),
    "egypt_springs_forward": ("EG", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    "egypt_falls_back": ("EG", datetime(2026, 10, 29, 21, tzinfo=UTC)),
}
"""The country and the time of each change."""


class Script:
    """The events of a run, as the dice choose them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dice = world.dice
        self.clients = Clients(world)
        self.began = world.clock.instant
        self.rests = False
        self._counts: dict[str, dict[str, int]] = {}
        self._reasons: dict[str, dict[str, int]] = {}
        self._idle: list[Idle] = []
        self._fallbacks: dict[str, dict[str, int]] = {}

    async def play(self) -> None:
        """Faults first, then none until nothing is due."""
        asyncio.get_running_loop().set_exception_handler(_only_deaths)
        await self.world.open()
        try:
            await self._busy_hour()
            self.dice.calm = True
            await self._come_to_rest()
            if "resent_by_hand" in self.dice.chosen:
                await self.clients.send_again(3)
                await self._come_to_rest()
            if "retried_by_hand" in self.dice.chosen:
                await self._retry_some("calm")
                await self._come_to_rest()
            await self._look_around()
            await self._read_counts()
        finally:
            await self.world.close()

    # ------------------------------------------------------------------------------------------------------ the faults

    async def _busy_hour(self) -> None:
        minutes = self.dice.random.randint(6, 14)
        overlaps = "lists_overlap" in self.dice.chosen
        channels = [
            self.dice.random.choice(list(Channel)) for _ in range(self.dice.random.randint(1, 2) + 2 * overlaps)
        ]
        channels = channels[:1] * len(channels) if overlaps else channels
        people = [asyncio.create_task(self._distribution(*one)) for one in enumerate(channels)]
        people += [asyncio.create_task(self._single()) for _ in range(self.dice.random.randint(1, 5))]
        people += [asyncio.create_task(one) for one in self._happenings()]
        for _ in range(minutes):
            await self.world.clock.sleep(60 - self.world.clock.instant.second)
            await self.world.minute()
        await asyncio.gather(*people)

    def _happenings(self) -> list[Coroutine[None, None, None]]:
        found: list[Coroutine[None, None, None]] = []
        if "secrets_rotated" in self.dice.chosen:
            found.append(self._rotation())
        if {"consent_revoked", "consents_dated"} & self.dice.chosen:
            found.append(self._words())
        if "stops_written" in self.dice.chosen:
            found.append(self._written_stops())
        if "resent_by_hand" in self.dice.chosen:
            found.append(self._again())
        if "retried_by_hand" in self.dice.chosen:
            found.append(self._retries())
        if "two_bodies_under_one_key" in self.dice.chosen:
            found.append(self._two_bodies())
        return found

    async def _distribution(self, number: int, channel: Channel) -> None:
        random = self.dice.random
        await self._later(0, 320 if ONE_CLOCK & self.dice.chosen else 40)
        rows = random.randint(101, 130) if random.random() < 0.04 else random.randint(3, 12)
        confirm = random.random() < 0.6
        made = await self.clients.plan(f"d{number}", channel, rows, self._schedule(), confirm=confirm)
        if made is None:
            return
        if not confirm and random.random() < 0.9:
            await self._later(0, 30)
            await self.clients.act(made, Action.CONFIRM)
        await self._meddle(made)

    def _schedule(self) -> Schedule:
        if "peak_hours_begin" in self.dice.chosen:
            return Schedule(mode=ScheduleMode.OFF_PEAK)
        mode = self.dice.random.choice((ScheduleMode.AUTO, ScheduleMode.AUTO, ScheduleMode.AUTO, ScheduleMode.AT))
        at = self.world.clock.instant + timedelta(seconds=self.dice.random.randint(20, 300))
        return Schedule(mode=mode, at=at if mode is ScheduleMode.AT else None)

    async def _meddle(self, distribution: str) -> None:
        if "paused_and_resumed" in self.dice.chosen:
            for _ in range(self.dice.random.randint(1, 3)):
                await self._later(0, 12)
                if await self.clients.act(distribution, Action.PAUSE) is not None:
                    self.dice.happened("paused_and_resumed")
                await self._later(0, 90)
                await self.clients.act(distribution, Action.RESUME)
        if "cancelled" in self.dice.chosen:
            await self._later(0, 15)
            if await self.clients.act(distribution, Action.CANCEL) is not None:
                self.dice.happened("cancelled")

    async def _single(self) -> None:
        await self._later(0, 240)
        after = timedelta(seconds=self.dice.random.randint(5, 400)) if self.dice.random.random() < 0.3 else None
        await self.clients.send_one(self.dice.random.choice(list(Channel)), after=after)

    async def _rotation(self) -> None:
        await self._later(5, 120)
        self.dice.happened("secrets_rotated")
        self.world.rotate()
        await self._later(0, 60)
        await self.world.follow_rotation()

    async def _words(self) -> None:
        for _ in range(self.dice.random.randint(1, 4)):
            await self._later(0, 60)
            numbers = sorted({person["number"] for person in self.clients.people})
            some = self.dice.random.sample(numbers, min(3, len(numbers)))
            if some:
                self.dice.happened("consent_revoked")
                await self.clients.say(some, granted=False)
            if some and self.dice.random.random() < 0.4:
                await self._later(0, 60)
                await self.clients.say(some[:1], granted=True)

    async def _two_bodies(self) -> None:
        """Two bodies with one key: for single messages at once and later, and for files."""
        for number in range(3):
            await self._later(0, 60)
            if self.dice.breaks("two_bodies_under_one_key"):
                channel = self.dice.random.choice(list(Channel))
                after = timedelta(seconds=self.dice.random.randint(5, 120)) if number else None
                await self.clients.send_two_bodies(channel, after=after)
        await self.clients.plan_two_bodies("both", Channel.SMS, 3)
        self.dice.happened("two_bodies_under_one_key")

    async def _written_stops(self) -> None:
        for _ in range(self.dice.random.randint(2, 5)):
            await self._later(0, 60)
            numbers = sorted({person["number"] for person in self.clients.people})
            for number in self.dice.random.sample(numbers, min(3, len(numbers))):
                self.dice.happened("stops_written")
                self.clients.writes_stop(number)
                await self._later(1.1, 2)

    async def _again(self) -> None:
        for _ in range(2):
            await self._later(60, 240)
            await self.clients.send_again(2)

    async def _retries(self) -> None:
        for number in range(2):
            await self._later(60, 240)
            await self._retry_some(f"busy-{number}")

    async def _retry_some(self, key: str) -> None:
        """Retries some lists with failed messages: of each list one or two retries at the same time. Lists are retries
        too."""
        rows = self.world.office.log.rows.values()
        lists = sorted({row.chunk.distribution_id for row in rows if row.status is Status.FAILED and row.chunk})
        some = self.dice.random.sample(lists, min(2, len(lists)))
        asked = [(f"{key}-{one}-{number}", one) for one in some for number in range(self.dice.random.randint(1, 2))]
        made = await asyncio.gather(*(self.clients.retry(*one) for one in asked))
        for one in made:
            if one is not None and not self.dice.calm:
                await self._meddle(one)

    async def _later(self, least: float, most: float) -> None:
        await asyncio.sleep(self.dice.between(least, most))

    # -------------------------------------------------------------------------------------------------------- the calm

    async def _come_to_rest(self) -> None:
        """Redrives dead letters, resumes what a person paused, and lets time pass until nothing is due.

        Holds end by themselves.
        """
        for number in range(MOST_ROUNDS):
            await self._help()
            await self.world.tick()
            await self.world.clock.sleep(5)
            while self.world.is_busy():
                await self.world.clock.sleep(5)
            soon, idle = self._next(), self.world.postman.is_idle
            if idle and soon is not None and soon > self.world.clock.instant + IDLE_FOR:
                await self._look_around()
            if soon is None and idle:
                self.rests = True
                return
            wait = (soon - self.world.clock.instant).total_seconds() if soon is not None else ONE_STEP
            wait = max(wait, 1 if number < PATIENT_ROUNDS else ONE_STEP)
            await self.world.clock.sleep(wait if idle else min(wait, ONE_STEP))
        self.rests = False

    async def _help(self) -> None:
        for queue in self.world.queues:
            queue.redrive()
        if any(row.dead for row in self.world.office.log.rows.values()):
            await self.clients.asks(partial(self.world.office.redrives().all, DEMO))
        for (_, identity), one in list(self.world.office.distributions.items.items()):
            if one.status is DistributionStatus.PAUSED and not one.is_held:
                await self.clients.act(identity, Action.RESUME)

    def _next(self) -> datetime | None:
        """The next time at which a row or distribution is due or a queue message becomes visible."""
        office = self.world.office
        due = [
            one.due_at for one in office.distributions.items.values() if one.status is not DistributionStatus.PLANNED
        ]
        due += [row.due_at for row in office.log.rows.values()]
        due += list(office.distributions.recounts.values())
        due += [queue.next_visible() for queue in self.world.queues]
        return min((at for at in due if at is not None), default=None)

    # --------------------------------------------------------------------------------------------------- what remains

    async def _read_counts(self) -> None:
        for _, identity in self.world.office.distributions.items:
            view = await self.world.office.browse.distribution(DEMO, identity)
            self._counts[identity] = {str(status): count for status, count in view.counts.by_status.items()}
            reasons = view.counts.by_reason.items()
            self._reasons[identity] = {reason: count for reason, count in reasons if reason != RECEIPT_MISSING}
            self._fallbacks[identity] = {str(status): count for status, count in view.fallbacks.by_status.items()}

    async def _look_around(self) -> None:
        """Records the counts and the rows of each distribution that has ended."""
        for (_, identity), one in self.world.office.distributions.items.items():
            if one.status not in (DistributionStatus.COMPLETED, DistributionStatus.CANCELLED):
                continue
            counts = (await self.world.office.browse.distribution(DEMO, identity)).counts
            logged = self.world.office.log.rows.values()
            rows = [row for row in logged if row.chunk is not None and row.distribution_id == identity]
            listed = Counter(str(row.status) for row in rows)
            listed.update(row.reason or "" for row in rows if row.status is Status.FAILED)
            listed.update(RECEIPT_MISSING for row in rows if misses_receipt(row, self.world.clock.instant))
            shown = Counter({str(status): count for status, count in counts.by_status.items()})
            shown.update(counts.by_reason)
            now = self.world.clock.instant
            self._idle.append(Idle(distribution=identity, at=now, shown=dict(+shown), listed=dict(listed)))

    def problems(self) -> Sequence[str]:
        """What the script itself found wrong."""
        found = list(self.clients.problems)
        found += [] if self.rests else [f"it never comes to rest; next {self._next()}"]
        found += [problem for poller in self.world.pollers for problem in poller.problems]
        found += [
            f"{name}: {fields['error']}"
            for name, fields in self.world.office.telemetry.events
            if "error" in fields and fields["error"] not in EXPECTED
        ]
        found += [] if not self.world.postman.forged_taken else ["a forged webhook was taken"]
        found += self._borrowed()
        found += [
            f"held for {reported['reason']}, which Meta told of another account"
            for name, reported in self.world.office.telemetry.events
            if name == "hold_set" and reported["reason"] in REASONS_OF_WARNING_UPDATES
        ]
        return found

    def _borrowed(self) -> Sequence[str]:
        """Rows that a status about another message has moved."""
        arrived = {one["key"].partition(".")[0] for one in self.world.postman.arrivals}
        rows = [row for row in self.world.office.log.rows.values() if row.status in ARRIVED]
        return [
            f"{row.message_id}: {row.status}, which Meta told of another message"
            for row in rows
            if (row.status is Status.READ if row.channel is Channel.SMS else row.message_id not in arrived)
        ]

    def _count_crossings(self, calls: Sequence[Call]) -> None:
        """A change of the clock has occurred if messages left after it, and the run began before it."""
        began = self.began
        for name, (country, crosses_at) in CROSSINGS.items():
            waits = [call for call in calls if call["at"] >= crosses_at and call["channel"] == "sms"]
            if country == "EG":
                waits = [call for call in waits if call["number"].startswith(NUMBERS["EG"])]
            if name in self.dice.chosen and STARTS[name] == began and waits:
                self.dice.happened(name)

    def _known(self, statement: ConsentStatement) -> ConsentStatement:
        """A person's STOP is known once it is recorded, other statements once they are answered."""
        recorded = self.world.office.observed_people.stops.get(statement["dated"] or NEVER, NEVER)
        return ConsentStatement({**statement, "done": min(statement["done"], recorded)})

    def evidence(self) -> Evidence:
        """The run's plain data."""
        world, office = self.world, self.world.office
        calls = sorted(world.meta.calls + world.orange.calls, key=lambda call: call["at"])
        self._count_crossings(calls)
        for row in office.log.rows.values():
            if row.status is Status.FAILED and row.reason == "already_sent":
                self.dice.happened("lists_overlap")
        slow = {"worker_stalls", "dynamodb_slow", "slow_answers"} & self.dice.chosen
        return Evidence(
            people=self.clients.people,
            calls=calls,
            fetches=office.card_host.fetches,
            rows=[_row(row) for row in office.log.rows.values()],
            deeds=self.clients.deeds,
            states=office.observed_distributions.states,
            statements=[self._known(statement) for statement in self.clients.statements],
            reported=world.postman.reported,
            arrivals=world.postman.arrivals,
            changes=office.observed_log.changes,
            unknown=office.observed_log.unknown,
            accepted=self.clients.accepted,
            retries=self.clients.retries,
            counts=self._counts,
            idle=self._idle,
            reasons=self._reasons,
            fallbacks=self._fallbacks,
            rates=RATES,
            grace=LONG_GRACE if slow else GRACE,
        )


def _only_deaths(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Ignores the exceptions of tasks that dead processes leave behind."""
    if not isinstance(context.get("exception"), KilledError | UnavailableError):
        loop.default_exception_handler(context)


def _row(message: Message) -> Row:
    return Row(
        message_id=message.message_id,
        parent=message.parent_message_id,
        distribution=message.distribution_id,
        channel=str(message.channel),
        card=message.enrollment_id or "",
        status=str(message.status),
        reason=message.reason if message.status is Status.FAILED else None,
        resent=message.resent,
        attempts=message.attempts,
        fallback_minutes=message.fallback_minutes,
    )
