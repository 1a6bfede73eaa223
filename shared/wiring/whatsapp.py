"""The send step towards Meta."""

from collections.abc import Mapping
from functools import partial

from shared.domain.card_reference import CardHost
from shared.domain.integration import WhatsAppIntegration
from shared.domain.payload import Channel
from shared.providers.http import client
from shared.providers.sample_card import WithSampleCard
from shared.providers.whatsapp.client import WhatsAppSender
from shared.usecases.channel import ChannelDesk, NoteHeld
from shared.usecases.send import SendStep
from shared.wiring.cards import card_source
from shared.wiring.sending import QUEUED_CHAIN, Chain, send_deps
from shared.wiring.stores import Stores


def whatsapp_step(
    stores: Stores,
    base_url: str,
    queue_urls: Mapping[Channel, str],
    card_hosts: tuple[CardHost, ...],
    card_buckets: frozenset[str],
    *,
    chain: Chain = QUEUED_CHAIN,
) -> SendStep[WhatsAppIntegration, str]:
    """The send step towards Meta."""

    cards = WithSampleCard(card_source(stores.aws, card_hosts, card_buckets))
    desk = ChannelDesk(
        integration=partial(_whatsapp, stores),
        sender=WhatsAppSender(client(), base_url, cards, stores.media, stores.clock.now, chain.times),
        acknowledge=NoteHeld(pulse=stores.pulse, telemetry=stores.telemetry, now=stores.clock.now),
    )
    return SendStep(desk, send_deps(stores, queue_urls, stores.daily_limits, chain.waits, cards))


async def _whatsapp(stores: Stores, organisation: str, version: int) -> WhatsAppIntegration | None:
    return await stores.integrations.whatsapp(organisation, version=version)
