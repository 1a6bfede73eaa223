"""From a recipient and a content to the message that will be sent: one function for preview, planning and single
sends, so that what was shown is what leaves. Pure: consent and hours are the gate's."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from shared.domain.card_reference import CardHost, check
from shared.domain.content import Content, SmsEncoding
from shared.domain.integration import UnitPrice
from shared.domain.message import Price
from shared.domain.payload import Channel, Mode, Payload, TemplateCall
from shared.domain.phone import PhoneError, PhoneNumber, normalise
from shared.domain.recipient import Recipient
from shared.domain.refusal import Fault, Notice
from shared.domain.rewriting import Rewritten, clean, to_gsm7
from shared.domain.segments import Encoding, Measure, measure
from shared.domain.templates import MAX_BODY, Template, find
from shared.domain.variables import VARIABLES, VariableError, expand, fill_card_code, names

MAX_SEGMENTS = 10
"""An SMS beyond this is refused: Orange publishes no maximum (reference/orange_sms.md §5), the bill needs one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What composing depends on besides content and recipient. Read once for a whole plan."""

    channel: Channel
    default_country: str
    unit_prices: Mapping[str, UnitPrice]
    card_hosts: tuple[CardHost, ...]
    card_buckets: frozenset[str]
    trusted_card: str | None = None
    """A reference of our own (the sample card of test sends) that needs no allow-list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gsm7Offer:
    """What the text would be and cost in GSM-7."""

    text: str = field(repr=False)
    segments: int
    price: Price | None
    replaced: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """One recipient's message. `measured`, `price` and `gsm7` are an SMS's; `fingerprint` is phone and card."""

    phone: PhoneNumber
    payload: Payload
    enrollment_id: str | None
    card_generated_at: datetime | None
    fingerprint: bytes
    measured: Measure | None
    price: Price | None
    gsm7: Gsm7Offer | None
    warnings: tuple[Notice, ...]


class CompositionError(Exception):
    """This recipient cannot get this content. `masked` is the recipient where the number could be read."""

    def __init__(self, faults: tuple[Fault, ...], masked: str | None) -> None:
        super().__init__(faults)
        self.faults = faults
        self.masked = masked


def compose(recipient: Recipient, content: Content, setting: Setting) -> Composed:
    """The message, or `CompositionError` with every fault found."""
    faults: list[Fault] = []
    phone = _phone(recipient.phone, setting.default_country, faults)
    build = _sms if setting.channel is Channel.SMS else _whatsapp
    built = build(recipient, content, setting, faults)
    if phone is None or built is None or faults:
        raise CompositionError(tuple(faults), phone.masked if phone else None)
    payload = Payload(
        to=phone.e164,
        country=phone.country,
        mode=built.mode,
        text=built.text,
        template=built.template,
        card_image=built.card_image,
        card_generated_at=recipient.card_generated_at,
        consented=recipient.given.granted,
        consented_at=recipient.given.at,
    )
    measured = measure(built.text) if setting.channel is Channel.SMS else None
    return Composed(
        phone=phone,
        payload=payload,
        enrollment_id=recipient.enrollment_id,
        card_generated_at=recipient.card_generated_at,
        fingerprint=_fingerprint(phone.e164, _card_identity(recipient)),
        measured=measured,
        price=price_of(measured, setting.unit_prices.get(phone.country)) if measured else None,
        gsm7=_offer(built.rewritten, setting.unit_prices.get(phone.country)) if built.rewritten else None,
        warnings=_warnings(measured, built.rewritten, content),
    )


def check_content(channel: Channel, content: Content) -> tuple[Fault, ...]:
    """What is wrong with the content whoever the recipient is: judged before any row is read."""
    if content.template is not None:
        template = find(content.template, content.language)
        if template is None:
            return (Fault(field="content.template.name", code="template_unknown", facts={"name": content.template}),)
        return ()
    if channel is Channel.WHATSAPP:
        return (Fault(field="content.text", code="template_required"),)
    text = content.text or ""
    if not text.strip():
        return (Fault(field="content.text", code="text_empty"),)
    try:
        expand(text, dict.fromkeys(VARIABLES, "x"))
    except VariableError as error:
        return tuple(Fault(field="content.text", code=fault.code, facts={"name": fault.name}) for fault in error.faults)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    mode: Mode
    text: str = field(repr=False)
    template: TemplateCall | None = None
    card_image: str | None = field(default=None, repr=False)
    rewritten: Rewritten | None = field(default=None, repr=False)


def _phone(raw: str, default_country: str, faults: list[Fault]) -> PhoneNumber | None:
    try:
        return normalise(raw, default_country)
    except PhoneError as error:
        faults.append(Fault(field="phone", code=error.code))
        return None


def _with_url(values: Mapping[str, str | None], text: str, faults: list[Fault]) -> Mapping[str, str | None]:
    """The values for `text`: where it shows the verification URL, `{card_code}` inside that is filled in."""
    url = values.get("verification_url")
    if url is None or "verification_url" not in names(text):
        return values
    # Left as it is where the code is missing: what is told is the code, not a URL that was given.
    return {**values, "verification_url": _with_card_code("verification_url", url, values, faults) or url}


def _with_card_code(field: str, reference: str, values: Mapping[str, str | None], faults: list[Fault]) -> str | None:
    try:
        return fill_card_code(reference, values.get("card_code"))
    except VariableError as error:
        faults.extend(_variable_faults(field, error))
        return None


def _variable_faults(field: str, error: VariableError) -> tuple[Fault, ...]:
    return tuple(Fault(field=field, code=fault.code, facts={"name": fault.name}) for fault in error.faults)


def _expanded(field: str, text: str, values: Mapping[str, str | None], faults: list[Fault]) -> str | None:
    try:
        return expand(text, values)
    except VariableError as error:
        faults.extend(_variable_faults(field, error))
        return None


def _template(recipient: Recipient, content: Content, faults: list[Fault]) -> Template | None:
    if content.template is None:
        return None
    template = find(content.template, content.language, recipient.language)
    if template is None:
        faults.append(Fault(field="content.template.name", code="template_unknown", facts={"name": content.template}))
    return template


def _sms(recipient: Recipient, content: Content, _: Setting, faults: list[Fault]) -> _Built | None:
    template = _template(recipient, content, faults)
    source = template.sms if template else content.text
    if source is None:
        return None
    expanded = _expanded("content", source, _with_url(recipient.values, source, faults), faults)
    if expanded is None:
        return None
    exact = clean(expanded)
    if not exact.strip():
        faults.append(Fault(field="content.text", code="text_empty"))
        return None
    rewritten = to_gsm7(exact)
    text = rewritten.text if content.sms_encoding is SmsEncoding.GSM7 and rewritten.possible else exact
    if measure(text).segments > MAX_SEGMENTS:
        faults.append(Fault(field="content.text", code="text_too_long", facts={"limit": str(MAX_SEGMENTS)}))
    return _Built(mode=Mode.SMS, text=text, rewritten=rewritten)


def _whatsapp(recipient: Recipient, content: Content, setting: Setting, faults: list[Fault]) -> _Built | None:
    card_image = _card(recipient, setting, faults)
    template = _template(recipient, content, faults)
    if template is None:
        if content.template is None:
            faults.append(Fault(field="content.text", code="template_required"))
        return None
    values = _with_url(recipient.values, template.whatsapp, faults)
    legal = {name: legal_parameter(value) if value else value for name, value in values.items()}
    text = _expanded("content", template.whatsapp, legal, faults)
    if text is None:
        return None
    if len(text) > MAX_BODY:
        faults.append(Fault(field="content", code="text_too_long", facts={"limit": str(MAX_BODY)}))
    parameters = tuple((name, legal[name] or "") for name in names(template.whatsapp))
    call = TemplateCall(name=template.name, language=template.language, parameters=parameters)
    return _Built(mode=Mode.TEMPLATE, text=text, template=call, card_image=card_image)


def _card(recipient: Recipient, setting: Setting, faults: list[Fault]) -> str | None:
    if recipient.card_image is None:
        faults.append(Fault(field="card_image", code="card_missing"))
        return None
    reference = _with_card_code("card_image", recipient.card_image, recipient.values, faults)
    if reference is None or reference == setting.trusted_card:
        return reference
    code = check(reference, setting.card_hosts, setting.card_buckets)
    if code is not None:
        faults.append(Fault(field="card_image", code=code))
    return reference


def legal_parameter(value: str) -> str:
    """A value as Meta takes it: no newline, no tab, at most four spaces in a row (reference/whatsapp.md, Limits)."""
    return re.sub(r" {5,}", "    ", re.sub(r"[\r\n\t\v\f\u2028\u2029]+", " ", value)).strip()


def _card_identity(recipient: Recipient) -> str:
    """Which card it is: its code, else what else tells one card from another."""
    values = recipient.values
    return values.get("card_code") or recipient.card_image or values.get("verification_url") or ""


def _fingerprint(e164: str, card: str) -> bytes:
    return hashlib.sha256(f"{e164}\n{card}".encode()).digest()[:16]


def price_of(measured: Measure, unit: UnitPrice | None) -> Price | None:
    """Segments at the contract's price, which may be unknown."""
    return Price(amount=unit.amount * Decimal(measured.segments), currency=unit.currency) if unit else None


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


def _warnings(measured: Measure | None, rewritten: Rewritten | None, content: Content) -> tuple[Notice, ...]:
    if measured is None:
        return (Notice(code="template_status_unknown"),)
    if measured.encoding is not Encoding.UCS2:
        return ()
    asked = content.sms_encoding is SmsEncoding.GSM7 and rewritten is not None and not rewritten.possible
    return (Notice(code="ucs2"), *((Notice(code="gsm7_not_possible"),) if asked else ()))
