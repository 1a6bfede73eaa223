"""The SMS text of a fallback, composed at planning like any other SMS, and frozen beside the WhatsApp message."""

from dataclasses import replace

from shared.domain.composition import Composed, CompositionError, Setting, compose
from shared.domain.content import FallbackOrder
from shared.domain.countries import COVERED, covered_names
from shared.domain.payload import Channel, Fallback
from shared.domain.recipient import Recipient
from shared.domain.refusal import Fault, Notice


def with_fallback(composed: Composed, recipient: Recipient, order: FallbackOrder, setting: Setting) -> Composed:
    """The same message with its fallback. Where that cannot be composed, or SMS does not reach the country, the message
    stays as it is: its `fallback_faults` and a warning say so."""
    if composed.phone.country not in COVERED:
        facts = {"countries_fr": covered_names("fr"), "countries_en": covered_names("en")}
        return _without(composed, (Fault(field="fallback", code="country_not_covered", facts=facts),))
    try:
        sms = compose(recipient, order.content, replace(setting, channel=Channel.SMS))
    except CompositionError as error:
        return _without(composed, tuple(replace(fault, field=f"fallback.{fault.field}") for fault in error.faults))
    fallback = Fallback(text=sms.payload.text, after_minutes=order.after_minutes)
    return replace(
        composed,
        payload=replace(composed.payload, fallback=fallback),
        fallback_segments=sms.measured.segments if sms.measured else None,
        fallback_price=sms.price,
        warnings=(*composed.warnings, *(one for one in sms.warnings if one not in composed.warnings)),
    )


def _without(composed: Composed, faults: tuple[Fault, ...]) -> Composed:
    warnings = (*composed.warnings, Notice(code="fallback_invalid"))
    return replace(composed, fallback_faults=faults, warnings=warnings)
