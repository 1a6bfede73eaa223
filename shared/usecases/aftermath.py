"""What follows from a provider's word besides the message's own status: a template instead of a closed session, an
opt-out, a stop of the account or the template, the number's pulse. One place for answers and for webhooks."""

from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.clock import Clock
from shared.domain.consent import Consent, ConsentState
from shared.domain.errors import Kind, Scope, SendError
from shared.domain.fallback import Start
from shared.domain.message import Message
from shared.domain.payload import Channel
from shared.domain.receipt import Attempt, StatusReport
from shared.domain.status import Status
from shared.usecases.ports import Distributions, Log, Moved, People, Task, TaskQueue, Telemetry
from shared.usecases.pulse import Pulse
from shared.usecases.settle import Settler
from shared.usecases.statuses import move_of_report

STOPS_WITHIN = timedelta(hours=1)
"""A stop that is told later than this says nothing of now: webhooks are repeated for days."""
SOON = timedelta(seconds=1)
_NOT_MOVED = Moved(won=False, before=None)


class StillUnderWayError(Exception):
    """A webhook has overtaken the answer to its own message: let it come again."""


class Stops(Protocol):
    """What `shared.usecases.stopping.Stopping` does."""

    async def pause_account(self, organisation: str, channel: Channel, reason: str) -> int:
        """Pause all that the organisation sends on a channel."""
        ...

    async def pause_template(self, organisation: str, name: str, reason: str, language: str | None = None) -> int:
        """Pause all that call the template."""
        ...


class Consequences:
    """What a refusal means for others than its message. All of it may be done twice."""

    def __init__(self, people: People, stops: Stops, tasks: TaskQueue | None, telemetry: Telemetry) -> None:
        """`tasks` is the fan-out queue; None where no WhatsApp message of a client's fails."""
        self._people = people
        self._stops = stops
        self._tasks = tasks
        self._telemetry = telemetry

    async def opted_out(self, message: Message, error: SendError, at: datetime) -> None:
        """The provider says that the person wants nothing more: a revocation like any other."""
        if error.kind is Kind.RECIPIENT and error.reason == "opted_out" and message.person:
            source = f"{message.channel}_{error.code}"
            consent = Consent(state=ConsentState.REVOKED, recorded_at=at, received_at=at, source=source)
            kept = await self._people.record(message.organisation, message.person, [consent])
            self._telemetry.event("opt_out_heard", message_id=message.message_id, code=error.code, kept=kept)

    async def failed(self, before: Message, start: Start) -> None:
        """Begin the fallback at once. It is due already: should this not come through, the agenda finds it."""
        if self._tasks is None or start is not Start.NOW or before.fallback_minutes is None or before.fell_back:
            return
        task = Task(kind="fallback", organisation=before.organisation, message_id=before.message_id)
        await self._tasks.put([task])

    async def stopped(self, organisation: str, channel: Channel, error: SendError, template: str | None) -> None:
        """Pause as far as the stop reaches; a distribution alone is its sender's own matter."""
        if error.scope is Scope.ACCOUNT:
            await self._stops.pause_account(organisation, channel, error.reason)
        elif error.scope is Scope.TEMPLATE and template is not None:
            await self._stops.pause_template(organisation, template, error.reason)


class Aftermath:
    """Takes the statuses of WhatsApp messages. Any order, any number of times: the log ends the same."""

    def __init__(
        self,
        log: Log,
        distributions: Distributions,
        settler: Settler,
        consequences: Consequences,
        pulse: Pulse,
        clock: Clock,
    ) -> None:
        self._log = log
        self._distributions = distributions
        self._settler = settler
        self._consequences = consequences
        self._pulse = pulse
        self._clock = clock

    async def take(self, organisation: str, attempt: Attempt, report: StatusReport) -> Moved:
        """One status of a message of ours, and what it did to its row. Raises StillUnderWayError where it has to come
        again."""
        if attempt.card_half and report.status is not Status.FAILED:
            now = self._clock.now()
            await self._log.card_taken(organisation, attempt.message_id, attempt=attempt.number, due_at=now)
            return _NOT_MOVED
        error = report.error
        if error is not None and error.reason == "template_required" and await self._reopened(organisation, attempt):
            return _NOT_MOVED
        move = move_of_report(report)
        moved = await self._settler.move(organisation, attempt.message_id, move)
        if moved.before is None:
            return moved
        if moved.won:
            await self._consequences.failed(moved.before, move.fallback)
        await self._beat(moved.before, attempt)
        recent = self._clock.now() - report.at < STOPS_WITHIN
        if error is not None and error.kind is Kind.STOP and moved.won and recent:
            await self._stop(moved.before, error)
        return moved

    async def _reopened(self, organisation: str, attempt: Attempt) -> bool:
        """Whether the message goes once more, as its template. Meta mostly tells so after it has taken the message."""
        now = self._clock.now()
        row = await self._log.get(organisation, attempt.message_id)
        if row is None or not row.alternative or row.as_template:
            return False
        waits = row.status is Status.PENDING and row.unknown_since is None
        if waits and row.lease_until is not None and row.lease_until > now:
            raise StillUnderWayError(attempt.message_id)
        return await self._log.reopen(
            organisation,
            attempt.message_id,
            attempt=attempt.number,
            card_half=attempt.card_half,
            due_at=now + SOON,
        )

    async def _beat(self, before: Message, attempt: Attempt) -> None:
        if before.lane is not None and before.claimed_at is not None and attempt.number == before.attempts:
            await self._pulse.heard(before.organisation, before.lane, before.claimed_at)

    async def _stop(self, before: Message, error: SendError) -> None:
        distribution = (
            await self._distributions.get(before.organisation, before.distribution_id)
            if before.distribution_id and error.scope is Scope.TEMPLATE
            else None
        )
        template = distribution.template if distribution else None
        await self._consequences.stopped(before.organisation, before.channel, error, template)
