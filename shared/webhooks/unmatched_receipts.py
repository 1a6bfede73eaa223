"""SMS with an unknown outcome, and receipts that match no message.

After a time-out, the message has no ID of the provider (`failed`, `outcome_unknown`), so its receipt matches no
message. The two are joined only if they are the only ones for one number at one provider in 24 hours (design.md,
Identity). Any other rule could mark a message as delivered that was not:

- A receipt may come before the answer 201 is stored. So an unmatched receipt is checked again after a quarter of an
  hour. By then the sender has stored the ID, or it has died and another worker has found its message.
- If two messages with an unknown outcome or two unmatched receipts have the same number, neither is changed.
- Only proof of arrival counts, and only for a message that was called before the receipt came.

A receipt without a matching message is checked for an hour, because the message of a dead worker is found late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.messages.message import Message
from shared.messages.payload import Provider
from shared.webhooks.updates import Receipt

LOOK_AGAIN_AFTER = timedelta(minutes=15)
"""SQS's longest delay. It is longer than the time for which a dead sender's queue message stays invisible (360 s) and
than its lease (90 s).
"""

MOST_LOOKS = 4

WITHIN = timedelta(hours=24)
"""Orange reports within 24 hours (reference/orange_sms.md §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOutcomes:
    """The messages of one number with an unknown outcome (ID → time of the call), and its unmatched receipts (ID → time
    of receipt).
    """

    messages: dict[str, datetime]
    receipts: dict[str, datetime]


class UnknownSms(Protocol):
    """Stores messages with an unknown outcome for 48 hours, by the keyed hash of their number and by provider."""

    async def note(
        self, organisation: str, person: str, provider: Provider, message_id: str, called_at: datetime
    ) -> None:
        """Store that the outcome of this message is unknown. It may be called twice."""
        ...

    async def meet(
        self, organisation: str, person: str, provider: Provider, receipt_id: str, received_at: datetime
    ) -> UnknownOutcomes:
        """Add an unmatched receipt if the number has messages with an unknown outcome. Returns all that is stored for
        the number.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteUnknown:
    """The sender's part: called before a message ends as `outcome_unknown`."""

    unknown: UnknownSms

    async def __call__(self, message: Message) -> None:
        """Store the message with the time of its claim, even if its end is noticed late. A repeat writes the same."""
        if message.claimed_at is not None and message.provider is not None:
            person = (message.organisation, message.person)
            await self.unknown.note(*person, message.provider, message.message_id, message.claimed_at)


class UnmatchedReceipts:
    """The webhook consumer's part. `person` makes an organisation's keyed hash of a number."""

    def __init__(self, unknown: UnknownSms, person: Callable[[str, str], str]) -> None:
        self._unknown = unknown
        self._person = person

    async def message_of(
        self, organisation: str, provider: Provider, receipt: Receipt, received_at: datetime
    ) -> str | None:
        """The only message that this proof of arrival can belong to; None if there is none. Do not call it at the first
        check.
        """
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
