"""What Meta's webhooks tell of templates, account, limits and number: kept, and acted upon."""

from dataclasses import dataclass

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.campaigns.ports import Task, TaskQueue
from shared.holds.hold import ACCOUNT, DAILY_LIMIT, ScopeKey, template_scope
from shared.holds.keeper import HoldKeeper
from shared.integrations.integration import WhatsAppIntegration
from shared.integrations.ports import Integrations
from shared.integrations.templates import STOPS, TemplateBook
from shared.messages.payload import Channel
from shared.pacing.daily_limit import DailyLimit, Reputations, Told
from shared.webhooks.updates import AccountNews, LimitNews, News, NumberNews, TemplateNews, TemplateStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDeps:
    """What news of the account is taken up with. `integrations` reads the settings as they stand: news that is taken
    for another account's is lost."""

    integrations: Integrations
    book: TemplateBook
    reputations: Reputations
    holding: HoldKeeper
    tasks: TaskQueue
    telemetry: Telemetry
    clock: Clock


class AccountListener:
    """A listener of the status queue. Hearing the same twice is hearing it once; what pauses is kept before it acts."""

    def __init__(self, deps: AccountDeps) -> None:
        self._deps = deps
        self._telemetry = deps.telemetry
        self._holding = deps.holding

    async def hear(self, organisation: str, news: News) -> None:
        """Take up what concerns the account; other news is for others.

        News of another account or number is counted and changes nothing. Without `business_account_id` that is all
        news; health names the missing setting.
        """
        if not isinstance(news, TemplateNews | AccountNews | LimitNews | NumberNews):
            return
        integration = await self._deps.integrations.whatsapp(organisation, fresh=True)
        if integration is None:
            self._telemetry.event("news_without_integration", organisation=organisation)
            return
        if not news.source.is_about_account(integration):
            self._telemetry.event(
                "news_of_another_account",
                organisation=organisation,
                news=type(news).__name__,
                account_is_set=integration.business_account_id is not None,
            )
            return
        match news:
            case TemplateNews():
                await self._template(integration, news)
            case AccountNews():
                await self._account(integration, news)
            case LimitNews():
                await self._tell(integration, Told(at=news.at, limit=DailyLimit(people=news.limit)))
                await self._holding.try_now(organisation, Channel.WHATSAPP, [DAILY_LIMIT])
            case NumberNews():
                if news.quality is not None:
                    await self._tell(integration, Told(at=news.at, quality=news.quality))

    async def _template(self, integration: WhatsAppIntegration, news: TemplateNews) -> None:
        heard = await self._deps.book.hear(integration.organisation, news.source.account, news)
        self._telemetry.event(
            "template_news", template=news.name, language=news.language, status=news.status, is_news=heard.is_news
        )
        if not heard.is_news:
            return
        reason = STOPS.get(news.status) if news.status is not None else None
        if reason is None and heard.is_recategorised:
            reason = "template_recategorised"
        scope = template_scope(news.name, news.language)
        if reason is not None:
            await self._hold(integration.organisation, scope, reason)
        elif news.status is TemplateStatus.APPROVED:
            await self._holding.end(integration.organisation, Channel.WHATSAPP, [scope])

    async def _hold(self, organisation: str, scope: ScopeKey, reason: str) -> None:
        known = await self._holding.get(organisation, Channel.WHATSAPP)
        await self._holding.hold(known, scope, reason)

    async def _account(self, integration: WhatsAppIntegration, news: AccountNews) -> None:
        """Only what is known to keep the business from writing first may stop. An older restriction, told after its
        end, pauses nothing."""
        organisation = integration.organisation
        if news.restricted is None:
            self._telemetry.trouble(
                "account_notice", organisation=organisation, notice=news.event, restriction=news.restriction
            )
            await self._deps.tasks.put([Task(kind="account", organisation=organisation)])
            return
        if news.restricted and news.until is not None and news.until <= self._deps.clock.now():
            self._telemetry.event("restriction_is_over", organisation=organisation, restriction=news.restriction)
            return
        await self._tell(integration, Told(at=news.at, restricted=news.restricted))
        if not news.restricted:
            await self._lifted(organisation)
            return
        standing = await self._deps.reputations.get(organisation, integration.phone_number_id)
        if standing.restricted:
            words = news.restriction or news.event
            self._telemetry.trouble("account_restricted", organisation=organisation, restriction=words)
            await self._hold(organisation, ACCOUNT, "account_restricted")

    async def _lifted(self, organisation: str) -> None:
        """Meta says that the account may send again: what it was held for has ended, unless it was something else."""
        known = (await self._holding.get(organisation, Channel.WHATSAPP)).of(ACCOUNT)
        if known is not None and known.held and known.reason == "account_restricted":
            await self._holding.end(organisation, Channel.WHATSAPP, [ACCOUNT])

    async def _tell(self, integration: WhatsAppIntegration, told: Told) -> None:
        await self._deps.reputations.tell(integration.organisation, integration.phone_number_id, told)
