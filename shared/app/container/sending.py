"""The send steps of both channels: what they work with, and the adapters of the providers."""

# ruff: noqa: PLC0415
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.app.container.core import Core, CoreAdapters
from shared.app.providers import PROVIDERS, ProviderRow, of_channel
from shared.cards.failures import CardFailures, FailedCards
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.messages.payload import Channel, Provider
from shared.pacing.daily_limit import DailyLimits
from shared.pacing.slots import QUEUED, TEST_SEND, Waits
from shared.policy.gate_check import GateCheck
from shared.providers.http import QUEUED_SENDS, TEST_SENDS, SendTimes
from shared.sending.channel import CardSource, ChannelAdapter, ChannelSender, ProviderAdapter
from shared.sending.send import SendDeps, SendStep
from shared.webhooks.unmatched_receipts import NoteUnknown, UnknownSms
from shared.webhooks.updates import Receipts


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All times of a send. Together they must fit into a function's time-out."""

    waits: Waits
    times: SendTimes


QUEUED_CHAIN = Chain(waits=QUEUED, times=QUEUED_SENDS)

TEST_CHAIN = Chain(waits=TEST_SEND, times=TEST_SENDS)


class SendingAdapters(CoreAdapters, Protocol):
    """What a send step needs, on either channel."""

    @property
    def card_failures(self) -> CardFailures:
        """Failures of card hosts."""

    @property
    def receipts(self) -> Receipts:
        """Which message a receipt's ID belongs to."""

    def sender(self, row: ProviderRow, times: SendTimes, cards: CardSource | None) -> ChannelSender[Any, Any]:
        """A new client of the provider. `cards`: where it finds card pictures; None: it sends none."""
        ...


class Sending[A: SendingAdapters = SendingAdapters](Core[A]):
    """The parts of the send steps of both channels."""

    def provider_adapters(
        self, rows: Sequence[ProviderRow], chain: Chain, cards: CardSource | None = None
    ) -> Mapping[Provider, ProviderAdapter[Any, Any]]:
        """The adapters of one channel's providers."""
        on = self.adapters
        noted = (on.receipts, on.last_heard_store, on.telemetry, on.clock)
        return {
            row.name: ProviderAdapter(sender=on.sender(row, chain.times, cards), acknowledge=row.acknowledge(*noted))
            for row in rows
        }

    def send_deps(self, waits: Waits, limits: DailyLimits | None = None, cards: CardSource | None = None) -> SendDeps:
        """What both channels work with. `limits` and `cards` are for WhatsApp only."""
        on = self.adapters
        return SendDeps(
            log=on.log,
            rate_limits=on.rate_limits,
            queue=self.ending_queue(),
            gate_check=GateCheck(on.holds, on.people, on.log, limits),
            refusal_effects=self.refusal_effects(),
            holding=self.holding,
            members=self.members,
            cards=FailedCards(on.card_failures, cards),
            status_writer=self.status_writer(),
            telemetry=on.telemetry,
            clock=on.clock,
            draw=on.draw,
            waits=waits,
        )


class SmsAdapters(SendingAdapters, Protocol):
    """What SMS needs in addition."""

    @property
    def unknown_sms(self) -> UnknownSms:
        """SMS with an unknown outcome."""


class Sms[A: SmsAdapters = SmsAdapters](Sending[A]):
    """Sends SMS."""

    def sms_step(
        self, chain: Chain = QUEUED_CHAIN, providers: Sequence[ProviderRow] = PROVIDERS
    ) -> SendStep[SmsIntegration, Any]:
        """The send step of SMS. The organisation's settings name the provider."""
        adapter = ChannelAdapter(
            integration=self._sms,
            providers=self.provider_adapters(of_channel(Channel.SMS, providers), chain),
            note_unknown=NoteUnknown(unknown=self.adapters.unknown_sms),
        )
        return SendStep(adapter, self.send_deps(chain.waits))

    async def _sms(self, organisation: str, version: int) -> SmsIntegration | None:
        return await self.adapters.integrations.sms(organisation, version=version)


class WhatsAppAdapters(SendingAdapters, Protocol):
    """What WhatsApp needs in addition."""

    @property
    def card_source(self) -> CardSource:
        """Fetches card pictures."""


class WhatsApp[A: WhatsAppAdapters = WhatsAppAdapters](Sending[A]):
    """Sends WhatsApp messages."""

    def whatsapp_step(
        self, chain: Chain = QUEUED_CHAIN, providers: Sequence[ProviderRow] = PROVIDERS
    ) -> SendStep[WhatsAppIntegration, Any]:
        """The send step of WhatsApp."""
        from shared.providers.cards import WithSampleCard

        cards = WithSampleCard(self.adapters.card_source)
        adapter = ChannelAdapter(
            integration=self._whatsapp,
            providers=self.provider_adapters(of_channel(Channel.WHATSAPP, providers), chain, cards),
        )
        return SendStep(adapter, self.send_deps(chain.waits, self.daily_limits, cards))

    async def _whatsapp(self, organisation: str, version: int) -> WhatsAppIntegration | None:
        return await self.adapters.integrations.whatsapp(organisation, version=version)
