"""Where card pictures come from, for senders and for planning."""

from collections.abc import Collection

from shared.aws.objects import S3Cards
from shared.aws.session import Aws
from shared.domain.card_reference import CardHost
from shared.providers.cards import Cards
from shared.providers.http import client


def card_source(aws: Aws, hosts: Collection[CardHost], buckets: Collection[str]) -> Cards:
    """Fetches from the allowed hosts and buckets."""
    return Cards(client(), S3Cards(aws), hosts, buckets)
