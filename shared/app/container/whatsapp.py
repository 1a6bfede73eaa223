"""The send step of WhatsApp."""

from collections.abc import Sequence
from typing import Any, Protocol

from shared.app.container.sending import QUEUED_CHAIN, Chain, Sending, SendingAdapters
from shared.app.providers import PROVIDERS, ProviderRow, of_channel
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.payload import Channel
from shared.providers.cards import WithSampleCard
from shared.sending.channel import CardSource, ChannelAdapter
from shared.sending.send import SendStep


class WhatsAppAdapters(SendingAdapters, Protocol):
    """What WhatsApp needs beside what every channel needs."""

    @property
    def card_source(self) -> CardSource:
        """Fetches card pictures."""


class WhatsApp[A: WhatsAppAdapters = WhatsAppAdapters](Sending[A]):
    """Sends WhatsApp messages."""

    def whatsapp_step(
        self, chain: Chain = QUEUED_CHAIN, providers: Sequence[ProviderRow] = PROVIDERS
    ) -> SendStep[WhatsAppIntegration, Any]:
        """Towards Meta."""
        cards = WithSampleCard(self.adapters.card_source)
        adapter = ChannelAdapter(
            integration=self._whatsapp,
            providers=self.provider_adapters(of_channel(Channel.WHATSAPP, providers), chain, cards),
        )
        return SendStep(adapter, self.send_deps(chain.waits, self.daily_limits, cards))

    async def _whatsapp(self, organisation: str, version: int) -> WhatsAppIntegration | None:
        return await self.adapters.integrations.whatsapp(organisation, version=version)
