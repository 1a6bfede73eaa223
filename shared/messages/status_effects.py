"""What follows from a provider's word besides the message's own status: a template instead of a closed session, an
opt-out, a stop of the account or the template, the number's pulse. One place for answers and for webhooks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.holds.keeper import HoldKeeper, scope_of_row
from shared.messages.errors import Kind, SendError
from shared.messages.fallback import Start
from shared.messages.message import Message
from shared.messages.payload import Channel
from shared.messages.ports import Log, LogQuery, Move, Moved
from shared.messages.status import Status
from shared.messages.status_writer import StatusWriter, move_of_report
from shared.policy.consent import Consent, ConsentState
from shared.policy.ports import People
from shared.sending.last_heard import LastHeardStore, Reporting
from shared.webhooks.updates import Attempt, StatusReport

STOPS_WITHIN = timedelta(hours=1)
"""A stop that is told later than this says nothing of now: webhooks are repeated for days."""

SOON = timedelta(seconds=1)

_NOT_MOVED = Moved(won=False, before=None)


class StillUnderWayError(Exception):
    """A webhook has overtaken the answer to its own message: let it come again."""


class RefusalEffects:
    """What a refusal means for others than its message. All of it may be done twice."""

    def __init__(self, people: People, tasks: TaskQueue | None, telemetry: Telemetry) -> None:
        """`tasks` is the fan-out queue; None where no WhatsApp message of a client's fails."""
        self._people = people
        self._tasks = tasks
        self._telemetry = telemetry

    async def opted_out(self, message: Message, error: SendError, at: datetime) -> None:
        """The provider says that the person wants nothing more: a revocation like any other."""
        if error.kind is Kind.RECIPIENT and error.reason == "opted_out" and message.person:
            source = f"{message.channel}_{error.code}"
            consent = Consent(state=ConsentState.REVOKED, recorded_at=at, received_at=at, source=source)
            kept = await self._people.record(message.organisation, message.person, [consent])
            self._telemetry.event("opt_out_received", message_id=message.message_id, code=error.code, kept=kept)

    async def failed(self, before: Message, start: Start) -> None:
        """Begin the fallback at once. It is due already: should this not come through, the agenda finds it."""
        if self._tasks is None or start is not Start.NOW or before.fallback_minutes is None or before.fell_back:
            return
        task = Task(kind="fallback", organisation=before.organisation, message_id=before.message_id)
        await self._tasks.put([task])


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEffectsDeps:
    """What statuses are worked off with."""

    log: Log
    distributions: Distributions
    status_writer: StatusWriter
    refusal_effects: RefusalEffects
    holding: HoldKeeper
    last_heard_store: LastHeardStore
    clock: Clock


class StatusEffects:
    """Takes the statuses of WhatsApp messages. Any order, any number of times: the log ends the same.

    Used for one batch at a time; `flush` when the batch is through.
    """

    def __init__(self, deps: StatusEffectsDeps) -> None:
        self._deps = deps
        self._reporting = Reporting(deps.log, deps.last_heard_store, deps.clock)

    def receive(self, organisation: str, report: StatusReport) -> None:
        """A status came, whosever the message is: Meta reports on its number."""
        self._reporting.receive(organisation, report)

    async def flush(self) -> None:
        """Write down what was heard since the last flush."""
        await self._reporting.flush()

    async def attempt_of(self, organisation: str, report: StatusReport) -> Attempt | None:
        """The attempt that a status without our key is about: the latest of the one message that bears the ID.

        A message that goes out anew has lost its ID, so the ID is never that of an older attempt; and where the row has
        changed since it was read, the number no longer fits and a `failed` says nothing."""
        if not report.provider_message_id:
            return None
        wanted = LogQuery(
            organisation=organisation, provider_message_id=report.provider_message_id, channel=Channel.WHATSAPP
        )
        found = (await self._deps.log.page(wanted, None, 2)).items
        return Attempt(message_id=found[0].message_id, number=found[0].attempts) if len(found) == 1 else None

    async def take(self, organisation: str, attempt: Attempt, report: StatusReport) -> Moved:
        """One status of a message of ours, and what it did to its row. Raises StillUnderWayError where it has to come
        again."""
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
        """The card that went ahead of a long text. Of another message it would free a lease: the row is read first."""
        row = await self._deps.log.get(organisation, attempt.message_id)
        if row is not None and move.is_about(row):
            now = self._deps.clock.now()
            await self._deps.log.card_taken(organisation, attempt.message_id, attempt=attempt.number, due_at=now)

    async def _goes_again(self, organisation: str, attempt: Attempt, move: Move, error: SendError) -> bool:
        """Whether the message reached nobody for a reason that is not its recipient's, and goes once more: as its
        template because its session had closed, with its card uploaded anew because Meta refused the picture, or as it
        was once the stop has ended that Meta tells only now."""
        is_stop = error.kind is Kind.STOP
        # The text that followed a card has arrived by itself: it must not come twice.
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
        """Meta took the message and refused it afterwards: the rest of its scope would go the same way. A stop that is
        told long after says nothing of now; then the message alone goes again."""
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
