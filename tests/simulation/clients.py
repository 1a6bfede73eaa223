"""The clients: they plan, confirm, pause, resume, cancel, send single messages, resend, grant and revoke consent.

They repeat every failed request with the same key.
"""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from shared.base.ids import resend_id
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.create import NewRetry
from shared.campaigns.distribution import Action, Distribution, DistributionStatus, Schedule, ScheduleMode
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.single import NewMessage
from shared.policy.consents import ConsentEntry
from shared.texts.content import Content, FallbackOrder
from tests.fakes.office import DEMO, recipient
from tests.fakes.world import KilledError
from tests.simulation.evidence import ConsentStatement, Deed, Person
from tests.simulation.scheduling import UnavailableError
from tests.simulation.world import API_SECONDS, World

NUMBERS = {"SN": "+2217700", "MG": "+2613200", "EG": "+2010000", "CI": "+22505050"}
TRIES = 40
"""Tries of a request. They last longer than all faults: a client that gave up would never know the result. A request
that dies while it plans keeps its place for a minute, in which every other try is told to wait."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries."""
FALLBACK_MINUTES = (5, 30)
NAMES = ("Aminata", "Aïssatou", "Awa\uffff", "فاطمة", "\x00Fatou\x1b", "Zoé 👩🏾\u200d⚕️", "Béa\ufffe")
"""Some contain characters that no message can carry, or that SQS refuses in a body that is not ASCII."""
FAMILY_TEXT = Content(text="La carte de {first_name} est là.")
DATES = (timedelta(days=-2), timedelta(hours=-1), timedelta(minutes=-1), timedelta(minutes=4))
"""How much a date differs from the time of its request."""
STOPS = ("STOP", "Stop svp", "arrêtez de m'envoyer ça", "Stop. Thank you", "توقف", "STOP PNV")
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False)
class Clients:
    """All clients, and what they remember."""

    world: World
    people: list[Person] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    statements: list[ConsentStatement] = field(default_factory=list)
    accepted: dict[str, int] = field(default_factory=dict)
    retries: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[Person, JsonObject]] = field(default_factory=list)
    """Every person in a request with a card code, accepted or not."""
    problems: list[str] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # ------------------------------------------------------------------------------------------------------- requests

    async def asks[T](self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Repeats a request until it is answered. None if it is refused, or if no answer ever comes."""
        for tried in range(TRIES):
            try:
                return await self.world.request("api", API_SECONDS, work)
            except (KilledError, UnavailableError):
                await asyncio.sleep(min(2.0**tried, LONGEST_PAUSE))
            except Refusal as refusal:
                if refusal.code is ProblemCode.IDEMPOTENCY_IN_PROGRESS:
                    await asyncio.sleep(min(2.0**tried, LONGEST_PAUSE))
                    continue
                self.world.points.note("refused", refusal.code)
                return None
        self.problems.append("a client gave up")
        return None

    async def asks_perhaps_twice[T](self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """The same request, sometimes a second time, after the first or at the same time, as a reloaded page does."""
        if not self.world.dice.breaks("client_repeats"):
            return await self.asks(work)
        if self.world.dice.random.random() < 0.5:
            first, _ = await asyncio.gather(self.asks(work), self.asks(work))
            return first
        await self.asks(work)
        return await self.asks(work)

    # ------------------------------------------------------------------------------------------------- what they send

    def new_person(self, channel: Channel) -> tuple[Person, JsonObject]:
        """A new person, and the row of the request."""
        number = next(self._numbers)
        countries = (
            ["SN", "SN", "MG", "EG"] if any("egypt" in one for one in self.world.dice.chosen) else ["SN", "SN", "MG"]
        )
        if "stops_written" in self.world.dice.chosen:
            countries += ["CI"] * 3
        country = self.world.dice.random.choice(countries)
        consent = channel is Channel.WHATSAPP or self.world.dice.random.random() < 0.5
        person = Person(
            card=f"CARD-{number}",
            number=f"{NUMBERS[country]}{number:05d}",
            country=country,
            channel=str(channel),
            distribution=None,
            not_before=None,
            off_peak=False,
            consent=consent,
            skips=False,
            granted_at=None,
            answered=self.world.clock.instant,
        )
        languages = ["fr", "fr", "en"] if "language_stops" in self.world.dice.chosen else ["fr"]
        language = self.world.dice.random.choice(languages)
        reported: JsonValue = consent
        if consent and "consents_dated" in self.world.dice.chosen:
            at = self.world.clock.instant + self.world.dice.random.choice(DATES)
            person["granted_at"], reported = at, {"granted_at": at.isoformat(), "source": "register"}
        row = recipient(
            number, phone=person["number"], consent=reported, enrollment_id=person["card"], language=language
        )
        row["first_name"] = NAMES[number % len(NAMES)]
        return person, row

    def new_siblings(self, children: int) -> list[tuple[Person, JsonObject]]:
        """Siblings on one phone. They differ in their enrolment."""
        found = [self.new_person(Channel.SMS) for _ in range(children)]
        first, reported = found[0]
        for person, row in found:
            person.update({"number": first["number"], "country": first["country"], "consent": first["consent"]})
            person["granted_at"] = first["granted_at"]
            row |= {"phone": first["number"], "consent": reported["consent"], "first_name": person["card"]}
            row |= {"card_code": None, "verification_url": None}
        return found

    def new_rows(self, channel: Channel, rows: int, schedule: Schedule) -> tuple[list[tuple[Person, JsonObject]], bool]:
        """The rows of a distribution, and whether they are siblings."""
        dice = self.world.dice
        if channel is Channel.SMS and dice.breaks("phone_shared"):
            sizes = [dice.random.randint(1, 4) for _ in range(rows // 3 + 1)]
            return [one for size in sizes for one in self.new_siblings(size)], True
        found = [self.new_person(channel) for _ in range(rows)]
        if "lists_overlap" in dice.chosen and schedule.at is None:
            # For a person in several distributions the checker knows only one time before which nothing may leave.
            others = [one for one in self.asked if one[0]["channel"] == channel and one[0]["not_before"] is None]
            again = dice.random.sample(others, min(len(others), rows))
            found += [(Person(**person), row) for person, row in again]
        for person, row in found:
            person["not_before"] = schedule.at
            self.asked.append((person, row))
        return found, False

    async def plan(self, key: str, channel: Channel, rows: int, schedule: Schedule, *, confirm: bool) -> str | None:
        """A new distribution. Some of its rows cannot get a message."""
        dice = self.world.dice
        good, families = self.new_rows(channel, rows, schedule)
        skips = "lists_overlap" in dice.chosen and dice.random.random() < 0.8
        bad: list[JsonObject] = [recipient(9_999, phone="+33600000000", consent=False)]
        fallback = FallbackOrder(
            content=Content(template="vaccination_card"), after_minutes=dice.random.choice(FALLBACK_MINUTES)
        )
        new = self.world.office.new_distribution(
            [row for _, row in good] + bad, channel=channel, key=key, confirm=confirm
        )
        order = replace(
            new.order, fallback=fallback if channel is Channel.WHATSAPP and dice.random.random() < 0.5 else None
        )
        order = replace(order, content=FAMILY_TEXT if families else order.content, skip_already_sent=skips)
        new = replace(new, schedule=schedule, order=order)
        asked = self.world.clock.instant
        made = await self.asks_perhaps_twice(lambda: self.world.office.planning().create(new))
        while made is not None and made.status is DistributionStatus.PLANNING:
            await asyncio.sleep(20)
            made = await self.asks(partial(self._look, made.distribution_id))
        if made is None or made.plan is None:
            return None
        skipped = await self._omitted(made, [person["card"] for person, _ in good])
        for person in [person for number, (person, _) in enumerate(good, start=1) if number not in skipped]:
            person["skips"] = skips
            person["distribution"], person["not_before"] = made.distribution_id, schedule.at
            person["off_peak"] = schedule.mode is ScheduleMode.OFF_PEAK and channel is Channel.SMS
            person["answered"] = self.world.clock.instant
            self.people.append(person)
        self.accepted[made.distribution_id] = made.plan.accepted
        if confirm:
            self.deeds.append(_deed(made.distribution_id, "confirm", asked, self.world.clock.instant))
        return made.distribution_id

    async def _omitted(self, made: Distribution, cards: Sequence[str]) -> set[int]:
        """The rows in the lists of duplicates and of errors, because a person of a second distribution may have
        revoked. Only a person in several distributions may be a duplicate."""
        browse, identity = self.world.office.browse, made.distribution_id
        duplicates = await self.asks(lambda: browse.duplicates(DEMO, identity, 0, 0, made.planned.duplicates + 1))
        errors = await self.asks(lambda: browse.field_errors(DEMO, identity, 0, 0, 3 * made.planned.rejected + 1))
        rows = {one.row for one in duplicates[0]} if duplicates else set()
        lists = Counter(person["card"] for person, _ in self.asked)
        self.problems += [
            f"{card} was left out" for row, card in enumerate(cards, 1) if row in rows and lists[card] < 2
        ]
        if rows:
            self.world.dice.happened("lists_overlap")
        return rows | ({one.row or 0 for one in errors[0]} if errors else set())

    async def _look(self, distribution: str) -> Distribution:
        return (await self.world.office.browse.distribution(DEMO, distribution)).distribution

    async def act(self, distribution: str, action: Action) -> Distribution | None:
        """Confirms, pauses, resumes or cancels."""
        asked = self.world.clock.instant
        done = await self.asks_perhaps_twice(lambda: self.world.office.control.act(DEMO, distribution, action))
        if done is not None:
            self.deeds.append(_deed(distribution, str(action), asked, self.world.clock.instant))
        return done

    async def send_one(self, channel: Channel, *, after: timedelta | None = None) -> None:
        """A single message, perhaps later, perhaps with a fallback."""
        dice = self.world.dice
        person, row = self.new_person(channel)
        at = self.world.clock.instant + after if after else None
        wish = FallbackOrder(
            content=Content(template="vaccination_card"), after_minutes=dice.random.choice(FALLBACK_MINUTES)
        )
        new = NewMessage(
            organisation=DEMO,
            key=person["card"],
            request_hash="h",
            channel=channel,
            campaign_id="c",
            recipient=row,
            content=Content(template="vaccination_card"),
            send_at=at,
            fallback=wish if channel is Channel.WHATSAPP and dice.random.random() < 0.5 else None,
        )
        person["not_before"] = at
        if await self.asks_perhaps_twice(lambda: self.world.office.singles().create(new)) is not None:
            person["answered"] = self.world.clock.instant
            self.people.append(person)

    async def send_two_bodies(self, channel: Channel, *, after: timedelta | None = None) -> None:
        """Two people's messages with one key at the same time. One is accepted, and no message may leave for the
        other."""
        at = self.world.clock.instant + after if after else None
        both = [self.new_person(channel) for _ in range(2)]
        asked = [
            NewMessage(
                organisation=DEMO,
                key=both[0][0]["card"],
                request_hash=person["card"],
                channel=channel,
                campaign_id="c",
                recipient=row,
                content=Content(template="vaccination_card"),
                send_at=at,
            )
            for person, row in both
        ]
        made = await asyncio.gather(*(self.asks(partial(self.world.office.singles().create, new)) for new in asked))
        self._must_be_one(sum(one is not None for one in made))
        for (person, _), one in zip(both, made, strict=True):
            if one is not None:
                person["not_before"] = at
                self.people.append(person)

    async def plan_two_bodies(self, key: str, channel: Channel, rows: int) -> None:
        """Two files with one key at the same time."""
        office = self.world.office
        both = [[self.new_person(channel) for _ in range(rows)] for _ in range(2)]
        asked = []
        for number, good in enumerate(both):
            lines = b"\n".join(json.dumps(row).encode() for _, row in good)
            office.uploads.put(DEMO, f"{key}-{number}", "ndjson", lines)
            new = office.new_distribution([], channel=channel, key=key, confirm=True)
            asked.append(replace(new, upload_id=f"{key}-{number}", recipients=None, request_hash=str(number)))
        made = await asyncio.gather(*(self.asks(partial(office.planning().create, new)) for new in asked))
        self._must_be_one(sum(one is not None for one in made))
        for good, one in zip(both, made, strict=True):
            found: Distribution | None = one
            while found is not None and found.status is DistributionStatus.PLANNING:
                await asyncio.sleep(20)
                found = await self.asks(partial(self._look, found.distribution_id))
            if found is not None and found.plan is not None:
                self.accepted[found.distribution_id] = found.plan.accepted
                for person, _ in good:
                    person["distribution"] = found.distribution_id
                    self.people.append(person)

    def _must_be_one(self, taken: int) -> None:
        if taken != 1:
            self.problems.append(f"of two bodies under one key {taken} were taken")

    async def send_again(self, most: int) -> None:
        """Resends some of the failed messages."""
        rows = [row for row in self.world.office.log.rows.values() if row.status is Status.FAILED]
        again = [row for row in rows if (DEMO, resend_id(row.message_id)) not in self.world.office.log.rows]
        for row in self.world.dice.random.sample(again, min(most, len(again))):
            made = await self.asks_perhaps_twice(partial(self._resend, row))
            if made is not None:
                self.world.dice.happened("resent_by_hand")

    async def _resend(self, row: Message) -> Message:
        return await self.world.office.resends().resend(DEMO, row.message_id)

    async def retry(self, key: str, source: str) -> str | None:
        """A retry of a list's failed messages."""
        random = self.world.dice.random
        reasons = random.choice((None, None, ("outcome_unknown", "cancelled"), ("undeliverable", "not_on_whatsapp")))
        confirm = random.random() < 0.6
        new = NewRetry(
            organisation=DEMO,
            key=key,
            request_hash=f"{source}{reasons}{confirm}",
            source=source,
            reasons=reasons,
            confirm=confirm,
        )
        asked = self.world.clock.instant
        made = await self.asks_perhaps_twice(lambda: self.world.office.planning().retry(new))
        while made is not None and made.status is DistributionStatus.PLANNING:
            await asyncio.sleep(20)
            made = await self.asks(partial(self._look, made.distribution_id))
        if made is None or made.plan is None or made.status is DistributionStatus.REJECTED:
            return None
        self.world.dice.happened("retried_by_hand")
        self.accepted[made.distribution_id] = made.plan.accepted
        self.retries[made.distribution_id] = source
        if confirm:
            self.deeds.append(_deed(made.distribution_id, "confirm", asked, self.world.clock.instant))
        else:
            await self.act(made.distribution_id, Action.CONFIRM)
        return made.distribution_id

    # --------------------------------------------------------------------------------------------------- their consent

    async def say(self, numbers: Sequence[str], *, granted: bool) -> None:
        """Records the consents or revocations of some people."""
        asked, dated = self.world.clock.instant, None
        if "consents_dated" in self.world.dice.chosen:
            dated = asked + self.world.dice.random.choice(DATES)
            self.world.dice.happened("consents_dated")
        entries = [ConsentEntry(phone=one, granted=granted, source="register", recorded_at=dated) for one in numbers]
        work = partial(self.world.office.consents().record, DEMO, entries, several=True)
        pending = [
            ConsentStatement(number=one, granted=granted, asked=asked, done=NEVER, dated=dated) for one in numbers
        ]
        self.statements += pending
        for tried in range(TRIES):
            try:
                await self.world.request("api", API_SECONDS, work)
            except (KilledError, UnavailableError):
                await asyncio.sleep(min(2.0**tried, LONGEST_PAUSE))
                continue
            for statement in pending:
                statement["done"] = self.world.clock.instant
            return

    def writes_stop(self, number: str) -> None:
        """A person edits an earlier message to STOP. There is no answer, because an edit opens no session."""
        random, asked = self.world.dice.random, self.world.clock.instant
        old = number.startswith(NUMBERS["CI"]) and random.random() < 0.8
        wrote = f"+225{number[6:]}" if old else number
        self.statements.append(
            ConsentStatement(number=number, granted=False, asked=asked, done=NEVER, dated=asked.replace(microsecond=0))
        )
        self.world.postman.receives(self.world.meta, self.world.meta.edited(wrote, random.choice(STOPS), asked))


def _deed(distribution: str, action: str, asked: datetime, done: datetime) -> Deed:
    return Deed(distribution=distribution, action=action, asked=asked, done=done)
