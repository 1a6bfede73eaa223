"""Asks Meta whether an account may send, after a notice that does not say so (shared.usecases.account_news)."""

from datetime import timedelta

from shared.domain.errors import Kind, SendError
from shared.domain.holds import ACCOUNT
from shared.domain.payload import Channel
from shared.usecases.holding import HoldKeeper
from shared.usecases.ports import Integrations, Task, TaskQueue, Telemetry
from shared.usecases.reputation import NumberReader

BLOCKED = "BLOCKED"
"""Meta's word in `health_status` for an account that may not send (reference/whatsapp.md, section 3)."""
AGAIN_AFTER = timedelta(minutes=2)
MOST_TRIES = 30
"""For an hour. After that the next send, or the next notice, tells."""
_FINAL = frozenset({Kind.STOP, Kind.RECIPIENT, Kind.BUG})


class AccountHealth:
    """A task of the fan-out queue. May be done twice."""

    def __init__(
        self,
        integrations: Integrations,
        number: NumberReader,
        holding: HoldKeeper,
        tasks: TaskQueue,
        telemetry: Telemetry,
    ) -> None:
        self._integrations = integrations
        self._number = number
        self._holding = holding
        self._tasks = tasks
        self._telemetry = telemetry

    async def work(self, task: Task) -> None:
        """Hold the account if Meta says that it may not send. Where Meta does not answer, ask again later.

        The holds are read before Meta is asked: a change in between is newer than the answer.
        """
        organisation = task.organisation
        integration = await self._integrations.whatsapp(organisation, fresh=True)
        if integration is None:
            return
        known = await self._holding.get(organisation, Channel.WHATSAPP)
        try:
            facts = await self._number.read(integration)
        except SendError as error:
            await self._unanswered(task, error)
            return
        self._telemetry.event("account_examined", organisation=organisation, can_send=facts.can_send)
        if facts.can_send == BLOCKED:
            await self._holding.hold(known, ACCOUNT, "account_restricted")

    async def _unanswered(self, task: Task, error: SendError) -> None:
        """A refusal stands until the settings are changed, and stops the sends themselves."""
        self._telemetry.event("account_unread", organisation=task.organisation, code=error.code, tries=task.round + 1)
        if error.kind not in _FINAL and task.round + 1 < MOST_TRIES:
            again = Task(kind="account", organisation=task.organisation, round=task.round + 1)
            await self._tasks.put([again], delay=int(AGAIN_AFTER.total_seconds()))
