"""Puts a message that the log has on its queue: the agenda and the probe of a hold enqueue in the same way."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.base.instants import from_microseconds
from shared.campaigns.distribution import Distribution
from shared.campaigns.stored_content import Plans
from shared.cards.failures import another_card
from shared.messages.message import Message
from shared.messages.ports import ChannelQueue, Log, set_next_check
from shared.messages.queue_message import Dispatch

CHECK_AFTER = timedelta(seconds=120)
"""When the agenda looks after the message again, counted from its send slot."""


class EnqueuesAgain(Protocol):
    """What enqueuing works with."""

    @property
    def log(self) -> Log: ...

    @property
    def plans(self) -> Plans: ...

    @property
    def queue(self) -> ChannelQueue: ...


async def enqueue_again(
    on: EnqueuesAgain, message: Message, dispatch: Dispatch, distribution: Distribution | None, now: datetime
) -> None:
    """Enqueue first, then move the next check on: killed in between, the message comes up again.

    `dispatch` gets another card of the same list along, which tells a bad card from a bad host.
    """
    another = await another_card(on.plans, message, distribution, now)
    await on.queue.put([replace(dispatch, another_card=another)], now)
    await set_next_check(on.log, message, from_microseconds(dispatch.slot_at) + CHECK_AFTER)
