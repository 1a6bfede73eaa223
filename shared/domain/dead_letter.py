"""A message that was given up: its copy was taken off the queue too often without coming to an end, for reasons of our
own. It stays pending, nobody sends it, and it waits for a person to redrive it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.instants import from_milliseconds, milliseconds

KEPT_FOR = timedelta(days=14)
"""As long as a queue can keep anything. After that the message ends as `expired`: a card is for the day it was made
for, and a distribution with pending rows is never completed."""


class DeadReason(StrEnum):
    """Why a copy was given up (texts: `shared.http.texts`)."""

    COPY_UNREADABLE = "copy_unreadable"
    """What stood on the queue names its message, but is not what this version writes."""
    HANDLING_FAILED = "handling_failed"
    """It could be read; every worker that took it up failed before it knew an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One death of a message. `attempts`: how often a worker took its copy up."""

    received_at: datetime
    reason: DeadReason
    attempts: int

    @property
    def ends_at(self) -> datetime:
        """When the message ends unless it was redriven."""
        return ends_at(self.received_at)


def ends_at(received_at: datetime) -> datetime:
    """The same, of a death at that instant."""
    return received_at + KEPT_FOR


def dead_letter_id(message_id: str, received_at: datetime) -> str:
    """Names the message and which of its deaths: who asks twice to redrive one never redrives the next."""
    return f"{message_id}.{milliseconds(received_at)}"


def read_dead_letter_id(identity: str) -> tuple[str, datetime]:
    """The message ID and the instant of its death. ValueError for what `dead_letter_id` did not make."""
    message_id, _, instant = identity.rpartition(".")
    return message_id, from_milliseconds(int(instant))
