"""Cancels one message. (`shared.campaigns.cancel` ends the messages of a cancelled distribution.)"""

from shared.base.instants import Clock
from shared.base.refusal import ProblemCode, Refusal
from shared.messages.message import CANCELLED, Message, Status
from shared.messages.ports import Log, Move
from shared.messages.status_writer import StatusWriter


class MessageCancels:
    """Ends messages that no sender has claimed: scheduled ones, queued ones, those that are held or wait for another
    attempt, dead letters, rows of distributions. A sender drops a queue message of a message that has ended."""

    def __init__(self, log: Log, status_writer: StatusWriter, clock: Clock) -> None:
        self._log = log
        self._status_writer = status_writer
        self._clock = clock

    async def cancel(self, organisation: str, message_id: str) -> None:
        """End the message as cancelled. A repeated call changes nothing.

        Raises Refusal: not_found; state_conflict if it is not pending, if a sender has claimed it, or if its outcome is
        unknown.
        """
        row = await self._log.get(organisation, message_id)
        while not await self._is_cancelled(row):
            # Something has changed the row since it was read: look again.
            row = await self._log.get(organisation, message_id)
        await self._status_writer.flush()

    async def _is_cancelled(self, row: Message | None) -> bool:
        """Whether the row is cancelled now. Also called for a row that was cancelled already: the request that did it
        may have died before it counted, and the lost move asks for a recount."""
        if row is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        was_cancelled = row.status is Status.FAILED and row.reason == CANCELLED
        if not was_cancelled and not _may_be_cancelled(row):
            raise Refusal(ProblemCode.STATE_CONFLICT, status=row.status, too_late=_too_late(row))
        move = Move(status=Status.FAILED, at=self._clock.now(), reason=CANCELLED, unclaimed=True, only_pending=True)
        moved = await self._status_writer.move(row.organisation, row.message_id, move)
        return moved.won or was_cancelled


def _may_be_cancelled(row: Message) -> bool:
    """A lease outlives its claimer if the outcome is unknown. A message that was sent and goes once more is not
    pending."""
    return row.status is Status.PENDING and row.lease_until is None


def _too_late(row: Message) -> str:
    """Why a message that is shown as pending cannot be cancelled; empty for every other one."""
    if row.status is not Status.PENDING:
        return ""
    return "claimed" if row.unknown_since is None else "unknown"
