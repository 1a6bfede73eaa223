"""What the send step asks of a channel. Both channels are driven by the same use case through this one Protocol."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.payload import Payload

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
