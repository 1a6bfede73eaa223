"""What the use cases ask of the world. `shared/aws` answers on AWS, `tests/fakes` in memory; one contract suite holds
both to the same behaviour. Every method may be called twice; instants are aware and in UTC."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from shared.domain.consent import Consent, ConsentRecord
from shared.domain.dead_letter import DeadLetter
from shared.domain.dispatch import Dispatch
from shared.domain.distribution import Counts, Distribution, DistributionStatus
from shared.domain.fallback import Start
from shared.domain.holds import ScopeKey
from shared.domain.integration import Dhis2Integration, SmsIntegration, WhatsAppIntegration
from shared.domain.message import Chunk, Message
from shared.domain.payload import Channel, Provider
from shared.domain.status import Status
from shared.domain.tally import Due, Group, Place, Tally
from shared.domain.timetable import Booking, Lane, LaneState, Share

AGENDA_SHARDS = 8
"""The log's agenda is cut in so many parts: the tick asks each, the store spreads messages over them."""


class ClaimAnswer(StrEnum):
    """What a claim finds. Only `won` may call the provider."""

    WON = "won"
    HELD = "held"
    """Another copy holds a live lease: this one is dropped."""
    LAPSED = "lapsed"
    """A lease ran out without an outcome: nobody knows whether the provider took the message."""
    DONE = "done"
    """No longer pending, already unknown, or not in the log: this copy is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """`message` is the row as it stands after the claim; None where there is none."""

    answer: ClaimAnswer
    message: Message | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A wish to move a message to a status. `at` is the instant of that status, by whoever knows it best.

    `attempt`: only if the message's latest attempt is this one (a `failed` of an older one says nothing).
    `card_half`: `attempt` names the one whose card went ahead of a long text. `unclaimed`: only if it is open and no
    copy holds a lease (a leased one ends by its own outcome, a sent one has gone). `told_by`: the attempt that brings
    the news of a `sent`; a message that was reopened is sent again only by its new attempt. `fallback`: what a `failed`
    means for the message's fallback, if it has one. `rests_until`: with a `failed`, until when it is not to be resent.
    `is_echo`: whoever sent the message has most likely told the same, so that looking is cheaper than trying.
    `claim`: only if the row still holds this claim; an attempt's number is used again once its claim was given back.
    `quality_hold`: with the `sent` of the provider's own answer, which holds the message for assessment.
    `channel`: only a message of this channel; `sender`: only one that left by this sender number, as far as the row
    says. Both are what a provider's status names: its key alone does not make it a status of our message.
    """

    status: Status
    at: datetime
    attempt: int | None = None
    claim: str | None = None
    card_half: bool = False
    provider_message_id: str | None = None
    reason: str | None = None
    unclaimed: bool = False
    told_by: int | None = None
    fallback: Start = Start.NEVER
    rests_until: datetime | None = None
    is_echo: bool = False
    quality_hold: bool = False
    channel: Channel | None = None
    sender: str | None = None

    def is_about(self, row: Message) -> bool:
        """Whether the status can be one of this message: of its channel and of the number that it left by."""
        return self.channel in (None, row.channel) and (self.sender is None or row.lane in (None, self.sender))

    def names(self, row: Message) -> bool:
        """Whether a provider's ID, too late for a move, is the message's: no template took the attempt's place."""
        waits_again = row.reopened and row.lease_until is None
        return self.told_by in (None, row.attempts) and not waits_again


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """`before` is the row as it stood; None where there is none that the move is about. `won` says whether the status
    changed; `noted` whether it came too late for that but its instant was news."""

    won: bool
    before: Message | None
    noted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which messages to list, newest first. `since` inclusive, `until` exclusive, both by acceptance."""

    organisation: str
    campaign_id: str | None = None
    distribution_id: str | None = None
    enrollment_id: str | None = None
    person: str | None = None
    """A keyed hash. What was erased is no longer found by it."""
    provider_message_id: str | None = None
    """The provider's ID as the log stores it. A message that has just got it may be missing for a moment."""
    dead: bool = False
    """Only messages that were given up (`shared.domain.dead_letter`)."""
    channel: Channel | None = None
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page[T]:
    """One page of a list; `position` is where the next one starts, None at the end."""

    items: Sequence[T]
    position: str | None


async def pages[T](read: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncIterator[Sequence[T]]:
    """The items of each page of a list, to its end. `read` takes a position, None for the beginning."""
    position: str | None = None
    while True:
        page = await read(position)
        yield page.items
        position = page.position
        if position is None:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A message of no distribution, by what never changes of it."""

    message_id: str
    accepted_at: datetime
    channel: Channel
    country: str
    campaign_id: str | None


class Log(Protocol):
    """The message log."""

    async def add(self, message: Message) -> bool:
        """Log a message unless its ID is there already; says whether it was new."""
        ...

    async def add_all(self, messages: Sequence[Message]) -> None:
        """Log those that are not there yet; returns once all of them are."""
        ...

    async def get(self, organisation: str, message_id: str) -> Message | None:
        """The row as it surely stands."""
        ...

    async def get_many(self, organisation: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        """The rows that are there, as they surely stand."""
        ...

    async def claim(  # noqa: PLR0913 - what a claim notes, by name
        self,
        organisation: str,
        message_id: str,
        *,
        token: str,
        now: datetime,
        lease_until: datetime,
        lane: str | None = None,
        provider: Provider | None = None,
        trial: bool = False,
    ) -> Claim:
        """Take the right to call the provider: open and without a lease. Raises `attempts` by one, notes `lane` and
        whether it is a `trial`; who was dead is alive again. `token` is random and new for each call: a repeat knows
        its first attempt by it.

        A watched row (`due_at`) stays watched until the lease has ended, in case the claimer dies.
        """
        ...

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        """Move the status if the table of moves allows it; keep the instant of a late one; end lease and watch.

        A message with a fallback is watched from then on for that (`shared.domain.fallback.watch_after`).
        """
        ...

    async def give_back(
        self,
        organisation: str,
        message_id: str,
        *,
        token: str | None,
        due_at: datetime | None,
        uses_attempt: bool,
        card_failed_at: datetime | None = None,
    ) -> bool:
        """Surely not sent: end the lease of the claim `token`, let the agenda take the message up at `due_at`. Notes
        since when its card cannot be fetched; None: that is not why."""
        ...

    async def doubt(
        self, organisation: str, message_id: str, *, token: str | None, now: datetime, due_at: datetime
    ) -> bool:
        """The outcome of the claim `token` is unknown: mark it, and let the agenda end it at `due_at`."""
        ...

    async def note_card(self, organisation: str, message_id: str, *, attempt: int) -> bool:
        """The provider took the card that goes ahead of a long text: said by who holds the lease of that attempt."""
        ...

    async def card_taken(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        """The same, proved by a status of the card. Where that was what nobody knew, the text is still to go: the
        agenda takes the message up at `due_at`. Says whether it was news."""
        ...

    async def reopen(  # noqa: PLR0913 - why it goes again, by name
        self,
        organisation: str,
        message_id: str,
        *,
        attempt: int,
        due_at: datetime,
        card_half: bool = False,
        as_template: bool = True,
        card_after: datetime | None = None,
    ) -> bool:
        """Attempt `attempt` reached nobody: let the message go once more. Ends its lease.

        `as_template`: its session had closed, so it goes as its template; only for one that has such an `alternative`
        and has not gone as it yet. Else it goes as it was: a stop error came after the provider had taken it, or
        (`card_after`) the provider refused its card as it was uploaded before that instant, once in its life.
        Only one that is pending or `sent`, without a fallback on its way; a `sent` one stays so.
        """
        ...

    async def resend(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        """Let a message in doubt go out a second time, once in its life. Ends its lease and the doubt."""
        ...

    async def postpone(
        self, organisation: str, message_id: str, *, due_at: datetime | None, scheduled_for: datetime | None = None
    ) -> bool:
        """Let the agenda take a pending, unclaimed message up at `due_at`; None ends the watch. A copy came through to
        say so: who was dead is alive again."""
        ...

    async def fall_back(self, organisation: str, message_id: str) -> bool:
        """Begin an awaited fallback: the message itself is never resent. May come twice; `rewatch` ends the watch."""
        ...

    async def note_reporting(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        """Meta has reported since that attempt was sent: its fallback starts when the agenda looks, at `due_at`."""
        ...

    async def rewatch(self, organisation: str, message_id: str, *, seen: datetime, due_at: datetime | None) -> bool:
        """Move the watch on, or end it (None), if nobody has moved it since it was `seen`."""
        ...

    async def park(
        self, organisation: str, message_id: str, *, channel: Channel, seen: datetime, scope: ScopeKey
    ) -> bool:
        """Let a watched message wait for the end of a hold, if it is watched as it was seen and not claimed. `due` no
        longer names it; whatever sets its watch anew brings it back."""
        ...

    async def parked(self, organisation: str, channel: Channel, scope: ScopeKey, limit: int) -> Sequence[Message]:
        """Messages that wait for the end of a hold, the earliest first."""
        ...

    async def bury(self, organisation: str, message_id: str, letter: DeadLetter) -> bool:
        """The agenda only ends it from now on (`letter.ends_at`). For an open, unheld message that is not dead yet."""
        ...

    async def redrive(self, organisation: str, message_id: str, *, died_at: datetime, due_at: datetime) -> bool:
        """Let the agenda take a dead message up at `due_at`; says whether it was still dead of that very death."""
        ...

    async def due(self, shard: int, now: datetime, limit: int) -> Sequence[Message]:
        """Rows of one agenda shard whose `due_at` has come, earliest first."""
        ...

    async def page(self, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
        """Messages of an organisation, newest first."""
        ...

    async def count_dead_letters(self, most: int) -> Mapping[tuple[str, Channel], int]:
        """How many stand as given up, by organisation and channel, of the first `most`; perhaps a moment behind."""
        ...

    async def singles(
        self, organisation: str, campaign_id: str | None, between: tuple[datetime | None, datetime | None]
    ) -> Sequence[Single]:
        """Messages of no distribution, of a campaign or (None) of the organisation, in no order.

        `between`: from inclusive, to exclusive, by acceptance; None is open.
        """
        ...

    async def unlink(self, organisation: str, message_id: str) -> None:
        """Forget whom a message was for: its `person` is empty, its `dedupe_key` gone, no list finds it by them."""
        ...


class Distributions(Protocol):
    """The distributions of every organisation, and the counts of their chunks and of what is counted beside them."""

    async def create(self, distribution: Distribution) -> Distribution | None:
        """Keep a new one; None if it was new, else the one that is there under the ID."""
        ...

    async def get(self, organisation: str, distribution_id: str) -> Distribution | None:
        """As it surely stands."""
        ...

    async def get_many(self, keys: Iterable[tuple[str, str]]) -> Mapping[str, Distribution]:
        """By distribution ID; `keys` are (organisation, distribution_id)."""
        ...

    async def save(self, distribution: Distribution) -> Distribution | None:
        """Replace the one of the same revision; the saved one with its new revision, None if it has changed since."""
        ...

    async def page(
        self,
        organisation: str,
        *,
        campaign_id: str | None,
        status: DistributionStatus | None,
        position: str | None,
        limit: int,
    ) -> Page[Distribution]:
        """Newest first."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """Distributions whose `due_at` has come, and groups of which a place is to be recounted."""
        ...

    async def count(
        self, organisation: str, place: Place, change: Counts, *, began: datetime, recount_at: datetime | None = None
    ) -> bool:
        """Add to a place's counts (changes may be negative), unless they have been recounted since `began`: an instant
        before the first of these moves was written. A recount may have seen the moves already; then nothing is added,
        and the answer is False. A count that may have been added twice asks for a recount by itself.

        `recount_at`: from then on `due` names the place's group, until `recounted`; an earlier wish stays.
        """
        ...

    async def want_recount(self, organisation: str, place: Place, at: datetime) -> None:
        """From `at` on `due` names the place's group, until `recounted`."""
        ...

    async def recounted(self, organisation: str, place: Place, *, wishes: int) -> None:
        """The recount is done that so many `wishes` had asked for when it began. A later wish stays."""
        ...

    async def set_counts(
        self, organisation: str, place: Place, counts: Counts, *, seen: Counts, read_at: datetime
    ) -> bool:
        """Replace a place's counts by what the log says, if they still are as `seen`. `read_at`: an instant after the
        log was read; counts of moves that began before it are refused from now on."""
        ...

    async def tally(self, organisation: str, place: Place) -> Tally:
        """A place's counts and what was noted of it."""
        ...

    async def counts(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Counts]:
        """(run, number) → what has moved away from `pending` there."""
        ...

    async def note_logged(self, organisation: str, chunk: Chunk, at: datetime, rows: Mapping[str, int]) -> None:
        """Say that a chunk is in the log, and how many of its rows go to each country. The first instant stays."""
        ...

    async def tallies(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Tally]:
        """(run, number) → its counts and what was noted of it."""
        ...


# ------------------------------------------------------------------------------------------------------ queues, lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A piece of work for the fan-out queue.

    `plan`: read an upload's rows; `advance`: log and release a distribution's next chunks; `agenda`: take up what is
    due in a shard of the log; `fallback`: begin that of one message (`message_id`); `erase`: remove what is kept of a
    `person` (a keyed hash), from `place` on in a `round`; `forget_upload`: remove a distribution's file once its plan
    stands; `redrive`: an organisation's dead letters from `place` on;
    `holds`: look at what is held on a `channel`, try it, and free what is not held any more; `account`: ask Meta
    whether the organisation's account may send (`round`: how often that was asked in vain); `recount`: hold what asks
    for it in a group (`place`, as `shared.domain.tally.Group` is written) against the log.
    """

    kind: Literal[
        "plan", "advance", "agenda", "fallback", "erase", "forget_upload", "redrive", "holds", "account", "recount"
    ]
    organisation: str = ""
    distribution_id: str = ""
    shard: int = 0
    message_id: str = ""
    person: str = ""
    round: int = 0
    place: str = ""
    channel: Channel | None = None


class ChannelQueue(Protocol):
    """The channel queues, towards the senders."""

    async def put(self, dispatches: Sequence[Dispatch], now: datetime) -> None:
        """Enqueue each so that it reaches its sender shortly before it departs. Returns once all are on the queue, and
        those that it can never take have ended (`shared.usecases.unfit`)."""
        ...


class TaskQueue(Protocol):
    """The fan-out queue."""

    async def put(self, tasks: Sequence[Task], *, delay: int = 0) -> None:
        """Enqueue work, to be taken up after `delay` seconds (at most 900)."""
        ...


class Lanes(Protocol):
    """The timetables."""

    async def state(self, lane: Lane) -> LaneState:
        """What is booked, and whether the provider asked for quiet."""
        ...

    async def book(self, lane: Lane, share: Share | None, *, rate: int, earliest: datetime, count: int) -> Booking:
        """Book the next `count` departures; `share` None takes whichever leaves first.

        `rate` is what the organisation's settings say; it is lowered to that of the account (`LaneState.rate`).
        """
        ...

    async def hold(self, lane: Lane, not_before: datetime) -> None:
        """Nothing departs before that instant; an earlier wish never shortens a longer one."""
        ...


# --------------------------------------------------------------------------------------------- people, integrations


class People(Protocol):
    """What is known of a person, found by the keyed hash of the number."""

    async def consents(self, organisation: str, persons: Iterable[str]) -> Mapping[str, ConsentRecord]:
        """The records of those who have one."""
        ...

    async def record(self, organisation: str, person: str, statements: Iterable[Consent]) -> bool:
        """Join these statements to the person's record; says whether that told us anything new. The first statements
        of a person may count as new when they are told again: AWS's own repeat of a write looks alike."""
        ...

    async def replace(self, organisation: str, person: str, statement: Consent) -> None:
        """Keep this statement alone: an erasure leaves nothing else."""
        ...


class Receipts(Protocol):
    """Where providers' receipt IDs and our messages meet, whichever comes first. Both sides are kept 48 h."""

    async def name(self, organisation: str, provider: Provider, receipt_id: str, message_id: str) -> Sequence[str]:
        """Say which message a receipt ID is for; answers the delivery statuses that were parked for it."""
        ...

    async def park(self, organisation: str, provider: Provider, receipt_id: str, delivery_status: str) -> str | None:
        """Keep a delivery status for whoever names its receipt later; where that was done, answers the message."""
        ...


class Integrations(Protocol):
    """The organisations' settings, secrets included. `version`: a copy older than this is read anew."""

    async def whatsapp(self, organisation: str, *, version: int = 0, fresh: bool = False) -> WhatsAppIntegration | None:
        """None where it is not set."""
        ...

    async def sms(self, organisation: str, *, version: int = 0, fresh: bool = False) -> SmsIntegration | None:
        """None where it is not set."""
        ...

    async def dhis2(self, organisation: str) -> Dhis2Integration | None:
        """None where it is not set."""
        ...

    async def put(self, integration: WhatsAppIntegration | SmsIntegration | Dhis2Integration) -> None:
        """Keep it, replacing what was there."""
        ...

    async def delete(self, organisation: str, name: str) -> bool:
        """Forget it, its secrets at once; says whether there was one."""
        ...


class Telemetry(Protocol):
    """Events with stable names, for logs and metrics: those of `shared.usecases.events`, with their fields."""

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Something that is meant to happen."""
        ...

    def trouble(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Something that an operator may have to look at."""
        ...
