"""The keyed hash of a number: what the product knows a person by where the number may not stand."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from shared.policy.consent import Consent, ConsentState
from shared.recipients.countries import present_form


class NumberKey:
    """Turns a number into the keyed hash that joins consents, opt-outs and messages without holding the number."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def person(self, organisation: str, e164: str) -> str:
        """32 hex digits; the same number gives another hash in another organisation.

        The old and the new form of a number give the same hash: what a person said under either holds for both.
        Meta's user IDs are hashed alike: they begin with letters, so none of them is ever taken for a number.
        """
        return self._hash(f"{organisation}\n{present_form(e164)}")

    def caller(self, organisation: str, subject: str) -> str:
        """32 hex digits for a caller whose token names `subject`, which may be a person's name or address."""
        return self._hash(f"{organisation}\nsub\n{subject}")

    def content(self, body: bytes) -> str:
        """32 hex digits that name stored bytes. Keyed, because a number and a name may be all that is in them."""
        return self._digest(b"content\n" + body)

    def account(self, provider: str, account_id: str) -> str:
        """32 hex digits for a provider's account, the same in every organisation."""
        return self._hash(f"account\n{provider}\n{account_id}")

    def _hash(self, text: str) -> str:
        return self._digest(text.encode())

    def _digest(self, message: bytes) -> str:
        return hmac.digest(self._key, message, "sha256").hex()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLink:
    """What is said under an identity holds for `other` too.

    `until` None: they are one person. Else `other` took over at that instant: opt-outs up to it go along, nothing else.
    """

    other: str
    until: datetime | None = None

    def carries(self, statement: Consent) -> bool:
        """Whether a word goes along."""
        return self.until is None or (statement.state is ConsentState.REVOKED and statement.recorded_at <= self.until)
