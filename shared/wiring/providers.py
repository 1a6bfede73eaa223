"""The providers, one row each. A second SMS provider is a folder and a row.

The functions of a row import its HTTP client when they are called: the webhook reads receipts and has no such client.
"""

# ruff: noqa: PLC0415

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from shared.domain.clock import Clock
from shared.domain.payload import META, ORANGE, Channel, Provider
from shared.domain.receipt import ReceiptFormat
from shared.domain.sending import ChannelSender
from shared.providers.orange.receipts import FORMAT
from shared.usecases.balances import Balances
from shared.usecases.channel import Acknowledge, NameReceipts, NoteHeld
from shared.usecases.ports import Receipts, Telemetry
from shared.usecases.pulse import Pulse

if TYPE_CHECKING:
    from shared.providers.http import ClientParts
    from shared.providers.orange.client import OrangeSender


class ReceiptStores(Protocol):
    """What is written to once a provider took a message."""

    @property
    def receipts(self) -> Receipts: ...

    @property
    def pulse(self) -> Pulse: ...

    @property
    def telemetry(self) -> Telemetry: ...

    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """One provider. Its error table and its mapper are in its folder: what its client raises is a `SendError`.

    `receipts` None: its statuses bring our own key back, and come signed (Meta). `balances` None: it does not tell what
    an account may still send.
    """

    name: Provider
    channel: Channel
    sender: Callable[["ClientParts"], ChannelSender[Any, Any]]
    receipts: ReceiptFormat | None = None
    balances: Callable[["ClientParts"], Balances] | None = None

    def acknowledge(self, stores: ReceiptStores) -> Acknowledge:
        """What is done once the provider took a message."""
        now = stores.clock.now
        if self.receipts is None:
            return NoteHeld(pulse=stores.pulse, telemetry=stores.telemetry, now=now)
        return NameReceipts(provider=self.name, statuses=self.receipts.statuses, receipts=stores.receipts, now=now)


def _meta(parts: "ClientParts") -> ChannelSender[Any, Any]:
    from shared.providers.whatsapp.client import WhatsAppSender

    if parts.cards is None:
        raise ValueError("WhatsApp needs a source of cards")
    return WhatsAppSender(parts.http, parts.url, parts.cards, parts.media, parts.clock.now, parts.times)


def _orange(parts: "ClientParts") -> "OrangeSender":
    from shared.providers.orange.client import OrangeSender

    return OrangeSender(parts.http, parts.url, parts.clock.now, parts.tokens, parts.times)


def _orange_balances(parts: "ClientParts") -> Balances:
    from shared.providers.orange.balances import OrangeBalances

    return OrangeBalances(_orange(parts), parts.clock.now)


PROVIDERS = (
    ProviderRow(name=META, channel=Channel.WHATSAPP, sender=_meta),
    ProviderRow(name=ORANGE, channel=Channel.SMS, sender=_orange, receipts=FORMAT, balances=_orange_balances),
)


def of_channel(channel: Channel, providers: Sequence[ProviderRow]) -> Sequence[ProviderRow]:
    """The channel's rows."""
    return [row for row in providers if row.channel is channel]


def receipt_formats(providers: Sequence[ProviderRow]) -> Mapping[Provider, ReceiptFormat]:
    """Of those whose receipts come to a secret path."""
    return {row.name: row.receipts for row in providers if row.receipts is not None}
