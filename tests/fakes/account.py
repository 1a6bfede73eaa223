"""Templates and number status in memory, and a Meta that gives the answers that a test sets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.integrations.integration import WhatsAppIntegration
from shared.integrations.templates import TemplateUpdateResult
from shared.messages.errors import SendError
from shared.pacing.daily_limit import NumberFacts, NumberStatus, NumberStatusUpdate
from shared.texts.templates import UTILITY, KnownTemplate, Listing, Template
from shared.webhooks.updates import TemplateStatus, TemplateUpdate
from tests.fakes.world import Points

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

type Key = tuple[str, str]


def _second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


class FakeTemplateBook:
    """Implements `TemplateBook` in memory."""

    def __init__(self) -> None:
        self._templates: dict[tuple[str, str], dict[Key, KnownTemplate]] = {}
        self._categorised: dict[tuple[str, str, str, str], datetime] = {}
        self._read_at: dict[tuple[str, str], datetime] = {}

    async def listing(self, organisation: str, account: str) -> Listing:
        known = self._templates.get((organisation, account), {})
        return Listing(
            templates=tuple(known[key] for key in sorted(known)), read_at=self._read_at.get((organisation, account))
        )

    async def named(self, organisation: str, account: str, name: str) -> Sequence[KnownTemplate]:
        return [one for one in (await self.listing(organisation, account)).templates if one.name == name]

    async def receive(self, organisation: str, account: str, webhook_event: TemplateUpdate) -> TemplateUpdateResult:
        at = _second(webhook_event.at)
        known = self._templates.setdefault((organisation, account), {})
        template = known.get(
            (webhook_event.name, webhook_event.language), _unheard(webhook_event.name, webhook_event.language)
        )
        is_new = webhook_event.status is not None and template.reported_at <= at
        if is_new:
            template = replace(template, status=webhook_event.status, reported_at=at)
        is_recategorised = False
        if webhook_event.category is not None:
            template = self._categorised_as(organisation, account, template, webhook_event.category, at, is_new=True)
            is_recategorised = template.recategorised_at == at
        known[webhook_event.name, webhook_event.language] = template
        return TemplateUpdateResult(is_new=is_new or is_recategorised, is_recategorised=is_recategorised)

    async def submitted(self, organisation: str, account: str, template: KnownTemplate) -> None:
        self._take(organisation, account, template)

    async def read(self, organisation: str, account: str, found: Sequence[KnownTemplate], at: datetime) -> None:
        known = self._templates.setdefault((organisation, account), {})
        for one in found:
            self._take(organisation, account, one)
        listed = {(one.name, one.language) for one in found}
        for key in [key for key, one in known.items() if key not in listed and one.reported_at < _second(at)]:
            del known[key]
        owner = (organisation, account)
        self._read_at[owner] = max(at, self._read_at.get(owner, at))

    def _take(self, organisation: str, account: str, change: KnownTemplate) -> None:
        at = _second(change.reported_at)
        known = self._templates.setdefault((organisation, account), {})
        template = known.get((change.name, change.language), _unheard(change.name, change.language))
        if change.category is not None:
            template = self._categorised_as(organisation, account, template, change.category, at, is_new=False)
        if template.reported_at < at:
            template = replace(template, status=change.status, reported_at=at)
        identity = change.template_id or template.template_id
        known[change.name, change.language] = replace(template, shape=change.shape, template_id=identity)

    def _categorised_as(
        self, organisation: str, account: str, template: KnownTemplate, category: str, at: datetime, *, is_new: bool
    ) -> KnownTemplate:
        key = (organisation, account, template.name, template.language)
        before = self._categorised.get(key)
        if before is not None and (before > at or (before == at and not is_new)):
            return template
        self._categorised[key] = at
        if category == UTILITY:
            return replace(template, category=category, recategorised_at=None)
        leaves_utility = template.category == UTILITY or (template.category is None and is_new)
        return replace(
            template, category=category, recategorised_at=at if leaves_utility else template.recategorised_at
        )


def _unheard(name: str, language: str) -> KnownTemplate:
    return KnownTemplate(name=name, language=language, status=None, reported_at=_NEVER)


class FakeNumberStatuses:
    """Implements `NumberStatuses` in memory."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._known: dict[tuple[str, str], NumberStatus] = {}
        self._reported_at: dict[tuple[str, str, str], datetime] = {}

    async def get(self, organisation: str, phone_number_id: str) -> NumberStatus:
        await self._points("number_statuses.get")
        return self._known.get((organisation, phone_number_id), NumberStatus())

    async def tell(self, organisation: str, phone_number_id: str, change: NumberStatusUpdate) -> None:
        await self._points("number_statuses.tell")
        facts: Mapping[str, object] = {
            "limit": change.limit,
            "quality": change.quality,
            "verified_name": change.verified_name,
            "throughput": change.throughput,
            "restricted": change.restricted,
            "read_at": change.at if change.is_reading else None,
        }
        for name, value in facts.items():
            key = (organisation, phone_number_id, name)
            at = change.at if name == "read_at" else _second(change.at)
            before = self._reported_at.get(key)
            is_later = before is None or at > before or (at == before and not change.is_reading)
            if value is not None and is_later:
                self._reported_at[key] = at
                owner = (organisation, phone_number_id)
                self._known[owner] = replace(self._known.get(owner, NumberStatus()), **{name: value})  # type: ignore[arg-type]  # by name


class FakeMeta:
    """Implements `TemplatesAtMeta`, `AsksNumber` and what the health check asks. Every call raises `error` while it is
    set."""

    def __init__(self) -> None:
        self.templates: dict[Key, KnownTemplate] = {}
        self.facts = NumberFacts()
        self.subscribed = True
        self.error: SendError | None = None
        self.calls: list[str] = []

    def put(self, *templates: KnownTemplate) -> None:
        self.templates |= {(one.name, one.language): one for one in templates}

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.error is not None:
            raise self.error

    async def listed(self, integration: WhatsAppIntegration, account: str, at: datetime) -> Sequence[KnownTemplate]:
        self._call("listed")
        return [replace(one, reported_at=at) for one in self.templates.values()]

    async def create(
        self, integration: WhatsAppIntegration, account: str, template: Template, handle: str, at: datetime
    ) -> KnownTemplate | None:
        self._call(f"create {template.name} {template.language} {handle}")
        key = (template.name, template.language)
        if key in self.templates:
            return None
        made = KnownTemplate(
            name=template.name,
            language=template.language,
            status=TemplateStatus.PENDING,
            reported_at=at,
            category=UTILITY,
            shape=template.shape,
            template_id=f"id-{len(self.templates)}",
        )
        self.templates[key] = made
        return made

    async def revise(self, integration: WhatsAppIntegration, template: Template, template_id: str, handle: str) -> None:
        self._call(f"revise {template_id} {handle}")
        key = (template.name, template.language)
        self.templates[key] = replace(self.templates[key], status=TemplateStatus.PENDING)

    async def example(self, integration: WhatsAppIntegration) -> str:
        self._call("example")
        return "4::handle"

    async def number(self, integration: WhatsAppIntegration) -> NumberFacts:
        self._call("number")
        return self.facts

    async def is_subscribed(self, integration: WhatsAppIntegration, account: str) -> bool:
        self._call("is_subscribed")
        return self.subscribed
