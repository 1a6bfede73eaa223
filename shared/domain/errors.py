"""A failed send carries its decision: callers switch on `kind`, never on a text or an HTTP status."""

from enum import StrEnum
from typing import override


class Kind(StrEnum):
    """What the sender does next."""

    RETRY = "retry"
    """Surely not sent, and may work later."""
    THROTTLED = "throttled"
    """Surely not sent: the provider asks for a slower pace. Uses up no attempt."""
    UNKNOWN = "unknown"
    """May have been sent. Never blindly resent."""
    RECIPIENT = "recipient"
    """Surely not sent, and never will be, to this person with this content."""
    STOP = "stop"
    """Surely not sent, and every other message would fail alike until a person acts."""
    BUG = "bug"
    """Surely not sent: the request itself was wrong. Fails this message and wakes an engineer."""


class Scope(StrEnum):
    """How far a stop reaches."""

    DISTRIBUTION = "distribution"
    """What the message belongs to."""
    TEMPLATE = "template"
    """Every distribution that sends the same template."""
    ACCOUNT = "account"
    """Everything that the organisation sends on the channel."""


class SendError(Exception):
    """Why a provider did not take a message.

    `code` is the provider's own code as text, for logs ("131026", "403/53", "ReadTimeout"). `reason` is one of
    api.md's message reasons (for `recipient`, `bug` and `unknown`; for `retry` what stands once the attempts are used
    up) or one of its status reasons (for `stop`). `retry_after` is in seconds. None of them holds personal data: no
    number, name or token. `scope` says how far a `stop` reaches.
    """

    def __init__(
        self,
        kind: Kind,
        code: str,
        reason: str = "",
        *,
        retry_after: float | None = None,
        person_only: bool = False,
        scope: Scope = Scope.DISTRIBUTION,
    ) -> None:
        super().__init__(kind, code, reason)
        self.scope = scope
        self.kind = kind
        self.code = code
        self.reason = reason
        self.retry_after = retry_after
        self.person_only = person_only
        """A throttle that slows this recipient alone (Meta 131056), not the lane."""

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.code} {self.reason}".rstrip()
