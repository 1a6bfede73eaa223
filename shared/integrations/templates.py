"""The organisation's templates at Meta: read, kept, submitted, and what release asks of them.

Only APPROVED ones are sent. What is stored comes from three sides, each with the instant of which it speaks: Meta's
list, the answer to a submission, and webhooks. An older word never overwrites a newer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import Distribution
from shared.holds.hold import ScopeKey, template_scope
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.errors import SendError
from shared.pacing.quota import Cooldown
from shared.texts.templates import READY_MADE, Catalogue, KnownTemplate, Listing, Template, is_ready_made
from shared.webhooks.updates import TemplateStatus, TemplateUpdate

KEPT_FOR = timedelta(minutes=10)

KEPT_UNDER_REVIEW = timedelta(seconds=30)
"""While Meta reviews one: 120 readings an hour at most, of the 200 that Meta allows (reference/whatsapp.md §3)."""

STOPS = {
    TemplateStatus.PAUSED: "template_paused",
    TemplateStatus.DISABLED: "template_disabled",
    TemplateStatus.REJECTED: "template_disabled",
    TemplateStatus.NOT_SUBMITTED: "template_disabled",
}
"""Statuses that stop what is being sent, and why. A pending one may be a mere edit: there Meta's answers decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUpdateResult:
    """Whether news was taken up, and whether it is the one that moved the template out of the Utility category."""

    is_new: bool
    is_recategorised: bool = False


class TemplateBook(Protocol):
    """What is known of the templates of an account. Instants count in whole seconds, as Meta's webhooks do."""

    async def listing(self, organisation: str, account: str) -> Listing:
        """All of it."""
        ...

    async def named(self, organisation: str, account: str, name: str) -> Sequence[KnownTemplate]:
        """One template in all its languages, as it surely stands."""
        ...

    async def receive(self, organisation: str, account: str, webhook_event: TemplateUpdate) -> TemplateUpdateResult:
        """Take up a webhook's word, unless a later one is there. The same news again counts as news."""
        ...

    async def submitted(self, organisation: str, account: str, template: KnownTemplate) -> None:
        """Take up the answer to a submission, unless there is a word as late or later."""
        ...

    async def read(self, organisation: str, account: str, found: Sequence[KnownTemplate], at: datetime) -> None:
        """Take up Meta's whole list as it stood at `at`: what is not on it, and of which nothing later was heard, is
        forgotten. News of the same second wins over the list."""
        ...


class TemplatesAtMeta(Protocol):
    """Meta, about templates. Raises SendError."""

    async def listed(self, integration: WhatsAppIntegration, account: str, at: datetime) -> Sequence[KnownTemplate]:
        """Every template of the account that we can fill in, and the ready-made ones in any state."""
        ...

    async def create(
        self, integration: WhatsAppIntegration, account: str, template: Template, handle: str, at: datetime
    ) -> KnownTemplate | None:
        """Submit one for review; None where there is one of that name and language already."""
        ...

    async def revise(self, integration: WhatsAppIntegration, template: Template, template_id: str, handle: str) -> None:
        """Submit one that was rejected once more."""
        ...

    async def example(self, integration: WhatsAppIntegration) -> str:
        """The handle of the sample card, which Meta's reviewers look at."""
        ...


class Templates:
    """Reads, keeps and submits templates."""

    def __init__(self, book: TemplateBook, meta: TemplatesAtMeta, telemetry: Telemetry, clock: Clock) -> None:
        self._book = book
        self._meta = meta
        self._telemetry = telemetry
        self._clock = clock
        self._cooldown = Cooldown(clock)

    async def catalogue(self, integration: WhatsAppIntegration) -> Catalogue:
        """What can be named, with Meta's word on it: from the store while that is fresh, else from Meta.

        That Meta cannot be asked is no error: then the catalogue is not sure of itself, and says so in warnings.
        """
        account = integration.business_account_id
        if account is None:
            return await self.stored(integration)
        listing = await self._book.listing(integration.organisation, account)
        if _is_recent(listing, self._clock.now()):
            return Catalogue(listing.templates, is_sure=True)
        if not self._cooldown.holds(integration):
            try:
                return await self.read(integration, account)
            except SendError as error:
                self._cooldown.begin(integration)
                self._telemetry.event("templates_unread", organisation=integration.organisation, code=error.code)
        return Catalogue(listing.templates)

    async def stored(self, integration: WhatsAppIntegration) -> Catalogue:
        """What can be named, without asking Meta."""
        account = integration.business_account_id
        if account is None:
            return Catalogue()
        return Catalogue((await self._book.listing(integration.organisation, account)).templates)

    async def read(self, integration: WhatsAppIntegration, account: str) -> Catalogue:
        """Ask Meta now, and keep the answer. Raises SendError."""
        at = self._clock.now()
        found = await self._meta.listed(integration, account, at)
        await self._book.read(integration.organisation, account, found, at)
        listing = await self._book.listing(integration.organisation, account)
        return Catalogue(listing.templates, is_sure=True)

    async def submit(self, integration: WhatsAppIntegration | None, name: str) -> None:
        """Submit a ready-made template in both languages. What is there already stays, and its status is taken over.

        Raises Refusal: not_found, integration_missing, or provider_refused with Meta's reason.
        """
        if not is_ready_made(name):
            raise Refusal(ProblemCode.NOT_FOUND)
        if integration is None:
            raise Refusal(ProblemCode.INTEGRATION_MISSING, integration="whatsapp")
        account = integration.business_account_id
        if account is None:
            raise Refusal(ProblemCode.INTEGRATION_MISSING, integration="business_account_id")
        try:
            await self._submit(integration, account, name)
        except SendError as error:
            self._telemetry.event("template_not_submitted", template=name, code=error.code)
            reason = error.reason or "provider_down"
            raise Refusal(ProblemCode.PROVIDER_REFUSED, reason=reason, provider_code=error.code) from None

    async def _submit(self, integration: WhatsAppIntegration, account: str, name: str) -> None:
        await self.read(integration, account)
        by_language = {one.language: one for one in await self._book.named(integration.organisation, account, name)}
        wanted = [one for one in READY_MADE.values() if one.name == name and _is_wanted(by_language.get(one.language))]
        if not wanted:
            return
        handle = await self._meta.example(integration)
        met = False
        for template in wanted:
            at = self._clock.now()
            known = by_language.get(template.language)
            if known is not None and known.template_id is not None:
                await self._meta.revise(integration, template, known.template_id, handle)
                made: KnownTemplate | None = _pending(template, at, known.template_id)
            else:
                made = await self._meta.create(integration, account, template, handle, at)
            if made is None:
                met = True
            else:
                await self._book.submitted(integration.organisation, account, made)
        if met:
            await self.read(integration, account)


class TemplateGuard:
    """What release asks before it lets more messages go: from the store alone, so that Meta is not asked each time."""

    def __init__(self, book: TemplateBook) -> None:
        self._book = book

    async def stopped(self, integration: WhatsAppIntegration, distribution: Distribution) -> dict[ScopeKey, str]:
        """The templates, each in one language, that a distribution calls and that must not go on; and why (a status
        reason of api.md)."""
        account = integration.business_account_id
        if account is None:
            return {}
        called = {run.template.rpartition("/")[::2] for run in distribution.planned.runs if run.template}
        found: dict[ScopeKey, str] = {}
        for name in sorted({name for name, _ in called}):
            for known in await self._book.named(integration.organisation, account, name):
                reason = STOPS.get(known.status) if known.status else None
                if reason is not None and (name, known.language) in called:
                    found[template_scope(name, known.language)] = reason
        return found


def _is_recent(listing: Listing, now: datetime) -> bool:
    """Sooner again while one is under review, or when news named one whose text has not been read."""
    if listing.read_at is None:
        return False
    read_at = listing.read_at
    unread = any(one.shape is None and one.reported_at > read_at for one in listing.templates)
    under_review = any(one.status is TemplateStatus.PENDING for one in listing.templates)
    return now - read_at < (KEPT_UNDER_REVIEW if unread or under_review else KEPT_FOR)


def _is_wanted(known: KnownTemplate | None) -> bool:
    return known is None or known.status in (None, TemplateStatus.REJECTED, TemplateStatus.NOT_SUBMITTED)


def _pending(template: Template, at: datetime, template_id: str) -> KnownTemplate:
    return KnownTemplate(
        name=template.name,
        language=template.language,
        status=TemplateStatus.PENDING,
        reported_at=at,
        shape=template.shape,
        template_id=template_id,
    )
