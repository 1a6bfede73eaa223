"""A queue that ends the messages it can never carry: one of them does not hold the others of its chunk, whose release
goes on only once all are on the queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.dispatch import Dispatch
from shared.usecases.ports import Telemetry
from shared.usecases.settle import Settler

UNFIT = "field_invalid"
"""Why such a message ends (api.md, Codes): one of its values is too long, or holds what cannot be queued."""


class OffersMessages(Protocol):
    """The channel queues as they are."""

    async def offer(self, dispatches: Sequence[Dispatch], now: datetime) -> Sequence[Dispatch]:
        """Enqueue as `ChannelQueue.put` does. Answers those that a queue will never take; all others are on it."""
        ...


class EndingQueue:
    """`ChannelQueue`. Killed before the end is written, the caller puts all of them again, and the same are refused."""

    def __init__(self, queue: OffersMessages, settler: Settler, telemetry: Telemetry) -> None:
        self._queue = queue
        self._settler = settler
        self._telemetry = telemetry

    async def put(self, dispatches: Sequence[Dispatch], now: datetime) -> None:
        """See `ChannelQueue`."""
        refused = await self._queue.offer(dispatches, now)
        for one in refused:
            await self._settler.end_unsent(one.organisation, one.message_id, UNFIT, now)
            self._telemetry.trouble(
                "queue_message_refused",
                message_id=one.message_id,
                channel=one.channel,
                organisation=one.organisation,
            )
        if refused:
            await self._settler.flush()
