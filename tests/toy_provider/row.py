"""The provider's row, as it would be in `shared.app.providers.PROVIDERS`."""

from shared.app.providers import ProviderRow
from shared.messages.payload import Channel, Provider
from tests.toy_provider.kite.client import KiteSender
from tests.toy_provider.kite.receipts import FORMAT

KITE = ProviderRow(
    name=Provider("kite"),
    channel=Channel.SMS,
    sender=lambda parts: KiteSender(parts.http, parts.clock.now, parts.times),
    receipts=FORMAT,
)
