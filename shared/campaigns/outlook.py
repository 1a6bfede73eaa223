"""What planning foretold of a distribution, as it stands now: when it will be through, and which warnings still hold.

Units are bought, limits are raised, and a distribution stands still: what was true when it was planned is not any more.

When a distribution will be through: its runs, one after the other, on the rate limit's bulk share, in open hours
only.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.base.caches import TtlCache
from shared.base.instants import Clock, from_microseconds
from shared.base.refusal import ApiWarning
from shared.campaigns.distribution import RELEASING, Counts, Distribution, DistributionStatus
from shared.integrations.balances import Balance, Balances, units_missing
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.integrations.ports import Integrations
from shared.messages.errors import SendError
from shared.messages.payload import Channel
from shared.messages.status import Status
from shared.pacing.daily_limit import NumberReader
from shared.pacing.ports import RateLimits
from shared.pacing.rate_limit import CYCLE, SLOTS, SPAN
from shared.policy.gate import closed_hours, earliest_open
from shared.policy.hours import Window, closes_at, parse_windows
from shared.recipients.countries import COVERED
from shared.sending.channel import settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The rows of one run. `country` is any of its zone."""

    country: str
    rows: int


def bulk_seconds(rows: int, rate: int) -> float:
    """How long the bulk share of a lane takes for so many messages."""
    return rows * CYCLE * SPAN / ((CYCLE - 1) * SLOTS * rate * 1_000_000)


def estimated_end(
    loads: Sequence[Load], channel: Channel, *, start: datetime, rate: int, peak: tuple[Window, ...] = ()
) -> datetime:
    """The instant of the last departure, if nothing else is on the lane after `start` and nobody pauses."""
    waiting = {load.country: bulk_seconds(load.rows, rate) for load in loads if load.rows}
    now = start
    while waiting:
        opens = {country: earliest_open(channel, country, now, peak) for country in waiting}
        country = min(waiting, key=lambda one: opens[one])
        now = max(now, opens[country])
        closes = _closes(channel, country, now, peak)
        remaining = waiting.pop(country)
        stays = remaining if closes is None else min(remaining, (closes - now).total_seconds())
        now += timedelta(seconds=stays)
        if remaining > stays:
            waiting[country] = remaining - stays
    return now


def _closes(channel: Channel, country: str, instant: datetime, peak: tuple[Window, ...]) -> datetime | None:
    if channel is not Channel.SMS:
        return None
    return closes_at(instant, COVERED[country].zone, closed_hours(country, peak))


BALANCE_KNOWN_FOR = timedelta(seconds=15)
"""How old a known balance may be: a page of distributions asks the provider once."""

_OF_THE_ACCOUNT = ("units_insufficient", "daily_limit_exceeded")
"""Warnings about what the provider's account may still send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """`estimated_end` is None while it cannot be told: it is paused, something is held, or it is over."""

    estimated_end: datetime | None
    warnings: tuple[ApiWarning, ...]


class Outlook:
    """Reads; changes nothing. For one worker: settings and balances are read once for many distributions."""

    def __init__(
        self,
        integrations: Integrations,
        rate_limits: RateLimits,
        balances: Balances,
        number: NumberReader,
        clock: Clock,
    ) -> None:
        self._integrations = integrations
        self._rate_limits = rate_limits
        self._balances = balances
        self._number = number
        self._clock = clock
        self._known = TtlCache(self._read_balances, BALANCE_KNOWN_FOR)

    async def of(self, distribution: Distribution, counts: Counts) -> Foretold:
        """`counts`: what has become of its rows, as they are shown."""
        plan = distribution.planned
        if distribution.status not in (DistributionStatus.PLANNED, DistributionStatus.PAUSED, *RELEASING):
            return Foretold(estimated_end=None, warnings=_without_account(plan.warnings))
        integration = await settings_of(self._integrations, distribution.organisation, distribution.channel)
        if integration is None:
            return Foretold(estimated_end=None, warnings=plan.warnings)
        return Foretold(
            estimated_end=await self._end(distribution, integration),
            warnings=await self._warnings(distribution, integration, counts),
        )

    async def _end(
        self, distribution: Distribution, integration: WhatsAppIntegration | SmsIntegration
    ) -> datetime | None:
        """What is released leaves as it is booked; the rest after all that is booked on the rate limit."""
        runs = distribution.planned.runs
        waits = distribution.status is DistributionStatus.PAUSED or distribution.status_reason is not None
        if waits or any(run.hold is not None for run in runs) or not runs:
            return None
        now = self._clock.now()
        rate_limit = await self._rate_limits.state(integration.rate_limit)
        released = max(now, distribution.last_send_slot or now)
        waiting = [Load(country=run.country, rows=sum(run.sizes(run.chunks))) for run in runs]
        if not any(load.rows for load in waiting):
            return released
        wished = max(now, distribution.schedule.at or now)
        last = estimated_end(
            waiting,
            distribution.channel,
            start=max(wished, from_microseconds(max(rate_limit.next_bulk, rate_limit.not_before))),
            rate=rate_limit.rate(integration.rate_per_second),
            peak=parse_windows(distribution.planned.peak),
        )
        return max(last, released)

    async def _warnings(
        self, distribution: Distribution, integration: WhatsAppIntegration | SmsIntegration, counts: Counts
    ) -> tuple[ApiWarning, ...]:
        """Those about the account are asked for anew, for the rows that are still to go. One that cannot be read leaves
        what planning said."""
        plan = distribution.planned
        if not any(warning.code in _OF_THE_ACCOUNT for warning in plan.warnings):
            return plan.warnings
        anew: tuple[ApiWarning, ...] | None
        if isinstance(integration, SmsIntegration):
            remaining = await self._known.get(integration.organisation, self._clock.now())
            anew = units_missing(remaining, _segments_to_go(distribution, counts)) if remaining is not None else None
        else:
            pending = counts.of(Status.PENDING) if distribution.was_confirmed else plan.accepted
            anew = await self._number.limit_warnings(integration, min(plan.people, pending))
            if any(warning.code not in _OF_THE_ACCOUNT for warning in anew):
                anew = None
        return plan.warnings if anew is None else (*_without_account(plan.warnings), *anew)

    async def _read_balances(self, organisations: Collection[str]) -> Mapping[str, Sequence[Balance]]:
        found: dict[str, Sequence[Balance]] = {}
        for organisation in organisations:
            integration = await settings_of(self._integrations, organisation, Channel.SMS)
            if isinstance(integration, SmsIntegration):
                try:
                    found[organisation] = await self._balances.of(integration)
                except SendError:
                    continue
        return found


def _segments_to_go(distribution: Distribution, counts: Counts) -> Mapping[str, int]:
    planned = {price.country: price.segments for price in distribution.planned.prices}
    return {country: needed - counts.segments.get(country, 0) for country, needed in planned.items()}


def _without_account(warnings: Sequence[ApiWarning]) -> tuple[ApiWarning, ...]:
    return tuple(warning for warning in warnings if warning.code not in _OF_THE_ACCOUNT)
