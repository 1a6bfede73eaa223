"""The providers' clients, for functions that send or ask."""

from typing import Any

from shared.app.aws.stores import AwsStores
from shared.app.providers import ProviderRow
from shared.messages.payload import META, ORANGE
from shared.providers.http import QUEUED_SENDS, ClientParts, SendTimes, client
from shared.sending.channel import CardSource, ChannelSender


class AwsClients(AwsStores):
    """The stores, and the providers where the environment says that they are."""

    def sender(self, row: ProviderRow, times: SendTimes, cards: CardSource | None) -> ChannelSender[Any, Any]:
        """With an HTTP client of its own."""
        return row.sender(self._parts(row, times, cards))

    def _parts(self, row: ProviderRow, times: SendTimes = QUEUED_SENDS, cards: CardSource | None = None) -> ClientParts:
        urls = {META: self._given.meta_graph_url, ORANGE: self._given.orange_api_url}
        return ClientParts(
            http=client(),
            url=urls.get(row.name, ""),
            times=times,
            clock=self.clock,
            media=self.media,
            tokens=self.token_store,
            cards=cards,
        )
