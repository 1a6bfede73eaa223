"""What the send step needs of a channel: its settings, its providers, and what is written to the log and the metrics
after a call. Both channels use this one interface."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.instants import from_microseconds
from shared.integrations.integration import Integrations, SmsIntegration, WhatsAppIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel, Payload, Provider
from shared.messages.ports import Move
from shared.messages.queue_message import QueueMessage
from shared.messages.status_writer import move_of_receipt
from shared.pacing.rate_limit import RateLimit, RateLimits, Share
from shared.sending.last_heard import LastHeardStore
from shared.webhooks.updates import Receipts

MEDIA_KEPT = timedelta(days=29)
"""Meta keeps uploads 30 days (reference/whatsapp.md §2). One day less, for messages that wait on their way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The provider's answer when it took a message. `provider_message_id` may be stored and shown.

    `held`: taken, but held for the provider's own assessment; it may still fail.
    """

    provider_message_id: str
    held: bool = False


class ChannelSender[I, P](Protocol):
    """One provider's client. `I` is the integration, `P` the result of `prepare` (a media ID, an OAuth token).

    Both methods raise only `SendError` when the provider or the network fails.
    """

    async def prepare(self, integration: I, payload: Payload) -> P:
        """Do all that may be repeated: fetch and upload the card, get a token. Called before the claim."""
        ...

    async def send(self, integration: I, payload: Payload, prepared: P, *, key: str) -> Taken:
        """Make the one call that must not be repeated.

        `key` comes back in the provider's statuses if the provider can do that.
        """
        ...


class MediaCache(Protocol):
    """Which card was uploaded to which number. `content` is the SHA-256 of the bytes, in hex."""

    async def media_id(
        self, organisation: str, phone_number_id: str, content: str, *, after: datetime | None = None
    ) -> str | None:
        """The ID at Meta; None: there is none younger than `MEDIA_KEPT`, or none uploaded after `after`."""
        ...

    async def remember(
        self, organisation: str, phone_number_id: str, content: str, media_id: str, uploaded_at: datetime
    ) -> None:
        """Keep `media_id` for `MEDIA_KEPT` from its upload, in place of any other."""
        ...

    async def forget(self, organisation: str, phone_number_id: str, content: str, media_id: str) -> None:
        """Stop keeping `media_id`. A different ID of the same card stays."""
        ...


class CardSource(Protocol):
    """Fetches card images. Raises `SendError`: `card_unreachable`, `card_not_a_picture`, `card_too_large`."""

    async def fetch(self, reference: str, organisation: str) -> bytes:
        """The bytes at an `s3://bucket/<organisation>/…` or an allowed `https://…` reference."""
        ...


class Integrated(Protocol):
    """What both integrations have."""

    @property
    def provider(self) -> Provider:
        """The provider that sends for the organisation."""
        ...

    @property
    def rate_limit(self) -> RateLimit:
        """The rate limit to book on."""
        ...

    @property
    def rate_per_second(self) -> int:
        """Messages per second over all shares."""
        ...

    @property
    def version(self) -> int:
        """Rises with every change of the settings."""
        ...


async def settings_of(
    integrations: Integrations, organisation: str, channel: Channel, *, uncached: bool = False
) -> WhatsAppIntegration | SmsIntegration | None:
    """The settings of one channel; None: not set. `uncached`: read past the cache."""
    read = integrations.sms if channel is Channel.SMS else integrations.whatsapp
    return await read(organisation, uncached=uncached)


async def book_slots(
    rate_limits: RateLimits, integration: Integrated, share: Share | None, *, earliest: datetime, count: int = 1
) -> Sequence[int]:
    """Send slots of the integration's rate limit, in microseconds since 1970. `share` None: the share whose slot is
    earlier."""
    booking = await rate_limits.book(
        integration.rate_limit, share, rate=integration.rate_per_second, earliest=earliest, count=count
    )
    return booking.send_slots


type Acknowledge = Callable[[Message, Taken], Awaitable[Sequence[Move]]]
"""Called after the provider took a message, before that is recorded. Returns the moves that waited for the provider's
message ID."""

type NotesUnknown = Callable[[Message], Awaitable[None]]
"""Called before a message ends with an unknown outcome. May be called twice for the same claim."""


async def nothing_to_note(_message: Message) -> None:
    """For WhatsApp: its statuses carry our own key and find the message after any outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAdapter[I: Integrated, P]:
    """One provider: its client, and what is done once it took a message."""

    sender: ChannelSender[I, P]
    acknowledge: Acknowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAdapter[I: Integrated, P]:
    """One channel. `integration` takes an organisation and the lowest version that may be used; its result names the
    provider."""

    integration: Callable[[str, int], Awaitable[I | None]]
    providers: Mapping[Provider, ProviderAdapter[I, P]]
    note_unknown: NotesUnknown = nothing_to_note

    async def ready(self, integration: I | None, payload: Payload) -> "Ready[I, P]":
        """Do all that may be repeated. A failure is raised later, by `Ready.send`, once the message is claimed."""
        adapter = self.providers.get(integration.provider) if integration is not None else None
        if integration is None or adapter is None:
            return Ready(None, None, None, SendError(Kind.STOP, "integration_missing", "token_invalid"))
        try:
            prepared = await adapter.sender.prepare(integration, payload)
        except SendError as error:
            return Ready(adapter, integration, None, error)
        return Ready(adapter, integration, prepared, None)


class Ready[I: Integrated, P]:
    """A message that needs only its one call."""

    def __init__(
        self,
        adapter: ProviderAdapter[I, P] | None,
        integration: I | None,
        prepared: P | None,
        failure: SendError | None,
    ) -> None:
        self._adapter = adapter
        self._integration = integration
        self._prepared = prepared
        self._failure = failure

    @property
    def integration(self) -> I | None:
        """The settings for the call; None: there are none any more."""
        return self._integration

    @property
    def is_prepared(self) -> bool:
        """Whether all that may be repeated succeeded."""
        return self._failure is None

    async def send(self, payload: Payload, key: str) -> Taken:
        """Make the call for the prepared payload or a part of it. Raises what `prepare` or `send` raised."""
        if self._failure is not None:
            raise self._failure
        if self._adapter is None or self._integration is None or self._prepared is None:
            raise SendError(Kind.BUG, "not_prepared", "provider_rejected")
        return await self._adapter.sender.send(self._integration, payload, self._prepared, key=key)

    async def acknowledge(self, message: Message, taken: Taken) -> Sequence[Move]:
        """The provider took the message. Returns the moves that waited for its ID at the provider."""
        return await self._adapter.acknowledge(message, taken) if self._adapter is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteHeld:
    """For WhatsApp: notes when Meta holds a message of this number. The statuses themselves carry our own key."""

    last_heard_store: LastHeardStore
    telemetry: Telemetry
    now: Callable[[], datetime]

    async def __call__(self, message: Message, taken: Taken) -> Sequence[Move]:
        """After this note, silence about other messages of the number says nothing for a while
        (`shared.sending.unknown_outcome`)."""
        if taken.held and message.sender is not None:
            await self.last_heard_store.held(message.organisation, message.sender, self.now())
            self.telemetry.event("message_held_by_provider", message_id=message.message_id)
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameReceipts:
    """For a provider whose receipts carry only its own ID: stores which message it belongs to, and takes up receipts
    that came before."""

    provider: Provider
    statuses: Mapping[str, Status]
    receipts: Receipts
    now: Callable[[], datetime]

    async def __call__(self, message: Message, taken: Taken) -> Sequence[Move]:
        """Receipts that the consumer parked before come back with the naming. Later ones find the name."""
        place = (message.organisation, self.provider, taken.provider_message_id)
        parked = await self.receipts.name(*place, message.message_id)
        moves = (move_of_receipt(self.statuses.get(one), self.now()) for one in parked)
        return [move for move in moves if move is not None]


SLOW = timedelta(seconds=2)
"""A call that takes this long gets a log line of its own. The duration of the others is a metric."""


def tell_call(
    telemetry: Telemetry, queue_message: QueueMessage, between: tuple[datetime, datetime], outcome: str
) -> None:
    """`between`: when the provider was called, and when it had answered. Lateness counts from this message's send
    slot."""
    asked_at, answered_at = between
    milliseconds = _milliseconds(answered_at - asked_at)
    telemetry.event(
        "provider_called",
        channel=queue_message.channel,
        outcome=outcome,
        milliseconds=milliseconds,
        late_milliseconds=_milliseconds(asked_at - from_microseconds(queue_message.slot_at)),
    )
    if answered_at - asked_at >= SLOW:
        telemetry.event(
            "send_was_slow",
            message_id=queue_message.message_id,
            channel=queue_message.channel,
            outcome=outcome,
            milliseconds=milliseconds,
        )


def _milliseconds(span: timedelta) -> int:
    """Never below zero: a call a moment before its slot is not late."""
    return max(round(span / timedelta(milliseconds=1)), 0)
