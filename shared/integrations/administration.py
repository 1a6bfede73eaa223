"""Settings > Integrations: checks an administrator's settings and stores each integration as one secret."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from shared.base.instants import Clock, milliseconds
from shared.base.json import JsonObject, JsonValue, merge_patch
from shared.base.refusal import ApiWarning, FieldError, ProblemCode, Refusal
from shared.holds.keeper import HoldKeeper
from shared.integrations.integration import (
    Dhis2Integration,
    Integration,
    Integrations,
    Secret,
    SmsIntegration,
    StoredSettings,
    TokenStore,
    UnitPrice,
    WhatsAppIntegration,
)
from shared.integrations.templates import Templates
from shared.messages.payload import META, ORANGE, Channel
from shared.pacing.members import Members
from shared.policy.hours import DEFAULT_PEAK_HOURS, ClosedHours, parse_windows
from shared.recipients.countries import COVERED
from shared.recipients.number_key import NumberKey
from shared.recipients.phone import PhoneError, normalise
from shared.recipients.recipient import FIELDS
from shared.texts.templates import is_ready_made

_SENDER_NAME = re.compile(r"[A-Za-z0-9 -]{1,11}")

_NARROW_SENDER_NAME = re.compile(r"[A-Za-z0-9 ]{1,11}")
"""The names that Orange's pages allow (reference/orange_sms.md §3). Orange may refuse a hyphen."""

_SENDER_ADDRESS = re.compile(r"tel:\+[0-9]{3,20}")

_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")

_MAPPABLE = frozenset(FIELDS) - {"enrollment_id"}

_TRIES = 10
"""How often settings are made anew because another request has changed them meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Stored settings. `made_verify_token`: this request made the token, so it is shown once."""

    integration: Integration
    made_verify_token: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Settings as a PUT states them. `removed`: the names of stored secrets that are not kept."""

    body: JsonObject = field(repr=False)
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrationDeps:
    """What `Administration` works with. `draw` makes random tokens."""

    integrations: Integrations
    templates: Templates
    tokens: TokenStore
    holding: HoldKeeper
    members: Members
    number_key: NumberKey
    draw: Callable[[], str]
    clock: Clock


class Administration:
    """Reads and writes the integrations."""

    def __init__(self, deps: AdministrationDeps) -> None:
        self._deps = deps

    async def get(self, organisation: str, name: str) -> Integration:
        """The settings. Raises Refusal `not_found` if there are none."""
        found = (await self._deps.integrations.stored(organisation, name)).integration
        if found is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        return found

    async def delete(self, organisation: str, name: str) -> None:
        """Delete the settings. Deleting settings that do not exist is no error.

        The organisation leaves its account's rate limit before and after the deletion. If the process dies in between,
        the organisation is no member, and the settings that still exist let it join again. The second time removes a
        membership that a successful call may have created in between.
        """
        kept = (await self._deps.integrations.stored(organisation, name)).integration
        await self._leave(kept)
        await self._deps.integrations.delete(organisation, name)
        await self._leave(kept)
        if name == "sms":
            await self._deps.tokens.remove(organisation)

    async def put(self, organisation: str, name: str, body: JsonObject) -> Saved:
        """Replace the settings. An omitted secret keeps its value. Raises Refusal with every error found."""
        return await self._save(organisation, name, lambda _: _Wanted(body=body))

    async def patch(self, organisation: str, name: str, patch: JsonObject) -> Saved:
        """Change single settings (RFC 7396); all others stay. A null removes a value, also a secret.

        Raises Refusal as `put`; `not_found` if there are no settings.
        """
        removed = frozenset(field for field, value in patch.items() if value is None)

        def changed(kept: Integration | None) -> _Wanted:
            if kept is None:
                raise Refusal(ProblemCode.NOT_FOUND)
            merged = merge_patch(_stated(kept), patch)
            return _Wanted(body=merged if isinstance(merged, dict) else {}, removed=removed)

        return await self._save(organisation, name, changed)

    async def _save(self, organisation: str, name: str, change: Callable[[Integration | None], _Wanted]) -> Saved:
        """Store what `change` makes of the stored settings. Of two requests at once, the later one starts anew from
        what the other has stored, so nothing is lost.

        What follows a write is done each time, even if nothing is new: a worker may have died here before.
        """
        for _ in range(_TRIES):
            stored = await self._deps.integrations.stored(organisation, name)
            kept, now = stored.integration, self._deps.clock.now()
            saved = self._made(organisation, name, change(kept), kept, now)
            await self._check_default_template(saved.integration)
            if await self._replace(stored, saved.integration):
                await self._apply(saved.integration)
                return saved
        raise Refusal(ProblemCode.STATE_CONFLICT)

    def _made(self, organisation: str, name: str, wanted: _Wanted, kept: Integration | None, now: datetime) -> Saved:
        match name:
            case "whatsapp":
                return self._whatsapp(
                    organisation, wanted, kept if isinstance(kept, WhatsAppIntegration) else None, now
                )
            case "sms":
                return self._sms(organisation, wanted, kept if isinstance(kept, SmsIntegration) else None, now)
            case _:
                return Saved(integration=_dhis2(organisation, wanted.body, _next_version(kept, now)))

    async def _apply(self, integration: Integration) -> None:
        """What new settings change at once: an old token of Orange is forgotten, and a held account is tried."""
        if isinstance(integration, SmsIntegration):
            await self._deps.tokens.open(integration.organisation)
            await self._deps.holding.try_now(integration.organisation, Channel.SMS)
        elif isinstance(integration, WhatsAppIntegration):
            await self._deps.holding.try_now(integration.organisation, Channel.WHATSAPP)

    async def _replace(self, stored: StoredSettings, integration: Integration) -> bool:
        """Store the settings and update the account's rate limit. False: another request was first.

        If the account changes, the organisation leaves the previous one before and after, as in `delete`. If it stays
        the same, a new rate applies at once.
        """
        kept = stored.integration
        if isinstance(integration, Dhis2Integration):
            return await self._deps.integrations.put(integration, replacing=stored.version)
        is_moving = isinstance(kept, WhatsAppIntegration | SmsIntegration) and kept.rate_limit != integration.rate_limit
        if is_moving:
            await self._leave(kept)
        if not await self._deps.integrations.put(integration, replacing=stored.version):
            return False
        if is_moving:
            await self._leave(kept)
        else:
            await self._deps.members.saved(integration)
        return True

    async def _leave(self, kept: Integration | None) -> None:
        if isinstance(kept, WhatsAppIntegration | SmsIntegration):
            await self._deps.members.removed(kept.rate_limit)

    async def _check_default_template(self, integration: Integration) -> None:
        """The default template must exist at Meta if it is not a ready-made one. If Meta does not answer, the name is
        accepted.
        """
        if not isinstance(integration, WhatsAppIntegration):
            return
        name = integration.default_template
        if name is None or is_ready_made(name):
            return
        catalogue = await self._deps.templates.catalogue(integration)
        if catalogue.is_sure and not catalogue.languages(name):
            field_error = FieldError(field="default_template", code="template_unknown", facts={"name": name})
            raise Refusal(ProblemCode.UNPROCESSABLE, (field_error,))

    def _whatsapp(self, organisation: str, wanted: _Wanted, kept: WhatsAppIntegration | None, now: datetime) -> Saved:
        body, checking = wanted.body, _Checking(wanted)
        access_token = checking.secret("access_token", kept.access_token if kept else None, now)
        app_secret = checking.secret("app_secret", kept.app_secret if kept else None, now, required=False)
        verify_token = checking.secret("verify_token", kept.verify_token if kept else None, now, required=False)
        sender_number = checking.number("sender_number")
        template = checking.optional("default_template")
        if template is not None and not is_ready_made(template) and body.get("business_account_id") is None:
            checking.field_error("default_template", "template_unknown", name=template)
        checking.finish()
        if access_token is None:
            raise Refusal(ProblemCode.BAD_REQUEST, (FieldError(field="access_token", code="field_invalid"),))
        integration = WhatsAppIntegration(
            organisation=organisation,
            phone_number_id=str(body["phone_number_id"]),
            sender_number=sender_number,
            access_token=access_token,
            app_secret=app_secret,
            previous_app_secret=_replaced(kept, app_secret, now),
            verify_token=verify_token or Secret(value=self._deps.draw(), updated_at=now),
            business_account_id=checking.optional("business_account_id"),
            rate_per_second=_whole(body.get("rate_per_second"), 80),
            default_template=template,
            version=_next_version(kept, now),
            account=self._deps.number_key.account(META, str(body["phone_number_id"])),
        )
        return Saved(integration=integration, made_verify_token=verify_token is None)

    def _sms(self, organisation: str, wanted: _Wanted, kept: SmsIntegration | None, now: datetime) -> Saved:
        body, checking = wanted.body, _Checking(wanted)
        client_secret = checking.secret("client_secret", kept.client_secret if kept else None, now)
        sender_name = str(body["sender_name"])
        if not _SENDER_NAME.fullmatch(sender_name):
            checking.field_error("sender_name", "field_invalid")
        senders = checking.senders()
        prices = checking.prices()
        peak_hours = checking.peak_hours()
        addresses = checking.addresses()
        checking.finish()
        if client_secret is None:
            raise Refusal(ProblemCode.BAD_REQUEST, (FieldError(field="client_secret", code="field_invalid"),))
        integration = SmsIntegration(
            organisation=organisation,
            client_id=str(body["client_id"]),
            client_secret=client_secret,
            sender_name=sender_name,
            default_country=str(body["default_country"]),
            senders=senders,
            rate_per_second=_whole(body.get("rate_per_second"), 5),
            unit_prices=prices,
            peak_hours=peak_hours,
            receipt_addresses=addresses,
            receipt_token=kept.receipt_token if kept else Secret(value=self._deps.draw(), updated_at=now),
            version=_next_version(kept, now),
            account=self._deps.number_key.account(ORANGE, str(body["client_id"])),
        )
        return Saved(integration=integration)


def warnings_of(integration: Integration) -> tuple[ApiWarning, ...]:
    """Warnings for the administrator about settings that were saved."""
    if isinstance(integration, SmsIntegration) and not _NARROW_SENDER_NAME.fullmatch(integration.sender_name):
        return (ApiWarning(code="sender_name_narrow"),)
    return ()


class _Checking:
    """Reads the wanted values and collects the errors."""

    def __init__(self, wanted: _Wanted) -> None:
        self._body = wanted.body
        self._removed = wanted.removed
        self._field_errors: list[FieldError] = []

    def field_error(self, field: str, code: str, **facts: str) -> None:
        self._field_errors.append(FieldError(field=field, code=code, facts=facts))

    def finish(self) -> None:
        if self._field_errors:
            raise Refusal(ProblemCode.UNPROCESSABLE, tuple(self._field_errors))

    def secret(self, field: str, kept: Secret | None, now: datetime, *, required: bool = True) -> Secret | None:
        given = self._body.get(field)
        kept = None if field in self._removed else kept
        if not isinstance(given, str) or not given.strip():
            if required and kept is None:
                raise Refusal(ProblemCode.BAD_REQUEST, (FieldError(field=field, code="field_invalid"),))
            return kept
        return kept if kept is not None and kept.value == given else Secret(value=given, updated_at=now)

    def optional(self, field: str) -> str | None:
        value = self._body.get(field)
        return str(value) if value is not None else None

    def number(self, field: str) -> str:
        """The organisation's own number in E.164, from any common notation. Meta's test numbers (555) are accepted,
        although they are no mobile numbers.
        """
        raw = str(self._body[field])
        try:
            return normalise(raw, next(iter(COVERED))).e164
        except PhoneError:
            digits = "+" + re.sub(r"\D", "", raw)
            if not re.fullmatch(r"\+[1-9][0-9]{7,14}", digits):
                self.field_error(field, "phone_invalid")
            return digits

    def senders(self) -> dict[str, str]:
        senders: dict[str, str] = {}
        for country, address in self._by_country("senders"):
            if not _SENDER_ADDRESS.fullmatch(str(address)):
                self.field_error(f"senders.{country}", "field_invalid")
            senders[country] = str(address)
        return senders

    def prices(self) -> dict[str, UnitPrice]:
        prices: dict[str, UnitPrice] = {}
        for country, price in self._by_country("unit_prices"):
            amount = _amount(price.get("amount")) if isinstance(price, dict) else None
            currency = price.get("currency") if isinstance(price, dict) else None
            if amount is None or not re.fullmatch(r"[A-Z]{3}", str(currency)):
                self.field_error(f"unit_prices.{country}", "field_invalid")
            else:
                prices[country] = UnitPrice(amount=amount, currency=str(currency))
        return prices

    def peak_hours(self) -> tuple[tuple[str, str], ...]:
        """If left out, the default applies. An empty list means no peak hours."""
        given = self._body.get("peak_hours")
        if given is None:
            return DEFAULT_PEAK_HOURS
        listed = given if isinstance(given, list) else []
        pairs = [[str(edge) for edge in pair] for pair in listed if isinstance(pair, list)]
        try:
            windows = parse_windows(pairs)
            for country in COVERED.values():
                ClosedHours(windows=(country.quiet_hours, *windows))
        except ValueError:
            self.field_error("peak_hours", "field_invalid")
            return ()
        return tuple((pair[0], pair[1]) for pair in pairs)

    def addresses(self) -> tuple[str, ...]:
        given = self._body.get("receipt_addresses")
        networks: list[str] = []
        for address in given if isinstance(given, list) else ():
            try:
                networks.append(str(ipaddress.ip_network(str(address))))
            except ValueError:
                self.field_error("receipt_addresses", "field_invalid")
        return tuple(networks)

    def _by_country(self, field: str) -> list[tuple[str, JsonValue]]:
        given = self._body.get(field)
        pairs = list(given.items()) if isinstance(given, dict) else []
        for country, _ in pairs:
            if country not in COVERED:
                self.field_error(f"{field}.{country[:2]}", "field_invalid")
        return [(country, value) for country, value in pairs if country in COVERED]


def _stated(kept: Integration) -> JsonObject:
    """The stored settings as a PUT would state them, without secrets and without what is not set."""
    stated: dict[str, JsonValue]
    match kept:
        case WhatsAppIntegration():
            stated = {
                "phone_number_id": kept.phone_number_id,
                "sender_number": kept.sender_number,
                "business_account_id": kept.business_account_id,
                "rate_per_second": kept.rate_per_second,
                "default_template": kept.default_template,
            }
        case SmsIntegration():
            stated = {
                "client_id": kept.client_id,
                "sender_name": kept.sender_name,
                "default_country": kept.default_country,
                "senders": dict(kept.senders),
                "rate_per_second": kept.rate_per_second,
                "unit_prices": {
                    country: {"amount": format(price.amount, "f"), "currency": price.currency}
                    for country, price in kept.unit_prices.items()
                },
                "peak_hours": [list(window) for window in kept.peak_hours],
                "receipt_addresses": list(kept.receipt_addresses),
            }
        case Dhis2Integration():
            stated = {"attributes": dict(kept.attributes), "program": kept.program}
    return {field: value for field, value in stated.items() if value is not None}


def _next_version(kept: Integration | None, now: datetime) -> int:
    """Greater than the version that it replaces, also within one millisecond."""
    return max(milliseconds(now), kept.version + 1 if kept is not None else 0)


def _dhis2(organisation: str, body: JsonObject, version: int) -> Dhis2Integration:
    mapping = body["attributes"]
    attributes = {field: str(uid) for field, uid in mapping.items()} if isinstance(mapping, dict) else {}
    field_errors = [
        FieldError(field=f"attributes.{field}", code="field_unknown" if field not in _MAPPABLE else "field_invalid")
        for field, uid in attributes.items()
        if field not in _MAPPABLE or not _UID.fullmatch(uid)
    ]
    if "phone" not in attributes:
        field_errors.append(FieldError(field="attributes.phone", code="field_invalid"))
    program = body.get("program")
    if program is not None and not _UID.fullmatch(str(program)):
        field_errors.append(FieldError(field="program", code="field_invalid"))
    if field_errors:
        raise Refusal(ProblemCode.UNPROCESSABLE, tuple(field_errors))
    return Dhis2Integration(
        organisation=organisation,
        attributes=attributes,
        program=str(program) if program is not None else None,
        version=version,
    )


def _replaced(kept: WhatsAppIntegration | None, app_secret: Secret | None, now: datetime) -> Secret | None:
    """The app secret that stays valid for a day. Its `updated_at` is when it was replaced."""
    if kept is None or kept.app_secret is None:
        return None
    if app_secret is not None and app_secret.value != kept.app_secret.value:
        return Secret(value=kept.app_secret.value, updated_at=now)
    return kept.previous_app_secret


def _whole(value: JsonValue, default: int) -> int:
    return int(value) if isinstance(value, int | float) else default


def _amount(value: JsonValue) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**9 else None
