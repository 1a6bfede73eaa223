"""Moves statuses and keeps the counts: one ADD for each chunk and batch, after the moves that changed a status.
Messages without a distribution are counted by campaign, channel and hour. Also turns what providers report into
moves."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.base.concurrency import gather_bounded
from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.campaigns.counts import (
    AT_REST_AFTER,
    Part,
    Place,
    counted,
    counted_open,
    counting_at,
    distribution_of,
    fallbacks_of,
    group_of,
    place_of,
)
from shared.campaigns.distribution import Counts
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.holds.keeper import HoldKeeper, scope_of_row
from shared.messages.errors import Kind, SendError
from shared.messages.fallback import Start, start_after, start_unsent
from shared.messages.message import ARRIVED, Message, Status, earliest
from shared.messages.payload import Channel
from shared.messages.ports import Log, LogQuery, Move, Moved
from shared.policy.consent import Consent, ConsentState
from shared.policy.ports import People
from shared.sending.last_heard import LastHeardStore, Reporting
from shared.webhooks.updates import Attempt, StatusReport


class StatusWriter:
    """Used for one batch at a time; call `flush` at its end."""

    def __init__(self, log: Log, distributions: Distributions, telemetry: Telemetry, clock: Clock) -> None:
        self._log = log
        self._distributions = distributions
        self._telemetry = telemetry
        self._clock = clock
        self._changes: dict[tuple[str, Place], Counts] = {}
        self._began: dict[tuple[str, Place], datetime] = {}
        """When the first move of each place began."""
        self._accepted: dict[tuple[str, Place], datetime] = {}
        """When the latest message that `began` counted in each place was accepted."""
        self._uncertain: set[tuple[str, Place]] = set()
        self._latest = datetime.min.replace(tzinfo=UTC)

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        """Move a message. A late, repeated or unknown status is a counted no-op."""
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
        if moved.before is not None and move.status in ARRIVED:
            await self._mark_parents(moved, move)
        return moved

    async def _mark_parents(self, moved: Moved, move: Move) -> None:
        """Note, up to the row of the distribution, that its fallback or resend has arrived; each row is counted once.

        Done at the first arrival, and again when the same report comes again, because the worker that moved the message
        may have died before it came here. A row of a retry belongs to its own distribution only.
        """
        child = moved.before
        is_new = child is not None and (child.status not in ARRIVED if moved.won else child.status is move.status)
        while is_new and child is not None and child.chunk is None and child.parent_message_id is not None:
            began = self._clock.now()
            noted = await self._log.note_reached(child.organisation, child.parent_message_id)
            child = noted.before
            if child is None:
                return
            if noted.won:
                change = counted(replace(child, reached=True)).minus(counted(child))
                self._add(child.organisation, place_of(child), change, began)
            else:
                self.met_again(child)

    async def end_unsent(self, organisation: str, message_id: str, reason: str, now: datetime) -> Moved:
        """End a message without a lease: cancelled, opted out, or no longer allowed."""
        move = Move(status=Status.FAILED, at=now, reason=reason, unclaimed=True, fallback=start_unsent(reason))
        return await self.move(organisation, message_id, move)

    def met_again(self, message: Message) -> None:
        """Note that a message came again although its move is done. The worker that moved it may have died before it
        counted, so its chunk is recounted."""
        if message.chunk is not None:
            self._uncertain.add((message.organisation, message.chunk))
        if message.parent_chunk is not None:
            self._uncertain.add((message.organisation, fallbacks_of(message.parent_chunk)))

    async def accepted(self, message: Message) -> None:
        """Count a message that was just logged, at once."""
        self.began(message)
        await self.flush()

    async def accepted_again(self, message: Message) -> None:
        """A request came again although its message is logged. The worker that logged it may have died before it
        counted, so all places of the message are recounted."""
        self._uncertain |= {(message.organisation, place) for place in _places(message)}
        await self.flush()

    async def flush(self) -> None:
        """Write the counts gathered since the last flush, all at once."""
        changes, self._changes = self._changes, {}
        began, self._began = self._began, {}
        accepted, self._accepted = self._accepted, {}
        uncertain, self._uncertain = self._uncertain, set()
        await gather_bounded(
            (
                *(
                    self._count(place, change, began[place], accepted.get(place))
                    for place, change in changes.items()
                    if change != Counts()
                ),
                *(self._distributions.want_recount(*place, self._clock.now()) for place in uncertain),
            )
        )

    async def _count(
        self, place: tuple[str, Place], change: Counts, began: datetime, accepted_at: datetime | None
    ) -> None:
        recount_at = self._latest + AT_REST_AFTER if isinstance(place[1], Part) else None
        if not await self._distributions.count(
            *place, change, began=began, recount_at=recount_at, accepted_at=accepted_at
        ):
            self._telemetry.event("count_came_late", distribution_id=distribution_of(group_of(place[1])))
            await self._distributions.want_recount(*place, self._clock.now())

    def _tell(self, before: Message, move: Move) -> None:
        """Only failures carry the organisation and the distribution: operators ask about them, and every logged byte
        costs money."""
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
        """A late instant changes what is known of the time to delivery, but no status.

        A message that has this status already may have come from a worker that died before it counted, so its chunk is
        recounted. Not for a duplicate status: the sender's own move comes again if its worker has died.
        """
        before = moved.before
        if before is not None and not moved.won and not move.is_duplicate and before.status is move.status:
            self.met_again(before)
        if before is None or not (moved.won or moved.noted):
            return
        self._latest = max(self._latest, move.at)
        for place in _places(before):
            change = change_of(before, move, won=moved.won, counting=counting_at(place))
            self._add(before.organisation, place, change, began)

    def began(self, message: Message) -> None:
        """Count a message without a chunk that was just logged. If the worker dies before, a recount counts it: the one
        that `accepted_again` asks for, or the one 72 h after the message has moved."""
        self._latest = max(self._latest, message.accepted_at)
        for place in _places(message):
            key = (message.organisation, place)
            self._add(*key, counted_open(message), message.accepted_at)
            self._accepted[key] = max(self._accepted.get(key, message.accepted_at), message.accepted_at)

    def _add(self, organisation: str, place: Place, change: Counts, began: datetime) -> None:
        key = (organisation, place)
        self._began[key] = min(self._began.get(key, began), began)
        self._changes[key] = self._changes.get(key, Counts()).plus(change)


def _places(message: Message) -> list[Place]:
    """Where a message is counted; a fallback also with those of its distribution."""
    return [place_of(message), *([fallbacks_of(message.parent_chunk)] if message.parent_chunk is not None else [])]


def change_of(
    before: Message, move: Move, *, won: bool = True, counting: Callable[[Message], Counts] = counted
) -> Counts:
    """What a move that changed the status (or only the status's instant) changes in the counts."""
    noted = before.with_instant(move.status, earliest(before.instant_of(move.status), move.at))
    after = replace(noted, status=move.status, reason=move.reason) if won else noted
    return counting(after).minus(counting(before))


def move_of_receipt(status: Status | None, at: datetime) -> Move | None:
    """The move for a receipt of an SMS. Receipts have no time stamp, so `at` is when we received it. None: no move."""
    if status is None:
        return None
    reason = "undeliverable" if status is Status.FAILED else None
    return Move(status=status, at=at, reason=reason, channel=Channel.SMS)


def move_of_report(report: StatusReport) -> Move:
    """The move for a WhatsApp status. A `failed` counts only for the attempt that it names.

    The reason of a stop error belongs to a distribution, so the message itself gets `provider_rejected`.
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


# The rest of this module: the effects of a provider's answer or status besides the message's own status. They are a
# template instead of a closed session, an opt-out, a stop of the account or the template, and the number's
# `last_heard_at`. One place for answers and for webhooks.


STOPS_WITHIN = timedelta(hours=1)
"""A stop that comes later than this says nothing about now: webhooks are repeated for days."""

SOON = timedelta(seconds=1)

_NOT_MOVED = Moved(won=False, before=None)


class StillUnderWayError(Exception):
    """A webhook came before the answer to its own message was recorded: let it come again."""


class RefusalEffects:
    """What a refusal means for other messages. Every effect may happen twice."""

    def __init__(self, people: People, tasks: TaskQueue | None, telemetry: Telemetry) -> None:
        """`tasks` is the fan-out queue; None where no message has a fallback (SMS)."""
        self._people = people
        self._tasks = tasks
        self._telemetry = telemetry

    async def opted_out(self, message: Message, error: SendError, at: datetime) -> None:
        """Record a revocation if the provider says that the person wants no more messages."""
        if error.kind is Kind.RECIPIENT and error.reason == "opted_out" and message.person:
            source = f"{message.channel}_{error.code}"
            consent = Consent(state=ConsentState.REVOKED, recorded_at=at, received_at=at, source=source)
            kept = await self._people.record(message.organisation, message.person, [consent])
            self._telemetry.event("opt_out_received", message_id=message.message_id, code=error.code, kept=kept)

    async def failed(self, before: Message, start: Start) -> None:
        """Begin the fallback at once. It is due already, so the agenda finds it if this task is lost."""
        if self._tasks is None or start is not Start.NOW or before.fallback_minutes is None or before.fell_back:
            return
        task = Task(kind="fallback", organisation=before.organisation, message_id=before.message_id)
        await self._tasks.put([task])


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEffectsDeps:
    """What handling statuses works with."""

    log: Log
    distributions: Distributions
    status_writer: StatusWriter
    refusal_effects: RefusalEffects
    holding: HoldKeeper
    last_heard_store: LastHeardStore
    clock: Clock


class StatusEffects:
    """Takes the statuses of WhatsApp messages, in any order and any number of times: the log ends the same.

    Used for one batch at a time; call `flush` at its end.
    """

    def __init__(self, deps: StatusEffectsDeps) -> None:
        self._deps = deps
        self._reporting = Reporting(deps.log, deps.last_heard_store, deps.clock)

    def receive(self, organisation: str, report: StatusReport) -> None:
        """Note that Meta reports on this number. The message need not be ours."""
        self._reporting.receive(organisation, report)

    async def flush(self) -> None:
        """Write what was received since the last flush."""
        await self._reporting.flush()

    async def attempt_of(self, organisation: str, report: StatusReport) -> Attempt | None:
        """The attempt that a status without our key is about: the latest of the one message with this ID.

        A message that goes out again has lost its ID, so the ID never belongs to an older attempt. If the row changes
        after this read, the attempt's number no longer fits and a `failed` is ignored.
        """
        if not report.provider_message_id:
            return None
        wanted = LogQuery(
            organisation=organisation, provider_message_id=report.provider_message_id, channel=Channel.WHATSAPP
        )
        found = (await self._deps.log.page(wanted, None, 2)).items
        return Attempt(message_id=found[0].message_id, number=found[0].attempts) if len(found) == 1 else None

    async def take(self, organisation: str, attempt: Attempt, report: StatusReport) -> Moved:
        """Handle one status of a message of ours. Returns what changed in its row. Raises StillUnderWayError if the
        status has to come again."""
        move = move_of_report(report)
        if attempt.card_half and report.status is not Status.FAILED:
            await self._card_arrived(organisation, attempt, move)
            return _NOT_MOVED
        error = report.error
        if error is not None and await self._goes_again(organisation, attempt, move, error):
            return _NOT_MOVED
        moved = await self._deps.status_writer.move(organisation, attempt.message_id, move)
        if moved.before is None:
            return moved
        if moved.won:
            await self._deps.refusal_effects.failed(moved.before, move.fallback)
        if moved.before.probe and error is None and attempt.number == moved.before.attempts:
            await self._deps.holding.proven(moved.before)
        self._reporting.note(moved, attempt, report)
        return moved

    async def _card_arrived(self, organisation: str, attempt: Attempt, move: Move) -> None:
        """Note that the card ahead of a long text has arrived. The row is read first, because the status of another
        message must not end its lease."""
        row = await self._deps.log.get(organisation, attempt.message_id)
        if row is not None and move.is_about(row):
            now = self._deps.clock.now()
            await self._deps.log.card_taken(organisation, attempt.message_id, attempt=attempt.number, due_at=now)

    async def _goes_again(self, organisation: str, attempt: Attempt, move: Move, error: SendError) -> bool:
        """Whether the message did not arrive for a reason that is not its recipient's, and goes once more: as its
        template (the session had closed), with a new upload of its card (Meta refused the picture), or unchanged (a
        stop error that Meta reported late; the message waits for the end of the hold)."""
        is_stop = error.kind is Kind.STOP
        # The text that followed a card is a message of its own and has arrived: it must not come twice.
        is_picture = error.refuses_picture and not attempt.card_half
        if not is_stop and not is_picture and error.reason != "template_required":
            return False
        row = await self._deps.log.get(organisation, attempt.message_id)
        if row is None or not move.is_about(row) or (is_picture and row.claimed_at is None):
            return False
        card_after = row.claimed_at if is_picture else None
        as_template = not is_stop and not is_picture
        if not await self._retried(row, attempt, as_template=as_template, card_after=card_after):
            return False
        if is_stop:
            await self._hold(row, move.at, error)
        return True

    async def _retried(self, row: Message, attempt: Attempt, *, as_template: bool, card_after: datetime | None) -> bool:
        now = self._deps.clock.now()
        if as_template and (not row.fallback_template or row.as_template):
            return False
        waits = row.status is Status.PENDING and row.unknown_since is None
        if waits and row.lease_until is not None and row.lease_until > now:
            raise StillUnderWayError(attempt.message_id)
        return await self._deps.log.retry_message(
            row.organisation,
            attempt.message_id,
            attempt=attempt.number,
            card_half=attempt.card_half,
            due_at=now + SOON,
            as_template=as_template,
            card_after=card_after,
        )

    async def _hold(self, row: Message, reported_at: datetime, error: SendError) -> None:
        """Hold the scope: Meta took the message and refused it later, and would refuse the rest of the scope too. A
        stop reported after `STOPS_WITHIN` says nothing about now; then only the message goes again."""
        if self._deps.clock.now() - reported_at >= STOPS_WITHIN or row.claimed_at is None:
            return
        key = (row.organisation, row.distribution_id)
        distribution = await self._deps.distributions.get(key[0], key[1]) if key[1] else None
        scope = scope_of_row(error, row, distribution)
        if scope is None:
            return
        known = await self._deps.holding.get(row.organisation, row.channel)
        await self._deps.holding.hold(known, scope, error.reason, claimed_at=row.claimed_at, reported_later=True)
        if key[1]:
            await self._deps.holding.refresh(key[0], key[1], was_tried=row.probe)
