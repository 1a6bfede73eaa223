"""Where card pictures come from, for senders and for planning."""

from collections.abc import Collection

from shared.cards.references import CardHost
from shared.providers.cards import Cards
from shared.providers.http import client
from shared.storage.aws import Aws
from shared.storage.files import S3Cards


def card_source(aws: Aws, hosts: Collection[CardHost], buckets: Collection[str]) -> Cards:
    """Fetches from the allowed hosts and buckets."""
    return Cards(client(), S3Cards(aws), hosts, buckets)
