"""Messages with an unknown outcome: an answer was lost, or a worker died with its claim."""

from datetime import datetime

from shared.messages.errors import Kind
from shared.messages.fallback import start_after
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import Log, Move
from shared.messages.status_writer import StatusWriter
from shared.sending.channel import NotesUnknown
from shared.sending.unknown_outcome import first_look

REASON = "outcome_unknown"


class Unknowns:
    """Marks and ends messages with an unknown outcome. WhatsApp's statuses may still say what happened to them; for an
    SMS no further report is certain (design.md)."""

    def __init__(self, log: Log, status_writer: StatusWriter, note_unknown: NotesUnknown) -> None:
        self._log = log
        self._status_writer = status_writer
        self._note_unknown = note_unknown

    async def take(self, message: Message, now: datetime) -> None:
        """The outcome of the latest attempt is unknown: mark the message, or end it (SMS). Never sends."""
        if message.channel is Channel.WHATSAPP:
            key, due_at = (message.organisation, message.message_id), first_look(now, resent=message.resent)
            await self._log.mark_unknown(*key, token=message.claim_token, now=now, due_at=due_at)
            return
        await self._note_unknown(message)
        await self.end(message, now)

    async def end(self, message: Message, now: datetime) -> None:
        """End the message. The move is bound to the claim that was seen: it may have been given back since, and the
        message claimed again."""
        move = Move(
            status=Status.FAILED,
            at=now,
            attempt=message.attempts,
            claim=message.claim_token,
            reason=REASON,
            fallback=start_after(Kind.UNKNOWN, REASON),
        )
        await self._status_writer.move(message.organisation, message.message_id, move)

    async def take_if_lapsed(self, message: Message | None, now: datetime) -> None:
        """For a caller that may not claim the message but may be the last to look at it: it ends a dead worker's
        claim."""
        if message is not None and message.is_lapsed(now):
            await self.take(message, now)
