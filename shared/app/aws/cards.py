"""Where card pictures come from, for senders and for planning."""

from functools import cached_property

from shared.app.aws.clients import AwsClients
from shared.cards.references import CardHost, parse_buckets, parse_hosts
from shared.providers.cards import Cards
from shared.providers.http import client
from shared.storage.files import S3Cards


class AwsCards(AwsClients):
    """The clients, and the hosts and buckets that may serve cards."""

    @cached_property
    def card_hosts(self) -> tuple[CardHost, ...]:
        """Raises ValueError for a wrong setting."""
        return parse_hosts(self._given.card_hosts)

    @cached_property
    def card_buckets(self) -> frozenset[str]:
        """By name."""
        return parse_buckets(self._given.card_buckets)

    @cached_property
    def card_source(self) -> Cards:
        """Fetches from the allowed hosts and buckets."""
        return Cards(client(), S3Cards(self.aws), self.card_hosts, self.card_buckets)
