"""Keyed hashes of phone numbers, which identify persons where the number itself must not be stored."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from shared.policy.consent import Consent, ConsentState
from shared.recipients.countries import present_form


class NumberKey:
    """Makes the keyed hashes that join consents, opt-outs and messages of a person."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def person(self, organisation: str, e164: str) -> str:
        """The person's hash, 32 hex digits. The same number has another hash in another organisation.

        The old and the new form of a number have the same hash, so a consent for one is valid for both. Meta's user IDs
        are hashed in the same way. They begin with letters, so they never equal a number.
        """
        return self._hash(f"{organisation}\n{present_form(e164)}")

    def caller(self, organisation: str, subject: str) -> str:
        """32 hex digits for a caller of the API. `subject`, from the caller's token, may be a person's name or
        address.
        """
        return self._hash(f"{organisation}\nsub\n{subject}")

    def content(self, body: bytes) -> str:
        """32 hex digits that name stored bytes. The hash is keyed, because the bytes may be little more than a number
        and a name.
        """
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
    """A link from one identity to another: statements for the first also apply to `other`.

    `until` None: both are one person. Otherwise `other` took over at that time, and only opt-outs until then apply to
    it.
    """

    other: str
    until: datetime | None = None

    def carries(self, statement: Consent) -> bool:
        """Whether the statement also applies to `other`."""
        return self.until is None or (statement.state is ConsentState.REVOKED and statement.recorded_at <= self.until)
