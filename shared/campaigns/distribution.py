"""A distribution: one campaign's messages on one channel, planned whole and released chunk by chunk."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from shared.base.json import JsonValue
from shared.base.refusal import ApiWarning
from shared.holds.hold import RunHold
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.policy.gate import earliest_open
from shared.policy.hours import parse_windows
from shared.texts.content import Content, FallbackOrder

CHUNK_ROWS = 100
"""Messages a chunk holds: 22 s of Orange's lane, so that a run ends close to its window's end."""

CHUNKS_AT_ONCE = 8
"""At most so many of a run are logged, or released, before that is written down. With more, more is done again where a
worker dies; with fewer, each waits for a dozen answers of AWS. As many as leave in a turn at 80 a second."""

AUTO_OFF_PEAK_ABOVE = 10_000
"""More SMS than this leave outside peak hours (product.md)."""

UNCONFIRMED_LIFE = timedelta(days=7)

MOST_RUNS = 64
"""Rows of further card hosts share a run, so that a list with a host a row does not get a run a row."""


class DistributionStatus(StrEnum):
    """Where a distribution is (api.md, the table of actions)."""

    PLANNING = "planning"
    PLANNED = "planned"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class Action(StrEnum):
    """What a person can do to a distribution."""

    CONFIRM = "confirm"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class Outcome(StrEnum):
    """What an action does in a given status."""

    CONFLICT = "conflict"
    UNCHANGED = "unchanged"
    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"


_S, _A, _O = DistributionStatus, Action, Outcome

_ACTIONS: dict[DistributionStatus, tuple[Outcome, Outcome, Outcome, Outcome]] = {
    #                 confirm       pause         resume        cancel
    _S.PLANNING: (_O.CONFLICT, _O.CONFLICT, _O.CONFLICT, _O.CANCEL),
    _S.PLANNED: (_O.RUN, _O.CONFLICT, _O.CONFLICT, _O.CANCEL),
    _S.SCHEDULED: (_O.UNCHANGED, _O.PAUSE, _O.UNCHANGED, _O.CANCEL),
    _S.SENDING: (_O.UNCHANGED, _O.PAUSE, _O.UNCHANGED, _O.CANCEL),
    _S.PAUSED: (_O.CONFLICT, _O.UNCHANGED, _O.RUN, _O.CANCEL),
    _S.COMPLETED: (_O.CONFLICT, _O.CONFLICT, _O.CONFLICT, _O.CONFLICT),
    _S.REJECTED: (_O.CONFLICT, _O.CONFLICT, _O.CONFLICT, _O.CONFLICT),
    _S.CANCELLED: (_O.CONFLICT, _O.CONFLICT, _O.CONFLICT, _O.UNCHANGED),
}


def outcome_of(action: Action, status: DistributionStatus) -> Outcome:
    """The cell of api.md's table."""
    return _ACTIONS[status][list(Action).index(action)]


PAUSED_BY_USER = "paused_by_user"

TRYING = timedelta(seconds=90)
"""How long a distribution counts as sending after a person has resumed it, while its held rows are tried."""

RELEASING = (DistributionStatus.SCHEDULED, DistributionStatus.SENDING)
"""Statuses in which messages are released."""

MAY_LEAVE = (*RELEASING, DistributionStatus.COMPLETED)
"""Statuses in which one that is on its way may leave: of a completed one only what the provider sent back, to go once
more as a template."""


class ScheduleMode(StrEnum):
    """When a distribution wants to leave."""

    AUTO = "auto"
    NOW = "now"
    OFF_PEAK = "off_peak"
    AT = "at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`at` goes with mode `at` only."""

    mode: ScheduleMode = ScheduleMode.AUTO
    at: datetime | None = None

    def is_off_peak(self, channel: Channel, messages: int) -> bool:
        """Whether peak hours are closed to it: asked for, or by itself beyond 10,000 SMS."""
        if channel is not Channel.SMS:
            return False
        by_itself = self.mode is ScheduleMode.AUTO and messages > AUTO_OFF_PEAK_ABOVE
        return self.mode is ScheduleMode.OFF_PEAK or by_itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The rows of one country, one template language and one card host: what a hold may hold by itself.

    Chunks below `logged` are in the log; those below `released` on the channel queue.
    """

    country: str
    """Empty only in the run that takes the rows of every further country, once there are `MOST_RUNS`."""
    rows: int
    chunks: int
    template: str | None = None
    """The WhatsApp template that its messages call, with its language: "vaccination_card/fr". None: several or none."""
    card_host: str | None = None
    """Where their cards lie, a host or `s3://<bucket>`; None: on several hosts, or there is no card."""
    logged: int = 0
    released: int = 0
    epoch: int = 0
    """Raised when a hold of it ends: what was released before no longer leaves by itself."""
    generation: int = 0
    """Of the holds on its scopes when it was last rewound (`shared.holds.hold`)."""
    hold: RunHold | None = None

    @property
    def is_released(self) -> bool:
        """Whether every chunk is on the queue."""
        return self.released >= self.chunks

    def rows_in(self, chunk: int) -> int:
        """How many messages a chunk holds."""
        return min(CHUNK_ROWS, self.rows - chunk * CHUNK_ROWS)

    def first_pending(self, index: int, settled: Mapping[tuple[int, int], int]) -> int:
        """The first chunk of which not every row has left `pending`. `index`: the run's own place; `settled`: (run,
        chunk) → how many rows have left `pending` there."""
        chunks = range(self.chunks)
        return next((one for one in chunks if settled.get((index, one), 0) < self.rows_in(one)), self.chunks)

    def pending_rows(self, index: int, settled: Mapping[tuple[int, int], int]) -> int:
        """How many rows have not left `pending`; the arguments as in `first_pending`."""
        return max(0, self.rows - sum(settled.get((index, chunk), 0) for chunk in range(self.chunks)))

    def rewound(self, index: int, settled: Mapping[tuple[int, int], int]) -> "Run":
        """To be released again from the first chunk with pending rows on; the arguments as in `first_pending`."""
        return dataclasses.replace(self, released=min(self.released, self.first_pending(index, settled)))

    def sizes(self, at_most: int) -> list[int]:
        """How many messages each of the next chunks holds that are to be released, of so many chunks at most."""
        return [self.rows_in(chunk) for chunk in range(self.released, min(self.released + at_most, self.chunks))]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryPrice:
    """What a distribution costs in one country; `amount` and `currency` are unknown without the contract's price."""

    country: str
    currency: str | None
    amount: Decimal | None
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackCost:
    """What the fallbacks of a distribution cost if each of its messages needs one."""

    segments: int
    prices: tuple[CountryPrice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An uploaded file, pinned to the version that was there when the distribution was made."""

    object_key: str
    version: str
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the client asked for, but for inline rows. May hold personal data: it is frozen beside the chunks."""

    content: Content
    defaults: Mapping[str, JsonValue] = field(repr=False)
    upload: Upload | None = None
    skip_already_sent: bool = False
    """Rows whose number and card this campaign has reached, or is about to, count as duplicates."""
    fallback: FallbackOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What planning found. Frozen once the distribution is `planned`; `attempt` names the objects that it wrote."""

    attempt: int
    runs: tuple[Run, ...]
    accepted: int
    rejected: int
    duplicates: int
    segments: int | None
    prices: tuple[CountryPrice, ...]
    warnings: tuple[ApiWarning, ...]
    peak: tuple[tuple[str, str], ...]
    """Hours that are closed to it besides the quiet ones, in each zone's own time; empty unless it is off-peak."""
    starts_at: datetime | None
    estimated_end: datetime | None
    compared_at: datetime | None = None
    """When planning began to read what the campaign had sent; None if it was not asked to."""
    countries: tuple[tuple[str, int], ...] = ()
    """How many of the accepted go to each country."""
    fallback: FallbackCost | None = None
    """None where no fallback was asked for."""
    people: int = 0
    """How many count against Meta's daily limit."""

    @property
    def logged_rows(self) -> int:
        """How many rows are in the log, chunk by chunk."""
        return sum(run.rows_in(number) for run in self.runs for number in range(run.logged))


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One item of the state table: the aggregate that every step of a bulk send is conditional on."""

    organisation: str
    distribution_id: str
    campaign_id: str
    channel: Channel
    schedule: Schedule
    confirm: bool
    """Asked for with the request: sending starts as soon as the plan stands."""
    request_hash: str
    status: DistributionStatus
    created_at: datetime
    order: str = ""
    """The name of what was asked for, which is kept beside the chunks (`shared.campaigns.stored_content.Plans`)."""
    upload_id: str | None = None
    """The uploaded file that it is planned from; None where the rows came with the request."""
    attempt: int = 1
    """Counts the planning runs: each writes under its own prefix, and only the latest one's plan is taken."""
    planning_until: datetime | None = None
    """The lease of the planning run under way."""
    planner: str = ""
    """The random token of the latest who took up planning: two who do so at once never write the same item."""
    epoch: int = 0
    """Raised by confirm, pause and resume: what was released under an older one no longer leaves."""
    status_reason: str | None = None
    plan: Plan | None = None
    completed_at: datetime | None = None
    due_at: datetime | None = None
    """When the tick looks at it next."""
    skip_already_sent: bool = False
    """Rows that its campaign has sent already are left out, at planning and when they are logged."""
    confirmed_at: datetime | None = None
    """When it was first confirmed."""
    template: str | None = None
    """The name of the template it was made with: what Meta does to that one stops this."""
    last_send_slot: datetime | None = None
    """The latest that was booked for any of its messages when they were released."""
    trying_until: datetime | None = None
    """A person has resumed it, and its held rows are being tried until then: so long it is not shown as paused."""
    swept: bool = False
    """Cancelled, and a first pass has ended what was pending."""
    revision: int = 0
    """Raised by every write: whoever changes the item names the one it has read."""

    def with_run(self, index: int, run: Run) -> "Distribution":
        """The same distribution with one run replaced."""
        plan = self.planned
        runs = (*plan.runs[:index], run, *plan.runs[index + 1 :])
        return dataclasses.replace(self, plan=dataclasses.replace(plan, runs=runs))

    def confirmed(self, now: datetime) -> "Distribution":
        """Release may begin; before its start it is scheduled. A start that was planned may have passed meanwhile, and
        its hours with it: confirmed in the evening, it waits for the morning."""
        starts_at = max(self.planned.starts_at or now, self.opens(now))
        return dataclasses.replace(
            self,
            status=DistributionStatus.SCHEDULED if starts_at > now else DistributionStatus.SENDING,
            epoch=self.epoch + 1,
            confirmed_at=self.confirmed_at or now,
            due_at=starts_at,
        )

    def opens(self, now: datetime) -> datetime:
        """When the first of its runs with messages to release may leave. Runs that are held wait for something else."""
        wished = max(now, self.schedule.at or now)
        peak = parse_windows(self.planned.peak)
        waiting = (run for run in self.planned.runs if not run.is_released and run.hold is None)
        return min((earliest_open(self.channel, run.country, wished, peak) for run in waiting), default=now)

    @property
    def is_held(self) -> bool:
        """Paused by holds alone: it goes on by itself when one of them ends."""
        return self.status is DistributionStatus.PAUSED and self.status_reason != PAUSED_BY_USER

    @property
    def is_releasing(self) -> bool:
        """Whether release brings it forward: it is not paused by a person, and not over."""
        return self.status in RELEASING or self.is_held

    @property
    def may_leave(self) -> bool:
        """Whether a message of it that is on its way may leave, as far as its status goes."""
        return self.status in MAY_LEAVE or self.is_held

    def epoch_of(self, run: int) -> int:
        """What a message of the run carries when it is released. Both parts only rise, so that the sum says whether
        one of them did."""
        return self.epoch + self.planned.runs[run].epoch

    def paused(self, reason: str) -> "Distribution":
        """Nothing more is released, for that reason. `PAUSED_BY_USER` lasts until a person resumes, and what is on its
        way carries an old epoch. The reason of a hold ends with the hold: the tick goes on looking, and the epochs of
        the runs say what may leave."""
        paused = dataclasses.replace(self, status=DistributionStatus.PAUSED, status_reason=reason, trying_until=None)
        return paused if paused.is_held else dataclasses.replace(paused, epoch=self.epoch + 1, due_at=None)

    def resumed(self, now: datetime, settled: Mapping[tuple[int, int], int]) -> "Distribution":
        """Releases again, each run from its first chunk with pending rows. `settled`: (run, chunk) → how many rows have
        left `pending` there. Held runs stay held; they are being tried."""
        runs = tuple(run.rewound(index, settled) for index, run in enumerate(self.planned.runs))
        plan = dataclasses.replace(self.planned, runs=runs)
        held = any(run.hold is not None for run in runs)
        resumed = dataclasses.replace(self, plan=plan, status_reason=None).confirmed(now)
        return dataclasses.replace(resumed, trying_until=now + TRYING if held else None)

    def cancelled(self, now: datetime) -> "Distribution":
        """Nothing more is released; `due_at` brings the sweep that ends every row. One that was never confirmed has no
        rows to end."""
        return dataclasses.replace(
            self,
            status=DistributionStatus.CANCELLED,
            status_reason=None,
            epoch=self.epoch + 1,
            due_at=now if self.was_confirmed else None,
        )

    @property
    def was_confirmed(self) -> bool:
        """Whether somebody decided to send it. Confirming raises the epoch; so does a cancel, after it or instead."""
        never = self.status is DistributionStatus.CANCELLED and self.epoch == 1
        return self.plan is not None and self.epoch > 0 and not never

    @property
    def planned(self) -> Plan:
        """The plan, where there surely is one."""
        if self.plan is None:
            raise ValueError(f"distribution {self.distribution_id} has no plan in status {self.status}")
        return self.plan


def lapsed(distribution: Distribution, now: datetime) -> Distribution:
    """Cancelled by itself: nobody confirmed it in time, or what was frozen for it is no longer kept."""
    return dataclasses.replace(distribution.cancelled(now), status_reason="expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What has become of messages: by current status, failed ones by reason, and what statistics need besides.

    `segments` is by country, `amounts` by country and currency in millionths, both of what was handed to a provider;
    `delays` by bucket (`shared.campaigns.counts`); `awaiting` are those that stand at `sent`, by the minute in which
    they were sent; `cards_within_24h` arrived within 24 hours of being generated.
    """

    by_status: dict[Status, int] = dataclasses.field(default_factory=dict)
    by_reason: dict[str, int] = dataclasses.field(default_factory=dict)
    segments: dict[str, int] = dataclasses.field(default_factory=dict)
    amounts: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)
    delays: dict[int, int] = dataclasses.field(default_factory=dict)
    awaiting: dict[int, int] = dataclasses.field(default_factory=dict)
    cards_within_24h: int = 0

    def of(self, status: Status) -> int:
        """How many are in that status."""
        return self.by_status.get(status, 0)

    @property
    def total(self) -> int:
        """How many have left `pending`."""
        return sum(self.by_status.values())

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return together((self, other))

    def minus(self, other: "Counts") -> "Counts":
        """What leads from the other to this."""
        return together((self, _negative(other)))


def together(many: Iterable[Counts]) -> Counts:
    """All of them; zeroes are left out."""
    by_status, by_reason = Counter[Status](), Counter[str]()
    segments, amounts = Counter[str](), Counter[tuple[str, str]]()
    delays, awaiting, cards = Counter[int](), Counter[int](), 0
    for one in many:
        by_status.update(one.by_status)
        by_reason.update(one.by_reason)
        segments.update(one.segments)
        amounts.update(one.amounts)
        delays.update(one.delays)
        awaiting.update(one.awaiting)
        cards += one.cards_within_24h
    return Counts(
        by_status=_without_zeroes(by_status),
        by_reason=_without_zeroes(by_reason),
        segments=_without_zeroes(segments),
        amounts=_without_zeroes(amounts),
        delays=_without_zeroes(delays),
        awaiting=_without_zeroes(awaiting),
        cards_within_24h=cards,
    )


def _negative(counts: Counts) -> Counts:
    return Counts(
        by_status={key: -count for key, count in counts.by_status.items()},
        by_reason={key: -count for key, count in counts.by_reason.items()},
        segments={key: -count for key, count in counts.segments.items()},
        amounts={key: -count for key, count in counts.amounts.items()},
        delays={key: -count for key, count in counts.delays.items()},
        awaiting={key: -count for key, count in counts.awaiting.items()},
        cards_within_24h=-counts.cards_within_24h,
    )


def _without_zeroes[K](sums: Counter[K]) -> dict[K, int]:
    return {key: count for key, count in sums.items() if count}
