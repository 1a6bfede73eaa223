"""The providers whose receipts come to a secret path, and how to read them. The webhook needs no more of a provider.

Separate from `shared.app.providers`, which imports the clients: the webhook's artefact has no HTTP client.
"""

from collections.abc import Mapping

from shared.messages.payload import ORANGE, Provider
from shared.providers.orange.receipts import FORMAT
from shared.webhooks.updates import ReceiptFormat

RECEIPTS: Mapping[Provider, ReceiptFormat] = {ORANGE: FORMAT}
