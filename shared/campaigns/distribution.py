"""A distribution: one campaign's messages on one channel, planned as a whole and released chunk by chunk."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from shared.base.ids import SYSTEM
from shared.base.json import JsonValue
from shared.base.refusal import ApiWarning, FieldError
from shared.holds.hold import RunHold
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.policy.gate import earliest_open
from shared.policy.hours import parse_windows
from shared.texts.content import Content, FallbackOrder

CHUNK_ROWS = 100
"""Messages in a chunk: 22 s of Orange's rate, so that a run uses its window almost to the end."""

CHUNKS_AT_ONCE = 8
"""At most this many chunks of a run are logged or released before that is written down. With more, a dead worker causes
more repeated work; with fewer, each waits for a dozen answers of AWS. As many as one turn releases at 80 a second."""

AUTO_OFF_PEAK_ABOVE = 10_000
"""With more SMS than this, a distribution is sent outside peak hours (product.md)."""

UNCONFIRMED_LIFE = timedelta(days=7)

MOST_RUNS = 64
"""Rows of further card hosts share a run, so that a list with a different host in each row does not make a run for each
row."""


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
"""How long a distribution counts as sending after a resume, while its held rows are probed."""

RELEASING = (DistributionStatus.SCHEDULED, DistributionStatus.SENDING)
"""Statuses in which messages are released."""

MAY_LEAVE = (*RELEASING, DistributionStatus.COMPLETED)
"""Statuses in which an enqueued message may be sent. In a completed distribution these are only messages that the
provider refused later and that go once more as a template."""


class ScheduleMode(StrEnum):
    """When a distribution is to be sent."""

    AUTO = "auto"
    NOW = "now"
    OFF_PEAK = "off_peak"
    AT = "at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`at` is set only with mode `at`."""

    mode: ScheduleMode = ScheduleMode.AUTO
    at: datetime | None = None

    def is_off_peak(self, channel: Channel, messages: int) -> bool:
        """Whether peak hours are closed for it: because of its mode, or automatically above 10,000 SMS."""
        if channel is not Channel.SMS:
            return False
        by_itself = self.mode is ScheduleMode.AUTO and messages > AUTO_OFF_PEAK_ABOVE
        return self.mode is ScheduleMode.OFF_PEAK or by_itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The rows of one country, one template language and one card host: the smallest part that a hold can hold.

    Chunks below `logged` are in the log; those below `released` are on the channel queue.
    """

    country: str
    """Empty only for the run that takes the rows of all further countries, once there are `MOST_RUNS`."""
    rows: int
    chunks: int
    template: str | None = None
    """The WhatsApp template of its messages, with its language: "vaccination_card/fr". None: several or none."""
    card_host: str | None = None
    """Where its cards are: a host or `s3://<bucket>`; None: on several hosts, or without cards."""
    logged: int = 0
    released: int = 0
    epoch: int = 0
    """Raised when a hold of the run ends: queue messages from before are dropped."""
    generation: int = 0
    """The generation of the holds on its scopes when it was last rewound (`shared.holds.hold`)."""
    hold: RunHold | None = None

    @property
    def is_released(self) -> bool:
        """Whether every chunk is on the queue."""
        return self.released >= self.chunks

    def rows_in(self, chunk: int) -> int:
        """How many messages a chunk has."""
        return min(CHUNK_ROWS, self.rows - chunk * CHUNK_ROWS)

    def first_pending(self, index: int, settled: Mapping[tuple[int, int], int]) -> int:
        """The first chunk with pending rows. `index`: the run's own place. `settled`: (run, chunk) → how many rows are
        no longer `pending` there."""
        chunks = range(self.chunks)
        return next((one for one in chunks if settled.get((index, one), 0) < self.rows_in(one)), self.chunks)

    def pending_rows(self, index: int, settled: Mapping[tuple[int, int], int]) -> int:
        """How many rows are still `pending`; arguments as in `first_pending`."""
        return max(0, self.rows - sum(settled.get((index, chunk), 0) for chunk in range(self.chunks)))

    def rewound(self, index: int, settled: Mapping[tuple[int, int], int]) -> "Run":
        """The run, to be released again from its first chunk with pending rows; arguments as in `first_pending`."""
        return dataclasses.replace(self, released=min(self.released, self.first_pending(index, settled)))

    def sizes(self, at_most: int) -> list[int]:
        """The number of messages of each of the next chunks to be released, of at most `at_most` chunks."""
        return [self.rows_in(chunk) for chunk in range(self.released, min(self.released + at_most, self.chunks))]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryPrice:
    """What a distribution costs in one country. `amount` and `currency` are None without the contract's price."""

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
    """An uploaded file, in the version that existed when the distribution was made."""

    object_key: str
    version: str
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of an uploaded table: its title, and the recipient's field that it fills; None where it is not read."""

    header: str
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What a retry takes: the failed rows of the distribution `source`, with these reasons; None: the usual ones
    (`shared.campaigns.retry.LEFT_OUT`)."""

    source: str
    reasons: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the client asked for, without inline rows. May hold personal data, so it is stored beside the chunks."""

    content: Content
    defaults: Mapping[str, JsonValue] = field(repr=False)
    upload: Upload | None = None
    skip_already_sent: bool = False
    """Rows whose number and card this campaign has sent, or is about to send, count as duplicates."""
    fallback: FallbackOrder | None = None
    retry: Retry | None = None
    """Its rows are failed rows of another distribution, whose content, options and fallback it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """Where a sample is stored (`shared.campaigns.samples`): the run, its chunk, and the row, which counts from 1."""

    run: int
    chunk: int
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What planning found. Unchanged once the distribution is `planned`, except for its runs' progress. `attempt` names
    the objects that it wrote."""

    attempt: int
    runs: tuple[Run, ...]
    accepted: int
    rejected: int
    duplicates: int
    segments: int | None
    prices: tuple[CountryPrice, ...]
    warnings: tuple[ApiWarning, ...]
    peak: tuple[tuple[str, str], ...]
    """Hours that are closed for it besides the quiet hours, in each zone's local time; empty unless it is off-peak."""
    starts_at: datetime | None
    estimated_end: datetime | None
    compared_at: datetime | None = None
    """When planning began to read what the campaign had sent; None: it was not asked to."""
    countries: tuple[tuple[str, int], ...] = ()
    """How many of the accepted rows go to each country."""
    fallback: FallbackCost | None = None
    """None: no fallback was asked for."""
    people: int = 0
    """How many count against Meta's daily limit."""
    samples: tuple[SampleRow, ...] = ()
    """The rows that people look at before they confirm."""

    @property
    def logged_rows(self) -> int:
        """How many rows are in the log, chunk by chunk."""
        return sum(run.rows_in(number) for run in self.runs for number in range(run.logged))


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One item of the state table. Every step of a bulk send is conditional on it."""

    organisation: str
    distribution_id: str
    campaign_id: str
    channel: Channel
    schedule: Schedule
    confirm: bool
    """The request asked for it: sending starts as soon as the distribution is planned."""
    request_hash: str
    status: DistributionStatus
    created_at: datetime
    created_by: str | None = None
    """The person or program that asked for it; None: the token named none."""
    name: str | None = None
    """What people call it. Without phone numbers."""
    confirmed_by: str | None = None
    """Who confirmed it first. With `confirm` in the request: who asked for it."""
    controlled_by: str | None = None
    """Who paused, resumed or cancelled it last; `SYSTEM` where the product did it by itself."""
    order: str = ""
    """The name of the order that is stored beside the chunks (`shared.campaigns.stored_content.Plans`)."""
    upload_id: str | None = None
    """The uploaded file that it is planned from; None where the rows came with the request."""
    columns: tuple[Column, ...] | None = None
    """How the columns of the file were read; None where there is no table, or it could not be read."""
    file_errors: tuple[FieldError, ...] = ()
    """Why the file as a whole was refused, and where. Never anything of a person."""
    attempt: int = 1
    """The number of the planning run. Each writes under its own prefix, and only the latest one's plan is taken."""
    planning_until: datetime | None = None
    """The lease of the current planning run."""
    planner: str = ""
    """The random token of the latest planning run, so that two runs that start at once never write the same item."""
    epoch: int = 0
    """Raised by confirm, pause, resume and cancel: queue messages of an older epoch are dropped."""
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
    """The name of the template it was made with. If Meta stops that template, this distribution stops."""
    last_send_slot: datetime | None = None
    """The latest slot that was booked for its messages."""
    trying_until: datetime | None = None
    """A person has resumed it, and its held rows are probed until then. Until then it is not shown as paused."""
    swept: bool = False
    """It is cancelled, and a first pass has ended its pending rows."""
    rest: str = ""
    """The state of its rows outside the log (`rest_now`) when it was last stored."""
    revision: int = 0
    """Raised by every write. A change names the revision that it has read."""

    def with_run(self, index: int, run: Run) -> "Distribution":
        """The same distribution with one run replaced."""
        plan = self.planned
        runs = (*plan.runs[:index], run, *plan.runs[index + 1 :])
        return dataclasses.replace(self, plan=dataclasses.replace(plan, runs=runs))

    def confirmed(self, now: datetime) -> "Distribution":
        """The distribution with release begun, or scheduled until its start. The planned start may have passed
        meanwhile, and its hours too: confirmed in the evening, it waits for the morning."""
        starts_at = max(self.planned.starts_at or now, self.opens(now))
        return dataclasses.replace(
            self,
            status=DistributionStatus.SCHEDULED if starts_at > now else DistributionStatus.SENDING,
            epoch=self.epoch + 1,
            confirmed_at=self.confirmed_at or now,
            due_at=starts_at,
        )

    def opens(self, now: datetime) -> datetime:
        """When the first of its runs with messages to release may be sent. Held runs wait for something else."""
        wished = max(now, self.schedule.at or now)
        peak = parse_windows(self.planned.peak)
        waiting = (run for run in self.planned.runs if not run.is_released and run.hold is None)
        return min((earliest_open(self.channel, run.country, wished, peak) for run in waiting), default=now)

    @property
    def is_held(self) -> bool:
        """Paused by holds only: it continues by itself when one of them ends."""
        return self.status is DistributionStatus.PAUSED and self.status_reason != PAUSED_BY_USER

    @property
    def is_releasing(self) -> bool:
        """Whether release brings it forward: it is neither paused by a person nor over."""
        return self.status in RELEASING or self.is_held

    @property
    def may_leave(self) -> bool:
        """Whether its status lets an enqueued message be sent."""
        return self.status in MAY_LEAVE or self.is_held

    def epoch_of(self, run: int) -> int:
        """The epoch of a message of the run when it is released. Both parts only rise, so their sum shows whether one
        did."""
        return self.epoch + self.planned.runs[run].epoch

    def paused(self, reason: str) -> "Distribution":
        """The distribution paused for this reason; nothing more is released.

        `PAUSED_BY_USER` lasts until a person resumes, and raises the epoch, so that enqueued messages are dropped. A
        hold's reason ends with the hold: the tick keeps looking, and the epochs of the runs decide which messages may
        be sent.
        """
        paused = dataclasses.replace(self, status=DistributionStatus.PAUSED, status_reason=reason, trying_until=None)
        return paused if paused.is_held else dataclasses.replace(paused, epoch=self.epoch + 1, due_at=None)

    def resumed(self, now: datetime, settled: Mapping[tuple[int, int], int]) -> "Distribution":
        """The distribution released again, each run from its first chunk with pending rows. `settled`: (run, chunk) →
        how many rows are no longer `pending` there. Held runs stay held and are probed."""
        runs = tuple(run.rewound(index, settled) for index, run in enumerate(self.planned.runs))
        plan = dataclasses.replace(self.planned, runs=runs)
        held = any(run.hold is not None for run in runs)
        resumed = dataclasses.replace(self, plan=plan, status_reason=None).confirmed(now)
        return dataclasses.replace(resumed, trying_until=now + TRYING if held else None)

    def cancelled(self, now: datetime) -> "Distribution":
        """The distribution cancelled; nothing more is released. `due_at` starts the sweep that ends every row. If it
        was never confirmed, it has no rows to end."""
        return dataclasses.replace(
            self,
            status=DistributionStatus.CANCELLED,
            status_reason=None,
            epoch=self.epoch + 1,
            due_at=now if self.was_confirmed else None,
        )

    @property
    def was_confirmed(self) -> bool:
        """Whether a person decided to send it. Confirming raises the epoch; a cancel also does, after it or without
        it."""
        never = self.status is DistributionStatus.CANCELLED and self.epoch == 1
        return self.plan is not None and self.epoch > 0 and not never

    @property
    def rest_now(self) -> str:
        """The state of its rows outside the log. When it changes, the sums of its campaign do, so storing it also marks
        them (`shared.statistics`)."""
        if self.plan is None:
            return ""
        is_over = self.status is DistributionStatus.CANCELLED and self.swept
        return "swept" if is_over else "confirmed" if self.was_confirmed else "planned"

    @property
    def planned(self) -> Plan:
        """The plan. Raises ValueError if there is none."""
        if self.plan is None:
            raise ValueError(f"distribution {self.distribution_id} has no plan in status {self.status}")
        return self.plan


def lapsed(distribution: Distribution, now: datetime) -> Distribution:
    """The distribution cancelled automatically: it was not confirmed in time, or its stored content has expired."""
    return dataclasses.replace(distribution.cancelled(now), status_reason="expired", controlled_by=SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of messages: by current status, failed ones by reason, and what statistics need in addition.

    - `segments`: by country. `amounts`: by country and currency, in millionths. Both of what a provider was given.
    - `delays`: by bucket (`shared.campaigns.counts`).
    - `awaiting`: messages in status `sent`, by the minute in which they were sent.
    - `reached`: rows of a distribution that arrived, or whose fallback or resend did.
    - `cards`: messages that were tried and whose card has an instant of generation. `cards_within_24h`: those of them
      that arrived within 24 hours after it.
    """

    by_status: dict[Status, int] = dataclasses.field(default_factory=dict)
    by_reason: dict[str, int] = dataclasses.field(default_factory=dict)
    segments: dict[str, int] = dataclasses.field(default_factory=dict)
    amounts: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)
    delays: dict[int, int] = dataclasses.field(default_factory=dict)
    awaiting: dict[int, int] = dataclasses.field(default_factory=dict)
    cards: int = 0
    cards_within_24h: int = 0
    reached: int = 0

    def of(self, status: Status) -> int:
        """How many are in that status."""
        return self.by_status.get(status, 0)

    @property
    def total(self) -> int:
        """How many are no longer `pending`."""
        return sum(self.by_status.values())

    def plus(self, other: "Counts") -> "Counts":
        """The sum of both."""
        return together((self, other))

    def minus(self, other: "Counts") -> "Counts":
        """The difference from the other."""
        return together((self, _negative(other)))


def together(many: Iterable[Counts]) -> Counts:
    """The sum of all; zeroes are left out."""
    by_status, by_reason = Counter[Status](), Counter[str]()
    segments, amounts = Counter[str](), Counter[tuple[str, str]]()
    delays, awaiting, cards, within, reached = Counter[int](), Counter[int](), 0, 0, 0
    for one in many:
        by_status.update(one.by_status)
        by_reason.update(one.by_reason)
        segments.update(one.segments)
        amounts.update(one.amounts)
        delays.update(one.delays)
        awaiting.update(one.awaiting)
        cards += one.cards
        within += one.cards_within_24h
        reached += one.reached
    return Counts(
        by_status=_without_zeroes(by_status),
        by_reason=_without_zeroes(by_reason),
        segments=_without_zeroes(segments),
        amounts=_without_zeroes(amounts),
        delays=_without_zeroes(delays),
        awaiting=_without_zeroes(awaiting),
        cards=cards,
        cards_within_24h=within,
        reached=reached,
    )


def _negative(counts: Counts) -> Counts:
    return Counts(
        by_status={key: -count for key, count in counts.by_status.items()},
        by_reason={key: -count for key, count in counts.by_reason.items()},
        segments={key: -count for key, count in counts.segments.items()},
        amounts={key: -count for key, count in counts.amounts.items()},
        delays={key: -count for key, count in counts.delays.items()},
        awaiting={key: -count for key, count in counts.awaiting.items()},
        cards=-counts.cards,
        cards_within_24h=-counts.cards_within_24h,
        reached=-counts.reached,
    )


def _without_zeroes[K](sums: Counter[K]) -> dict[K, int]:
    return {key: count for key, count in sums.items() if count}
