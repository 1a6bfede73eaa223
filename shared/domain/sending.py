"""What the send step asks of a channel. Both channels are driven by the same use case through this one Protocol."""

from dataclasses import dataclass
from typing import Protocol

from shared.domain.payload import Payload


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

    async def media_id(self, organisation: str, phone_number_id: str, content: str) -> str | None:
        """The ID at Meta, or None where there is none younger than its life of 30 days (less a margin)."""
        ...

    async def remember(self, organisation: str, phone_number_id: str, content: str, media_id: str) -> None:
        """Keep `media_id` for as long as Meta does."""
        ...


class CardSource(Protocol):
    """Where card images come from. Raises `SendError`: `card_unreachable`, `card_not_a_picture`, `card_too_large`."""

    async def fetch(self, reference: str, organisation: str) -> bytes:
        """The bytes at an `s3://bucket/<organisation>/…` or an allowed `https://…` reference."""
        ...
