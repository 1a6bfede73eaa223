"""Plans a distribution: checks every row, stores the accepted ones in chunks, and stores why the others are rejected.

Nothing is sent, and nothing is visible before the plan is taken. A planning run that dies leaves objects that are never
read and that expire. Its memory is bounded: a window of rows, one open chunk for each run, some chunks that are being
written, up to three slots of 20 bytes a row against duplicates, and for WhatsApp 16 bytes more a row (bench/planning.py
measures it).
"""

from array import array
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.base.concurrency import Writes
from shared.base.ids import row_message_id
from shared.base.instants import from_microseconds
from shared.base.refusal import ApiWarning, FieldError
from shared.campaigns.distribution import (
    AUTO_OFF_PEAK_ABOVE,
    CHUNK_ROWS,
    CountryPrice,
    Distribution,
    FallbackCost,
    Plan,
    Run,
    ScheduleMode,
)
from shared.campaigns.reading import Load, estimated_end
from shared.campaigns.runs import RunKind, fitting_kind, kind_of
from shared.campaigns.samples import SampleChoice
from shared.campaigns.stored_content import PlannedRow, Plans
from shared.cards.probe import CardProbe, CardSample
from shared.duplicates.already_sent import Comparison, DuplicateRows
from shared.duplicates.dedupe_key import DigestCount
from shared.integrations.balances import Balances, units_warnings
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.message import Chunk, Price
from shared.messages.payload import Channel, Mode, Payload
from shared.pacing.daily_limit import NumberReader
from shared.pacing.rate_limit import RateLimits
from shared.policy.eligibility import Accepted, Eligibility, Frame, Rejected, Row
from shared.policy.gate import earliest_open
from shared.policy.hours import Window, parse_windows
from shared.policy.setting import Settings
from shared.texts.composition import PRICE_MISSING, Composed, price_missing

_WINDOW = 500
"""Rows checked together: five look-ups of a hundred consents."""

_HEAVY = 2 * 1024 * 1024
"""After this many characters a window has fewer rows: parsed rows may take thirty times as much memory."""

_WRITES_AT_ONCE = 16
"""Chunks that are written in parallel. One after the other, writing ten thousand chunks would take longer than making
them."""

_FIELD_ERRORS_A_PART = 1000

_RECENT_CARD = timedelta(hours=24)


@dataclass(slots=True, kw_only=True)
class _OpenRun:
    index: int
    kind: RunKind
    buffer: list[PlannedRow] = field(default_factory=list)
    rows: int = 0
    chunks: int = 0


@dataclass(slots=True, kw_only=True)
class _Tally:
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    countries: Counter[str] = field(default_factory=Counter)
    segments: Counter[str] = field(default_factory=Counter)
    amounts: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)
    unpriced: set[str] = field(default_factory=set)
    """Countries whose SMS, also as fallbacks, have no price."""
    outside_sessions: DigestCount = field(default_factory=DigestCount)
    """People who count against Meta's daily limit."""
    fallback_segments: Counter[str] = field(default_factory=Counter)
    fallback_amounts: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    generated: array[float] = field(default_factory=lambda: array("d"))
    cards: CardSample = field(default_factory=CardSample)

    def add(self, composed: Composed, person: str) -> None:
        self.accepted += 1
        self.countries[composed.phone.country] += 1
        if composed.payload.card_image is not None:
            self.cards.add(composed.payload.card_image)
        if composed.payload.mode is Mode.TEMPLATE:
            self.outside_sessions.add(bytes.fromhex(person))
        country = composed.phone.country
        self.segments[country] += composed.measured.segments if composed.measured else 0
        _add_price(self.amounts, country, composed.price)
        if composed.fallback_segments is not None:
            self.fallback_segments[country] += composed.fallback_segments
            _add_price(self.fallback_amounts, country, composed.fallback_price)
        for warning in composed.warnings:
            self.warnings[warning.code] += 1
            if warning.code == PRICE_MISSING:
                self.unpriced.add(country)
        if composed.card_generated_at is not None:
            self.generated.append(composed.card_generated_at.timestamp())


def _add_price(amounts: dict[str, tuple[str, Decimal]], country: str, price: Price | None) -> None:
    if price is not None:
        _, amount = amounts.get(country, ("", Decimal(0)))
        amounts[country] = (price.currency, amount + price.amount)


class Planner:
    """Plans distributions, one after the other."""

    def __init__(
        self,
        eligibility: Eligibility,
        plans: Plans,
        rate_limits: RateLimits,
        balances: Balances,
        number: NumberReader,
        probe: CardProbe,
    ) -> None:
        self._eligibility = eligibility
        self._plans = plans
        self._rate_limits = rate_limits
        self._balances = balances
        self._number = number
        self._probe = probe

    async def plan(
        self,
        distribution: Distribution,
        windows: AsyncIterable[Sequence[Row]],
        frame: Frame,
        settings: Settings,
        now: datetime,
        *,
        comparison: Comparison | None = None,
    ) -> Plan:
        """The plan of all rows, which come in windows (`in_windows`). Its chunks and rejected rows are written under
        the distribution's attempt.

        `comparison`: how duplicates are found; None: the rows are compared with each other only.
        """
        run = _PlanningRun(distribution, self._plans, comparison or Comparison())
        try:
            async for window in windows:
                row_results = await self._eligibility.check_rows(distribution.organisation, window, frame, now)
                await run.duplicates.look_ahead(row_results)
                for row_result in row_results:
                    await run.take(row_result)
            await run.close()
        finally:
            await run.abandon()
        plan = await self._summed_up(run, distribution, settings, now)
        return replace(plan, fallback=_fallback_cost(run.tally)) if frame.fallback is not None else plan

    async def _summed_up(
        self, run: "_PlanningRun", distribution: Distribution, settings: Settings, now: datetime
    ) -> Plan:
        tally = run.tally
        off_peak = distribution.schedule.is_off_peak(distribution.channel, tally.accepted)
        peak = settings.sms.peak_hours if off_peak and settings.sms else ()
        windows = parse_windows(peak)
        wished = max(now, distribution.schedule.at or now)
        runs = run.all_runs()
        starts = [earliest_open(distribution.channel, one.country, wished, windows) for one in runs]
        # First, because an answer of the provider makes the organisation a member of its account, and the account's
        # rate decides on the end.
        people = tally.outside_sessions.different()
        budgets = await self._budgets(tally, people, distribution, settings)
        end = await self._end(runs, distribution, settings, min(starts), windows) if starts else None
        return Plan(
            attempt=distribution.attempt,
            runs=runs,
            accepted=tally.accepted,
            rejected=tally.rejected,
            duplicates=tally.duplicates,
            segments=tally.segments.total() if distribution.channel is Channel.SMS else None,
            prices=_prices(tally.segments, tally.amounts) if distribution.channel is Channel.SMS else (),
            warnings=_each_once(*_warnings(tally, distribution, settings, end), *budgets),
            countries=tuple(sorted(tally.countries.items())),
            peak=peak,
            starts_at=min(starts, default=None),
            estimated_end=end,
            people=people,
            samples=run.samples.chosen(),
        )

    async def _budgets(
        self, tally: _Tally, people: int, distribution: Distribution, settings: Settings
    ) -> tuple[ApiWarning, ...]:
        """Warnings about what may keep messages from arriving: Meta's daily limit, cards that cannot be fetched,
        Orange's units."""
        if isinstance(settings.channel, WhatsAppIntegration):
            limit = await self._number.limit_warnings(settings.channel, people)
            return (*limit, *await self._probe.warnings(tally.cards.chosen(), distribution.organisation))
        if distribution.channel is not Channel.SMS or settings.sms is None:
            return ()
        return await units_warnings(self._balances, settings.sms, tally.segments)

    async def _end(
        self,
        runs: Sequence[Run],
        distribution: Distribution,
        settings: Settings,
        start: datetime,
        windows: tuple[Window, ...],
    ) -> datetime:
        rate_limit = await self._rate_limits.state(settings.channel.rate_limit)
        return estimated_end(
            [Load(country=run.country, rows=run.rows) for run in runs],
            distribution.channel,
            start=max(start, from_microseconds(max(rate_limit.next_bulk, rate_limit.not_before))),
            rate=rate_limit.rate(settings.channel.rate_per_second),
            peak=windows,
        )


class _PlanningRun:
    """Sorts results into chunks, duplicates and rejected rows, and writes each part as soon as it is full."""

    def __init__(self, distribution: Distribution, plans: Plans, comparison: Comparison) -> None:
        self.tally = _Tally()
        self.samples = SampleChoice()
        self._distribution = distribution
        self._plans = plans
        self._writes = Writes(_WRITES_AT_ONCE)
        self.duplicates = DuplicateRows(distribution, plans, self._writes, comparison)
        self._runs: dict[RunKind, _OpenRun] = {}
        self._field_errors: list[FieldError] = []
        self._parts = 0

    async def take(self, row_result: Accepted | Rejected) -> None:
        if isinstance(row_result, Rejected):
            self.tally.rejected += 1
            self._field_errors.extend(row_result.field_errors)
            if len(self._field_errors) >= _FIELD_ERRORS_A_PART:
                await self._write_field_errors()
        elif await self.duplicates.has(row_result):
            self.tally.duplicates += 1
        else:
            self.tally.add(row_result.composed, row_result.person)
            await self._store(row_result)

    async def close(self) -> None:
        for run in self._runs.values():
            if run.buffer:
                await self._write_chunk(run)
        if self._field_errors:
            await self._write_field_errors()
        await self.duplicates.close()
        await self._writes.finish()

    async def abandon(self) -> None:
        """End all writes under way, after success and after a failure."""
        await self._writes.abandon()

    def all_runs(self) -> tuple[Run, ...]:
        return tuple(
            Run(
                country=run.kind.country,
                template=run.kind.template,
                card_host=run.kind.card_host,
                rows=run.rows,
                chunks=run.chunks,
            )
            for run in self._runs.values()
        )

    async def _store(self, accepted: Accepted) -> None:
        payload = accepted.composed.payload
        run = self._run_of(payload)
        self.samples.add(payload, run=run.index, chunk=run.chunks, row=accepted.row)
        run.buffer.append(_planned(self._distribution.distribution_id, accepted))
        run.rows += 1
        if len(run.buffer) == CHUNK_ROWS:
            await self._write_chunk(run)

    def _run_of(self, payload: Payload) -> _OpenRun:
        kind = fitting_kind(kind_of(payload), self._runs)
        if kind not in self._runs:
            self._runs[kind] = _OpenRun(index=len(self._runs), kind=kind)
        return self._runs[kind]

    async def _write_chunk(self, run: _OpenRun) -> None:
        chunk = Chunk(distribution_id=self._distribution.distribution_id, run=run.index, number=run.chunks)
        kept = self._plans.write_chunk(self._distribution.organisation, self._distribution.attempt, chunk, run.buffer)
        await self._writes.start(kept)
        run.chunks += 1
        run.buffer = []

    async def _write_field_errors(self) -> None:
        kept = self._plans.write_field_errors(
            self._distribution.organisation,
            self._distribution.distribution_id,
            self._distribution.attempt,
            self._parts,
            self._field_errors,
        )
        await self._writes.start(kept)
        self._parts += 1
        self._field_errors = []


async def in_windows(rows: Iterable[Row]) -> AsyncIterator[Sequence[Row]]:
    """The rows of a request or a file, some together."""
    window: list[Row] = []
    weight = 0
    for row in rows:
        window.append(row)
        weight += row.weight
        if len(window) == _WINDOW or weight >= _HEAVY:
            yield window
            window, weight = [], 0
    if window:
        yield window


def _planned(distribution_id: str, accepted: Accepted) -> PlannedRow:
    composed = accepted.composed
    return PlannedRow(
        row=accepted.row,
        message_id=row_message_id(distribution_id, accepted.row),
        person=accepted.person,
        recipient=composed.phone.masked,
        country=composed.phone.country,
        enrollment_id=composed.enrollment_id,
        segments=composed.measured.segments if composed.measured else None,
        price=composed.price,
        payload=composed.payload,
    )


def _prices(segments: Mapping[str, int], amounts: Mapping[str, tuple[str, Decimal]]) -> tuple[CountryPrice, ...]:
    return tuple(
        CountryPrice(
            country=country,
            currency=amounts[country][0] if country in amounts else None,
            amount=amounts[country][1] if country in amounts else None,
            segments=count,
        )
        for country, count in sorted(segments.items())
    )


def _fallback_cost(tally: _Tally) -> FallbackCost:
    segments = tally.fallback_segments
    return FallbackCost(segments=segments.total(), prices=_prices(segments, tally.fallback_amounts))


def _warnings(
    tally: _Tally, distribution: Distribution, settings: Settings, end: datetime | None
) -> tuple[ApiWarning, ...]:
    unpriced = tally.warnings.pop(PRICE_MISSING, 0)
    found = [ApiWarning(code=code, count=count) for code, count in sorted(tally.warnings.items())]
    found += price_missing(tally.unpriced, unpriced) if unpriced else ()
    at_once = distribution.schedule.mode is ScheduleMode.NOW and distribution.channel is Channel.SMS
    has_peak_hours = settings.sms is not None and bool(settings.sms.peak_hours)
    if at_once and has_peak_hours and tally.accepted > AUTO_OFF_PEAK_ABOVE:
        found.append(ApiWarning(code="peak_hours", count=tally.accepted))
    if end is not None:
        oldest = (end - _RECENT_CARD).timestamp()
        old = sum(1 for generated in tally.generated if generated < oldest)
        found += [ApiWarning(code="cards_older_than_24h", count=old)] if old else []
    return tuple(found)


def _each_once(*warnings: ApiWarning) -> tuple[ApiWarning, ...]:
    """The first warning of each code. Warnings about different countries, or about other facts, are all kept."""
    kept = {(one.code, one.facts.get("country"), *one.facts): one for one in reversed(warnings)}
    return tuple(kept.values())[::-1]
