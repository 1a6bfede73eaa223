"""The send step of SMS."""

from collections.abc import Sequence
from typing import Any, Protocol

from shared.app.container.sending import QUEUED_CHAIN, Chain, Sending, SendingAdapters
from shared.app.providers import PROVIDERS, ProviderRow, of_channel
from shared.integrations.integration import SmsIntegration
from shared.messages.payload import Channel
from shared.sending.channel import ChannelAdapter
from shared.sending.send import SendStep
from shared.webhooks.unmatched_receipts import NoteUnknown, UnknownSms


class SmsAdapters(SendingAdapters, Protocol):
    """What SMS need beside what every channel needs."""

    @property
    def unknown_sms(self) -> UnknownSms:
        """SMS with an unknown outcome."""


class Sms[A: SmsAdapters = SmsAdapters](Sending[A]):
    """Sends SMS."""

    def sms_step(
        self, chain: Chain = QUEUED_CHAIN, providers: Sequence[ProviderRow] = PROVIDERS
    ) -> SendStep[SmsIntegration, Any]:
        """Towards the SMS provider that the organisation's settings name."""
        adapter = ChannelAdapter(
            integration=self._sms,
            providers=self.provider_adapters(of_channel(Channel.SMS, providers), chain),
            note_unknown=NoteUnknown(unknown=self.adapters.unknown_sms),
        )
        return SendStep(adapter, self.send_deps(chain.waits))

    async def _sms(self, organisation: str, version: int) -> SmsIntegration | None:
        return await self.adapters.integrations.sms(organisation, version=version)
