"""The row that stands beside those of `shared.wiring.providers.PROVIDERS`."""

from shared.domain.payload import Channel, Provider
from shared.wiring.providers import ProviderRow
from tests.toy_provider.kite.client import KiteSender
from tests.toy_provider.kite.receipts import FORMAT

KITE = ProviderRow(
    name=Provider("kite"),
    channel=Channel.SMS,
    sender=lambda parts: KiteSender(parts.http, parts.clock.now, parts.times),
    receipts=FORMAT,
)
