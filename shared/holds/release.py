"""Handles the holds of a channel: reads the causes that can be read, probes the others with one message, and releases
the messages of ended holds.

The tick calls it every minute while a scope is held and for a while after. A resume or saved settings call it at once.
All of it may be done twice.

Causes that can be read: units and contracts of SMS; template, limit and health at Meta. `AccountHealth` asks Meta
whether an account may send, after a webhook that does not say it (`shared.webhooks.account_updates`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from shared.base.events import Telemetry
from shared.base.ids import shard_of
from shared.base.instants import Clock, from_milliseconds
from shared.campaigns.control import advance_task
from shared.campaigns.distribution import RELEASING, Distribution, DistributionStatus
from shared.campaigns.ports import DistributionQuery, Distributions, Task, TaskQueue
from shared.campaigns.stored_content import Plans
from shared.holds.hold import ACCOUNT, DAILY_LIMIT, Hold, Holds, HoldScope, ScopeKey
from shared.holds.keeper import HoldKeeper, scopes_of, settled_by
from shared.integrations.balances import Balances
from shared.integrations.integration import Integrations, SmsIntegration, WhatsAppIntegration
from shared.integrations.templates import Templates
from shared.messages.agenda import enqueue_again
from shared.messages.errors import Kind, SendError
from shared.messages.factory import queue_message_of
from shared.messages.message import Chunk, Message, Status
from shared.messages.payload import Channel, Payload
from shared.messages.ports import AGENDA_SHARDS, ChannelQueue, Log, Page, pages, set_next_check
from shared.pacing.daily_limit import DailyLimits, NumberFacts, NumberReader
from shared.pacing.rate_limit import RateLimits
from shared.sending.channel import book_slots, settings_of
from shared.webhooks.updates import TemplateStatus

SETTLED_AFTER = timedelta(seconds=50)
"""A provider's answers may contradict each other for a moment, so an answer within this time does not end a hold.
Credentials that were entered after the stop are checked at once."""

_BY_CONTRACTS = frozenset(("balance_empty", "contract_expired"))

_BY_HEALTH = frozenset(("account_restricted", "payment_required"))

_BY_REVIEW = frozenset(("template_paused", "template_disabled"))

_SENDING = frozenset(("AVAILABLE", "LIMITED"))
"""Meta's values for an account that may send (reference/whatsapp.md, section 3)."""


class ReadCauses:
    """Reads the causes of holds, with one call for each account and kind of cause."""

    def __init__(
        self,
        balances: Balances,
        number: NumberReader,
        templates: Templates,
        limits: DailyLimits,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._balances = balances
        self._number = number
        self._templates = templates
        self._limits = limits
        self._telemetry = telemetry
        self._clock = clock

    async def ended(self, holds: Holds, integration: WhatsAppIntegration | SmsIntegration) -> set[ScopeKey]:
        """Held scopes whose cause has certainly ended. Asks each provider at most once; one that does not answer ends
        nothing. If Meta took messages and refused them later, only a status proves the end."""
        held = [one for one in holds.held_scopes() if self._may_be_read(holds.scopes[str(one)], integration)]
        if not isinstance(integration, WhatsAppIntegration):
            return await self._of_contracts(held, holds, integration)
        templates = await self._reviewed(held, holds, integration)
        return templates | await self._of_number(held, holds, integration)

    def _may_be_read(self, hold: Hold, integration: WhatsAppIntegration | SmsIntegration) -> bool:
        if hold.reported_later:
            return False
        is_new = hold.reason == "token_invalid" and from_milliseconds(integration.version) > hold.since
        return is_new or self._clock.now() - hold.since >= SETTLED_AFTER

    async def _of_contracts(self, held: Iterable[ScopeKey], holds: Holds, integration: SmsIntegration) -> set[ScopeKey]:
        """A provider that answers about the contracts has accepted the credentials."""
        wanted = {scope for scope in held if _reason(holds, scope) in _BY_CONTRACTS}
        credentials = {scope for scope in held if _reason(holds, scope) == "token_invalid"}
        if not wanted and not credentials:
            return set()
        try:
            balances = await self._balances.of(integration)
        except SendError as error:
            self._unread(holds, error)
            return set()
        paid = {one.country for one in balances if one.units > 0}
        return credentials | {scope for scope in wanted if scope.key in paid}

    async def _reviewed(
        self, held: Iterable[ScopeKey], holds: Holds, integration: WhatsAppIntegration
    ) -> set[ScopeKey]:
        wanted = {scope for scope in held if scope.scope is HoldScope.TEMPLATE and _reason(holds, scope) in _BY_REVIEW}
        if not wanted or integration.business_account_id is None:
            return set()
        try:
            catalogue = await self._templates.read(integration, integration.business_account_id)
        except SendError as error:
            self._unread(holds, error)
            return set()
        approved = {f"{one.name}/{one.language}" for one in catalogue.items if one.status is TemplateStatus.APPROVED}
        return {scope for scope in wanted if scope.key in approved}

    async def _of_number(
        self, held: Iterable[ScopeKey], holds: Holds, integration: WhatsAppIntegration
    ) -> set[ScopeKey]:
        reasons = {scope: _reason(holds, scope) for scope in held}
        wanted = {one for one, why in reasons.items() if why in (*_BY_HEALTH, "token_invalid") and one == ACCOUNT}
        limited = DAILY_LIMIT in reasons
        if not wanted and not limited:
            return set()
        try:
            facts: NumberFacts | None = await self._number.read(integration)
        except SendError as error:
            self._unread(holds, error)
            facts = None
        ended = {DAILY_LIMIT} if limited and await self._is_open(integration) else set()
        if facts is None:
            return ended
        may_send = facts.can_send in _SENDING
        return ended | {one for one in wanted if reasons[one] == "token_invalid" or may_send}

    async def _is_open(self, integration: WhatsAppIntegration) -> bool:
        """Uses the limit that was just read, or else the last known one."""
        return (await self._limits.remaining(integration, self._clock.now())).people != 0

    def _unread(self, holds: Holds, error: SendError) -> None:
        self._telemetry.event(
            "hold_cause_unread", organisation=holds.organisation, channel=holds.channel, code=error.code
        )


def _reason(holds: Holds, scope: ScopeKey) -> str:
    return holds.scopes[str(scope)].reason


BLOCKED = "BLOCKED"
"""Meta's value in `health_status` for an account that may not send (reference/whatsapp.md, section 3)."""

AGAIN_AFTER = timedelta(minutes=2)

MOST_TRIES = 30
"""An hour of attempts. After that the next send, or the next webhook, shows it."""

_FINAL = frozenset({Kind.STOP, Kind.RECIPIENT, Kind.BUG})


class AccountHealth:
    """A task of the fan-out queue. May be done twice."""

    def __init__(
        self,
        integrations: Integrations,
        number: NumberReader,
        holding: HoldKeeper,
        tasks: TaskQueue,
        telemetry: Telemetry,
    ) -> None:
        self._integrations = integrations
        self._number = number
        self._holding = holding
        self._tasks = tasks
        self._telemetry = telemetry

    async def work(self, task: Task) -> None:
        """Hold the account if Meta says that it may not send. If Meta does not answer, ask again later.

        The holds are read before Meta is asked: a change in between is newer than the answer.
        """
        organisation = task.organisation
        integration = await self._integrations.whatsapp(organisation, uncached=True)
        if integration is None:
            return
        known = await self._holding.get(organisation, Channel.WHATSAPP)
        try:
            facts = await self._number.read(integration)
        except SendError as error:
            await self._unanswered(task, error)
            return
        self._telemetry.event("account_examined", organisation=organisation, can_send=facts.can_send)
        if facts.can_send == BLOCKED:
            await self._holding.hold(known, ACCOUNT, "account_restricted")

    async def _unanswered(self, task: Task, error: SendError) -> None:
        """After a refusal it does not ask again: the refusal lasts until the settings change, and it stops the sends
        themselves."""
        self._telemetry.event("account_unread", organisation=task.organisation, code=error.code, tries=task.round + 1)
        if error.kind not in _FINAL and task.round + 1 < MOST_TRIES:
            again = Task(kind="account", organisation=task.organisation, round=task.round + 1)
            await self._tasks.put([again], delay=int(AGAIN_AFTER.total_seconds()))


EVERY = timedelta(seconds=60)

_RECENT = timedelta(minutes=3)
"""For this long after a hold was set or has ended, the distributions that it affects get a task."""

_PARKED_AT_ONCE = 100

_CANDIDATES = 20

_PAGE = 100

_WITHOUT_ANYTHING_TO_TRY = timedelta(minutes=10)
"""A hold of this age that holds no message ends: the next message will show whether the cause still exists."""

_LOOKS_FOR_A_PROBE = 3
"""The number of chunks that are searched for a pending row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldWorkDeps:
    """What handling holds works with."""

    holding: HoldKeeper
    causes: ReadCauses
    distributions: Distributions
    log: Log
    plans: Plans
    integrations: Integrations
    rate_limits: RateLimits
    queue: ChannelQueue
    tasks: TaskQueue
    telemetry: Telemetry
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A message that may probe a hold."""

    message: Message
    distribution: Distribution | None


class HoldWork:
    """One look at the holds of an organisation's channel."""

    def __init__(self, deps: HoldWorkDeps) -> None:
        self._deps = deps

    async def work(self, organisation: str, channel: Channel) -> bool:
        """Read causes, probe, release. Returns True if there is more to release at once."""
        holds = await self._deps.holding.get(organisation, channel)
        integration = await settings_of(self._deps.integrations, organisation, channel, uncached=True)
        if integration is not None and holds.held_scopes():
            ended = await self._deps.causes.ended(holds, integration)
            if ended:
                await self._deps.holding.end(organisation, channel, ended)
                holds = await self._deps.holding.get(organisation, channel)
            for scope in holds.held_scopes():
                await self._try(holds, scope, integration)
        more = False
        for scope in holds.freed_scopes(self._deps.clock.now()):
            more = await self._free(holds, scope) or more
        await self._bring_up(await self._deps.holding.checked(organisation, channel, EVERY))
        return more

    async def _try(self, holds: Holds, scope: ScopeKey, integration: WhatsAppIntegration | SmsIntegration) -> None:
        """Send one message of a held scope, if its time has come. While the account is held, no narrower scope is
        probed, because the account would refuse it too. Meta's daily limit is read, never probed."""
        hold, now = holds.scopes[str(scope)], self._deps.clock.now()
        blocked = scope != ACCOUNT and holds.holding([ACCOUNT]) is not None
        if blocked or scope == DAILY_LIMIT or not hold.may_try(now):
            return
        candidate = await self._candidate(holds, scope, hold)
        if candidate is None:
            if now - hold.since >= _WITHOUT_ANYTHING_TO_TRY:
                await self._deps.holding.end(holds.organisation, holds.channel, [scope])
            return
        payload = await self._deps.plans.read_payload(candidate.message.payload)
        if payload is None:
            await self._give_up(candidate.message, now)
        elif await self._deps.holding.begin_probe(holds, scope, candidate.message.message_id):
            await self._enqueue(candidate, payload, scope, integration, now)

    async def _give_up(self, message: Message, now: datetime) -> None:
        """Its stored content has expired or was erased: the agenda ends it."""
        await set_next_check(self._deps.log, message, now)

    async def _enqueue(
        self,
        candidate: _Candidate,
        payload: Payload,
        scope: ScopeKey,
        integration: WhatsAppIntegration | SmsIntegration,
        now: datetime,
    ) -> None:
        """It takes the share with the earlier slot. A list that was booked before the stop may fill minutes of the bulk
        share with slots that are not used."""
        message = candidate.message
        earliest = now + timedelta(seconds=1)
        [slot_at] = await book_slots(self._deps.rate_limits, integration, None, earliest=earliest)
        queue_message = queue_message_of(
            message, payload, candidate.distribution, slot_at, integration.version, probe=str(scope)
        )
        await enqueue_again(self._deps, message, queue_message, candidate.distribution, now)
        self._deps.telemetry.event(
            "hold_tried",
            organisation=message.organisation,
            channel=message.channel,
            scope=scope.scope,
            message_id=message.message_id,
        )

    async def _candidate(self, holds: Holds, scope: ScopeKey, hold: Hold) -> _Candidate | None:
        """A message that the scope keeps waiting. Each probe takes another one, in case one of them is the problem
        itself."""
        parked = await self._deps.log.parked(holds.organisation, holds.channel, scope, _CANDIDATES)
        keys = {(one.organisation, one.distribution_id) for one in parked if one.distribution_id is not None}
        distributions = await self._deps.distributions.get_many((one, two) for one, two in keys if two)
        tried = [_parked_candidate(one, distributions.get(one.distribution_id or "")) for one in parked]
        found = [one for one in tried if one is not None]
        if found:
            return found[hold.tries % len(found)]
        for distribution in await self._concerned(holds):
            candidate = await self._row_of(distribution, scope, holds, hold.tries)
            if candidate is not None:
                return candidate
        return None

    async def _row_of(self, distribution: Distribution, scope: ScopeKey, holds: Holds, tries: int) -> _Candidate | None:
        """A pending row of a run that only this scope holds."""
        runs = [
            (index, run)
            for index, run in enumerate(distribution.planned.runs)
            if _is_held_by_it_alone(scopes_of(distribution, run), scope, holds)
        ]
        if not runs:
            return None
        counts = await self._deps.distributions.counts(distribution.organisation, distribution.distribution_id)
        settled = settled_by(counts)
        for index, run in runs:
            first = run.first_pending(index, settled)
            for number in range(first, min(first + _LOOKS_FOR_A_PROBE, run.logged)):
                chunk = Chunk(distribution_id=distribution.distribution_id, run=index, number=number)
                pending = await self._pending(distribution, chunk)
                if pending:
                    return _Candidate(message=pending[tries % len(pending)], distribution=distribution)
        return None

    async def _pending(self, distribution: Distribution, chunk: Chunk) -> list[Message]:
        attempt = distribution.planned.attempt
        rows = await self._deps.plans.read_chunk(distribution.organisation, attempt, chunk) or ()
        wanted = [row.message_id for row in rows if row.payload is not None]
        found = await self._deps.log.get_many(distribution.organisation, wanted)
        messages = [found[one] for one in wanted if one in found]
        return [one for one in messages if one.status is Status.PENDING and one.lease_until is None]

    async def _free(self, holds: Holds, scope: ScopeKey) -> bool:
        """Bring messages that waited for the end of a hold back to the agenda, and let it look at them before the next
        tick. Returns True if there may be more."""
        parked = await self._deps.log.parked(holds.organisation, holds.channel, scope, _PARKED_AT_ONCE)
        now = self._deps.clock.now()
        for message in parked:
            await set_next_check(self._deps.log, message, now)
        shards = sorted({shard_of(message.message_id, AGENDA_SHARDS) for message in parked})
        if shards:
            await self._deps.tasks.put([Task(kind="agenda", shard=shard) for shard in shards])
        return len(parked) == _PARKED_AT_ONCE

    async def _bring_up(self, holds: Holds) -> None:
        """Let release look at the distributions that wait for a hold, or that a new hold affects."""
        now = self._deps.clock.now()
        if any(now < hold.changed_at + _RECENT for hold in holds.scopes.values()):
            concerned = await self._concerned(holds)
            await self._deps.tasks.put([advance_task(one) for one in concerned])

    async def _page(self, organisation: str, status: DistributionStatus, position: str | None) -> Page[Distribution]:
        query = DistributionQuery(organisation=organisation, status=status)
        return await self._deps.distributions.page(query, position, _PAGE)

    async def _concerned(self, holds: Holds) -> list[Distribution]:
        """The distributions that send on the channel, or would without holds. The list may be a moment old; a
        distribution that was just confirmed meets the hold in its own release."""
        found: list[Distribution] = []
        for status in (*RELEASING, DistributionStatus.PAUSED):
            async for page in pages(partial(self._page, holds.organisation, status)):
                found += [one for one in page if one.channel is holds.channel and one.is_releasing]
        return found


def _parked_candidate(message: Message, distribution: Distribution | None) -> _Candidate | None:
    """None if the message cannot be sent now, or a person has stopped its distribution."""
    if not message.is_open or message.lease_until is not None or message.unknown_since is not None:
        return None
    if message.distribution_id is not None and (distribution is None or not distribution.may_leave):
        return None
    return _Candidate(message=message, distribution=distribution)


def _is_held_by_it_alone(scopes: Sequence[ScopeKey], scope: ScopeKey, holds: Holds) -> bool:
    return scope in scopes and holds.holding(one for one in scopes if one != scope) is None
