"""Composing: from a recipient and a content to the message that will be sent. Preview, planning and single sends use
the same function, so the message is the one that the preview showed. The code is pure; the gate checks consent and
hours.

`with_fallback` adds the fallback SMS. Planning composes it like any other SMS and stores it with the WhatsApp message.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from shared.base.refusal import ApiWarning, FieldError
from shared.cards.references import CardHost, check
from shared.integrations.integration import UnitPrice
from shared.messages.message import Price
from shared.messages.payload import MAX_SESSION_TEXT, ButtonCall, Channel, Fallback, Mode, Payload, TemplateCall
from shared.recipients.countries import COVERED, covered_names
from shared.recipients.phone import PhoneError, PhoneNumber, normalise
from shared.recipients.recipient import Recipient
from shared.texts.content import Content, FallbackOrder, SmsEncoding, carriable
from shared.texts.sms import Encoding, Measure, Rewritten, clean, measure, to_gsm7
from shared.texts.templates import (
    MAX_BODY,
    READY_ONLY,
    VARIABLES,
    Catalogue,
    Shape,
    Usable,
    VariableError,
    expand,
    fill_card_code,
    names,
)
from shared.webhooks.updates import TemplateStatus

MAX_SEGMENTS = 10
"""An SMS with more segments is refused. Orange publishes no maximum (reference/orange_sms.md §5), but cost needs one.
"""

PRICE_MISSING = "units_missing"
"""api.md's list of warnings has no code of its own for a price, so the one for units covers it."""

REVIEW_HOURS = "24–72"
"""Hours that Meta takes to review a template (reference/whatsapp.md §6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What composing needs besides the content and the recipient. It is read once for a whole plan."""

    organisation: str
    """The sender of the message. A card in a bucket must be in this organisation's folder."""
    channel: Channel
    default_country: str
    unit_prices: Mapping[str, UnitPrice]
    card_hosts: tuple[CardHost, ...]
    card_buckets: frozenset[str]
    trusted_card: str | None = None
    """A card reference of our own (the sample card of test sends). It needs no entry in the allow-list."""
    catalogue: Catalogue = READY_ONLY
    without_sender: frozenset[str] = frozenset()
    """Countries for which the organisation has no sender address at Orange: an SMS there is refused."""
    default_template: str | None = None
    """The template that replaces a free WhatsApp text if the session closes before the message is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gsm7Offer:
    """What the text would be and cost in GSM-7."""

    text: str = field(repr=False)
    segments: int
    price: Price | None
    replaced: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The message of one recipient. `measured`, `price` and `gsm7` are set for an SMS only."""

    phone: PhoneNumber
    payload: Payload
    enrollment_id: str | None
    card_generated_at: datetime | None
    card_code: str | None = field(repr=False)
    measured: Measure | None
    price: Price | None
    gsm7: Gsm7Offer | None
    warnings: tuple[ApiWarning, ...]
    fallback_segments: int | None = None
    fallback_price: Price | None = None
    """The price of the fallback SMS; None if there is no fallback or the price is unknown."""
    fallback_errors: tuple[FieldError, ...] = ()
    """Why the message has no fallback although the request asked for one."""


class CompositionError(Exception):
    """The recipient cannot get this content. `masked` is the masked number, or None if the number is invalid."""

    def __init__(self, field_errors: tuple[FieldError, ...], masked: str | None) -> None:
        super().__init__(field_errors)
        self.field_errors = field_errors
        self.masked = masked


def compose(recipient: Recipient, content: Content, setting: Setting) -> Composed:
    """The message. Raises `CompositionError` with every error found."""
    field_errors: list[FieldError] = []
    written, content = content, _carriable(content)
    phone = _phone(recipient.phone, setting.default_country, field_errors)
    build = _sms if setting.channel is Channel.SMS else _whatsapp
    if setting.channel is Channel.SMS and phone is not None and phone.country in setting.without_sender:
        field_errors.append(FieldError(field="phone", code="sender_missing", facts={"country": phone.country}))
    built = build(recipient, content, setting, field_errors)
    if phone is None or built is None or field_errors:
        raise CompositionError(tuple(field_errors), phone.masked if phone else None)
    payload = Payload(
        to=phone.e164,
        country=phone.country,
        mode=built.mode,
        text=built.text,
        template=built.template,
        fallback_template=built.fallback_template,
        fallback_template_shows_card=built.fallback_template_shows_card,
        card_image=built.card_image,
        card_generated_at=recipient.card_generated_at,
        consented=recipient.given.granted,
        consented_at=recipient.given.at,
        consent_received_at=recipient.given.received_at,
        language=(built.language or recipient.language or "")[:2] or None,
    )
    measured = built.measured
    price = price_of(measured, setting.unit_prices.get(phone.country)) if measured else None
    return Composed(
        phone=phone,
        payload=payload,
        enrollment_id=recipient.enrollment_id,
        card_generated_at=recipient.card_generated_at,
        card_code=recipient.values.get("card_code"),
        measured=measured,
        price=price,
        gsm7=_offer(built.rewritten, setting.unit_prices.get(phone.country)) if built.rewritten else None,
        warnings=(
            *_warnings(measured, built, content),
            *_of_values(recipient, written, content),
            *(() if measured is None or price is not None else price_missing({phone.country})),
        ),
    )


def compose_again(payload: Payload, enrollment_id: str | None, setting: Setting) -> Composed:
    """The message of a stored content, with today's settings: what may have changed since it was composed is asked
    again. Raises `CompositionError` with every error found."""
    field_errors: list[FieldError] = []
    phone = _phone(payload.to, setting.default_country, field_errors)
    is_sms = setting.channel is Channel.SMS
    if is_sms and phone is not None and phone.country in setting.without_sender:
        field_errors.append(FieldError(field="phone", code="sender_missing", facts={"country": phone.country}))
    call = payload.template
    template = setting.catalogue.find(call.name, call.language) if call is not None else None
    if call is not None and (field_error := _template_error(template, call.name, setting.channel)) is not None:
        field_errors.append(field_error)
    if payload.card_image is not None:
        _check_card(payload.card_image, setting, field_errors)
    if phone is None or field_errors:
        raise CompositionError(tuple(field_errors), phone.masked if phone else None)
    measured = measure(payload.text) if is_sms else None
    is_sure = template is None or (template.is_sure and template.status is not None)
    built = _Built(mode=payload.mode, text=payload.text, is_sure=is_sure)
    composed = Composed(
        phone=phone,
        payload=payload,
        enrollment_id=enrollment_id,
        card_generated_at=payload.card_generated_at,
        card_code=None,
        measured=measured,
        price=price_of(measured, setting.unit_prices.get(phone.country)) if measured else None,
        gsm7=None,
        warnings=_warnings(measured, built, Content(text=payload.text)),
    )
    return _with_stored_fallback(composed, setting)


def _carriable(content: Content) -> Content:
    text = carriable(content.text or "")
    return content if text == (content.text or "") else replace(content, text=text)


def _of_values(recipient: Recipient, written: Content, content: Content) -> tuple[ApiWarning, ...]:
    """What was not taken as it was given."""
    removed = content is not written or recipient.characters_removed
    found = {"characters_removed": removed, "language_fallback": recipient.language_fallback}
    return tuple(ApiWarning(code=code) for code, is_so in found.items() if is_so)


def check_content(_: Channel, content: Content) -> tuple[FieldError, ...]:
    """Errors of the content that do not depend on the recipient. They are reported before any row is read.

    Whether a WhatsApp text has an open session depends on the recipient: the gate checks that.
    """
    if content.template is not None:
        return ()
    text = carriable(content.text or "")
    if not text.strip():
        return (FieldError(field="content.text", code="text_empty"),)
    try:
        expand(text, dict.fromkeys(VARIABLES, "x"))
    except VariableError as error:
        return tuple(
            FieldError(field="content.text", code=field_error.code, facts={"name": field_error.name})
            for field_error in error.field_errors
        )
    return ()


def check_template(setting: Setting, content: Content) -> tuple[FieldError, ...]:
    """Errors of the content's template that do not depend on the recipient: it is unknown, or Meta would refuse it."""
    if content.template is None:
        return ()
    catalogue, name = setting.catalogue, content.template
    named = catalogue.find(name, content.language)
    candidates = (named,) if content.language else catalogue.languages(name)
    field_errors = [_template_error(one, name, setting.channel) for one in candidates or (None,)]
    return () if None in field_errors else tuple(field_error for field_error in field_errors[:1] if field_error)


def _template_error(template: Usable | None, name: str, channel: Channel) -> FieldError | None:
    """Why this template cannot be sent on this channel; None if it can. An organisation's own templates have no SMS
    text.
    """
    if template is None or (channel is Channel.SMS and template.sms is None):
        return FieldError(field="content.template.name", code="template_unknown", facts={"name": name})
    if channel is Channel.WHATSAPP and template.is_refused and template.status is not None:
        return _refused_by_meta(template.status, name)
    return None


def _refused_by_meta(status: TemplateStatus, name: str) -> FieldError:
    """The error's code says who must act: the administrator submits the template, or Meta reviews it, or has stopped
    it.
    """
    if status is TemplateStatus.NOT_SUBMITTED:
        return FieldError(field="content.template.name", code="template_not_submitted", facts={"name": name})
    step = {"review_hours": REVIEW_HOURS} if status is TemplateStatus.PENDING else {"stopped": str(status)}
    return FieldError(field="content.template.name", code="template_not_approved", facts={"name": name, **step})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    mode: Mode
    text: str = field(repr=False)
    template: TemplateCall | None = None
    fallback_template: TemplateCall | None = None
    fallback_template_shows_card: bool = True
    is_sure: bool = True
    """Whether the template's status at Meta was read recently."""
    card_image: str | None = field(default=None, repr=False)
    measured: Measure | None = None
    rewritten: Rewritten | None = field(default=None, repr=False)
    language: str | None = None
    """The language of the template; None without one."""


def _phone(raw: str, default_country: str, field_errors: list[FieldError]) -> PhoneNumber | None:
    try:
        return normalise(raw, default_country)
    except PhoneError as error:
        field_errors.append(FieldError(field="phone", code=error.code))
        return None


def _with_url(values: Mapping[str, str | None], text: str, field_errors: list[FieldError]) -> Mapping[str, str | None]:
    """The values for `text`. If it shows the verification URL, the `{card_code}` in that URL is filled in."""
    url = values.get("verification_url")
    if url is None or "verification_url" not in names(text):
        return values
    # If the code is missing, the URL stays as it is: the error is about the code, not about the URL.
    return {**values, "verification_url": _with_card_code("verification_url", url, values, field_errors) or url}


def _with_card_code(
    field: str, reference: str, values: Mapping[str, str | None], field_errors: list[FieldError]
) -> str | None:
    try:
        return fill_card_code(reference, values.get("card_code"))
    except VariableError as error:
        field_errors.extend(_variable_errors(field, error))
        return None


def _variable_errors(field: str, error: VariableError) -> tuple[FieldError, ...]:
    return tuple(
        FieldError(field=field, code=field_error.code, facts={"name": field_error.name})
        for field_error in error.field_errors
    )


def _expanded(text: str, values: Mapping[str, str | None], field_errors: list[FieldError]) -> str | None:
    try:
        return expand(text, values)
    except VariableError as error:
        field_errors.extend(_variable_errors("content", error))
        return None


def _template(
    recipient: Recipient, content: Content, setting: Setting, field_errors: list[FieldError]
) -> Usable | None:
    if content.template is None:
        return None
    template = setting.catalogue.find(content.template, content.language, recipient.language)
    field_error = _template_error(template, content.template, setting.channel)
    if field_error is None:
        return template
    field_errors.append(field_error)
    return None


def _sms(recipient: Recipient, content: Content, setting: Setting, field_errors: list[FieldError]) -> _Built | None:
    template = _template(recipient, content, setting, field_errors)
    source = template.sms if template else content.text
    if source is None:
        return None
    expanded = _expanded(source, _with_url(recipient.values, source, field_errors), field_errors)
    if expanded is None:
        return None
    exact = clean(expanded)
    if not exact.strip():
        field_errors.append(FieldError(field="content.text", code="text_empty"))
        return None
    rewritten = to_gsm7(exact)
    text = rewritten.text if content.sms_encoding is SmsEncoding.GSM7 and rewritten.possible else exact
    measured = measure(text)
    if measured.segments > MAX_SEGMENTS:
        field_errors.append(FieldError(field="content.text", code="text_too_long", facts={"limit": str(MAX_SEGMENTS)}))
    language = template.language if template else None
    return _Built(mode=Mode.SMS, text=text, measured=measured, rewritten=rewritten, language=language)


def _whatsapp(
    recipient: Recipient, content: Content, setting: Setting, field_errors: list[FieldError]
) -> _Built | None:
    if content.template is None:
        return _session(recipient, content, setting, field_errors)
    template = _template(recipient, content, setting, field_errors)
    with_picture = template is None or template.shape.has_picture
    card_image = _card(recipient, setting, field_errors) if with_picture else None
    return _from_template(recipient, template, card_image, field_errors) if template else None


def _session(recipient: Recipient, content: Content, setting: Setting, field_errors: list[FieldError]) -> _Built | None:
    """A free text under the card. A text that is too long for a caption is sent after the card, as a message of its
    own.
    """
    card_image = _card(recipient, setting, field_errors)
    source = content.text or ""
    text = _expanded(source, _with_url(recipient.values, source, field_errors), field_errors)
    if text is None:
        return None
    if not text.strip():
        field_errors.append(FieldError(field="content.text", code="text_empty"))
    if len(text) > MAX_SESSION_TEXT:
        field_errors.append(
            FieldError(field="content.text", code="text_too_long", facts={"limit": str(MAX_SESSION_TEXT)})
        )
    fallback_template, shows_card = _fallback_template(recipient, setting)
    return _Built(
        mode=Mode.SESSION,
        text=text,
        fallback_template=fallback_template,
        fallback_template_shows_card=shows_card,
        card_image=card_image,
    )


def _fallback_template(recipient: Recipient, setting: Setting) -> tuple[TemplateCall | None, bool]:
    """The organisation's default template filled with this recipient's values, and whether the template shows the card.

    (None, True) if it cannot be filled. That is no error: the free text itself can still be sent.
    """
    ignored: list[FieldError] = []
    template = _template(recipient, Content(template=setting.default_template), setting, ignored)
    built = _from_template(recipient, template, None, ignored) if template else None
    if template is None or built is None or ignored:
        return None, True
    return built.template, template.shape.has_picture


def _from_template(
    recipient: Recipient, template: Usable, card_image: str | None, field_errors: list[FieldError]
) -> _Built | None:
    """The text as Meta will show it, and the parameters that Meta fills in."""
    shape = template.shape
    values = _with_url(recipient.values, shape.body, field_errors)
    legal = {name: legal_parameter(value) if value else value for name, value in values.items()}
    text = _expanded(shape.body, legal, field_errors)
    button = _button(shape, recipient, field_errors)
    if text is None:
        return None
    if len(text) > MAX_BODY:
        field_errors.append(FieldError(field="content", code="text_too_long", facts={"limit": str(MAX_BODY)}))
    call = TemplateCall(
        name=template.name,
        language=template.language,
        parameters=tuple((name, legal[name] or "") for name in shape.parameters),
        positional=shape.positional,
        button=button,
    )
    is_sure = template.is_sure and template.status is not None
    return _Built(
        mode=Mode.TEMPLATE,
        text=text,
        template=call,
        card_image=card_image,
        is_sure=is_sure,
        language=template.language,
    )


def _button(shape: Shape, recipient: Recipient, field_errors: list[FieldError]) -> ButtonCall | None:
    """The part that completes the button's URL.

    It is the rest of the verification URL if that begins with the button's prefix, else the card code.
    """
    if shape.button is None:
        return None
    url, code = recipient.values.get("verification_url"), recipient.values.get("card_code")
    reported = [] if "verification_url" in names(shape.body) else field_errors  # the body has reported it
    whole = (_with_card_code("verification_url", url, recipient.values, reported) or "") if url else ""
    suffix = whole.removeprefix(shape.button.prefix) if whole.startswith(shape.button.prefix) else ""
    suffix = legal_parameter(suffix or quote((code or "").strip(), safe=""))
    if not suffix:
        field_errors.append(FieldError(field="content", code="variable_missing", facts={"name": "card_code"}))
        return None
    return ButtonCall(index=shape.button.index, suffix=suffix)


def _card(recipient: Recipient, setting: Setting, field_errors: list[FieldError]) -> str | None:
    if recipient.card_image is None:
        field_errors.append(FieldError(field="card_image", code="card_missing"))
        return None
    reference = _with_card_code("card_image", recipient.card_image, recipient.values, field_errors)
    if reference is not None and reference != setting.trusted_card:
        _check_card(reference, setting, field_errors)
    return reference


def _check_card(reference: str, setting: Setting, field_errors: list[FieldError]) -> None:
    code = check(reference, setting.card_hosts, setting.card_buckets, organisation=setting.organisation)
    if code is not None:
        field_errors.append(FieldError(field="card_image", code=code))


def legal_parameter(value: str) -> str:
    """The value in a form that Meta accepts: no newline, no tab, at most four spaces in a row (reference/whatsapp.md,
    Limits).
    """
    return re.sub(r" {5,}", "    ", re.sub(r"[\r\n\t\v\f\u2028\u2029]+", " ", value)).strip()


def price_of(measured: Measure, unit: UnitPrice | None) -> Price | None:
    """The number of segments times the contract's price; None if the price is unknown."""
    return Price(amount=unit.amount * Decimal(measured.segments), currency=unit.currency) if unit else None


def price_missing(countries: Collection[str], messages: int | None = None) -> tuple[ApiWarning, ...]:
    """The warning beside a null price: the organisation has not set what a unit costs in these countries."""
    return (ApiWarning(code=PRICE_MISSING, count=messages, facts={"unpriced": ", ".join(sorted(countries))}),)


def _offer(rewritten: Rewritten, unit: UnitPrice | None) -> Gsm7Offer | None:
    if not rewritten.replaced or not rewritten.possible:
        return None
    measured = measure(rewritten.text)
    return Gsm7Offer(
        text=rewritten.text,
        segments=measured.segments,
        price=price_of(measured, unit),
        replaced=rewritten.replaced,
    )


def _warnings(measured: Measure | None, built: _Built, content: Content) -> tuple[ApiWarning, ...]:
    if measured is None:
        return () if built.is_sure else (ApiWarning(code="template_status_unknown"),)
    if measured.encoding is not Encoding.UCS2:
        return ()
    rewritten = built.rewritten
    asked = content.sms_encoding is SmsEncoding.GSM7 and rewritten is not None and not rewritten.possible
    return (ApiWarning(code="ucs2"), *((ApiWarning(code="gsm7_not_possible"),) if asked else ()))


def with_fallback(composed: Composed, recipient: Recipient, order: FallbackOrder, setting: Setting) -> Composed:
    """The same message with its fallback SMS.

    If the SMS cannot be composed, or SMS does not reach the country, the payload has no fallback: `fallback_errors`
    give the reason, and the message has a warning.
    """
    if composed.phone.country not in COVERED:
        facts = {"countries_fr": covered_names("fr"), "countries_en": covered_names("en")}
        return _without(composed, (FieldError(field="fallback", code="country_not_covered", facts=facts),))
    try:
        sms = compose(recipient, order.content, replace(setting, channel=Channel.SMS))
    except CompositionError as error:
        return _without(
            composed,
            tuple(replace(field_error, field=f"fallback.{field_error.field}") for field_error in error.field_errors),
        )
    fallback = Fallback(text=sms.payload.text, after_minutes=order.after_minutes, template=order.content.template)
    return replace(
        composed,
        payload=replace(composed.payload, fallback=fallback),
        fallback_segments=sms.measured.segments if sms.measured else None,
        fallback_price=sms.price,
        warnings=(*composed.warnings, *(one for one in sms.warnings if one not in composed.warnings)),
    )


def _with_stored_fallback(composed: Composed, setting: Setting) -> Composed:
    """The same message with its stored fallback SMS at today's price, or without it, if SMS no longer reaches the
    country."""
    fallback, country = composed.payload.fallback, composed.phone.country
    if fallback is None:
        return composed
    if country in setting.without_sender or country not in COVERED:
        code = "sender_missing" if country in COVERED else "country_not_covered"
        field_error = FieldError(field="fallback", code=code, facts={"country": country})
        return _without(replace(composed, payload=replace(composed.payload, fallback=None)), (field_error,))
    measured = measure(fallback.text)
    price = price_of(measured, setting.unit_prices.get(country))
    return replace(composed, fallback_segments=measured.segments, fallback_price=price)


def _without(composed: Composed, field_errors: tuple[FieldError, ...]) -> Composed:
    warnings = (*composed.warnings, ApiWarning(code="fallback_invalid"))
    return replace(composed, fallback_errors=field_errors, warnings=warnings)
