"""The two kinds of call. Apart from the client: who reads webhooks must not load one."""

from enum import StrEnum

from shared.domain.errors import Kind, SendError


class Call(StrEnum):
    """Whether a call may be repeated when its answer is lost."""

    ONCE = "once"
    REPEATABLE = "repeatable"


def lost(code: str, call: Call) -> SendError:
    """The provider may have done what was asked, and we have no readable answer."""
    return SendError(Kind.UNKNOWN, code, "outcome_unknown") if call is Call.ONCE else SendError(Kind.RETRY, code)
