"""Settings > Integrations > Health: which parts of a channel work, which do not, and where to repair them.

If a provider does not answer, that is a finding like others. A check gives a code and facts; `shared/api` has its text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.base.instants import Clock
from shared.integrations.administration import warnings_of
from shared.integrations.balances import Balance, Balances
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.integrations.templates import Templates
from shared.messages.errors import Kind, SendError
from shared.pacing.daily_limit import (
    DailyLimit,
    NumberFacts,
    NumberReader,
    NumberStatus,
    NumberStatuses,
    PeopleCount,
    portfolio_of,
)
from shared.texts.templates import Catalogue, Usable
from shared.webhooks.updates import TemplateStatus

GOOD_NAMES = frozenset({"APPROVED", "AVAILABLE_WITHOUT_REVIEW"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding. `code` names its text, `facts` fill the text in. They contain no credentials."""

    name: str
    ok: bool
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All findings of a channel, with its figures. A figure is None if it does not apply or is unknown."""

    checks: tuple[Check, ...]
    sender: str | None = None
    quality: str | None = None
    daily_limit: int | None = None
    used_24h: int | None = None
    templates: tuple[Usable, ...] | None = None
    balances: tuple[Balance, ...] | None = None

    @property
    def ok(self) -> bool:
        """Whether every check is ok."""
        return all(check.ok for check in self.checks)


class AsksSubscription(Protocol):
    """Asks Meta about an account's webhooks."""

    async def is_subscribed(self, integration: WhatsAppIntegration, account: str) -> bool:
        """Whether an app is subscribed to them. Raises SendError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppHealthDeps:
    """What `WhatsAppHealth` works with."""

    templates: Templates
    number: NumberReader
    number_statuses: NumberStatuses
    people: PeopleCount
    subscriptions: AsksSubscription
    clock: Clock


class WhatsAppHealth:
    """Asks Meta about an organisation's number, account, templates and webhook."""

    def __init__(self, deps: WhatsAppHealthDeps) -> None:
        self._deps = deps

    async def examine(self, integration: WhatsAppIntegration) -> Health:
        """All checks, also if Meta answers with an error or not at all."""
        owner = (integration.organisation, integration.phone_number_id)
        facts, failure = await self._number(integration)
        catalogue, unread = await self._templates(integration, failure)
        webhook = await self._webhook(integration, failure)
        known = await self._deps.number_statuses.get(*owner)
        used = await self._deps.people.used(integration.organisation, portfolio_of(integration), self._deps.clock.now())
        return Health(
            checks=(
                _token(failure),
                _number_check(facts, failure),
                _verified_name(facts, failure),
                _quality(known, failure),
                _limit(known.limit, used, failure),
                _templates_check(integration, catalogue, unread),
                webhook,
                _account(facts, known, failure),
            ),
            sender=known.verified_name,
            quality=known.quality,
            daily_limit=known.limit.people if known.limit else None,
            used_24h=used,
            templates=catalogue.items,
        )

    async def _number(self, integration: WhatsAppIntegration) -> tuple[NumberFacts, SendError | None]:
        try:
            return await self._deps.number.read(integration), None
        except SendError as error:
            return NumberFacts(), error

    async def _templates(
        self, integration: WhatsAppIntegration, failure: SendError | None
    ) -> tuple[Catalogue, SendError | None]:
        account = integration.business_account_id
        if account is None or failure is not None:
            return await self._deps.templates.stored(integration), failure
        try:
            return await self._deps.templates.read(integration, account), None
        except SendError as error:
            return await self._deps.templates.stored(integration), error

    async def _webhook(self, integration: WhatsAppIntegration, failure: SendError | None) -> Check:
        if integration.app_secret is None:
            return _bad("webhook", "app_secret_missing")
        account = integration.business_account_id
        if account is None:
            return _bad("webhook", "account_unnamed")
        if failure is not None:
            return _unasked("webhook", failure)
        try:
            subscribed = await self._deps.subscriptions.is_subscribed(integration, account)
        except SendError as error:
            return _unasked("webhook", error)
        return _good("webhook") if subscribed else _bad("webhook", "not_subscribed")


class SmsHealth:
    """Asks Orange about an organisation's application and contracts."""

    def __init__(self, balances: Balances, clock: Clock) -> None:
        self._balances = balances
        self._clock = clock

    async def examine(self, integration: SmsIntegration) -> Health:
        """All checks, also if Orange answers with an error or not at all."""
        balances: Sequence[Balance] = ()
        failure: SendError | None = None
        try:
            balances = await self._balances.of(integration)
        except SendError as error:
            failure = error
        return Health(
            checks=(
                _token(failure),
                _contracts(integration, balances, failure, self._clock.now()),
                _sender_name(integration),
                _sender_address(integration),
                _good("receipts"),
            ),
            sender=integration.sender_name,
            balances=tuple(balances) if failure is None else None,
        )


def _good(name: str, code: str = "fine", /, **facts: str) -> Check:
    return Check(name=name, ok=True, code=code, facts=facts)


def _bad(name: str, code: str, /, **facts: str) -> Check:
    return Check(name=name, ok=False, code=code, facts=facts)


def _unasked(name: str, failure: SendError, /, **facts: str) -> Check:
    """The check could not be made: the provider refused the credentials, or did not answer."""
    code = "refused" if failure.kind is Kind.STOP else "unanswered"
    return _bad(name, code, provider_code=failure.code, **facts)


def _token(failure: SendError | None) -> Check:
    if failure is None:
        return _good("token")
    if failure.kind is Kind.STOP and failure.reason in ("token_invalid", "permission_missing"):
        return _bad("token", failure.reason, provider_code=failure.code)
    if failure.kind is Kind.STOP:
        return _good("token")
    return _unasked("token", failure)


def _number_check(facts: NumberFacts, failure: SendError | None) -> Check:
    if failure is not None:
        return _unasked("number", failure)
    shown = {"number": facts.display_phone_number or ""}
    return _bad("number", "unverified", **shown) if facts.is_verified is False else _good("number", **shown)


def _verified_name(facts: NumberFacts, failure: SendError | None) -> Check:
    if failure is not None:
        return _unasked("verified_name", failure)
    if facts.verified_name is None:
        return _bad("verified_name", "absent")
    if facts.name_status is not None and facts.name_status not in GOOD_NAMES:
        return _bad("verified_name", "not_approved", name=facts.verified_name, status=facts.name_status)
    return _good("verified_name", name=facts.verified_name)


def _quality(known: NumberStatus, failure: SendError | None) -> Check:
    if failure is not None and known.quality is None:
        return _unasked("quality", failure)
    if known.quality == "RED":
        return _bad("quality", "red")
    return _good("quality", {"YELLOW": "yellow", "GREEN": "fine"}.get(known.quality or "", "unrated"))


def _limit(limit: DailyLimit | None, used: int, failure: SendError | None) -> Check:
    if limit is None:
        return _unasked("limit", failure) if failure is not None else _good("limit", "untold", used=str(used))
    if limit.people is None:
        return _good("limit", "unlimited", used=str(used))
    figures = {"limit": str(limit.people), "used": str(used)}
    return _bad("limit", "reached", **figures) if used >= limit.people else _good("limit", **figures)


def _templates_check(integration: WhatsAppIntegration, catalogue: Catalogue, unread: SendError | None) -> Check:
    if integration.business_account_id is None:
        return _bad("templates", "account_unnamed")
    if unread is not None:
        return _unasked("templates", unread)
    approved = [one for one in catalogue.items if one.status is TemplateStatus.APPROVED]
    stopped = [one for one in catalogue.items if one.status in (TemplateStatus.PAUSED, TemplateStatus.DISABLED)]
    default = integration.default_template
    if stopped:
        return _bad("templates", "stopped", names=", ".join(f"{one.name} ({one.language})" for one in stopped))
    if not approved:
        return _bad("templates", "none_approved")
    if default is not None and all(one.name != default for one in approved):
        return _bad("templates", "default_not_approved", name=default)
    return _good("templates", count=str(len(approved)))


def _account(facts: NumberFacts, known: NumberStatus, failure: SendError | None) -> Check:
    words = {"words": " ".join(facts.problems)}
    if known.restricted:
        return _bad("account", "restricted", **words)
    if failure is not None and failure.reason in ("account_restricted", "payment_required"):
        return _bad("account", failure.reason, provider_code=failure.code)
    if failure is not None:
        return _unasked("account", failure)
    if facts.can_send == "BLOCKED":
        return _bad("account", "blocked", **words)
    return _good("account", "limited", **words) if facts.can_send == "LIMITED" else _good("account")


def _contracts(
    integration: SmsIntegration, balances: Sequence[Balance], failure: SendError | None, now: datetime
) -> Check:
    if failure is not None:
        return _unasked("contracts", failure)
    country = integration.default_country
    here = next((one for one in balances if one.country == country), None)
    if here is None:
        return _bad("contracts", "absent", country=country)
    if here.units <= 0:
        return _bad("contracts", "ended" if here.ended else "empty", country=country)
    ends = {"ends": here.expires_at.date().isoformat()} if here.expires_at is not None and here.expires_at > now else {}
    return _good("contracts", country=country, units=str(here.units), **ends)


def _sender_name(integration: SmsIntegration) -> Check:
    code = "narrow" if warnings_of(integration) else "fine"
    return _good("sender_name", code, name=integration.sender_name)


def _sender_address(integration: SmsIntegration) -> Check:
    """Without a sender address, SMS to the organisation's own country cannot be sent."""
    country = integration.default_country
    address = integration.sender_address(country)
    shown = {"country": country}
    return _good("sender_address", address=address, **shown) if address else _bad("sender_address", "missing", **shown)
