"""What webhooks ask of the world: whose receipt it is. `storage` answers on AWS, `tests/fakes` in memory; one contract
suite holds both to the same behaviour. Every method may be called twice; instants are aware and in UTC."""

from collections.abc import Sequence
from typing import Protocol

from shared.messages.payload import Provider


class Receipts(Protocol):
    """Where providers' receipt IDs and our messages meet, whichever comes first. Both sides are kept 48 h."""

    async def name(self, organisation: str, provider: Provider, receipt_id: str, message_id: str) -> Sequence[str]:
        """Say which message a receipt ID is for; answers the delivery statuses that were parked for it."""
        ...

    async def park(self, organisation: str, provider: Provider, receipt_id: str, delivery_status: str) -> str | None:
        """Keep a delivery status for whoever names its receipt later; where that was done, answers the message."""
        ...
