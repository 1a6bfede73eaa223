"""Nobody knows whether the provider took a message: an answer was lost, or a worker died with its claim."""

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
    """WhatsApp's statuses may still tell what became of them; of an SMS nothing more is surely heard (design.md)."""

    def __init__(self, log: Log, status_writer: StatusWriter, note_unknown: NotesUnknown) -> None:
        self._log = log
        self._status_writer = status_writer
        self._note_unknown = note_unknown

    async def take(self, message: Message, now: datetime) -> None:
        """Its latest attempt is the one nobody knows of. Never sends."""
        if message.channel is Channel.WHATSAPP:
            key, due_at = (message.organisation, message.message_id), first_look(now, resent=message.resent)
            await self._log.mark_unknown(*key, token=message.claim_token, now=now, due_at=due_at)
            return
        await self._note_unknown(message)
        await self.end(message, now)

    async def end(self, message: Message, now: datetime) -> None:
        """Nothing more is waited for. Only the claim that was seen ends so: it may have been given back since, and the
        message claimed anew."""
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
        """For whoever may not claim a message, but may be the last to look at it: a dead worker's claim would stay."""
        if message is not None and message.is_lapsed(now):
            await self.take(message, now)
