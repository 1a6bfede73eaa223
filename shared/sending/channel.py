"""A channel's adapter: its settings, its providers, and what is owed to the log and the metrics once a provider was
called.

What the send step asks of a channel. Both channels are driven by the same use case through this one Protocol.
"""

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
"""Meta keeps uploads 30 days (reference/whatsapp.md §2); the day less is for messages held back on their way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What the provider said when it took a message. `provider_message_id` is fit to be stored and shown.

    `held`: taken, but kept back for the provider's own assessment; it may still fail.
    """

    provider_message_id: str
    held: bool = False


class ChannelSender[I, P](Protocol):
    """One provider. `I` is the integration, `P` what `prepare` makes (a media ID, an OAuth token).

    Both methods raise `SendError` and nothing else for whatever the provider or the network does.
    """

    async def prepare(self, integration: I, payload: Payload) -> P:
        """All that may be repeated: fetch and upload the card, get a token. Called before the claim."""
        ...

    async def send(self, integration: I, payload: Payload, prepared: P, *, key: str) -> Taken:
        """The one call that must not be repeated.

        `key` comes back in the provider's statuses where the provider can do that.
        """
        ...


class MediaCache(Protocol):
    """Which card was uploaded to which number: `content` is the SHA-256 of the bytes, in hex."""

    async def media_id(
        self, organisation: str, phone_number_id: str, content: str, *, after: datetime | None = None
    ) -> str | None:
        """The ID at Meta; None where there is none younger than `MEDIA_KEPT`, or none of an upload after `after`."""
        ...

    async def remember(
        self, organisation: str, phone_number_id: str, content: str, media_id: str, uploaded_at: datetime
    ) -> None:
        """Keep `media_id` for `MEDIA_KEPT` from its upload, in place of any other."""
        ...

    async def forget(self, organisation: str, phone_number_id: str, content: str, media_id: str) -> None:
        """No longer keep `media_id`; another one of the same card stays."""
        ...


class CardSource(Protocol):
    """Where card images come from. Raises `SendError`: `card_unreachable`, `card_not_a_picture`, `card_too_large`."""

    async def fetch(self, reference: str, organisation: str) -> bytes:
        """The bytes at an `s3://bucket/<organisation>/…` or an allowed `https://…` reference."""
        ...


class Integrated(Protocol):
    """What both integrations have."""

    @property
    def provider(self) -> Provider:
        """Who sends for the organisation."""
        ...

    @property
    def rate_limit(self) -> RateLimit:
        """The budget to book on."""
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
    """The settings of one channel; None where they are not set. `uncached`: not from a cache."""
    read = integrations.sms if channel is Channel.SMS else integrations.whatsapp
    return await read(organisation, uncached=uncached)


async def book_slots(
    rate_limits: RateLimits, integration: Integrated, share: Share | None, *, earliest: datetime, count: int = 1
) -> Sequence[int]:
    """Send slots of the integration's rate limit, in microseconds since 1970. `share` None: whichever is free first."""
    booking = await rate_limits.book(
        integration.rate_limit, share, rate=integration.rate_per_second, earliest=earliest, count=count
    )
    return booking.send_slots


type Acknowledge = Callable[[Message, Taken], Awaitable[Sequence[Move]]]
"""Called when the provider took a message, before that is recorded. Returns the moves that waited for the message's ID
at the provider."""

type NotesUnknown = Callable[[Message], Awaitable[None]]
"""Called before a message ends with an unknown outcome. May be called twice for the same claim."""


async def nothing_to_note(_message: Message) -> None:
    """WhatsApp's statuses bring our own key back: they find the message whatever became of the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAdapter[I: Integrated, P]:
    """One provider: what makes the call, and what is done once it took a message."""

    sender: ChannelSender[I, P]
    acknowledge: Acknowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAdapter[I: Integrated, P]:
    """One channel. `integration` takes an organisation and the least version that will do; it names its provider."""

    integration: Callable[[str, int], Awaitable[I | None]]
    providers: Mapping[Provider, ProviderAdapter[I, P]]
    note_unknown: NotesUnknown = nothing_to_note

    async def ready(self, integration: I | None, payload: Payload) -> "Ready[I, P]":
        """Do all that may be repeated; what went wrong is told when the message is claimed."""
        adapter = self.providers.get(integration.provider) if integration is not None else None
        if integration is None or adapter is None:
            return Ready(None, None, None, SendError(Kind.STOP, "integration_missing", "token_invalid"))
        try:
            prepared = await adapter.sender.prepare(integration, payload)
        except SendError as error:
            return Ready(adapter, integration, None, error)
        return Ready(adapter, integration, prepared, None)


class Ready[I: Integrated, P]:
    """A message that only waits for the one call."""

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
        """The settings that the call is made with; None where they are gone."""
        return self._integration

    @property
    def is_prepared(self) -> bool:
        """Whether all that may be repeated went well."""
        return self._failure is None

    async def send(self, payload: Payload, key: str) -> Taken:
        """Make the call for the payload that was prepared, or a part of it. Raises what `prepare` or `send` raised."""
        if self._failure is not None:
            raise self._failure
        if self._adapter is None or self._integration is None or self._prepared is None:
            raise SendError(Kind.BUG, "not_prepared", "provider_rejected")
        return await self._adapter.sender.send(self._integration, payload, self._prepared, key=key)

    async def acknowledge(self, message: Message, taken: Taken) -> Sequence[Move]:
        """The provider took the message. Answers moves that were waiting for its name there."""
        return await self._adapter.acknowledge(message, taken) if self._adapter is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteHeld:
    """WhatsApp's statuses bring our own key back; noted is only that Meta holds a message of this number back."""

    last_heard_store: LastHeardStore
    telemetry: Telemetry
    now: Callable[[], datetime]

    async def __call__(self, message: Message, taken: Taken) -> Sequence[Move]:
        """Silence about other messages of the number says nothing for a while (`shared.sending.unknown_outcome`)."""
        if taken.held and message.sender is not None:
            await self.last_heard_store.held(message.organisation, message.sender, self.now())
            self.telemetry.event("message_held_by_provider", message_id=message.message_id)
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameReceipts:
    """A provider's receipts that know only its own ID: note whose it is, and take up what came before this note."""

    provider: Provider
    statuses: Mapping[str, Status]
    receipts: Receipts
    now: Callable[[], datetime]

    async def __call__(self, message: Message, taken: Taken) -> Sequence[Move]:
        """What the consumer parked before comes back with the naming; what it parks after finds the name."""
        place = (message.organisation, self.provider, taken.provider_message_id)
        parked = await self.receipts.name(*place, message.message_id)
        moves = (move_of_receipt(self.statuses.get(one), self.now()) for one in parked)
        return [move for move in moves if move is not None]


SLOW = timedelta(seconds=2)
"""A call that takes as long gets a line of its own; how long the others took is a metric."""


def tell_call(
    telemetry: Telemetry, queue_message: QueueMessage, between: tuple[datetime, datetime], outcome: str
) -> None:
    """`between`: when the provider was asked, and when it had answered. Late is after the departure of this copy."""
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
    """Never below zero: a message that leaves a moment before its time is not late."""
    return max(round(span / timedelta(milliseconds=1)), 0)
