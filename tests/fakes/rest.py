"""Queues, rate limits, people, receipts, media, integrations and a provider, in memory."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from local import sqs_rules
from shared.base.instants import Clock, from_microseconds, microseconds
from shared.campaigns.ports import Task
from shared.integrations.integration import Dhis2Integration, SmsIntegration, StoredSettings, WhatsAppIntegration
from shared.messages.errors import SendError
from shared.messages.payload import Payload, Provider
from shared.messages.queue_message import QueueMessage
from shared.pacing.quota import Quota
from shared.pacing.rate_limit import (
    Booking,
    Member,
    RateLimit,
    RateLimitState,
    Share,
    book,
    quickest_share,
    shared_rate,
)
from shared.policy.consent import Consent, ConsentRecord
from shared.sending.channel import MEDIA_KEPT, CardSource, Taken
from shared.storage.codec import encode_ascii
from shared.storage.queues import LONGEST, QueueError, body_of
from shared.webhooks.ingress import Report
from tests.fakes.world import Points

type Integration = WhatsAppIntegration | SmsIntegration | Dhis2Integration


def sqs_refuses(body: str) -> bool:
    """Whether SQS would refuse a message with this body."""
    return sqs_rules.refuses(body) or len(body) > LONGEST


class FakeChannelQueue:
    """Implements `OffersMessages`. `waiting`: the queue messages, each visible a second before its send slot."""

    def __init__(self, points: Points) -> None:
        self.waiting: list[QueueMessage] = []
        self._points = points

    async def offer(self, queue_messages: Sequence[QueueMessage], now: datetime) -> Sequence[QueueMessage]:
        await self._points("queue.put")
        refused = [one for one in queue_messages if sqs_refuses(body_of(one))]
        self.waiting.extend(one for one in queue_messages if one not in refused)
        return refused

    def take(self, now: datetime | None = None, most: int | None = None) -> list[QueueMessage]:
        """The queue messages that are visible at `now`, or all, earliest first."""
        limit = microseconds(now + timedelta(seconds=1)) if now else None
        visible = [one for one in self.waiting if limit is None or one.slot_at <= limit]
        taken = sorted(visible, key=lambda one: one.slot_at)[:most]
        self.waiting = [one for one in self.waiting if one not in taken]
        return taken


def _held_to_sqs(values: Sequence[object]) -> None:
    if any(sqs_refuses(encode_ascii(one)) for one in values):
        raise QueueError("SQS would never take this")


class FakeTaskQueue:
    """Implements `TaskQueue` in memory."""

    def __init__(self, points: Points) -> None:
        self.tasks: list[Task] = []
        self.delays: list[int] = []
        self._points = points

    async def put(self, tasks: Sequence[Task], *, delay: int = 0) -> None:
        await self._points("tasks.put")
        _held_to_sqs(tasks)
        self.tasks.extend(tasks)
        self.delays.extend(delay for _ in tasks)


class FakeStatusQueue:
    """Implements `StatusQueue` in memory."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.delayed: list[tuple[int, Report]] = []

    async def put(self, reports: Sequence[Report], *, delay: int = 0) -> None:
        _held_to_sqs(reports)
        if delay:
            self.delayed.extend((delay, report) for report in reports)
        else:
            self.reports.extend(reports)


class FakeRateLimits:
    """Implements `RateLimits` and `MemberStore` in memory."""

    def __init__(self, points: Points, clock: Clock) -> None:
        self.states: dict[str, RateLimitState] = defaultdict(RateLimitState)
        self.members: dict[str, dict[str, Member]] = defaultdict(dict)
        self.gone: dict[tuple[str, str], int] = {}
        self._points = points
        self._clock = clock

    def stored(self, rate_limit: RateLimit) -> RateLimitState:
        """The account's state for a member, else the organisation's own."""
        rate = shared_rate(self.members[rate_limit.account], rate_limit.organisation, self._clock.now())
        name = rate_limit.own_id if rate is None else rate_limit.account
        return replace(self.states[name], rate_limit_id=name, shared_rate=rate)

    async def state(self, rate_limit: RateLimit) -> RateLimitState:
        await self._points("rate_limits.state")
        return self.stored(rate_limit)

    async def book(
        self, rate_limit: RateLimit, share: Share | None, *, rate: int, earliest: datetime, count: int
    ) -> Booking:
        await self._points("rate_limits.book")
        state, start = self.stored(rate_limit), microseconds(earliest)
        paced = state.rate(rate)
        wanted = share or quickest_share(state, rate=paced, earliest=start)
        booking = book(state, wanted, rate=paced, earliest=start, count=count)
        if wanted is Share.BULK:
            self.states[state.rate_limit_id] = replace(state, next_bulk=booking.next_free)
        else:
            self.states[state.rate_limit_id] = replace(state, next_express=booking.next_free)
        return booking

    async def hold(self, rate_limit: RateLimit, not_before: datetime) -> None:
        await self._points("rate_limits.hold")
        state = self.stored(rate_limit)
        later = max(state.not_before, microseconds(not_before))
        self.states[state.rate_limit_id] = replace(state, not_before=later)

    async def join(self, rate_limit: RateLimit, rate: int, *, version: int) -> bool:
        await self._points("rate_limits.join")
        members, now = self.members[rate_limit.account], self._clock.now()
        known = members.get(rate_limit.organisation)
        noted = known.version if known else self.gone.get((rate_limit.account, rate_limit.organisation), 0)
        if not rate_limit.account or noted > version or (known is not None and known.covers(rate, version, now)):
            return False
        members[rate_limit.organisation] = Member(rate=rate, proved_at=now, version=version)
        return known is None

    async def set_rate(self, rate_limit: RateLimit, rate: int, *, version: int) -> None:
        await self._points("rate_limits.set_rate")
        members = self.members[rate_limit.account]
        known = members.get(rate_limit.organisation)
        if known is not None and known.version <= version:
            members[rate_limit.organisation] = replace(known, rate=rate, version=version)

    async def leave(self, rate_limit: RateLimit, *, version: int) -> None:
        await self._points("rate_limits.leave")
        known = self.members[rate_limit.account].get(rate_limit.organisation)
        if known is not None and known.version <= version:
            del self.members[rate_limit.account][rate_limit.organisation]
            self.gone[rate_limit.account, rate_limit.organisation] = version

    def held_until(self, rate_limit: RateLimit) -> datetime:
        return from_microseconds(self.stored(rate_limit).not_before)


class FakePeople:
    """Implements `People` in memory."""

    def __init__(self, points: Points) -> None:
        self.records: dict[tuple[str, str], ConsentRecord] = {}
        self._points = points

    async def consents(self, organisation: str, persons: Iterable[str]) -> Mapping[str, ConsentRecord]:
        await self._points("people.consents")
        return {one: self.records[organisation, one] for one in persons if (organisation, one) in self.records}

    async def record(self, organisation: str, person: str, statements: Iterable[Consent]) -> bool:
        await self._points("people.record")
        known = self.records.get((organisation, person), ConsentRecord())
        joined = known.joined(statements)
        self.records[organisation, person] = joined
        return joined != known

    async def replace(self, organisation: str, person: str, statement: Consent) -> None:
        await self._points("people.replace")
        self.records[organisation, person] = ConsentRecord().joined([statement])


class FakeCallCounts:
    """Implements `CallCounts` in memory."""

    def __init__(self, points: Points) -> None:
        self.calls: dict[tuple[str, str], tuple[int, ...]] = {}
        self._points = points

    async def take(self, organisation: str, caller: str, quota: Quota, now: datetime) -> timedelta | None:
        await self._points("calls.take")
        key, at = (organisation, caller), microseconds(now)
        counted = self.calls.get(key, ())
        wait = quota.wait(counted, at)
        if wait is None:
            self.calls[key] = (*quota.recent(counted, at), at)
        return wait


class FakeReceipts:
    """Implements `Receipts` in memory."""

    def __init__(self, points: Points) -> None:
        self.names: dict[tuple[str, Provider, str], str] = {}
        self.parked: dict[tuple[str, Provider, str], set[str]] = defaultdict(set)
        self._points = points

    async def name(self, organisation: str, provider: Provider, receipt_id: str, message_id: str) -> Sequence[str]:
        await self._points("receipts.name")
        self.names[organisation, provider, receipt_id] = message_id
        return sorted(self.parked[organisation, provider, receipt_id])

    async def park(self, organisation: str, provider: Provider, receipt_id: str, delivery_status: str) -> str | None:
        await self._points("receipts.park")
        self.parked[organisation, provider, receipt_id].add(delivery_status)
        return self.names.get((organisation, provider, receipt_id))


class FakeMedia:
    """Implements `MediaCache` in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.known: dict[tuple[str, str, str], tuple[datetime, str]] = {}

    async def media_id(
        self, organisation: str, phone_number_id: str, content: str, *, after: datetime | None = None
    ) -> str | None:
        known = self.known.get((organisation, phone_number_id, content))
        if known is None or known[0] + MEDIA_KEPT <= self._clock.now() or (after is not None and known[0] <= after):
            return None
        return known[1]

    async def remember(
        self, organisation: str, phone_number_id: str, content: str, media_id: str, uploaded_at: datetime
    ) -> None:
        self.known[organisation, phone_number_id, content] = (uploaded_at, media_id)

    async def forget(self, organisation: str, phone_number_id: str, content: str, media_id: str) -> None:
        card = (organisation, phone_number_id, content)
        if card in self.known and self.known[card][1] == media_id:
            del self.known[card]


class FakeIntegrations:
    """Implements `Integrations` in memory, without a cache."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Integration] = {}
        self.writes: Counter[tuple[str, str]] = Counter()

    async def whatsapp(
        self, organisation: str, *, version: int = 0, uncached: bool = False
    ) -> WhatsAppIntegration | None:
        found = self.kept.get((organisation, "whatsapp"))
        return found if isinstance(found, WhatsAppIntegration) else None

    async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
        found = self.kept.get((organisation, "sms"))
        return found if isinstance(found, SmsIntegration) else None

    async def dhis2(self, organisation: str) -> Dhis2Integration | None:
        found = self.kept.get((organisation, "dhis2"))
        return found if isinstance(found, Dhis2Integration) else None

    async def stored(self, organisation: str, name: str) -> StoredSettings:
        return StoredSettings(
            integration=self.kept.get((organisation, name)), version=self._version(organisation, name)
        )

    async def put(self, integration: Integration, *, replacing: str | None = None) -> bool:
        names = {WhatsAppIntegration: "whatsapp", SmsIntegration: "sms", Dhis2Integration: "dhis2"}
        place = integration.organisation, names[type(integration)]
        if replacing not in {None, self._version(*place)}:
            return False
        self.kept[place] = integration
        self.writes[place] += 1
        return True

    def _version(self, organisation: str, name: str) -> str:
        return str(self.writes[organisation, name] or "")

    async def delete(self, organisation: str, name: str) -> bool:
        if (organisation, name) in self.kept:
            self.writes[organisation, name] += 1
        return self.kept.pop((organisation, name), None) is not None


class FakeProvider[I]:
    """A `ChannelSender` with prepared answers: an exception, or the next message ID. `accepted` lists what it took.

    It fetches each card from `cards`, if it has any.
    """

    def __init__(self, points: Points) -> None:
        self.answers: list[SendError | None] = []
        self.preparing: list[SendError | None] = []
        self.accepted: list[tuple[str, str]] = []
        self.payloads: list[Payload] = []
        self.holds = False
        self.cards: CardSource | None = None
        self.calls = 0
        self.refuses: dict[str, SendError] = {}
        """By country, until a test removes it. `answers` come first."""
        self.calls_to: Counter[str] = Counter()
        self.called: Callable[[], None] = lambda: None
        self._points = points

    async def prepare(self, integration: I, payload: Payload) -> str:
        await self._points("provider.prepare")
        error = self.preparing.pop(0) if self.preparing else None
        if error is not None:
            raise error
        if self.cards is not None and payload.card_image is not None:
            await self.cards.fetch(payload.card_image, "demo")
        return "prepared"

    async def send(self, integration: I, payload: Payload, prepared: str, *, key: str) -> Taken:
        await self._points("provider.send")
        self.calls += 1
        self.called()
        self.calls_to[payload.country] += 1
        error = self.answers.pop(0) if self.answers else self.refuses.get(payload.country)
        if error is not None and error.kind != "unknown":
            raise error
        self.accepted.append((payload.to, key))
        self.payloads.append(payload)
        if error is not None:
            raise error
        await self._points("provider.answer")
        return Taken(provider_message_id=f"provider-{len(self.accepted)}", held=self.holds)
