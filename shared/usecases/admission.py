"""Brings the gate its facts just before the call: the distribution's state and epoch, consent, the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.consent import Consent, Given
from shared.domain.dispatch import Dispatch
from shared.domain.distribution import RELEASING, Distribution, DistributionStatus
from shared.domain.gate import Go, Never, NotBefore, Passenger, gate
from shared.domain.hours import Window, parse_windows
from shared.usecases.ports import Distributions, People, Telemetry

FRESH = timedelta(seconds=1)
"""How old the facts may be when the call is made."""


class Verdict(StrEnum):
    """`left`: the message stays pending and its distribution will release it again."""

    GO = "go"
    LATER = "later"
    LEFT = "left"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`at` goes with `later`, `reason` with `never`."""

    verdict: Verdict
    at: datetime | None = None
    reason: str = ""


class Admission:
    """Asks the gate for messages that are about to leave."""

    def __init__(self, distributions: Distributions, people: People, telemetry: Telemetry) -> None:
        self._distributions = distributions
        self._people = people
        self._telemetry = telemetry
        self._read: dict[tuple[str, str], tuple[datetime, Distribution | None]] = {}
        self._heard: dict[tuple[str, str], tuple[datetime, Consent | None]] = {}

    async def ask(self, dispatch: Dispatch, now: datetime) -> Answer:
        """Whether this copy may leave now."""
        peak: tuple[Window, ...] = ()
        if dispatch.chunk is not None:
            distribution = await self._distribution(dispatch, dispatch.chunk.distribution_id, now)
            answer = self._by_state(dispatch, distribution)
            if answer is not None:
                return answer
            peak = parse_windows(distribution.planned.peak) if distribution is not None else ()
        passenger = Passenger(
            channel=dispatch.channel,
            country=dispatch.payload.country,
            given=Given(granted=dispatch.payload.consented, at=dispatch.payload.consented_at),
            recorded=await self._consent(dispatch, now),
            peak=peak,
            exempt_from_consent=dispatch.test,
        )
        match gate(passenger, now):
            case Go():
                return Answer(verdict=Verdict.GO)
            case NotBefore(at=at):
                return Answer(verdict=Verdict.LATER, at=at)
            case Never(reason=reason):
                return Answer(verdict=Verdict.NEVER, reason=reason)

    async def stop(self, organisation: str, distribution_id: str, epoch: int, reason: str) -> None:
        """Pause a distribution for a reason that a person can act on, if it still is at that epoch."""
        distribution = await self._distributions.get(organisation, distribution_id)
        while distribution is not None and distribution.status in RELEASING and distribution.epoch == epoch:
            if await self._distributions.save(distribution.paused(reason)) is not None:
                self._telemetry.trouble("distribution_stopped", distribution_id=distribution_id, reason=reason)
                return
            distribution = await self._distributions.get(organisation, distribution_id)

    @staticmethod
    def _by_state(dispatch: Dispatch, distribution: Distribution | None) -> Answer | None:
        if distribution is None or distribution.status is DistributionStatus.CANCELLED:
            return Answer(verdict=Verdict.NEVER, reason="cancelled")
        if distribution.status not in RELEASING or dispatch.epoch != distribution.epoch:
            return Answer(verdict=Verdict.LEFT)
        return None

    async def _distribution(self, dispatch: Dispatch, distribution_id: str, now: datetime) -> Distribution | None:
        key = (dispatch.organisation, distribution_id)
        known = self._read.get(key)
        if known is None or now - known[0] > FRESH:
            known = (now, await self._distributions.get(*key))
            self._read[key] = known
        return known[1]

    async def _consent(self, dispatch: Dispatch, now: datetime) -> Consent | None:
        key = (dispatch.organisation, dispatch.person)
        known = self._heard.get(key)
        if known is None or now - known[0] > FRESH:
            self._heard = {old: word for old, word in self._heard.items() if now - word[0] <= FRESH}
            known = (now, (await self._people.consents(dispatch.organisation, [dispatch.person])).get(dispatch.person))
            self._heard[key] = known
        return known[1]
