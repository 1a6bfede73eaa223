"""Reads whether the cause of a hold has ended: units and contracts of SMS; template, limit and health at Meta.

Asks Meta whether an account may send, after a notice that does not say so (shared.webhooks.account_updates).
"""

from collections.abc import Iterable
from datetime import timedelta

from shared.base.events import Telemetry
from shared.base.instants import Clock, from_milliseconds
from shared.campaigns.ports import Task, TaskQueue
from shared.holds.hold import ACCOUNT, DAILY_LIMIT, Hold, Holds, HoldScope, ScopeKey
from shared.holds.keeper import HoldKeeper
from shared.integrations.balances import Balances
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.integrations.ports import Integrations
from shared.integrations.templates import Templates
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Channel
from shared.pacing.daily_limit import DailyLimits, NumberFacts, NumberReader
from shared.webhooks.updates import TemplateStatus

SETTLED_AFTER = timedelta(seconds=50)
"""A provider's own words may disagree for a moment: what it tells otherwise at once does not end a hold. Credentials
that were entered after the stop are another matter: they are asked about at once."""

_BY_CONTRACTS = frozenset(("balance_empty", "contract_expired"))

_BY_HEALTH = frozenset(("account_restricted", "payment_required"))

_BY_REVIEW = frozenset(("template_paused", "template_disabled"))

_SENDING = frozenset(("AVAILABLE", "LIMITED"))
"""Meta's words for an account that may send (reference/whatsapp.md, section 3)."""


class ReadCauses:
    """What can be read about the causes of holds, by one call for each account and kind of cause."""

    def __init__(
        self,
        balances: Balances,
        number: NumberReader,
        templates: Templates,
        limits: DailyLimits,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._balances = balances
        self._number = number
        self._templates = templates
        self._limits = limits
        self._telemetry = telemetry
        self._clock = clock

    async def ended(self, holds: Holds, integration: WhatsAppIntegration | SmsIntegration) -> set[ScopeKey]:
        """Held scopes whose cause has surely ended. Asks each provider at most once; one that cannot be asked ends
        nothing. What Meta took and refused afterwards is proven by a status alone."""
        held = [one for one in holds.held_scopes() if self._may_be_read(holds.scopes[str(one)], integration)]
        if not isinstance(integration, WhatsAppIntegration):
            return await self._of_contracts(held, holds, integration)
        templates = await self._reviewed(held, holds, integration)
        return templates | await self._of_number(held, holds, integration)

    def _may_be_read(self, hold: Hold, integration: WhatsAppIntegration | SmsIntegration) -> bool:
        if hold.reported_later:
            return False
        is_new = hold.reason == "token_invalid" and from_milliseconds(integration.version) > hold.since
        return is_new or self._clock.now() - hold.since >= SETTLED_AFTER

    async def _of_contracts(self, held: Iterable[ScopeKey], holds: Holds, integration: SmsIntegration) -> set[ScopeKey]:
        """A provider that answers about the contracts has accepted the credentials."""
        wanted = {scope for scope in held if _reason(holds, scope) in _BY_CONTRACTS}
        credentials = {scope for scope in held if _reason(holds, scope) == "token_invalid"}
        if not wanted and not credentials:
            return set()
        try:
            balances = await self._balances.of(integration)
        except SendError as error:
            self._unread(holds, error)
            return set()
        paid = {one.country for one in balances if one.units > 0}
        return credentials | {scope for scope in wanted if scope.key in paid}

    async def _reviewed(
        self, held: Iterable[ScopeKey], holds: Holds, integration: WhatsAppIntegration
    ) -> set[ScopeKey]:
        wanted = {scope for scope in held if scope.scope is HoldScope.TEMPLATE and _reason(holds, scope) in _BY_REVIEW}
        if not wanted or integration.business_account_id is None:
            return set()
        try:
            catalogue = await self._templates.read(integration, integration.business_account_id)
        except SendError as error:
            self._unread(holds, error)
            return set()
        approved = {f"{one.name}/{one.language}" for one in catalogue.items if one.status is TemplateStatus.APPROVED}
        return {scope for scope in wanted if scope.key in approved}

    async def _of_number(
        self, held: Iterable[ScopeKey], holds: Holds, integration: WhatsAppIntegration
    ) -> set[ScopeKey]:
        reasons = {scope: _reason(holds, scope) for scope in held}
        wanted = {one for one, why in reasons.items() if why in (*_BY_HEALTH, "token_invalid") and one == ACCOUNT}
        limited = DAILY_LIMIT in reasons
        if not wanted and not limited:
            return set()
        try:
            facts: NumberFacts | None = await self._number.read(integration)
        except SendError as error:
            self._unread(holds, error)
            facts = None
        ended = {DAILY_LIMIT} if limited and await self._is_open(integration) else set()
        if facts is None:
            return ended
        may_send = facts.can_send in _SENDING
        return ended | {one for one in wanted if reasons[one] == "token_invalid" or may_send}

    async def _is_open(self, integration: WhatsAppIntegration) -> bool:
        """By the limit that was read just now, or else by the last one that is known."""
        return (await self._limits.remaining(integration, self._clock.now())).people != 0

    def _unread(self, holds: Holds, error: SendError) -> None:
        self._telemetry.event(
            "hold_cause_unread", organisation=holds.organisation, channel=holds.channel, code=error.code
        )


def _reason(holds: Holds, scope: ScopeKey) -> str:
    return holds.scopes[str(scope)].reason


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
        integration = await self._integrations.whatsapp(organisation, uncached=True)
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
