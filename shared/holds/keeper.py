"""Sets and ends holds, and updates the distributions that they affect (design.md, Stop errors).

Every change is one write on the revision that was read; after a lost race it reads again. Every call may be made twice.

It also counts the same refusal for one recipient after another. Such a series is not the recipients' fault, and the
whole list must not fail. Orange's codes for a wrong request, a long text or a policy do not say whether they affect one
person or all (reference/orange_sms.md, section 2: "same error on N in a row: pause"). Unknown codes do not say it
either.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.base.caches import LruCache
from shared.base.events import Telemetry
from shared.base.ids import SYSTEM
from shared.base.instants import Clock
from shared.campaigns.distribution import Counts, Distribution, DistributionStatus, Run
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.holds.hold import (
    ACCOUNT,
    DAILY_LIMIT,
    Holds,
    HoldScope,
    RunHold,
    ScopeKey,
    country_scope,
    scopes_for,
    template_scope,
)
from shared.messages.errors import Kind, Scope, SendError
from shared.messages.message import Message
from shared.messages.payload import Channel, Mode, Payload
from shared.messages.queue_message import QueueMessage


class HoldStore(Protocol):
    """The holds, one item for each organisation and channel (`shared.holds.hold`)."""

    async def get(self, organisation: str, channel: Channel) -> Holds:
        """The holds, read consistently; without scopes if nothing was ever held."""
        ...

    async def read(
        self, distributions: Collection[tuple[str, str]], holds: Collection[tuple[str, Channel]]
    ) -> tuple[Mapping[tuple[str, str], Distribution], Mapping[tuple[str, Channel], Holds]]:
        """Reads what a sender must know before it sends, at once and consistently: distributions by (organisation,
        distribution_id), holds by (organisation, channel). Missing ones are left out."""
        ...

    async def save(self, holds: Holds) -> bool:
        """Replace the holds of the same revision; False if they have changed since they were read."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[str, Channel]]:
        """(organisation, channel) of holds whose `check_at` has come."""
        ...


class HoldKeeper:
    """The only code that changes holds."""

    def __init__(
        self,
        store: HoldStore,
        distributions: Distributions,
        telemetry: Telemetry,
        clock: Clock,
        tasks: TaskQueue | None = None,
    ) -> None:
        """`tasks` is the fan-out queue: a hold that is set or ends gets a task at once. None: the tick finds it within
        a minute."""
        self._store = store
        self._tasks = tasks
        self._distributions = distributions
        self._telemetry = telemetry
        self._clock = clock

    async def get(self, organisation: str, channel: Channel) -> Holds:
        """All holds of the organisation's channel, read consistently."""
        return await self._store.get(organisation, channel)

    async def hold(
        self,
        known: Holds,
        scope: ScopeKey,
        reason: str,
        *,
        claimed_at: datetime | None = None,
        reported_later: bool = False,
    ) -> bool:
        """Hold a scope. Returns True if it was free until now.

        `known`: the holds before the call that failed. If the scope was held or released since, the error says nothing
        about now, and nothing changes. `claimed_at` is used instead of `known` where that is no longer available: when
        the failed attempt was claimed.
        """
        now = self._clock.now()

        def held(holds: Holds) -> Holds:
            was = holds.of(scope)
            is_old = (
                was is not None and was.changed_at >= claimed_at
                if claimed_at is not None
                else holds.generation_of([scope]) != known.generation_of([scope])
            )
            return holds if is_old else holds.set(scope, reason, now, reported_later=reported_later)

        before, after = await self._change(known.organisation, known.channel, held)
        return before.holding([scope]) is None and after.holding([scope]) is not None

    async def end(self, organisation: str, channel: Channel, scopes: Collection[ScopeKey]) -> bool:
        """End the holds of scopes. Returns True if one of them was held."""
        now = self._clock.now()

        def ended(holds: Holds) -> Holds:
            for scope in scopes:
                holds = holds.ended(scope, now)
            return holds

        before, _ = await self._change(organisation, channel, ended)
        return before.holding(scopes) is not None

    async def try_now(self, organisation: str, channel: Channel, scopes: Iterable[ScopeKey] | None = None) -> None:
        """Let held scopes be probed at once (None: all of them): a person asked for it, or saved new settings.

        If the worker dies after the first step, the tick does the rest within a minute.
        """
        now = self._clock.now()
        wanted = None if scopes is None else list(scopes)
        before, _ = await self._change(
            organisation, channel, lambda holds: holds.tried_now(holds.held_scopes() if wanted is None else wanted, now)
        )
        if before.held_scopes() if wanted is None else before.holding(wanted):
            await self._bring_up(organisation, channel)

    async def begin_probe(self, known: Holds, scope: ScopeKey, message_id: str) -> bool:
        """Let one message probe a held scope. Returns False if another probe is under way, or the hold has ended."""
        now, began = self._clock.now(), False

        def trying(holds: Holds) -> Holds:
            nonlocal began
            hold = holds.of(scope)
            began = hold is not None and (hold.may_try(now) or hold.probe == message_id)
            return holds.with_probe(scope, message_id, now) if began else holds

        await self._change(known.organisation, known.channel, trying)
        return began

    async def probe_ended(
        self, organisation: str, channel: Channel, scope: ScopeKey, message_id: str, *, worked: bool
    ) -> None:
        """Record the answer to a probe. If it worked, the hold ends, except where the provider refuses later: then only
        a status proves it (`proven`)."""
        now = self._clock.now()

        def over(holds: Holds) -> Holds:
            hold = holds.of(scope)
            if hold is None or not hold.held or hold.probe != message_id:
                return holds
            if worked:
                return holds if hold.reported_later else holds.ended(scope, now)
            return holds.probe_over(scope, now)

        await self._change(organisation, channel, over)

    async def proven(self, message: Message) -> None:
        """A status proves that the provider really sent a probe: end the hold that it probed."""
        holds = await self._store.get(message.organisation, message.channel)
        tried = [scope for scope in holds.held_scopes() if _probe_of(holds, scope) == message.message_id]
        if tried:
            await self.end(message.organisation, message.channel, tried)

    async def checked(self, organisation: str, channel: Channel, every: timedelta) -> Holds:
        """Note a look at the holds. Returns them; the tick looks again after `every`."""
        now = self._clock.now()
        _, after = await self._change(organisation, channel, lambda holds: holds.checked(now, every))
        return after

    async def refresh(self, organisation: str, distribution_id: str, *, was_tried: bool = False) -> Distribution | None:
        """Apply the current holds to the distribution and store it. `was_tried`: its held rows have been probed, so it
        no longer counts as sending because a person resumed it."""
        while True:
            found = await self._distributions.get(organisation, distribution_id)
            if found is None or found.plan is None or not found.is_releasing:
                return found
            seen = replace(found, trying_until=None) if was_tried else found
            changed = await self.applied(seen, await self._store.get(organisation, found.channel))
            if changed == found:
                return found
            saved = await self.save(found, changed)
            if saved is not None:
                return saved

    async def applied(self, distribution: Distribution, holds: Holds) -> Distribution:
        """The distribution with these holds applied, not stored yet. Its counts are read only if a hold affects it."""
        if not is_concerned(distribution, holds):
            return distribution
        counts = await self._distributions.counts(distribution.organisation, distribution.distribution_id)
        return with_holds(distribution, holds, settled_by(counts), self._clock.now())

    async def save(self, before: Distribution, after: Distribution) -> Distribution | None:
        """Store what holds changed in a distribution; None if it has changed since it was read."""
        saved = await self._distributions.save(after)
        if saved is not None:
            self._tell(before, saved)
        return saved

    def _tell(self, before: Distribution, after: Distribution) -> None:
        if after.is_held and not before.is_held:
            self._telemetry.warning_event(
                "distribution_stopped",
                organisation=after.organisation,
                distribution_id=after.distribution_id,
                reason=after.status_reason,
            )

    async def _bring_up(self, organisation: str, channel: Channel) -> None:
        if self._tasks is not None:
            await self._tasks.put([Task(kind="holds", organisation=organisation, channel=channel)])

    async def _change(
        self, organisation: str, channel: Channel, change: Callable[[Holds], Holds]
    ) -> tuple[Holds, Holds]:
        """The holds before and after a change that was stored, or that changed nothing. Writes an event for each scope
        that is newly held or released, and a task."""
        while True:
            before = await self._store.get(organisation, channel)
            after = change(before)
            if after == before:
                return before, after
            if await self._store.save(after):
                if self._tell_changes(before, after):
                    await self._bring_up(organisation, channel)
                return before, after

    def _tell_changes(self, before: Holds, after: Holds) -> bool:
        """Returns True if a scope is newly held or released."""
        was, now = set(before.held_scopes()), set(after.held_scopes())
        for scope in now - was:
            self._telemetry.warning_event(
                "hold_set",
                organisation=after.organisation,
                channel=after.channel,
                scope=scope.scope,
                reason=after.scopes[str(scope)].reason,
                distribution_id=scope.distribution_id or None,
            )
        for scope in was - now:
            self._telemetry.event(
                "hold_ended", organisation=after.organisation, channel=after.channel, scope=scope.scope
            )
        return was != now


def scope_of(error: SendError, payload: Payload, distribution_id: str | None) -> ScopeKey:
    """The scope that a stop error holds, given the message that got it. A template error of a message without a
    template holds the account."""
    identity = (distribution_id or "") if error.of_distribution else ""
    template = payload.template
    match error.scope:
        case Scope.COUNTRY if payload.mode is Mode.SMS or not error.of_distribution:
            return country_scope(payload.country, identity)
        case Scope.TEMPLATE | Scope.COUNTRY if template is not None:
            return template_scope(template.name, template.language, identity)
        case Scope.COUNTRY:
            return country_scope(payload.country, identity)
        case _:
            return ACCOUNT


def scope_of_row(error: SendError, row: Message, distribution: Distribution | None) -> ScopeKey | None:
    """The scope of a stop error that was reported later, from what the log and the run know of the message; None: they
    do not know which template it used."""
    identity = (row.distribution_id or "") if error.of_distribution else ""
    match error.scope:
        case Scope.COUNTRY:
            return country_scope(row.country, identity)
        case Scope.TEMPLATE:
            known = [one for one in scopes_of_message(row, distribution) if one.scope is HoldScope.TEMPLATE]
            return next((one for one in known if one.distribution_id == identity), None)
        case _:
            return ACCOUNT


def scopes_of_message(message: Message, distribution: Distribution | None) -> list[ScopeKey]:
    """The scopes that may hold a logged message, as far as its row and its distribution's run say."""
    if message.chunk is not None and distribution is not None and distribution.plan is not None:
        return scopes_of(distribution, distribution.planned.runs[message.chunk.run])
    return scopes_for(message.country, message.template)


def shown(scope: ScopeKey) -> tuple[HoldScope, str | None]:
    """A scope as api.md shows it: its kind, and its key (None for the account)."""
    return scope.scope, None if scope.scope is HoldScope.ACCOUNT else scope.key


def _probe_of(holds: Holds, scope: ScopeKey) -> str | None:
    hold = holds.of(scope)
    return hold.probe if hold is not None else None


MOST_ALIKE = 10
"""In a row, by one worker. Each worker counts alone: a shared count would cost a write for every message."""

_PERHAPS_EVERYBODYS = frozenset({"provider_rejected", "text_too_long"})
"""Reasons that may affect all recipients. A number that is wrong or not on WhatsApp is that person's own, however often
it happens."""


class Repeats:
    """One worker's memory, by distribution and scope: the last error, and how often it came in a row."""

    def __init__(self) -> None:
        self._rows: LruCache[tuple[str, str, str], tuple[str, int]] = LruCache()

    def taken(self, queue_message: QueueMessage) -> None:
        """The provider took a message: the refusals before it were their recipients' own."""
        self._rows.pop(_key(queue_message), None)

    def is_one_too_many(self, queue_message: QueueMessage, error: SendError) -> bool:
        """Whether this refusal is the last of a series of `MOST_ALIKE`. The next one begins a new series."""
        may_be = error.kind is Kind.BUG or (error.kind is Kind.RECIPIENT and error.reason in _PERHAPS_EVERYBODYS)
        if queue_message.chunk is None or not may_be:
            return False
        code, before = self._rows.pop(_key(queue_message), (error.code, 0))
        count = before + 1 if code == error.code else 1
        if count >= MOST_ALIKE:
            return True
        self._rows[_key(queue_message)] = (error.code, count)
        return False


def _key(queue_message: QueueMessage) -> tuple[str, str, str]:
    """Counted separately for each country or template, because only the scope that is refused is held."""
    template = queue_message.payload.template
    scope = f"{template.name}/{template.language}" if template else queue_message.payload.country
    return queue_message.organisation, queue_message.chunk.distribution_id if queue_message.chunk else "", scope


# What holds do to a distribution: which runs wait, which begin again, and what its status is. Pure.
#
# A person's pause and the holds are two stored facts. A pause is the distribution's status `paused` with the reason
# `paused_by_user`. The effect of the holds is worked out here and never ends a pause.


type Settled = Mapping[tuple[int, int], int]
"""(run, chunk) → how many of its rows are no longer `pending`."""


def settled_by(counts: Mapping[tuple[int, int], Counts]) -> Settled:
    """From the counts of a distribution's chunks."""
    return {place: one.total for place, one in counts.items()}


def scopes_of(distribution: Distribution, run: Run) -> list[ScopeKey]:
    """The scopes that may hold a run."""
    return scopes_for(run.country, run.template, run.card_host, distribution.distribution_id)


def is_concerned(distribution: Distribution, holds: Holds) -> bool:
    """Whether one of its runs is held, or was until now."""
    return distribution.is_held or any(run.hold for run in distribution.planned.runs) or is_changed(distribution, holds)


def is_changed(distribution: Distribution, holds: Holds) -> bool:
    """Whether a run was held or released since release last applied the holds."""
    for run in distribution.planned.runs:
        scopes = scopes_of(distribution, run)
        is_held = holds.holding(scopes) is not None
        if is_held != (run.hold is not None) or (not is_held and holds.generation_of(scopes) != run.generation):
            return True
    return False


def with_holds(distribution: Distribution, holds: Holds, settled: Settled, now: datetime) -> Distribution:
    """The distribution with the holds applied. Held runs wait; released ones begin again at their first chunk with
    pending rows; the status says whether anything else is left to send."""
    if not distribution.is_releasing:
        return distribution
    runs = tuple(_with_hold(distribution, index, holds, settled) for index in range(len(distribution.planned.runs)))
    plan = dataclasses.replace(distribution.planned, runs=runs)
    waiting = [
        run
        for index, run in enumerate(runs)
        if run.pending_rows(index, settled) or (run.hold is not None and run.hold.reported_later)
    ]
    return _with_status(dataclasses.replace(distribution, plan=plan), waiting, now)


def held_rows(distribution: Distribution, settled: Settled) -> dict[RunHold, int]:
    """How many rows each hold keeps pending."""
    rows: dict[RunHold, int] = {}
    for index, run in enumerate(distribution.planned.runs if distribution.plan else ()):
        if run.hold is not None:
            rows[run.hold] = rows.get(run.hold, 0) + run.pending_rows(index, settled)
    return rows


def _with_hold(distribution: Distribution, index: int, holds: Holds, settled: Settled) -> Run:
    run = distribution.planned.runs[index]
    scopes = scopes_of(distribution, run)
    found = holds.holding(scopes)
    if found is not None:
        scope, hold = found
        held = RunHold(scope=scope, reason=hold.reason, since=hold.since, reported_later=hold.reported_later)
        return dataclasses.replace(run, hold=held)
    generation = holds.generation_of(scopes)
    if run.hold is None and generation == run.generation:
        return run
    freed = dataclasses.replace(run, hold=None, generation=generation, epoch=run.epoch + 1)
    return freed.rewound(index, settled)


def _with_status(distribution: Distribution, waiting: Sequence[Run], now: datetime) -> Distribution:
    """`waiting`: the runs with pending rows. Once all of them are held, the distribution is paused; a daily limit only
    slows it down."""
    held = [run.hold for run in waiting if run.hold is not None]
    reason = _widest(held).reason if held and len(held) == len(waiting) else None
    is_tried = distribution.trying_until is not None and now < distribution.trying_until
    if reason is not None and not is_tried and any(hold.scope != DAILY_LIMIT for hold in held):
        return dataclasses.replace(distribution.paused(reason), controlled_by=SYSTEM)
    if not distribution.is_held:
        return dataclasses.replace(distribution, status_reason=reason)
    opens = distribution.opens(now)
    status = DistributionStatus.SCHEDULED if opens > now else DistributionStatus.SENDING
    return dataclasses.replace(distribution, status=status, status_reason=reason, due_at=now)


def _widest(holds: Iterable[RunHold]) -> RunHold:
    order = list(HoldScope)
    return min(holds, key=lambda hold: order.index(hold.scope.scope))
