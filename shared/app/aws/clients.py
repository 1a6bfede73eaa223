"""The providers' clients and the source of card pictures, for functions that send or ask providers.

Card modules are imported at first use, so that the cold start of the SMS sender does not pay for them.
"""

# ruff: noqa: PLC0415
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.app.aws.stores import AwsStores
from shared.app.providers import ProviderRow
from shared.messages.payload import META, ORANGE
from shared.providers.http import QUEUED_SENDS, ClientParts, SendTimes, client
from shared.sending.channel import CardSource, ChannelSender

if TYPE_CHECKING:
    from shared.cards.references import CardHost
    from shared.providers.cards import Cards


class AwsClients(AwsStores):
    """The stores, and the providers at the base URLs of the environment."""

    def sender(self, row: ProviderRow, times: SendTimes, cards: CardSource | None) -> ChannelSender[Any, Any]:
        """A client of the provider, with an HTTP client of its own."""
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


class AwsCards(AwsClients):
    """The clients, and the hosts and buckets that may serve cards."""

    @cached_property
    def card_hosts(self) -> "tuple[CardHost, ...]":
        """The allowed hosts. Raises ValueError for a wrong setting."""
        from shared.cards.references import parse_hosts

        return parse_hosts(self._given.card_hosts)

    @cached_property
    def card_buckets(self) -> frozenset[str]:
        """The names of the allowed buckets."""
        from shared.cards.references import parse_buckets

        return parse_buckets(self._given.card_buckets)

    @cached_property
    def card_source(self) -> "Cards":
        """Fetches from the allowed hosts and buckets."""
        from shared.providers.cards import Cards
        from shared.storage.files import S3Cards

        return Cards(client(), S3Cards(self.aws), self.card_hosts, self.card_buckets)
