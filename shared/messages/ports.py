"""What messages ask of the world: the log and the channel queues. `storage` answers on AWS, `tests/fakes` in memory;
one contract suite holds both to the same behaviour. Every method may be called twice; instants are aware and in UTC."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.holds.hold import ScopeKey
from shared.messages.fallback import Start
from shared.messages.message import DeadLetter, Message, Status
from shared.messages.payload import Channel, Provider
from shared.messages.queue_message import QueueMessage

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
    copy holds a lease (a leased one ends by its own outcome, a sent one has gone). `by_attempt`: the attempt that
    brings the news of a `sent`; a message that was reopened is sent again only by its new attempt. `fallback`: what a
    `failed` means for the message's fallback, if it has one. `rests_until`: with a `failed`, until when it is not to
    be resent. `is_duplicate`: whoever sent the message has most likely told the same, so that looking is cheaper than
    trying. `claim`: only if the row still holds this claim; an attempt's number is used again once its claim was given
    back. `quality_hold`: with the `sent` of the provider's own answer, which holds the message for assessment.
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
    by_attempt: int | None = None
    fallback: Start = Start.NEVER
    rests_until: datetime | None = None
    is_duplicate: bool = False
    quality_hold: bool = False
    channel: Channel | None = None
    sender: str | None = None

    def is_about(self, row: Message) -> bool:
        """Whether the status can be one of this message: of its channel and of the number that it left by."""
        return self.channel in (None, row.channel) and (self.sender is None or row.sender in (None, self.sender))

    def names(self, row: Message) -> bool:
        """Whether a provider's ID, too late for a move, is the message's: no template took the attempt's place."""
        waits_again = row.retrying and row.lease_until is None
        return self.by_attempt in (None, row.attempts) and not waits_again


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
    """Only messages that were given up (`shared.messages.message`)."""
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


async def set_next_check(log: "Log", message: Message, due_at: datetime | None) -> None:
    """Move a message's next check on from where this row has it, or end it (None). A row without one keeps none."""
    if message.due_at is not None:
        await log.move_next_check(message.organisation, message.message_id, seen=message.due_at, due_at=due_at)


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
        sender: str | None = None,
        provider: Provider | None = None,
        probe: bool = False,
    ) -> Claim:
        """Take the right to call the provider: open and without a lease. Raises `attempts` by one, notes `sender`
        and whether it is a `probe`; who was dead is alive again. `token` is random and new for each call: a repeat
        knows its first attempt by it.

        A watched row (`due_at`) stays watched until the lease has ended, in case the claimer dies.
        """
        ...

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        """Move the status if the table of moves allows it; keep the instant of a late one; end lease and watch.

        A message with a fallback is watched from then on for that (`shared.messages.fallback.next_check_after`).
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

    async def mark_unknown(
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

    async def retry_message(  # noqa: PLR0913 - why it goes again, by name
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

        `as_template`: its session had closed, so it goes as its template; only for one that has such an
        `fallback_template` and has not gone as it yet. Else it goes as it was: a stop error came after the provider
        had taken it, or (`card_after`) the provider refused its card as it was uploaded before that instant, once in
        its life. Only one that is pending or `sent`, without a fallback on its way; a `sent` one stays so.
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
        """Begin an awaited fallback: the message itself is never resent. May come twice; `move_next_check` ends the
        watch."""
        ...

    async def note_reporting(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        """Meta has reported since that attempt was sent: its fallback starts when the agenda looks, at `due_at`."""
        ...

    async def move_next_check(
        self, organisation: str, message_id: str, *, seen: datetime, due_at: datetime | None
    ) -> bool:
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

    async def mark_dead(self, organisation: str, message_id: str, letter: DeadLetter) -> bool:
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


class ChannelQueue(Protocol):
    """The channel queues, towards the senders."""

    async def put(self, queue_messages: Sequence[QueueMessage], now: datetime) -> None:
        """Enqueue each so that it reaches its sender shortly before it departs. Returns once all are on the queue, and
        those that it can never take have ended (`shared.sending.enqueue_now`)."""
        ...
