"""A failed send carries its decision: callers switch on `kind`, never on a text or an HTTP status."""

from datetime import datetime, timedelta
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
    """Surely not sent, and every other message of the same scope would fail alike until its cause ends."""
    BUG = "bug"
    """Surely not sent: the request itself was wrong. Fails this message and wakes an engineer."""


class Scope(StrEnum):
    """How far a stop reaches: as wide as its cause (design.md, Stop errors)."""

    ACCOUNT = "account"
    """Everything that the organisation sends on the channel."""
    COUNTRY = "country"
    """The messages to the recipient's country."""
    TEMPLATE = "template"
    """The messages that call the same template in the same language."""
    CARDS = "cards"
    """Perhaps every card of the same host: with any kind, the message's card could not be fetched (`failed_card`)."""


class SendError(Exception):
    """Why a provider did not take a message.

    `code` is the provider's own code as text, for logs ("131026", "403/53", "ReadTimeout"). `reason` is one of
    api.md's message reasons (for `recipient`, `bug` and `unknown`; for `retry` what stands once the attempts are used
    up) or one of its status reasons (for `stop`). None of them holds personal data: no number, name or token.

    `retry_after` is in seconds; for `recipient` it is how long nobody may have the message sent again. `scope` says how
    far a `stop` reaches, `of_distribution` that it may lie in the content of one distribution, so that only its own
    messages are held. `Scope.CARDS` comes with other kinds, which count where the failure is this card's alone.
    `most_attempts`: after so many it is no passing trouble, but a wrong request. `if_repeated`: the status reason with
    which it stops its template if one person after another is refused so; empty where it is not known to be the
    template's. `refuses_picture`: the card as it was uploaded is refused; uploaded anew it may be taken.
    """

    def __init__(  # noqa: PLR0913 - a decision in all its parts, by name
        self,
        kind: Kind,
        code: str,
        reason: str = "",
        *,
        retry_after: float | None = None,
        person_only: bool = False,
        scope: Scope = Scope.ACCOUNT,
        of_distribution: bool = False,
        most_attempts: int | None = None,
        if_repeated: str = "",
        refuses_picture: bool = False,
    ) -> None:
        super().__init__(kind, code, reason)
        self.scope = scope
        self.of_distribution = of_distribution
        self.kind = kind
        self.code = code
        self.reason = reason
        self.retry_after = retry_after
        self.person_only = person_only
        """A throttle that slows this recipient alone (Meta 131056), not the lane."""
        self.most_attempts = most_attempts
        self.if_repeated = if_repeated
        self.refuses_picture = refuses_picture

    def as_stop(self) -> "SendError":
        """What the same refusal is once it comes for one person after another."""
        scope = Scope.TEMPLATE if self.if_repeated else Scope.COUNTRY
        reason = self.if_repeated or "provider_down"
        return SendError(Kind.STOP, self.code, reason, scope=scope, of_distribution=not self.if_repeated)

    def rests_until(self, at: datetime) -> datetime | None:
        """Until when nobody may have the message sent again that was refused so at `at`; None where they may."""
        if self.kind is not Kind.RECIPIENT or self.retry_after is None:
            return None
        return at + timedelta(seconds=self.retry_after)

    def slower(self, attempts: int) -> "SendError":
        """Meta's advice for one person's limit: 4^n seconds, n counted from 0 (reference/whatsapp.md, section 3)."""
        wait = min((self.retry_after or 1.0) * 4.0 ** (attempts - 1), 3600.0)
        return SendError(self.kind, self.code, self.reason, retry_after=wait, person_only=True)

    @property
    def final_reason(self) -> str:
        """The reason of a message whose attempts are used up; a stop's own reason is a distribution's."""
        return self.reason if self.kind is Kind.RETRY and self.reason else "expired"

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.code} {self.reason}".rstrip()
