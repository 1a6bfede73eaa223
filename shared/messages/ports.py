"""What messages need from storage: the log and the channel queues. `shared/storage` implements them on AWS,
`tests/fakes` in memory; one contract suite tests both. Every method may be called twice. Instants are aware and in
UTC."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.holds.hold import ScopeKey
from shared.messages.fallback import Start
from shared.messages.message import DeadLetter, Message, Status, Via
from shared.messages.payload import Channel, Provider
from shared.messages.queue_message import QueueMessage

AGENDA_SHARDS = 8
"""The log's agenda has this many parts. The tick reads each of them; the store spreads messages over them."""


class ClaimAnswer(StrEnum):
    """The result of a claim. Only the winner of `won` may call the provider."""

    WON = "won"
    HELD = "held"
    """Another queue message holds a live lease: drop this one."""
    LAPSED = "lapsed"
    """A lease ended without an outcome: the provider may or may not have taken the message."""
    DONE = "done"
    """No longer pending, already marked unknown, or not in the log: drop this queue message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """`message` is the row after the claim; None: there is no row."""

    answer: ClaimAnswer
    message: Message | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A request to move a message to a status."""

    status: Status
    at: datetime
    """The instant of that status, from the best source: the provider's clock if it gives one."""
    attempt: int | None = None
    """Move only if this is the message's latest attempt. A `failed` of an older attempt says nothing."""
    claim: str | None = None
    """Move only if the row still holds this claim. The number of an attempt is used again once its claim was given
    back."""
    card_half: bool = False
    """`attempt` is the one whose card went ahead of a long text."""
    provider_message_id: str | None = None
    reason: str | None = None
    unclaimed: bool = False
    """Move only if the message is open and has no lease. A leased message ends by its own outcome."""
    only_pending: bool = False
    """With `unclaimed`: not a message that was sent already and goes once more."""
    by_attempt: int | None = None
    """The attempt that a `sent` reports. A message that is retried becomes `sent` only by its new attempt."""
    fallback: Start = Start.NEVER
    """What a `failed` means for the message's fallback."""
    rests_until: datetime | None = None
    """With a `failed`: until when the message must not be resent."""
    is_duplicate: bool = False
    """The sender has probably recorded the same move already, so reading first is cheaper than writing."""
    quality_hold: bool = False
    """With the `sent` of the provider's own answer: the provider holds the message for assessment."""
    channel: Channel | None = None
    """Move only a message of this channel: a status's key alone does not prove that it is about our message."""
    sender: str | None = None
    """Move only a message of this sender number, if the row has one."""

    def is_about(self, row: Message) -> bool:
        """Whether the status can belong to this message: the same channel and the same sender number."""
        return self.channel in (None, row.channel) and (self.sender is None or row.sender in (None, self.sender))

    def names(self, row: Message) -> bool:
        """Whether the provider's ID belongs to the message although the move came too late. It does not if the message
        goes out again with a new attempt."""
        waits_again = row.retrying and row.lease_until is None
        return self.by_attempt in (None, row.attempts) and not waits_again


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """`before` is the row before the move; None: there is no row that the move is about. `won`: the status changed.
    `noted`: it came too late for that, but its instant was new."""

    won: bool
    before: Message | None
    noted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which messages to list, newest first. `since` is inclusive and `until` exclusive; both compare the acceptance."""

    organisation: str
    campaign_id: str | None = None
    distribution_id: str | None = None
    enrollment_id: str | None = None
    person: str | None = None
    """A keyed hash. It no longer finds messages of an erased person."""
    provider_message_id: str | None = None
    """The provider's ID as the log stores it. A message that has just got its ID may be missing for a moment."""
    dead: bool = False
    """Only dead messages (`shared.messages.message`)."""
    channel: Channel | None = None
    status: Status | None = None
    reason: str | None = None
    """The reason that people see at `now`: a missing receipt has no reason in the log."""
    via: Via | None = None
    now: datetime | None = None
    """Only with `reason`: the time of the question."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page[T]:
    """One page of a list. `position` is where the next page starts; None at the end."""

    items: Sequence[T]
    position: str | None


async def pages[T](read: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncIterator[Sequence[T]]:
    """Yields the items of each page of a list. `read` takes a position; None is the beginning."""
    position: str | None = None
    while True:
        page = await read(position)
        yield page.items
        position = page.position
        if position is None:
            return


async def set_next_check(log: "Log", message: Message, due_at: datetime | None) -> None:
    """Move a message's next check from the row's value to `due_at`; None ends it. A row without a next check gets
    none."""
    if message.due_at is not None:
        await log.move_next_check(message.organisation, message.message_id, seen=message.due_at, due_at=due_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A message without a distribution: only the attributes that never change."""

    message_id: str
    accepted_at: datetime
    channel: Channel
    country: str
    campaign_id: str | None


class Log(Protocol):
    """The message log."""

    async def add(self, message: Message) -> bool:
        """Log a message unless its ID is there already. Returns whether it was new."""
        ...

    async def add_all(self, messages: Sequence[Message]) -> None:
        """Log the messages that are not there yet. Returns once all of them are."""
        ...

    async def get(self, organisation: str, message_id: str) -> Message | None:
        """The row, read consistently."""
        ...

    async def get_many(self, organisation: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        """The rows that exist, by message ID, read consistently."""
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
        """Claim the right to call the provider for an open message without a lease.

        Raises `attempts` by one and notes `sender`, `provider` and `probe`. A dead message is alive again. `token` is
        random and new for each call, so that a repeated request recognises its first attempt. If the row has a
        `due_at`, it moves to `lease_until`, in case the claimer dies.
        """
        ...

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        """Move the status if the table of moves allows it, and end the lease and the next check. The instant of a late
        status is kept.

        A message with a fallback may get a new next check (`shared.messages.fallback.next_check_after`).
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
        """End the lease of the claim `token`: certainly not sent. The agenda takes the message up at `due_at`.

        `uses_attempt`: whether the attempt counts. `card_failed_at`: since when the card cannot be fetched; None if
        that is not the reason.
        """
        ...

    async def mark_unknown(
        self, organisation: str, message_id: str, *, token: str | None, now: datetime, due_at: datetime
    ) -> bool:
        """The outcome of the claim `token` is unknown: mark it. The agenda looks at the message at `due_at`."""
        ...

    async def note_card(self, organisation: str, message_id: str, *, attempt: int) -> bool:
        """Note that the provider took the card that goes ahead of a long text. Only the holder of that attempt's lease
        calls this."""
        ...

    async def card_taken(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        """Note the same because a status of the card proves it. If the outcome of the card was unknown, the text is
        still to go and the agenda takes the message up at `due_at`. Returns whether it was new."""
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
        """Let the message go once more, because attempt `attempt` did not reach its recipient. Ends its lease.

        - `as_template` True: the session had closed, so the message goes as its template. Only if it has a
          `fallback_template` and has not gone as it yet.
        - `as_template` False: it goes as before, because a stop error came after the provider had taken it.
        - `card_after`: the provider refused the card, which was uploaded before this instant. Only once for each
          message.

        The message must be pending or `sent` and its fallback must not have begun. A `sent` message stays `sent`.
        """
        ...

    async def resend(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        """Let a message with an unknown outcome go out a second time, once only. Ends its lease and the unknown
        outcome."""
        ...

    async def postpone(
        self, organisation: str, message_id: str, *, due_at: datetime | None, scheduled_for: datetime | None = None
    ) -> bool:
        """Let the agenda take a pending, unclaimed message up at `due_at`; None ends the next check. A dead message is
        alive again, because one of its queue messages was handled."""
        ...

    async def fall_back(self, organisation: str, message_id: str) -> bool:
        """Mark that an awaited fallback has begun: the message itself is never resent. May be called twice;
        `move_next_check` ends the next check."""
        ...

    async def note_successor(self, organisation: str, message_id: str, *, successor: str) -> bool:
        """Note which message goes in the place of a failed one, if `Message.may_be_sent_again`. Returns whether
        `successor` has the place, by this call or by an earlier one. Of several, the first has it for good."""
        ...

    async def note_reached(self, organisation: str, message_id: str) -> Moved:
        """Note that a fallback or a resend of the message has arrived. `won`: it was not noted before."""
        ...

    async def note_reporting(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        """Note that Meta has reported since that attempt was sent: the fallback starts when the agenda looks, at
        `due_at`."""
        ...

    async def move_next_check(
        self, organisation: str, message_id: str, *, seen: datetime, due_at: datetime | None
    ) -> bool:
        """Move the next check, or end it (None), if it is still `seen`."""
        ...

    async def park(
        self, organisation: str, message_id: str, *, channel: Channel, seen: datetime, scope: ScopeKey
    ) -> bool:
        """Let a message wait for the end of a hold, if its next check is still `seen` and it has no lease. `due` no
        longer returns it; a new next check brings it back."""
        ...

    async def parked(self, organisation: str, channel: Channel, scope: ScopeKey, limit: int) -> Sequence[Message]:
        """Messages that wait for the end of a hold, earliest first."""
        ...

    async def mark_dead(self, organisation: str, message_id: str, letter: DeadLetter) -> bool:
        """Mark an open, unclaimed message as dead, if it is not dead yet. The agenda then only ends it, at
        `letter.ends_at`."""
        ...

    async def redrive(self, organisation: str, message_id: str, *, died_at: datetime, due_at: datetime) -> bool:
        """Let the agenda take a dead message up at `due_at`. Returns False if it is no longer dead since `died_at`."""
        ...

    async def due(self, shard: int, now: datetime, limit: int) -> Sequence[Message]:
        """Rows of one agenda shard whose `due_at` has come, earliest first."""
        ...

    async def page(self, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
        """Messages of an organisation, newest first."""
        ...

    async def stretch(self, query: LogQuery, position: str | None, about: int) -> Page[Message]:
        """A part of the same list for reading all of it: roughly `about` messages, because none that was read is thrown
        away to make the page exact. It may be empty and still have a position."""
        ...

    async def count_dead_letters(self, most: int) -> Mapping[tuple[str, Channel], int]:
        """The number of dead messages by organisation and channel, among the first `most`; may be a moment old."""
        ...

    async def singles(
        self, organisation: str, campaign_id: str | None, between: tuple[datetime | None, datetime | None]
    ) -> Sequence[Single]:
        """Messages without a distribution, of a campaign or (None) of the organisation, in no order.

        `between`: from inclusive, to exclusive, by acceptance; None is open.
        """
        ...

    async def unlink(self, organisation: str, message_id: str) -> None:
        """Forget the person of a message: `person` becomes empty, `dedupe_key` is removed, and no list finds it by
        them."""
        ...


class ChannelQueue(Protocol):
    """The channel queues, to the senders."""

    async def put(self, queue_messages: Sequence[QueueMessage], now: datetime) -> None:
        """Enqueue each message so that it reaches its sender shortly before its send slot. Returns once all are on the
        queue. Messages that a queue can never take have ended then (`shared.sending.enqueue_now`)."""
        ...
