"""The API's documents (api.md), made from the values of the use cases."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from shared.api import problems
from shared.api.texts.sentences import Language, TextKind, text
from shared.base.json import Renderable
from shared.base.refusal import ApiWarning
from shared.campaigns.counts import shown_reason
from shared.campaigns.distribution import Column, CountryPrice, Counts, FallbackCost
from shared.campaigns.reading import DistributionView, MessageView
from shared.campaigns.samples import Sample
from shared.campaigns.stored_content import DuplicateRow
from shared.exports.export import Export
from shared.holds.hold import RunHold
from shared.holds.keeper import shown
from shared.integrations.integration import Dhis2Integration, Secret, SmsIntegration, WhatsAppIntegration
from shared.messages.message import DeadLetter, Message, Price, Status, dead_letter_id
from shared.messages.payload import Channel
from shared.policy.consent import Consent
from shared.policy.eligibility import Accepted, Rejected
from shared.statistics.reading import Campaign, Figures, Statistics
from shared.texts.composition import Composed
from shared.texts.templates import SHOWN, Catalogue, Usable, names
from shared.webhooks.updates import TemplateStatus

type Document = dict[str, Renderable]


def message(view: MessageView, now: datetime, language: Language) -> Document:
    """A message of the log."""
    found, hold = view.message, view.hold
    reason = shown_reason(found, now)
    return {
        "message_id": found.message_id,
        "timestamp": found.accepted_at,
        "channel": found.channel,
        "status": found.status,
        "reason": reason,
        "reason_text": _reason_text(TextKind.REASON, reason, language, found.provider or found.channel),
        "provider_message_id": found.provider_message_id,
        "recipient": found.recipient,
        "campaign_id": found.campaign_id,
        "country": found.country,
        "enrollment_id": found.enrollment_id,
        "template": view.template,
        "language": view.language,
        "distribution_id": found.listed_in,
        "parent_message_id": found.parent_message_id,
        "successor_message_id": found.successor_message_id,
        "segments": found.segments,
        "price": _price(found.price) if found.was_asked_for else None,
        "scheduled_for": found.scheduled_for,
        "sent_at": found.sent_at,
        "delivered_at": found.delivered_at,
        "read_at": found.read_at,
        "failed_at": found.failed_at,
        "attempts": found.attempts,
        "next_attempt_at": view.next_attempt_at,
        "hold": _hold(hold, language, found.channel) if hold is not None else None,
        "via": found.via,
        "created_by": view.created_by,
    }


def dead_letter(found: Message, letter: DeadLetter, language: Language) -> Document:
    """A dead message."""
    return {
        "dead_letter_id": dead_letter_id(found.message_id, letter.received_at),
        "channel": found.channel,
        "message_id": found.message_id,
        "recipient": found.recipient,
        "reason": letter.reason,
        "reason_text": text(TextKind.DEAD_LETTER, letter.reason, language),
        "received_at": letter.received_at,
        "attempts": letter.attempts,
    }


def distribution(view: DistributionView, language: Language) -> Document:
    """A distribution with its counts."""
    found = view.distribution
    plan = found.plan
    return {
        "distribution_id": found.distribution_id,
        "campaign_id": found.campaign_id,
        "name": found.name,
        "channel": found.channel,
        "status": found.status,
        "status_reason": found.status_reason,
        "status_reason_text": _reason_text(TextKind.STATUS_REASON, found.status_reason, language, found.channel),
        "accepted": plan.accepted if plan else 0,
        "rejected": plan.rejected if plan else 0,
        "duplicates": plan.duplicates if plan else 0,
        "counts": _counts(view.counts),
        "by_reason": dict(view.counts.by_reason),
        "segments": plan.segments if plan else None,
        "prices": [_country_price(price) for price in plan.prices] if plan else [],
        "starts_at": plan.starts_at if plan else None,
        "estimated_end": view.estimated_end,
        "warnings": warning_documents(view.warnings, language),
        "errors": [problems.field_error_document(field_error, language) for field_error in view.field_errors],
        "created_at": found.created_at,
        "created_by": found.created_by,
        "confirmed_by": found.confirmed_by,
        "controlled_by": found.controlled_by,
        "completed_at": found.completed_at,
        "columns": _columns(found.columns),
        "fallback": _fallback(plan.fallback, view.fallbacks) if plan and plan.fallback else None,
        "reached": view.counts.reached,
        "holds": [{**_hold(one, language, found.channel), "messages": rows} for one, rows in view.held.items()],
    }


def _columns(found: Sequence[Column] | None) -> list[Renderable] | None:
    return None if found is None else [{"header": one.header, "field": one.field} for one in found]


def _hold(found: RunHold, language: Language, channel: Channel) -> Document:
    scope, key = shown(found.scope)
    return {
        "scope": scope,
        "key": key,
        "reason": found.reason,
        "reason_text": _reason_text(TextKind.STATUS_REASON, found.reason, language, channel),
    }


def _reason_text(kind: TextKind, reason: str | None, language: Language, provider: str) -> str | None:
    """The reason as a sentence. `provider`: the provider or the channel that is meant."""
    return text(kind, reason, language, {"provider": provider}) if reason is not None else None


def sample(found: Sample) -> Document:
    """A row as the phone will show it."""
    return {
        "row": found.row.row,
        "recipient": found.row.recipient,
        "mode": found.payload.mode,
        "text": found.payload.text,
        "language": found.payload.language,
        "segments": found.row.segments,
        "card_image": found.payload.card_image,
        "scheduled_for": found.scheduled_for,
    }


def duplicate(row: DuplicateRow) -> Document:
    """A row that is not sent because another message has the same content."""
    return {
        "row": row.row,
        "duplicate_of": row.duplicate_of,
        "recipient": row.recipient,
        "enrollment_id": row.enrollment_id,
    }


def export(found: Export, url: str | None) -> Document:
    """An export. `url`: the signed URL of its file, once it is done."""
    return {"status": found.status, "rows": found.rows, "url": url, "expires_at": found.expires_at}


def statistics(found: Statistics, *, by_day: bool) -> Document:
    """The figures of a campaign or of an organisation. `by_day`: with the counts of each day."""
    total = found.total
    document: Document = {
        "from": found.scope.since,
        "to": found.scope.until,
        **_figures(total),
        "by_reason": dict(total.counts.by_reason),
        "by_channel": {str(channel): _figures(one) for channel, one in found.by_channel.items()},
        "by_country": {country: _figures(one) for country, one in found.by_country.items()},
        "median_delivery_seconds": found.median_delivery_seconds,
        "cards_within_24h": {"within": total.counts.cards_within_24h, "of": total.counts.cards},
    }
    if by_day:
        document["series"] = [
            {"day": day.isoformat(), "counts": _counts(counts)} for day, counts in found.by_day.items()
        ]
    return document


def campaign(found: Campaign) -> Document:
    """A campaign of the list."""
    return {
        "campaign_id": found.campaign_id,
        "name": found.name,
        "first_at": found.first_at,
        "last_at": found.last_at,
        "distributions": found.distributions,
        "counts": _counts(found.figures.counts),
        "segments": found.figures.segments,
        "prices": [_country_price(price) for price in found.figures.prices],
    }


def _figures(found: Figures) -> Document:
    return {
        "counts": _counts(found.counts),
        "delivery_rate": found.delivery_rate,
        "read_rate": found.read_rate,
        "segments": found.segments,
        "prices": [_country_price(price) for price in found.prices],
    }


def _counts(counts: Counts) -> Document:
    return {str(status): counts.of(status) for status in Status}


def preview(row_result: Accepted | Rejected, language: Language) -> Document:
    """One recipient's message as it would be sent."""
    if isinstance(row_result, Rejected):
        field_errors = [problems.field_error_document(field_error, language) for field_error in row_result.field_errors]
        errors = [{name: field_error[name] for name in ("field", "code", "message")} for field_error in field_errors]
        return {"valid": False, "recipient": row_result.recipient, "errors": list(errors)}
    composed = row_result.composed
    measured = composed.measured
    return {
        "valid": True,
        "recipient": composed.phone.masked,
        "country": composed.phone.country,
        "mode": composed.payload.mode,
        "text": composed.payload.text,
        "encoding": measured.encoding if measured else None,
        "segments": measured.segments if measured else None,
        "characters_left": measured.characters_left if measured else None,
        "non_gsm_characters": list(measured.non_gsm_characters) if measured else [],
        "price": _price(composed.price),
        "gsm7": _gsm7(composed),
        "scheduled_for": row_result.scheduled_for,
        "warnings": warning_documents(composed.warnings, language),
    }


def whatsapp(found: WhatsAppIntegration, base_url: str, *, shown_once: str | None = None) -> Document:
    """The settings. A secret shows only whether it is set, and since when. `shown_once`: the verify token that this
    request made."""
    verify_token = secret(found.verify_token)
    if shown_once is not None:
        verify_token["value"] = shown_once
    return {
        "access_token": secret(found.access_token),
        "phone_number_id": found.phone_number_id,
        "sender_number": found.sender_number,
        "app_secret": secret(found.app_secret),
        "verify_token": verify_token,
        "business_account_id": found.business_account_id,
        "rate_per_second": found.rate_per_second,
        "default_template": found.default_template,
        "webhook_url": f"{base_url}/webhooks/whatsapp/{found.organisation}",
    }


def sms(found: SmsIntegration, base_url: str) -> Document:
    """The settings. The webhook's URL contains its secret, because Orange does not sign its receipts and an
    administrator must register the URL there."""
    return {
        "client_id": found.client_id,
        "client_secret": secret(found.client_secret),
        "sender_name": found.sender_name,
        "default_country": found.default_country,
        "senders": dict(found.senders),
        "rate_per_second": found.rate_per_second,
        "unit_prices": {
            country: {"amount": amount(unit.amount), "currency": unit.currency}
            for country, unit in found.unit_prices.items()
        },
        "peak_hours": [list(window) for window in found.peak_hours],
        "receipt_addresses": list(found.receipt_addresses),
        "webhook_url": f"{base_url}/webhooks/{found.provider}/{found.organisation}/{found.receipt_token.value}",
    }


def dhis2(found: Dhis2Integration) -> Document:
    """The mapping."""
    return {"attributes": dict(found.attributes), "program": found.program}


def secret(found: Secret | None) -> Document:
    """Whether it is set, and since when."""
    return {"set": found is not None, "updated_at": found.updated_at if found else None}


def consent(found: Consent | None) -> Document:
    """A person's recorded consent."""
    return {
        "state": found.state if found else "unknown",
        "recorded_at": found.recorded_at if found else None,
        "source": found.source if found else None,
    }


def templates(catalogue: Catalogue) -> list[Document]:
    """The ready-made templates, each as WhatsApp and as SMS text, then the organisation's own that Meta has
    approved."""
    listed = (one for one in catalogue.items if one.origin == "ready" or one.status in SHOWN)
    return [document for one in listed for document in _template(one)]


def warning_documents(found: Sequence[ApiWarning], language: Language) -> list[Renderable]:
    """Warnings."""
    return [problems.warning_document(warning, language) for warning in found]


def amount(value: Decimal) -> str:
    """A plain decimal: no exponent, no trailing zeros."""
    return f"{value.normalize():f}"


def _template(template: Usable) -> list[Document]:
    """One entry for each channel. An SMS text needs no approval. A status that could not be read from Meta is
    `not_submitted`."""
    whatsapp = _template_entry(
        template, "whatsapp", template.shape.body, template.status or TemplateStatus.NOT_SUBMITTED
    )
    if template.sms is None:
        return [whatsapp]
    return [whatsapp, _template_entry(template, "sms", template.sms, TemplateStatus.APPROVED)]


def _template_entry(template: Usable, channel: str, body: str, status: TemplateStatus) -> Document:
    return {
        "name": template.name,
        "language": template.language,
        "channel": channel,
        "origin": template.origin,
        "status": status,
        "body": body,
        "variables": list(names(body)),
        "use_case": template.use_case,
    }


def _price(price: Price | None) -> Document | None:
    return {"amount": amount(price.amount), "currency": price.currency} if price else None


def _country_price(price: CountryPrice) -> Document:
    return {
        "country": price.country,
        "currency": price.currency,
        "amount": amount(price.amount) if price.amount is not None else None,
        "segments": price.segments,
    }


def _fallback(cost: FallbackCost, counts: Counts) -> Document:
    return {
        "segments": cost.segments,
        "prices": [_country_price(price) for price in cost.prices],
        "counts": _counts(counts),
    }


def _gsm7(composed: Composed) -> Document | None:
    offer = composed.gsm7
    if offer is None:
        return None
    return {
        "text": offer.text,
        "segments": offer.segments,
        "price": _price(offer.price),
        "replaced": [list(pair) for pair in offer.replaced],
    }
