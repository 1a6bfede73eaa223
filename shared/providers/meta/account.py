"""Reads Meta's webhooks about templates, the account, its limits and its number (reference/whatsapp.md, section 5.5).

The content of a value decides, not the change's `field`: Meta's own sample has a wrong one.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from shared.base.json import JsonObject, JsonValue
from shared.providers.answers import identifier, integer, obj, objects, text
from shared.webhooks.updates import (
    AccountUpdate,
    LimitUpdate,
    NumberUpdate,
    TemplateStatus,
    TemplateUpdate,
    WebhookEvent,
)

TEMPLATE_EVENTS: Mapping[str, TemplateStatus] = {
    "APPROVED": TemplateStatus.APPROVED,
    "REINSTATED": TemplateStatus.APPROVED,
    "UNPAUSED": TemplateStatus.APPROVED,
    "UNARCHIVED": TemplateStatus.APPROVED,
    "PENDING": TemplateStatus.PENDING,
    "IN_APPEAL": TemplateStatus.PENDING,
    "REJECTED": TemplateStatus.REJECTED,
    "LIMIT_EXCEEDED": TemplateStatus.REJECTED,
    "PAUSED": TemplateStatus.PAUSED,
    "DISABLED": TemplateStatus.DISABLED,
    "ARCHIVED": TemplateStatus.DISABLED,
    "PENDING_DELETION": TemplateStatus.NOT_SUBMITTED,
    "DELETED": TemplateStatus.NOT_SUBMITTED,
}
"""Events that change whether a template can be sent. FLAGGED and LOCKED templates still can."""

STOPPED, RUNNING = True, False

BAN_STATES: Mapping[str, bool] = {"DISABLE": STOPPED, "REINSTATE": RUNNING}

STOPPING_EVENTS = frozenset({"ACCOUNT_DELETED"})

STOPPING_RESTRICTIONS = frozenset({"RESTRICTED_BIZ_INITIATED_MESSAGING"})
"""The business may not start conversations, which campaigns do. Meta's other restrictions concern calls, the call
button, direct send, new numbers, new templates, and answers to persons who have written.
"""

WARNING_UPDATES = frozenset(
    {"ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION", "DISABLED_UPDATE", "ACCOUNT_OFFBOARDED", "PARTNER_REMOVED"}
)
"""Events that may or may not stop messages."""

LIMITS = ("max_daily_conversations_per_business", "max_daily_conversation_per_phone", "current_limit")

_TEMPLATE_NAME = re.compile(r"[a-z0-9_]{1,512}", re.ASCII)

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[_-]([A-Za-z0-9]{2,4}))?", re.ASCII)

_NAME = re.compile(r"[A-Z][A-Z_]{1,80}", re.ASCII)

_MOST_PEOPLE = 10**12
"""More than there are people. A larger number might not fit the store."""

_TIER = re.compile(r"TIER_([0-9]{1,9})(K|M)?", re.ASCII)

_THOUSANDS = {None: 1, "K": 1_000, "M": 1_000_000}


def account_updates(value: JsonObject, entry_time: datetime | None) -> Iterator[WebhookEvent]:
    """The updates of templates, account, limits and number in a change's value; none if it is about something else."""
    if entry_time is None:
        return
    if "message_template_name" in value:
        yield from _template(value, entry_time)
        return
    event = identifier(value.get("event"))
    yield from _account(value, _name(event.upper()), entry_time)
    limit = next((value[name] for name in LIMITS if name in value), None)
    if limit is not None and (reported := messaging_limit(limit)):
        yield LimitUpdate(limit=reported[0], at=entry_time)
    yield from _number(value, event, entry_time)


def _template(value: JsonObject, at: datetime) -> Iterator[TemplateUpdate]:
    """Nothing if the name or the language has not Meta's form, because both become part of a key."""
    name, language = text(value.get("message_template_name")), template_language(value.get("message_template_language"))
    if not _TEMPLATE_NAME.fullmatch(name) or not language:
        return
    quality = identifier(value.get("new_quality_score")).upper()
    category = identifier(value.get("new_category")) or identifier(value.get("message_template_category"))
    yield TemplateUpdate(
        name=name,
        language=language,
        status=TEMPLATE_EVENTS.get(text(value.get("event")).upper()),
        category=category.upper() or None,
        quality=quality or None,
        at=at,
    )


def template_language(value: JsonValue) -> str:
    """The language as a send needs it: `en_US`, also if a webhook says `en-US`. Empty if it is invalid."""
    found = _LANGUAGE.fullmatch(text(value))
    if found is None:
        return ""
    language, region = found[1].lower(), found[2]
    return f"{language}_{region.upper()}" if region else language


def _account(value: JsonObject, event: str, at: datetime) -> Iterator[AccountUpdate]:
    """An update if the account may not send, may send again, or has a problem; else nothing."""
    bans = obj(value.get("ban_info")).get("waba_ban_state")
    states = {BAN_STATES.get(text(state).upper()) for state in (bans if isinstance(bans, list) else [bans])}
    reported = [
        (_name(one.get("restriction_type")), one.get("expiration")) for one in objects(value.get("restriction_info"))
    ]
    stops = [instant(expiration) for kind, expiration in reported if kind in STOPPING_RESTRICTIONS]
    words = ", ".join(sorted({kind for kind, _ in reported if kind}))
    if STOPPED in states or event in STOPPING_EVENTS:
        yield AccountUpdate(restricted=STOPPED, event=event, at=at, restriction=words)
    elif RUNNING in states:
        yield AccountUpdate(restricted=RUNNING, event=event, at=at)
    elif stops:
        until = None if None in stops else max(filter(None, stops))
        yield AccountUpdate(restricted=STOPPED, event=event, at=at, until=until, restriction=words)
    elif event in WARNING_UPDATES:
        yield AccountUpdate(restricted=None, event=event, at=at, restriction=words)


def _name(value: JsonValue) -> str:
    """One of Meta's names, in a form that may be logged; else empty."""
    name = text(value)
    return name if _NAME.fullmatch(name) else ""


def messaging_limit(value: JsonValue) -> tuple[int | None] | None:
    """A limit in persons as a tuple; the element is None if unlimited. None if the value cannot be read."""
    tier = text(value).upper()
    if tier == "TIER_UNLIMITED":
        return (None,)
    if found := _TIER.fullmatch(tier):
        return (int(found[1]) * _THOUSANDS[found[2]],)
    number = integer(value)
    if number == -1:
        return (None,)
    return (number,) if number is not None and 0 < number <= _MOST_PEOPLE else None


def _number(value: JsonObject, event: str, at: datetime) -> Iterator[WebhookEvent]:
    """A change of the number's throughput or quality, or an alert. `FLAGGED` is the low quality of older webhooks."""
    alert = identifier(obj(value.get("alert_info")).get("alert_type")) or identifier(value.get("alert_type"))
    quality = identifier(value.get("new_quality_score")).upper() or ("RED" if event.upper() == "FLAGGED" else "")
    if alert:
        yield NumberUpdate(event=alert, at=at)
    elif "display_phone_number" in value and event:
        yield NumberUpdate(event=event, quality=quality or None, at=at)


_SECONDS = range(1_000_000_000, 10_000_000_000)

_MILLISECONDS = range(_SECONDS.start * 1000, _SECONDS.stop * 1000)


def instant(value: JsonValue) -> datetime | None:
    """A time from Unix seconds, as a string or a number. Meta has also sent milliseconds. None for any other value."""
    number = integer(value)
    if number is None:
        return None
    if number in _MILLISECONDS:
        number //= 1000
    return datetime.fromtimestamp(number, UTC) if number in _SECONDS else None
