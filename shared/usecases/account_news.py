"""What Meta's webhooks tell of templates, account, limits and number: kept, and acted upon."""

from shared.domain.holds import ACCOUNT, DAILY_LIMIT, ScopeKey, template_scope
from shared.domain.integration import WhatsAppIntegration
from shared.domain.news import AccountNews, LimitNews, News, NumberNews, TemplateNews, TemplateStatus
from shared.domain.payload import Channel
from shared.domain.reputation import Limit, Told
from shared.usecases.holding import HoldKeeper
from shared.usecases.ports import Integrations, Telemetry
from shared.usecases.reputation import Reputations
from shared.usecases.templates import STOPS, TemplateBook, account_of


class AccountListener:
    """A listener of the status queue. Hearing the same twice is hearing it once; what pauses is kept before it acts."""

    def __init__(
        self,
        integrations: Integrations,
        book: TemplateBook,
        reputations: Reputations,
        holding: HoldKeeper,
        telemetry: Telemetry,
    ) -> None:
        self._integrations = integrations
        self._book = book
        self._reputations = reputations
        self._holding = holding
        self._telemetry = telemetry

    async def hear(self, organisation: str, news: News) -> None:
        """Take up what concerns the account; other news is for others."""
        if not isinstance(news, TemplateNews | AccountNews | LimitNews | NumberNews):
            return
        integration = await self._integrations.whatsapp(organisation, fresh=True)
        if integration is None:
            self._telemetry.event("news_without_integration", organisation=organisation)
            return
        match news:
            case TemplateNews():
                await self._template(integration, news)
            case AccountNews():
                await self._account(integration, news)
            case LimitNews():
                await self._tell(integration, Told(at=news.at, limit=Limit(people=news.limit)))
                await self._holding.try_now(organisation, Channel.WHATSAPP, [DAILY_LIMIT])
            case NumberNews():
                if news.phone_number_id in (None, integration.phone_number_id) and news.quality is not None:
                    await self._tell(integration, Told(at=news.at, quality=news.quality))

    async def _template(self, integration: WhatsAppIntegration, news: TemplateNews) -> None:
        heard = await self._book.hear(integration.organisation, account_of(integration), news)
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
        """An older restriction, told after its end, pauses nothing."""
        await self._tell(integration, Told(at=news.at, restricted=news.restricted))
        if not news.restricted:
            await self._lifted(integration.organisation)
            return
        standing = await self._reputations.get(integration.organisation, integration.phone_number_id)
        if standing.restricted:
            self._telemetry.trouble("account_restricted", organisation=integration.organisation, restriction=news.event)
            await self._hold(integration.organisation, ACCOUNT, "account_restricted")

    async def _lifted(self, organisation: str) -> None:
        """Meta says that the account may send again: what it was held for has ended, unless it was something else."""
        known = (await self._holding.get(organisation, Channel.WHATSAPP)).of(ACCOUNT)
        if known is not None and known.held and known.reason == "account_restricted":
            await self._holding.end(organisation, Channel.WHATSAPP, [ACCOUNT])

    async def _tell(self, integration: WhatsAppIntegration, told: Told) -> None:
        await self._reputations.tell(integration.organisation, integration.phone_number_id, told)
