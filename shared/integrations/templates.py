"""An organisation's templates at Meta: reading, storing and submitting them, and the check before messages are
released.

Only APPROVED templates are sent. The stored status has three sources, each with its own instant: Meta's list, the
answer to a submission, and webhooks. An older status never replaces a newer one.
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
"""While Meta reviews a template. That makes at most 120 reads an hour; Meta allows 200 (reference/whatsapp.md §3)."""

STOPS = {
    TemplateStatus.PAUSED: "template_paused",
    TemplateStatus.DISABLED: "template_disabled",
    TemplateStatus.REJECTED: "template_disabled",
    TemplateStatus.NOT_SUBMITTED: "template_disabled",
}
"""The statuses that stop a distribution, with the reason. PENDING is not among them, because it may be a mere edit:
Meta's answers to messages decide then.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUpdateResult:
    """Whether a webhook changed the stored status, and whether it moved the template out of the Utility category."""

    is_new: bool
    is_recategorised: bool = False


class TemplateBook(Protocol):
    """Stores the templates of accounts. Instants are whole seconds, as in Meta's webhooks."""

    async def listing(self, organisation: str, account: str) -> Listing:
        """All stored templates of the account."""
        ...

    async def named(self, organisation: str, account: str, name: str) -> Sequence[KnownTemplate]:
        """One template in all its languages, read consistently."""
        ...

    async def receive(self, organisation: str, account: str, webhook_event: TemplateUpdate) -> TemplateUpdateResult:
        """Store a webhook's status, unless a later one is stored. A repeated webhook counts as new."""
        ...

    async def submitted(self, organisation: str, account: str, template: KnownTemplate) -> None:
        """Store the answer to a submission, unless a status of the same second or a later one is stored."""
        ...

    async def read(self, organisation: str, account: str, found: Sequence[KnownTemplate], at: datetime) -> None:
        """Store Meta's whole list as it was at `at`.

        Templates that are not in it are removed, unless a later status is stored. A webhook of the same second wins
        over the list.
        """
        ...


class TemplatesAtMeta(Protocol):
    """Meta's API for templates. Every method raises SendError."""

    async def listed(self, integration: WhatsAppIntegration, account: str, at: datetime) -> Sequence[KnownTemplate]:
        """All templates of the account that we can fill in, and the ready-made ones with any status."""
        ...

    async def create(
        self, integration: WhatsAppIntegration, account: str, template: Template, handle: str, at: datetime
    ) -> KnownTemplate | None:
        """Submit a template for review; None if the name and language exist already."""
        ...

    async def revise(self, integration: WhatsAppIntegration, template: Template, template_id: str, handle: str) -> None:
        """Submit a rejected template again."""
        ...

    async def example(self, integration: WhatsAppIntegration) -> str:
        """The handle of the sample card, which Meta's reviewers see."""
        ...


class Templates:
    """Reads, stores and submits templates."""

    def __init__(self, book: TemplateBook, meta: TemplatesAtMeta, telemetry: Telemetry, clock: Clock) -> None:
        self._book = book
        self._meta = meta
        self._telemetry = telemetry
        self._clock = clock
        self._cooldown = Cooldown(clock)

    async def catalogue(self, integration: WhatsAppIntegration) -> Catalogue:
        """The templates that can be used, with Meta's status: from the store while that is fresh, else from Meta.

        If Meta does not answer, the catalogue has `is_sure` = False, and requests get a warning.
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
        """The templates that can be used, from the store only."""
        account = integration.business_account_id
        if account is None:
            return Catalogue()
        return Catalogue((await self._book.listing(integration.organisation, account)).templates)

    async def read(self, integration: WhatsAppIntegration, account: str) -> Catalogue:
        """Ask Meta now and store the answer. Raises SendError."""
        at = self._clock.now()
        found = await self._meta.listed(integration, account, at)
        await self._book.read(integration.organisation, account, found, at)
        listing = await self._book.listing(integration.organisation, account)
        return Catalogue(listing.templates, is_sure=True)

    async def submit(self, integration: WhatsAppIntegration | None, name: str) -> None:
        """Submit a ready-made template in both languages. If it exists at Meta already, its status there is stored.

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
    """The check before messages are released. It reads only the store, so that release does not call Meta each time."""

    def __init__(self, book: TemplateBook) -> None:
        self._book = book

    async def stopped(self, integration: WhatsAppIntegration, distribution: Distribution) -> dict[ScopeKey, str]:
        """The templates, each in one language, that the distribution uses and that are stopped, with a status reason of
        api.md.
        """
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
    """Whether the stored list is recent. The limit is shorter while a template is under review, or if a webhook named a
    template whose text has not been read.
    """
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
