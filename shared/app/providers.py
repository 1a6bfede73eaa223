"""The providers, one row each. A second SMS provider is a folder, a row here, and a line for the webhook in `receipts`.

The functions of a row import its client when they are called, so that a sender's cold start loads only its own channel.
"""

# ruff: noqa: PLC0415
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.app.receipts import RECEIPTS
from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.integrations.balances import Balances
from shared.messages.payload import META, ORANGE, Channel, Provider
from shared.sending.channel import Acknowledge, ChannelSender, NameReceipts, NoteHeld
from shared.sending.last_heard import LastHeardStore
from shared.webhooks.updates import ReceiptFormat, Receipts

if TYPE_CHECKING:
    from shared.providers.http import ClientParts
    from shared.providers.orange.client import OrangeSender


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """One provider. Its folder has its error table and its mapper; its client raises `SendError`.

    `receipts` None: its statuses carry our own key and a signature (Meta). `balances` None: it does not report what an
    account may still send.
    """

    name: Provider
    channel: Channel
    sender: Callable[["ClientParts"], ChannelSender[Any, Any]]
    receipts: ReceiptFormat | None = None
    balances: Callable[["ClientParts"], Balances] | None = None

    def acknowledge(
        self, receipts: Receipts, last_heard_store: LastHeardStore, telemetry: Telemetry, clock: Clock
    ) -> Acknowledge:
        """What is done after the provider took a message."""
        if self.receipts is None:
            return NoteHeld(last_heard_store=last_heard_store, telemetry=telemetry, now=clock.now)
        statuses = self.receipts.statuses
        return NameReceipts(provider=self.name, statuses=statuses, receipts=receipts, now=clock.now)


def _meta(parts: "ClientParts") -> ChannelSender[Any, Any]:
    from shared.providers.meta.client import WhatsAppSender

    if parts.cards is None:
        raise ValueError("WhatsApp needs a source of cards")
    return WhatsAppSender(parts.http, parts.url, parts.cards, parts.media, parts.clock.now, parts.times)


def _orange(parts: "ClientParts") -> "OrangeSender":
    from shared.providers.orange.client import OrangeSender

    return OrangeSender(parts.http, parts.url, parts.clock.now, parts.tokens, parts.times)


def _orange_balances(parts: "ClientParts") -> Balances:
    from shared.providers.orange.client import OrangeBalances

    return OrangeBalances(_orange(parts), parts.clock.now)


PROVIDERS = (
    ProviderRow(name=META, channel=Channel.WHATSAPP, sender=_meta),
    ProviderRow(name=ORANGE, channel=Channel.SMS, sender=_orange, receipts=RECEIPTS[ORANGE], balances=_orange_balances),
)


def of_channel(channel: Channel, providers: Sequence[ProviderRow]) -> Sequence[ProviderRow]:
    """The channel's rows."""
    return [row for row in providers if row.channel is channel]
