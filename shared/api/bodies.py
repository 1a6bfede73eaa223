"""Parts of request bodies as values of the domain. Their schema has already checked them."""

from datetime import datetime
from typing import cast

from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.campaigns.distribution import Schedule, ScheduleMode
from shared.campaigns.retry import NEVER
from shared.recipients.recipient import parse_instant
from shared.texts.content import Content, FallbackOrder, SmsEncoding


def content(body: JsonObject) -> Content:
    """`content`: a text or a template."""
    found = obj(body, "content")
    encoding = SmsEncoding(str(found.get("sms_encoding", SmsEncoding.EXACT)))
    template = found.get("template")
    if isinstance(template, dict):
        return Content(template=str(template["name"]), language=text(template, "language"), sms_encoding=encoding)
    return Content(text=str(found.get("text", "")), sms_encoding=encoding)


def fallback(body: JsonObject) -> FallbackOrder | None:
    """`fallback`. If it has no content, its content is the message's own."""
    found = obj(body, "fallback")
    if not found:
        return None
    return FallbackOrder(
        content=content(found if "content" in found else body), after_minutes=int(str(found["after_minutes"]))
    )


def name(body: JsonObject) -> str | None:
    """`name`, without blanks around it."""
    found = text(body, "name")
    return found.strip() if found is not None else None


def schedule(body: JsonObject) -> Schedule:
    """`schedule`. Mode `at` needs an instant."""
    found = obj(body, "schedule")
    mode = ScheduleMode(str(found.get("mode", ScheduleMode.AUTO)))
    at = instant(found, "at")
    if (mode is ScheduleMode.AT) != (at is not None):
        raise Refusal(ProblemCode.UNPROCESSABLE, (FieldError(field="schedule.at", code="field_invalid"),))
    return Schedule(mode=mode, at=at)


def retry_reasons(body: JsonObject) -> tuple[str, ...] | None:
    """`reasons` of a retry; None if it is absent. Raises Refusal for a reason that is never retried."""
    named = body.get("reasons")
    if not isinstance(named, list):
        return None
    reasons = tuple(dict.fromkeys(map(str, named)))
    never = [reason for reason in reasons if reason in NEVER]
    if never:
        field_error = FieldError(field="reasons", code="field_invalid", facts={"retry": never[0]})
        raise Refusal(ProblemCode.UNPROCESSABLE, (field_error,))
    return reasons


def obj(body: JsonObject, name: str) -> JsonObject:
    """An object; empty if it is absent."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def objects(body: JsonObject, name: str) -> list[JsonObject] | None:
    """A list of objects; None if it is absent."""
    found = body.get(name)
    return cast("list[JsonObject]", found) if isinstance(found, list) else None


def text(body: JsonObject, name: str) -> str | None:
    """A string; None if it is absent or null."""
    found: JsonValue = body.get(name)
    return str(found) if found is not None else None


def instant(body: JsonObject, name: str) -> datetime | None:
    """An instant in UTC; None if it is absent. Raises Refusal for a time without a zone."""
    found = body.get(name)
    if found is None:
        return None
    read = parse_instant(found)
    if read is None:
        raise Refusal(ProblemCode.UNPROCESSABLE, (FieldError(field=name, code="field_invalid"),))
    return read
