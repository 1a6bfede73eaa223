"""The send step of SMS, and what its providers' accounts may still send."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shared.app.providers import PROVIDERS, ProviderRow, of_channel
from shared.app.sending import QUEUED_CHAIN, Chain, client_parts, provider_desks, send_deps
from shared.app.stores import Stores
from shared.integrations.balances import BalancesByProvider
from shared.integrations.integration import SmsIntegration
from shared.messages.payload import Channel, Provider
from shared.pacing.members import ProvingBalances
from shared.sending.channel import ChannelDesk
from shared.sending.send import SendStep
from shared.webhooks.unmatched_receipts import NoteUnknown


def sms_step(
    stores: Stores,
    urls: Mapping[Provider, str],
    queue_urls: Mapping[Channel, str],
    chain: Chain = QUEUED_CHAIN,
    providers: Sequence[ProviderRow] = PROVIDERS,
) -> SendStep[SmsIntegration, Any]:
    """Towards the SMS provider that the organisation's settings name. `urls`: where providers are."""
    desk = ChannelDesk(
        integration=partial(_sms, stores),
        providers=provider_desks(stores, of_channel(Channel.SMS, providers), urls, chain),
        unsure=NoteUnknown(unknown=stores.unknown_sms),
    )
    return SendStep(desk, send_deps(stores, queue_urls, waits=chain.waits))


async def _sms(stores: Stores, organisation: str, version: int) -> SmsIntegration | None:
    return await stores.integrations.sms(organisation, version=version)


def sms_balances(stores: Stores, urls: Mapping[Provider, str]) -> ProvingBalances:
    """What an account may still send, of those providers that tell it."""
    told = {
        row.name: row.balances(client_parts(stores, urls.get(row.name, "")))
        for row in PROVIDERS
        if row.balances is not None
    }
    return ProvingBalances(BalancesByProvider(told), stores.members)
