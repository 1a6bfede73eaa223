"""The send step of WhatsApp."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from shared.app.cards import card_source
from shared.app.providers import PROVIDERS, of_channel
from shared.app.sending import QUEUED_CHAIN, Chain, provider_desks, send_deps
from shared.app.stores import Stores
from shared.cards.references import CardHost
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.payload import Channel, Provider
from shared.providers.cards import WithSampleCard
from shared.sending.channel import ChannelDesk
from shared.sending.send import SendStep


def whatsapp_step(
    stores: Stores,
    urls: Mapping[Provider, str],
    queue_urls: Mapping[Channel, str],
    card_hosts: tuple[CardHost, ...],
    card_buckets: frozenset[str],
    *,
    chain: Chain = QUEUED_CHAIN,
) -> SendStep[WhatsAppIntegration, Any]:
    """Towards Meta. `urls`: where providers are."""
    cards = WithSampleCard(card_source(stores.aws, card_hosts, card_buckets))
    desk = ChannelDesk(
        integration=partial(_whatsapp, stores),
        providers=provider_desks(stores, of_channel(Channel.WHATSAPP, PROVIDERS), urls, chain, cards),
    )
    return SendStep(desk, send_deps(stores, queue_urls, stores.daily_limits, chain.waits, cards))


async def _whatsapp(stores: Stores, organisation: str, version: int) -> WhatsAppIntegration | None:
    return await stores.integrations.whatsapp(organisation, version=version)
