"""Ways by which one identity leads to another. An identity is the keyed hash of a number or of a user ID at Meta."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.consent import Consent, ConsentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What is said under an identity holds for `other` too.

    `until` None: they are one person. Else `other` took over at that instant: opt-outs up to it go along, nothing else.
    """

    other: str
    until: datetime | None = None

    def carries(self, word: Consent) -> bool:
        """Whether a word goes along."""
        return self.until is None or (word.state is ConsentState.REVOKED and word.recorded_at <= self.until)
