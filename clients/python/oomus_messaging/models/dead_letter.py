from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.channel import Channel
from ..models.dead_letter_reason import DeadLetterReason

T = TypeVar("T", bound="DeadLetter")


@_attrs_define
class DeadLetter:
    """A message that we failed to handle, without personal data.

    Attributes:
        dead_letter_id (str): Changes each time that the message becomes a dead letter.
        channel (Channel): How a message reaches the person.
        message_id (str):
        recipient (str): Masked.
        reason (DeadLetterReason): `copy_unreadable`: the queue message could not be read; `handling_failed`: it could
            be read, but every attempt to handle it failed on our side.
        reason_text (str): The reason as a sentence, with what to do, in the language asked for.
        received_at (datetime.datetime): When it became a dead letter.
        attempts (int): How often it was received from its queue.
    """

    dead_letter_id: str
    channel: Channel
    message_id: str
    recipient: str
    reason: DeadLetterReason
    reason_text: str
    received_at: datetime.datetime
    attempts: int

    def to_dict(self) -> dict[str, Any]:
        dead_letter_id = self.dead_letter_id

        channel = self.channel.value

        message_id = self.message_id

        recipient = self.recipient

        reason = self.reason.value

        reason_text = self.reason_text

        received_at = self.received_at.isoformat()

        attempts = self.attempts

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "dead_letter_id": dead_letter_id,
                "channel": channel,
                "message_id": message_id,
                "recipient": recipient,
                "reason": reason,
                "reason_text": reason_text,
                "received_at": received_at,
                "attempts": attempts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        dead_letter_id = d.pop("dead_letter_id")

        channel = Channel(d.pop("channel"))

        message_id = d.pop("message_id")

        recipient = d.pop("recipient")

        reason = DeadLetterReason(d.pop("reason"))

        reason_text = d.pop("reason_text")

        received_at = datetime.datetime.fromisoformat(d.pop("received_at"))

        attempts = d.pop("attempts")

        dead_letter = cls(
            dead_letter_id=dead_letter_id,
            channel=channel,
            message_id=message_id,
            recipient=recipient,
            reason=reason,
            reason_text=reason_text,
            received_at=received_at,
            attempts=attempts,
        )

        return dead_letter
