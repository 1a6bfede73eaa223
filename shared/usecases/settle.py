"""Moves statuses and keeps the chunks' counts: one ADD a chunk and batch, after the moves that were won."""

from datetime import datetime

from shared.domain.distribution import Counts
from shared.domain.message import Chunk, Message
from shared.domain.status import Status
from shared.usecases.ports import Distributions, Log, Move, Moved, Telemetry


class Settler:
    """Used for one batch at a time; `flush` when the batch is through."""

    def __init__(self, log: Log, distributions: Distributions, telemetry: Telemetry) -> None:
        self._log = log
        self._distributions = distributions
        self._telemetry = telemetry
        self._changes: dict[tuple[str, Chunk], Counts] = {}

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        """Move a message; a late, repeated or unknown one is a counted no-op."""
        moved = await self._log.move(organisation, message_id, move)
        if moved.before is None:
            self._telemetry.event("status_for_unknown_message", message_id=message_id, status=move.status)
        elif not moved.won:
            self._telemetry.event(
                "status_not_moved", message_id=message_id, status=move.status, stands=moved.before.status
            )
        else:
            self._note(moved.before, move)
        return moved

    async def end_unsent(self, organisation: str, message_id: str, reason: str, now: datetime) -> Moved:
        """End a message that no copy holds: cancelled, opted out, not allowed any more."""
        move = Move(status=Status.FAILED, at=now, reason=reason, unclaimed=True)
        return await self.move(organisation, message_id, move)

    async def flush(self) -> None:
        """Write the counts gathered since the last flush."""
        changes, self._changes = self._changes, {}
        for (organisation, chunk), change in changes.items():
            await self._distributions.count(organisation, chunk, change)

    def _note(self, before: Message, move: Move) -> None:
        self._telemetry.event(
            "message_moved",
            message_id=before.message_id,
            channel=before.channel,
            before=before.status,
            status=move.status,
            reason=move.reason,
        )
        if before.chunk is None:
            return
        key = (before.organisation, before.chunk)
        self._changes[key] = self._changes.get(key, Counts()).plus(change_of(before, move))


def change_of(before: Message, move: Move) -> Counts:
    """What a won move changes in the counts. `pending` is what remains of the accepted: it is not counted."""
    left: dict[Status, int] = {} if before.status is Status.PENDING else {before.status: -1}
    was_failed = before.status is Status.FAILED and before.reason is not None
    reasons = {before.reason: -1} if was_failed and before.reason is not None else {}
    entered: dict[Status, int] = {move.status: 1}
    arrived = Counts(
        by_status=entered, by_reason={move.reason: 1} if move.status is Status.FAILED and move.reason else {}
    )
    return Counts(by_status=left, by_reason=reasons).plus(arrived)
