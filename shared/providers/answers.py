"""Providers' answers, read without trusting their shape (every function is total), and one line of a provider's error
table.

Apart from the HTTP client: what reads webhooks must not load one.
"""

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.base.json import JsonObject, JsonValue
from shared.messages.errors import Kind, Scope, SendError

IDENTIFIER_LENGTH = 512

PIECE_BYTES = 50_000
"""Of a webhook, as a document on the status queue: with its quotes escaped it is one of SQS's billing units (64 KB). A
batch of ten holds a thousand statuses or so: a function with a third of a processor works them off well within its
time-out, or they would come again and never get further."""


def parse(body: bytes | str) -> JsonValue:
    """The document, or None where it is not JSON: empty, cut short, HTML, nested beyond reason."""
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def obj(value: JsonValue) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list; a lone object counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: JsonValue) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def integer(value: JsonValue) -> int | None:
    """A whole number, also from a string or a float: providers quote them now and then."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def identifier(value: JsonValue) -> str:
    """An opaque ID, fit to be stored: printable ASCII without spaces, at most 512 characters; else empty."""
    found = text(value)
    fits = found.isascii() and found.isprintable() and " " not in found and len(found) <= IDENTIFIER_LENGTH
    return found if fits else ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code means for the message; the fields are those of `SendError`."""

    kind: Kind
    reason: str = ""
    retry_after: float | None = None
    person_only: bool = False
    scope: Scope = Scope.ACCOUNT
    most_attempts: int | None = None
    if_repeated: str = ""
    refuses_picture: bool = False

    def error(self, code: str) -> SendError:
        """A new exception each time: they carry tracebacks."""
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
        """The same for a call that may be repeated: there, nothing is unknown."""
        return replace(self, kind=Kind.RETRY, reason="") if self.kind is Kind.UNKNOWN else self


def unknown() -> Rule:
    """May have been sent."""
    return Rule(Kind.UNKNOWN, "outcome_unknown")


def retry(seconds: float | None = None, *, most_attempts: int | None = None) -> Rule:
    """Surely not sent; the same message again later."""
    return Rule(Kind.RETRY, retry_after=seconds, most_attempts=most_attempts)


def throttled(seconds: float, *, person_only: bool = False) -> Rule:
    """Surely not sent; slower."""
    return Rule(Kind.THROTTLED, retry_after=seconds, person_only=person_only)


def person(reason: str, *, rests: float | None = None, if_repeated: str = "") -> Rule:
    """Never to this person with this content; `rests`: for so many seconds not even if somebody asks for it."""
    return Rule(Kind.RECIPIENT, reason, retry_after=rests, if_repeated=if_repeated)


def stop(reason: str, scope: Scope = Scope.ACCOUNT) -> Rule:
    """Every other message would fail alike, as far as `scope` reaches."""
    return Rule(Kind.STOP, reason, scope=scope)


def bug() -> Rule:
    """Our request is wrong."""
    return Rule(Kind.BUG, "provider_rejected")


class Call(StrEnum):
    """Whether a call may be repeated when its answer is lost."""

    ONCE = "once"
    REPEATABLE = "repeatable"


def lost(code: str, call: Call) -> SendError:
    """The provider may have done what was asked, and we have no readable answer."""
    return SendError(Kind.UNKNOWN, code, "outcome_unknown") if call is Call.ONCE else SendError(Kind.RETRY, code)
