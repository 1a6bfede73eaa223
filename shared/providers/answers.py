"""Helpers for reading providers' answers, and a `Rule`: what an error code means for the message.

The readers never raise, because the form of an answer is not certain. This module does not import the HTTP client, so
that code that reads webhooks need not load it.
"""

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.base.json import JsonObject, JsonValue
from shared.messages.errors import Kind, Scope, SendError

IDENTIFIER_LENGTH = 512

PIECE_BYTES = 50_000
"""The size of a webhook's parts on the status queue. With escaped quotes, a part fits one billing unit of SQS (64 KB).

A batch of ten parts holds about a thousand statuses. A function with a third of a processor handles them well within
its time-out; otherwise the batch would come again and never end.
"""


def parse(body: bytes | str) -> JsonValue:
    """The document; None if it is not JSON: empty, cut, HTML, or nested too deeply."""
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def obj(value: JsonValue) -> JsonObject:
    """The value if it is an object, else an empty object."""
    return value if isinstance(value, dict) else {}


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list. A single object counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: JsonValue) -> str:
    """The value if it is a string, else an empty string."""
    return value if isinstance(value, str) else ""


def integer(value: JsonValue) -> int | None:
    """A whole number, also from a string or a float, because some providers send numbers as strings."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def identifier(value: JsonValue) -> str:
    """An ID that can be stored: printable ASCII without spaces, at most 512 characters; else empty."""
    found = text(value)
    fits = found.isascii() and found.isprintable() and " " not in found and len(found) <= IDENTIFIER_LENGTH
    return found if fits else ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an error code means for the message. The fields are those of `SendError`."""

    kind: Kind
    reason: str = ""
    retry_after: float | None = None
    person_only: bool = False
    scope: Scope = Scope.ACCOUNT
    most_attempts: int | None = None
    if_repeated: str = ""
    refuses_picture: bool = False

    def error(self, code: str) -> SendError:
        """A new exception each time, because exceptions carry tracebacks."""
        return SendError(
            self.kind,
            code,
            self.reason,
            retry_after=self.retry_after,
            person_only=self.person_only,
            scope=self.scope,
            most_attempts=self.most_attempts,
            if_repeated=self.if_repeated,
            refuses_picture=self.refuses_picture,
        )

    def repeatable(self) -> "Rule":
        """The same for a call that may be repeated: an unknown outcome becomes a retry."""
        return replace(self, kind=Kind.RETRY, reason="") if self.kind is Kind.UNKNOWN else self


def unknown() -> Rule:
    """The message may have been sent."""
    return Rule(Kind.UNKNOWN, "outcome_unknown")


def retry(seconds: float | None = None, *, most_attempts: int | None = None) -> Rule:
    """The message was certainly not sent; send it again later."""
    return Rule(Kind.RETRY, retry_after=seconds, most_attempts=most_attempts)


def throttled(seconds: float, *, person_only: bool = False) -> Rule:
    """The message was certainly not sent; send more slowly."""
    return Rule(Kind.THROTTLED, retry_after=seconds, person_only=person_only)


def person(reason: str, *, rests: float | None = None, if_repeated: str = "") -> Rule:
    """This person cannot get this content. `rests`: for so many seconds, a resend on request is refused too."""
    return Rule(Kind.RECIPIENT, reason, retry_after=rests, if_repeated=if_repeated)


def stop(reason: str, scope: Scope = Scope.ACCOUNT) -> Rule:
    """All other messages in `scope` would fail the same way."""
    return Rule(Kind.STOP, reason, scope=scope)


def bug() -> Rule:
    """Our request is wrong."""
    return Rule(Kind.BUG, "provider_rejected")


class Call(StrEnum):
    """Whether a call may be repeated when its answer is lost."""

    ONCE = "once"
    REPEATABLE = "repeatable"


def lost(code: str, call: Call) -> SendError:
    """The error for a missing or unreadable answer: the provider may have done what we asked."""
    return SendError(Kind.UNKNOWN, code, "outcome_unknown") if call is Call.ONCE else SendError(Kind.RETRY, code)
