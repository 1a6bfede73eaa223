"""One line of a provider's error table.

The two kinds of call. Apart from the client: who reads webhooks must not load one.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.messages.errors import Kind, Scope, SendError


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
