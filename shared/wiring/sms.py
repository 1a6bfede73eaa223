"""The send step towards Orange."""

from collections.abc import Mapping
from functools import partial

from shared.domain.integration import SmsIntegration
from shared.domain.payload import Channel
from shared.providers.http import client
from shared.providers.orange.balances import OrangeBalances
from shared.providers.orange.client import OrangeSender
from shared.usecases.channel import ChannelDesk, NameReceipts
from shared.usecases.members import ProvingBalances
from shared.usecases.send import SendStep
from shared.usecases.strangers import NoteUnknown
from shared.wiring.sending import QUEUED_CHAIN, Chain, send_deps
from shared.wiring.stores import Stores


def sms_step(
    stores: Stores, base_url: str, queue_urls: Mapping[Channel, str], chain: Chain = QUEUED_CHAIN
) -> SendStep[SmsIntegration, str]:
    """The send step towards Orange."""

    desk = ChannelDesk(
        integration=partial(_sms, stores),
        sender=OrangeSender(client(), base_url, stores.clock.now, stores.token_shelf, chain.times),
        acknowledge=NameReceipts(receipts=stores.receipts, now=stores.clock.now),
        unsure=NoteUnknown(unknown=stores.unknown_sms),
    )
    return SendStep(desk, send_deps(stores, queue_urls, waits=chain.waits))


async def _sms(stores: Stores, organisation: str, version: int) -> SmsIntegration | None:
    return await stores.integrations.sms(organisation, version=version)


def orange_balances(stores: Stores, base_url: str) -> ProvingBalances:
    """What an Orange account may still send."""
    orange = OrangeSender(client(), base_url, stores.clock.now, stores.token_shelf)
    return ProvingBalances(OrangeBalances(orange, stores.clock.now), stores.members)
