"""SMS of which nobody knows whether the provider took them, and receipts that name no message of ours.

A time-out leaves a message without the provider's ID (`failed`, `outcome_unknown`), and its receipt without a message.
The two belong together if they are all that there is for a number at a provider in 24 hours (design.md, Identity).
Anything else could mark as delivered what was not:

- A receipt may come before the 201 of its message is stored. So an unmatched one is looked at again, a quarter of an
  hour later, when whoever made the call has long named it, or died and been found out.
- Two messages in doubt, or two unmatched receipts, for one number: neither is lifted.
- Only proof of arrival lifts, and only a message that was called before the receipt was heard.

A receipt that finds no message in doubt is looked at for an hour, because a dead worker's message is found late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.messages.message import Message
from shared.messages.payload import Provider
from shared.webhooks.updates import Receipt

LOOK_AGAIN_AFTER = timedelta(minutes=15)
"""The longest that SQS delays. Longer than a dead sender's message stays out of sight (360 s) and its lease (90 s)."""

MOST_LOOKS = 4

WITHIN = timedelta(hours=24)
"""Orange reports within 24 hours (reference/orange_sms.md §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOutcomes:
    """What is in doubt for one number: messages by ID with the instant of the call, receipts with that of hearing."""

    messages: dict[str, datetime]
    receipts: dict[str, datetime]


class UnknownSms(Protocol):
    """Messages in doubt, by the keyed hash of their number and the provider that was asked; kept for 48 hours."""

    async def note(
        self, organisation: str, person: str, provider: Provider, message_id: str, called_at: datetime
    ) -> None:
        """Nobody knows whether this message was sent. May be noted twice."""
        ...

    async def meet(
        self, organisation: str, person: str, provider: Provider, receipt_id: str, received_at: datetime
    ) -> UnknownOutcomes:
        """Add an unmatched receipt where messages are in doubt; all that is in doubt then."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteUnknown:
    """The sender's half: called before a message ends as `outcome_unknown`."""

    unknown: UnknownSms

    async def __call__(self, message: Message) -> None:
        """The claim's own instant is kept, however late its end is noticed; a repeat writes the same."""
        if message.claimed_at is not None and message.provider is not None:
            person = (message.organisation, message.person)
            await self.unknown.note(*person, message.provider, message.message_id, message.claimed_at)


class UnmatchedReceipts:
    """The consumer's half. `person` hashes a number for an organisation."""

    def __init__(self, unknown: UnknownSms, person: Callable[[str, str], str]) -> None:
        self._unknown = unknown
        self._person = person

    async def message_of(
        self, organisation: str, provider: Provider, receipt: Receipt, received_at: datetime
    ) -> str | None:
        """The one message in doubt that this proof of arrival can be for. Not to be asked at the first look."""
        if receipt.address is None:
            return None
        person = self._person(organisation, receipt.address)
        unknown_outcomes = await self._unknown.meet(organisation, person, provider, receipt.receipt_id, received_at)
        messages = {one: at for one, at in unknown_outcomes.messages.items() if abs(received_at - at) <= WITHIN}
        receipts = {one for one, at in unknown_outcomes.receipts.items() if abs(received_at - at) <= WITHIN}
        if len(messages) != 1 or receipts != {receipt.receipt_id}:
            return None
        [(message_id, called_at)] = messages.items()
        return message_id if called_at <= received_at else None
