"""Handles Meta's webhooks about templates, account, limits and number: stores them and acts on them."""

from dataclasses import dataclass

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.campaigns.ports import Task, TaskQueue
from shared.holds.hold import ACCOUNT, DAILY_LIMIT, ScopeKey, template_scope
from shared.holds.keeper import HoldKeeper
from shared.integrations.integration import Integrations, WhatsAppIntegration
from shared.integrations.templates import STOPS, TemplateBook
from shared.messages.payload import Channel
from shared.pacing.daily_limit import DailyLimit, NumberStatuses, NumberStatusUpdate
from shared.webhooks.updates import (
    AccountUpdate,
    LimitUpdate,
    NumberUpdate,
    TemplateStatus,
    TemplateUpdate,
    WebhookEvent,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDeps:
    """What `AccountListener` works with. `integrations` reads the current settings, because an update for another
    account is dropped.
    """

    integrations: Integrations
    book: TemplateBook
    number_statuses: NumberStatuses
    holding: HoldKeeper
    tasks: TaskQueue
    telemetry: Telemetry
    clock: Clock


class AccountListener:
    """A listener of the status queue. A repeated update changes nothing. An update that pauses is stored before it
    acts.
    """

    def __init__(self, deps: AccountDeps) -> None:
        self._deps = deps
        self._telemetry = deps.telemetry
        self._holding = deps.holding

    async def receive(self, organisation: str, webhook_event: WebhookEvent) -> None:
        """Handle an update about the account; ignore other updates.

        An update of another account or number is counted and changes nothing. Without `business_account_id` in the
        settings, that applies to all updates; health reports the missing setting.
        """
        if not isinstance(webhook_event, TemplateUpdate | AccountUpdate | LimitUpdate | NumberUpdate):
            return
        integration = await self._deps.integrations.whatsapp(organisation, uncached=True)
        if integration is None:
            self._telemetry.event("webhook_event_without_integration", organisation=organisation)
            return
        if not webhook_event.source.is_about_account(integration):
            self._telemetry.event(
                "webhook_event_of_another_account",
                organisation=organisation,
                webhook_event=type(webhook_event).__name__,
                account_is_set=integration.business_account_id is not None,
            )
            return
        match webhook_event:
            case TemplateUpdate():
                await self._template(integration, webhook_event)
            case AccountUpdate():
                await self._account(integration, webhook_event)
            case LimitUpdate():
                await self._tell(
                    integration, NumberStatusUpdate(at=webhook_event.at, limit=DailyLimit(people=webhook_event.limit))
                )
                await self._holding.try_now(organisation, Channel.WHATSAPP, [DAILY_LIMIT])
            case NumberUpdate():
                if webhook_event.quality is not None:
                    await self._tell(
                        integration, NumberStatusUpdate(at=webhook_event.at, quality=webhook_event.quality)
                    )

    async def _template(self, integration: WhatsAppIntegration, webhook_event: TemplateUpdate) -> None:
        result = await self._deps.book.receive(integration.organisation, webhook_event.source.account, webhook_event)
        self._telemetry.event(
            "template_updated",
            template=webhook_event.name,
            language=webhook_event.language,
            status=webhook_event.status,
            is_new=result.is_new,
        )
        if not result.is_new:
            return
        reason = STOPS.get(webhook_event.status) if webhook_event.status is not None else None
        if reason is None and result.is_recategorised:
            reason = "template_recategorised"
        scope = template_scope(webhook_event.name, webhook_event.language)
        if reason is not None:
            await self._hold(integration.organisation, scope, reason)
        elif webhook_event.status is TemplateStatus.APPROVED:
            await self._holding.end(integration.organisation, Channel.WHATSAPP, [scope])

    async def _hold(self, organisation: str, scope: ScopeKey, reason: str) -> None:
        known = await self._holding.get(organisation, Channel.WHATSAPP)
        await self._holding.hold(known, scope, reason)

    async def _account(self, integration: WhatsAppIntegration, webhook_event: AccountUpdate) -> None:
        """Only an update that surely keeps the business from writing first may pause. A restriction that has ended
        already pauses nothing.
        """
        organisation = integration.organisation
        if webhook_event.restricted is None:
            self._telemetry.warning_event(
                "account_warning",
                organisation=organisation,
                warning=webhook_event.event,
                restriction=webhook_event.restriction,
            )
            await self._deps.tasks.put([Task(kind="account", organisation=organisation)])
            return
        if (
            webhook_event.restricted
            and webhook_event.until is not None
            and webhook_event.until <= self._deps.clock.now()
        ):
            self._telemetry.event(
                "restriction_is_over", organisation=organisation, restriction=webhook_event.restriction
            )
            return
        await self._tell(integration, NumberStatusUpdate(at=webhook_event.at, restricted=webhook_event.restricted))
        if not webhook_event.restricted:
            await self._lifted(organisation)
            return
        number_status = await self._deps.number_statuses.get(organisation, integration.phone_number_id)
        if number_status.restricted:
            words = webhook_event.restriction or webhook_event.event
            self._telemetry.warning_event("account_restricted", organisation=organisation, restriction=words)
            await self._hold(organisation, ACCOUNT, "account_restricted")

    async def _lifted(self, organisation: str) -> None:
        """Meta says that the account may send again: end the hold, if it was set for this reason."""
        known = (await self._holding.get(organisation, Channel.WHATSAPP)).of(ACCOUNT)
        if known is not None and known.held and known.reason == "account_restricted":
            await self._holding.end(organisation, Channel.WHATSAPP, [ACCOUNT])

    async def _tell(self, integration: WhatsAppIntegration, change: NumberStatusUpdate) -> None:
        await self._deps.number_statuses.tell(integration.organisation, integration.phone_number_id, change)
