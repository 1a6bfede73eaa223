"""A failed send as a decision: callers switch on `kind`, never on a text or an HTTP status."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import override


class Kind(StrEnum):
    """What the sender does next."""

    RETRY = "retry"
    """Certainly not sent; it may work later."""
    THROTTLED = "throttled"
    """Certainly not sent: the provider asks for a slower pace. Uses up no attempt."""
    UNKNOWN = "unknown"
    """The message may have been sent. Never resend it blindly."""
    RECIPIENT = "recipient"
    """Certainly not sent, and this person can never get this content."""
    STOP = "stop"
    """Certainly not sent. Every other message of the same scope would fail in the same way until the cause ends."""
    BUG = "bug"
    """Certainly not sent: our request was wrong. The message fails and an engineer is alerted."""


class Scope(StrEnum):
    """How many messages a stop error affects: as many as its cause (design.md, Stop errors)."""

    ACCOUNT = "account"
    """Everything that the organisation sends on the channel."""
    COUNTRY = "country"
    """The messages to the recipient's country."""
    TEMPLATE = "template"
    """The messages that call the same template in the same language."""
    CARDS = "cards"
    """Perhaps every card of the same host. It comes with any kind: the card of the message could not be fetched
    (`shared.cards.failures`, `shared.sending.send`)."""


class SendError(Exception):
    """Why a provider did not take a message. No field holds personal data: no number, name or token."""

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
        self.kind = kind
        self.code = code
        """The provider's own code as text, for logs ("131026", "403/53", "ReadTimeout")."""
        self.reason = reason
        """For `recipient`, `bug` and `unknown` one of api.md's message reasons; for `retry` the reason that the message
        gets once its attempts are used up; for `stop` one of api.md's status reasons."""
        self.retry_after = retry_after
        """In seconds. For `recipient`: how long the message must not be resent."""
        self.person_only = person_only
        """A throttle that slows down only this recipient (Meta 131056), not the rate limit."""
        self.scope = scope
        """How many messages a `stop` affects. `Scope.CARDS` comes with other kinds; they apply if only this card
        fails."""
        self.of_distribution = of_distribution
        """The cause may be the content of one distribution, so only its messages are held."""
        self.most_attempts = most_attempts
        """After this many attempts the failure is not temporary; the request is wrong."""
        self.if_repeated = if_repeated
        """The status reason with which the template is stopped if Meta refuses one person after another with this code.
        Empty if the template is not known to be the cause."""
        self.refuses_picture = refuses_picture
        """The provider refuses the card as it was uploaded. It may take a new upload."""

    def as_stop(self) -> "SendError":
        """The stop error that this refusal becomes once it comes for one person after another."""
        scope = Scope.TEMPLATE if self.if_repeated else Scope.COUNTRY
        reason = self.if_repeated or "provider_down"
        return SendError(Kind.STOP, self.code, reason, scope=scope, of_distribution=not self.if_repeated)

    def rests_until(self, at: datetime) -> datetime | None:
        """Until when the message must not be resent after this refusal at `at`; None: it may be resent now."""
        if self.kind is not Kind.RECIPIENT or self.retry_after is None:
            return None
        return at + timedelta(seconds=self.retry_after)

    def slower(self, attempts: int) -> "SendError":
        """The wait that Meta advises for one person's limit: 4^n seconds, n from 0 (reference/whatsapp.md, section
        3)."""
        wait = min((self.retry_after or 1.0) * 4.0 ** (attempts - 1), 3600.0)
        return SendError(self.kind, self.code, self.reason, retry_after=wait, person_only=True)

    @property
    def final_reason(self) -> str:
        """The reason of a message whose attempts are used up. A stop's own reason belongs to a distribution."""
        return self.reason if self.kind is Kind.RETRY and self.reason else "expired"

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.code} {self.reason}".rstrip()
