"""Moves statuses and keeps the counts: one ADD a chunk and batch, after the moves that were won. Messages of no
distribution are counted by campaign, channel and hour.

What providers say of a message afterwards, as moves of its status.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from shared.base.concurrency import gather_bounded
from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.campaigns.counts import (
    AT_REST_AFTER,
    Part,
    Place,
    counted,
    counted_fallback,
    distribution_of,
    fallbacks_of,
    group_of,
    place_of,
)
from shared.campaigns.distribution import Counts
from shared.campaigns.ports import Distributions
from shared.messages.errors import Kind
from shared.messages.fallback import Start, start_after, start_unsent
from shared.messages.message import Message, earliest
from shared.messages.payload import Channel
from shared.messages.ports import Log, Move, Moved
from shared.messages.status import Status
from shared.webhooks.updates import StatusReport


class StatusWriter:
    """Used for one batch at a time; `flush` when the batch is through."""

    def __init__(self, log: Log, distributions: Distributions, telemetry: Telemetry, clock: Clock) -> None:
        self._log = log
        self._distributions = distributions
        self._telemetry = telemetry
        self._clock = clock
        self._changes: dict[tuple[str, Place], Counts] = {}
        self._began: dict[tuple[str, Place], datetime] = {}
        """Before the first move of each was written."""
        self._uncertain: set[tuple[str, Place]] = set()
        self._latest = datetime.min.replace(tzinfo=UTC)

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        """Move a message; a late, repeated or unknown one is a counted no-op."""
        began = self._clock.now()
        moved = await self._log.move(organisation, message_id, move)
        if moved.before is None:
            self._telemetry.event("status_for_unknown_message", message_id=message_id, status=move.status)
        elif not moved.won:
            self._telemetry.event(
                "status_not_moved", message_id=message_id, status=move.status, stands=moved.before.status
            )
        else:
            self._tell(moved.before, move)
        self._note(moved, move, began)
        return moved

    async def end_unsent(self, organisation: str, message_id: str, reason: str, now: datetime) -> Moved:
        """End a message that no copy holds: cancelled, opted out, not allowed any more."""
        move = Move(status=Status.FAILED, at=now, reason=reason, unclaimed=True, fallback=start_unsent(reason))
        return await self.move(organisation, message_id, move)

    def met_again(self, message: Message) -> None:
        """It was brought here before, and had its move. The worker that moved it may have died before it counted: its
        work then comes again, and the chunk is recounted."""
        if message.chunk is not None:
            self._uncertain.add((message.organisation, message.chunk))
        if message.parent_chunk is not None:
            self._uncertain.add((message.organisation, fallbacks_of(message.parent_chunk)))

    async def flush(self) -> None:
        """Write the counts gathered since the last flush, all of them at once."""
        changes, self._changes = self._changes, {}
        began, self._began = self._began, {}
        uncertain, self._uncertain = self._uncertain, set()
        await gather_bounded(
            (
                *(self._count(place, change, began[place]) for place, change in changes.items() if change != Counts()),
                *(self._distributions.want_recount(*place, self._clock.now()) for place in uncertain),
            )
        )

    async def _count(self, place: tuple[str, Place], change: Counts, began: datetime) -> None:
        recount_at = self._latest + AT_REST_AFTER if isinstance(place[1], Part) else None
        if not await self._distributions.count(*place, change, began=began, recount_at=recount_at):
            self._telemetry.event("count_came_late", distribution_id=distribution_of(group_of(place[1])))
            await self._distributions.want_recount(*place, self._clock.now())

    def _tell(self, before: Message, move: Move) -> None:
        """Whose it was is told of failures alone: they are asked about, and every byte of the others is paid for."""
        failed = move.status is Status.FAILED
        self._telemetry.event(
            "message_moved",
            message_id=before.message_id,
            channel=before.channel,
            before=before.status,
            status=move.status,
            reason=move.reason,
            organisation=before.organisation if failed else None,
            distribution_id=before.distribution_id if failed else None,
        )

    def _note(self, moved: Moved, move: Move, began: datetime) -> None:
        """An instant that came late changes what is known of the time to delivery, though no status.

        What finds its own status there already may be the second try of a worker that died before it counted. An echo
        is not: the sender's own move comes again if its worker has died.
        """
        before = moved.before
        if before is not None and not moved.won and not move.is_duplicate and before.status is move.status:
            self.met_again(before)
        if before is None or not (moved.won or moved.noted):
            return
        self._latest = max(self._latest, move.at)
        self._add(before.organisation, place_of(before), change_of(before, move, won=moved.won), began)
        if before.parent_chunk is not None:
            change = change_of(before, move, won=moved.won, counting=counted_fallback)
            self._add(before.organisation, fallbacks_of(before.parent_chunk), change, began)

    def began(self, fallback: Message) -> None:
        """A fallback is in the log that was not there before: its distribution counts it."""
        if fallback.parent_chunk is not None:
            accepted_at = fallback.accepted_at
            self._latest = max(self._latest, accepted_at)
            place = fallbacks_of(fallback.parent_chunk)
            self._add(fallback.organisation, place, counted_fallback(fallback), accepted_at)

    def _add(self, organisation: str, place: Place, change: Counts, began: datetime) -> None:
        key = (organisation, place)
        self._began[key] = min(self._began.get(key, began), began)
        self._changes[key] = self._changes.get(key, Counts()).plus(change)


def change_of(
    before: Message, move: Move, *, won: bool = True, counting: Callable[[Message], Counts] = counted
) -> Counts:
    """What a won move, or only its instant, changes in the counts."""
    noted = before.with_instant(move.status, earliest(before.instant_of(move.status), move.at))
    after = replace(noted, status=move.status, reason=move.reason) if won else noted
    return counting(after).minus(counting(before))


def move_of_receipt(status: Status | None, at: datetime) -> Move | None:
    """The receipt of an SMS. It has no time stamp: `at` is when we heard. None: it says nothing."""
    if status is None:
        return None
    reason = "undeliverable" if status is Status.FAILED else None
    return Move(status=status, at=at, reason=reason, channel=Channel.SMS)


def move_of_report(report: StatusReport) -> Move:
    """A WhatsApp status. A `failed` counts only for the attempt that it names.

    The reason of an error that stops more than its message is a distribution's: on the message it reads as a refusal.
    """
    failed = report.status is Status.FAILED
    kind = report.error.kind if report.error else Kind.RECIPIENT
    reported = report.error.reason if report.error and report.error.kind is not Kind.STOP else ""
    reason = (reported or "provider_rejected") if failed else None
    return Move(
        status=report.status,
        at=report.at,
        attempt=report.attempt.number if failed and report.attempt else None,
        provider_message_id=report.provider_message_id,
        reason=reason,
        card_half=failed and report.attempt is not None and report.attempt.card_half,
        by_attempt=report.attempt.number if report.attempt and report.status is Status.SENT else None,
        fallback=start_after(kind, reason) if reason is not None else Start.NEVER,
        rests_until=report.error.rests_until(report.at) if failed and report.error else None,
        is_duplicate=report.status is Status.SENT,
        channel=Channel.WHATSAPP,
        sender=report.phone_number_id or None,
    )
