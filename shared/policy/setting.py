"""Reads the organisation's settings once for a whole request, and checks a request's content and start against them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.base.instants import rfc3339
from shared.base.json import JsonObject
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.cards.references import CardHost
from shared.integrations.integration import Dhis2Integration, Integrations, SmsIntegration, WhatsAppIntegration
from shared.integrations.templates import Templates
from shared.messages.payload import Channel
from shared.policy.eligibility import Frame
from shared.recipients.countries import COVERED
from shared.recipients.phone import PhoneError, normalise
from shared.texts.composition import Setting, check_content, check_template
from shared.texts.content import Content, FallbackOrder
from shared.texts.templates import READY_ONLY

FURTHEST = timedelta(days=28)
"""The furthest start that a request may ask for. Its stored content must still exist then (PayloadRetentionDays), and
also during the days that a million SMS take, with time for resends.
"""

CLOCKS_DIFFER = timedelta(seconds=60)
"""How far a client's clock may differ from ours: its "now" must be accepted."""

LAST_RESORT_COUNTRY = "SN"
"""The country for reading national numbers if no integration gives one; the first country of the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """An organisation's settings for one request."""

    channel: WhatsAppIntegration | SmsIntegration
    sms: SmsIntegration | None
    dhis2: Dhis2Integration | None
    setting: Setting

    @property
    def default_template(self) -> str | None:
        """The WhatsApp template of test sends."""
        return self.channel.default_template if isinstance(self.channel, WhatsAppIntegration) else None

    def frame(
        self,
        content: Content,
        defaults: JsonObject,
        *,
        not_before: datetime | None = None,
        fallback: FallbackOrder | None = None,
        received_at: datetime | None = None,
    ) -> Frame:
        """The `Frame` for the rows of one request."""
        return Frame(
            content=content,
            setting=self.setting,
            defaults=defaults,
            dhis2=self.dhis2,
            phone_number_id=self.channel.phone_number_id if isinstance(self.channel, WhatsAppIntegration) else None,
            not_before=not_before,
            fallback=fallback,
            received_at=received_at,
        )


class SettingReader:
    """Reads settings without a cache: an administrator who has just saved them expects them to apply."""

    def __init__(
        self,
        integrations: Integrations,
        templates: Templates,
        card_hosts: tuple[CardHost, ...],
        card_buckets: frozenset[str],
    ) -> None:
        self._integrations = integrations
        self._templates = templates
        self._card_hosts = card_hosts
        self._card_buckets = card_buckets

    async def read(self, organisation: str, channel: Channel, *, needs_dhis2: bool = False) -> Settings:
        """Raises Refusal `integration_missing` if the channel, or a needed DHIS2 integration, is not set up."""
        sms = await self._integrations.sms(organisation, uncached=True)
        whatsapp = (
            await self._integrations.whatsapp(organisation, uncached=True) if channel is Channel.WHATSAPP else None
        )
        integration = sms if channel is Channel.SMS else whatsapp
        if integration is None:
            raise Refusal(ProblemCode.INTEGRATION_MISSING, integration=channel)
        dhis2 = await self._integrations.dhis2(organisation) if needs_dhis2 else None
        if needs_dhis2 and dhis2 is None:
            raise Refusal(ProblemCode.INTEGRATION_MISSING, integration="dhis2")
        setting = Setting(
            organisation=organisation,
            channel=channel,
            default_country=_default_country(sms, whatsapp),
            unit_prices=sms.unit_prices if sms else {},
            card_hosts=self._card_hosts,
            card_buckets=self._card_buckets,
            without_sender=_without_sender(sms) if sms is not None else frozenset(),
            default_template=whatsapp.default_template if whatsapp else None,
            catalogue=await self._templates.catalogue(whatsapp) if whatsapp else READY_ONLY,
        )
        return Settings(channel=integration, sms=sms, dhis2=dhis2, setting=setting)


def check(channel: Channel, content: Content) -> None:
    """Raises Refusal `unprocessable` for a text that cannot be sent to any recipient."""
    _refuse(check_content(channel, content))


def check_instant(field: str, wished: datetime | None, now: datetime) -> None:
    """Raises Refusal `unprocessable` if the start is in the past or further ahead than stored content is kept.

    Both bounds allow for the difference of clocks. A start in the last minute means now.
    """
    if wished is None:
        return
    if wished < now - CLOCKS_DIFFER:
        _refuse((FieldError(field=field, code="send_at_past"),))
    if wished > now + FURTHEST + CLOCKS_DIFFER:
        facts = {"maximum": rfc3339((now + FURTHEST).replace(microsecond=0))}
        _refuse((FieldError(field=field, code="field_invalid", facts=facts),))


def check_with(settings: Settings, content: Content) -> None:
    """Raises Refusal `unprocessable` if the template is unknown or not approved by Meta."""
    _refuse(check_template(settings.setting, content))


def check_fallback(settings: Settings, content: Content, fallback: FallbackOrder | None) -> None:
    """Raises Refusal if the fallback cannot be sent to any recipient.

    - `fallback_invalid`: the message itself is an SMS, or the message's content is to be the SMS text and cannot be
      one.
    - The content's own codes: the fallback has a content of its own, with errors.
    - `integration_missing`: SMS is not set up.
    """
    if fallback is None:
        return
    invalid = FieldError(field="fallback", code="fallback_invalid")
    if settings.setting.channel is not Channel.WHATSAPP:
        _refuse((invalid,))
    if settings.sms is None:
        raise Refusal(ProblemCode.INTEGRATION_MISSING, integration=Channel.SMS)
    texting = replace(settings.setting, channel=Channel.SMS)
    field_errors = check_content(Channel.SMS, fallback.content) or check_template(texting, fallback.content)
    if field_errors and fallback.content == content:
        _refuse((invalid,))
    _refuse(tuple(replace(field_error, field=f"fallback.{field_error.field}") for field_error in field_errors))


def _refuse(field_errors: tuple[FieldError, ...]) -> None:
    if field_errors:
        raise Refusal(ProblemCode.UNPROCESSABLE, field_errors)


def _without_sender(sms: SmsIntegration) -> frozenset[str]:
    return frozenset(country for country in COVERED if not sms.sender_address(country))


async def default_country(integrations: Integrations, organisation: str) -> str:
    """The country for reading the organisation's national numbers."""
    sms = await integrations.sms(organisation, uncached=True)
    whatsapp = None if sms else await integrations.whatsapp(organisation, uncached=True)
    return _default_country(sms, whatsapp)


def _default_country(sms: SmsIntegration | None, whatsapp: WhatsAppIntegration | None) -> str:
    if sms is not None:
        return sms.default_country
    if whatsapp is not None:
        try:
            return normalise(whatsapp.sender_number, LAST_RESORT_COUNTRY).country
        except PhoneError:
            return LAST_RESORT_COUNTRY
    return LAST_RESORT_COUNTRY
