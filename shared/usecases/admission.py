"""Brings the gate its facts just before the call: the distribution's state and epoch, consent, the clock."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from shared.domain.consent import given_in
from shared.domain.dispatch import Dispatch
from shared.domain.distribution import MAY_LEAVE, RELEASING, Distribution, DistributionStatus
from shared.domain.gate import Go, Never, NotBefore, Passenger, earliest_open, gate
from shared.domain.hours import Window, parse_windows
from shared.domain.integration import WhatsAppIntegration
from shared.domain.payload import Mode
from shared.domain.status import ARRIVED
from shared.usecases.channel import Integrated
from shared.usecases.fresh import Fresh
from shared.usecases.of_many import consents_of
from shared.usecases.ports import Distributions, Log, People, Telemetry
from shared.usecases.room import Room

FRESH = timedelta(milliseconds=950)
"""How old the facts may be by the instant of the departure: they are read a moment before it (`boarding.AHEAD`), and
may be a second old when the call is made."""
WHILE_PAUSED = timedelta(minutes=5)
"""How long a fallback waits whose distribution is paused before it asks again."""


class Verdict(StrEnum):
    """`left`: the message stays pending and its distribution will release it again."""

    GO = "go"
    LATER = "later"
    LEFT = "left"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`at` goes with `later`, `reason` with `never`; `as_template` with `go`: its session has closed."""

    verdict: Verdict
    at: datetime | None = None
    reason: str = ""
    as_template: bool = False
    peak: tuple[Window, ...] = ()
    """Goes with `go`: the hours besides the quiet ones that were found open."""


class Admission:
    """Asks the gate for messages that are about to leave."""

    def __init__(
        self, distributions: Distributions, people: People, log: Log, telemetry: Telemetry, room: Room | None = None
    ) -> None:
        """`room` is WhatsApp's: sessions and the messaging limit."""
        self._room = room
        self._log = log
        self._distributions = distributions
        self._telemetry = telemetry
        self._states = Fresh(self._read_distributions, FRESH)
        self._words = Fresh(partial(consents_of, people), FRESH)

    async def ask(self, dispatch: Dispatch, now: datetime, integration: Integrated | None = None) -> Answer:
        """Whether this copy may leave now. With the integration: just before the call, with every fact."""
        number = integration if isinstance(integration, WhatsAppIntegration) else None
        session_text = dispatch.payload.mode is Mode.SESSION and number is not None and self._room is not None
        peak: tuple[Window, ...] = ()
        if dispatch.payload.fallback_of is not None:
            held = await self._by_parent(dispatch.organisation, dispatch.payload.fallback_of, now)
            if held is not None:
                return held
        distribution, recorded = await asyncio.gather(
            self._distribution_of(dispatch, now), self._words.get((dispatch.organisation, dispatch.person), now)
        )  # at once, so that a batch that asks together reads together
        if dispatch.chunk is not None:
            answer = self._by_state(dispatch, distribution)
            if answer is not None:
                return answer
            peak = parse_windows(distribution.planned.peak) if distribution is not None else ()
        passenger = Passenger(
            channel=dispatch.channel,
            country=dispatch.payload.country,
            given=given_in(dispatch.payload),
            recorded=recorded,
            peak=peak,
            exempt_from_consent=dispatch.payload.exempt,
            session_text=session_text,
            session_until=await self._session_until(dispatch, number, now) if session_text else None,
            has_template=dispatch.payload.alternative is not None,
        )
        match gate(passenger, now):
            case Go(as_template=as_template):
                answer = await self._within_limit(dispatch, number, now, as_template=as_template)
                return replace(answer, peak=peak)
            case NotBefore(at=at):
                return Answer(verdict=Verdict.LATER, at=at)
            case Never(reason=reason):
                return Answer(verdict=Verdict.NEVER, reason=reason)

    @staticmethod
    def is_open(dispatch: Dispatch, admitted: Answer, at: datetime) -> bool:
        """Whether the hours in which it was admitted last until then. Asks nobody."""
        return earliest_open(dispatch.channel, dispatch.payload.country, at, admitted.peak) <= at

    async def _by_parent(self, organisation: str, message_id: str, now: datetime) -> Answer | None:
        """A fallback never follows a message that has arrived, read as it surely stands; it waits and ends with its
        parent's distribution, though it is not of it."""
        parent = await self._log.get(organisation, message_id)
        if parent is not None and parent.status in ARRIVED:
            return Answer(verdict=Verdict.NEVER, reason="cancelled")
        if parent is None or parent.distribution_id is None:
            return None
        distribution = await self._states.get((organisation, parent.distribution_id), now)
        if distribution is None or distribution.status is DistributionStatus.CANCELLED:
            return Answer(verdict=Verdict.NEVER, reason="cancelled")
        if distribution.status not in MAY_LEAVE:
            return Answer(verdict=Verdict.LATER, at=now + WHILE_PAUSED)
        return None

    async def _distribution_of(self, dispatch: Dispatch, now: datetime) -> Distribution | None:
        if dispatch.chunk is None:
            return None
        return await self._states.get((dispatch.organisation, dispatch.chunk.distribution_id), now)

    async def _session_until(
        self, dispatch: Dispatch, number: WhatsAppIntegration | None, now: datetime
    ) -> datetime | None:
        return await self._room.session_until(number, dispatch.person, now) if number and self._room else None

    async def _within_limit(
        self, dispatch: Dispatch, number: WhatsAppIntegration | None, now: datetime, *, as_template: bool
    ) -> Answer:
        """Meta's messaging limit, asked last, because asking counts the person."""
        if number is not None and self._room is not None and (as_template or dispatch.payload.mode is Mode.TEMPLATE):
            full_until = await self._room.full_until(number, dispatch.person, now)
            if full_until is not None:
                return Answer(verdict=Verdict.LATER, at=full_until, reason="daily_limit")
        return Answer(verdict=Verdict.GO, as_template=as_template)

    async def stop(self, organisation: str, distribution_id: str, epoch: int, reason: str) -> bool:
        """Pause a distribution for a reason that a person can act on, if it still is at that epoch; says whether."""
        distribution = await self._distributions.get(organisation, distribution_id)
        while distribution is not None and distribution.status in RELEASING and distribution.epoch == epoch:
            if await self._distributions.save(distribution.paused(reason)) is not None:
                self._telemetry.trouble(
                    "distribution_stopped", organisation=organisation, distribution_id=distribution_id, reason=reason
                )
                return True
            distribution = await self._distributions.get(organisation, distribution_id)
        return False

    @staticmethod
    def _by_state(dispatch: Dispatch, distribution: Distribution | None) -> Answer | None:
        if distribution is None or distribution.status is DistributionStatus.CANCELLED:
            return Answer(verdict=Verdict.NEVER, reason="cancelled")
        if distribution.status not in MAY_LEAVE or dispatch.epoch != distribution.epoch:
            return Answer(verdict=Verdict.LEFT)
        return None

    async def _read_distributions(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Distribution]:
        found = await self._distributions.get_many(keys)
        return {(one.organisation, one.distribution_id): one for one in found.values()}
