"""Use cases that need people's hashes."""

from functools import cached_property
from typing import Protocol

from shared.app.container.core import Core, CoreAdapters
from shared.campaigns.ports import TaskQueue
from shared.campaigns.stored_content import Plans
from shared.recipients.contacts import Contacts, Identities
from shared.recipients.number_key import NumberKey
from shared.webhooks.unmatched_receipts import UnknownSms


class KeyedAdapters(CoreAdapters, Protocol):
    """What hashes and their stores need."""

    @property
    def number_key(self) -> NumberKey:
        """Makes every stored hash. It reads its key at the first hash."""

    @property
    def number_key_bytes(self) -> bytes:
        """The key itself, for hashes of requests."""

    @property
    def plans(self) -> Plans:
        """Stored content and rejected rows."""

    @property
    def contacts(self) -> Contacts:
        """Which identities belong to one person."""

    @property
    def unknown_sms(self) -> UnknownSms:
        """SMS with an unknown outcome."""

    @property
    def tasks(self) -> TaskQueue:
        """The fan-out queue."""


class Keyed[A: KeyedAdapters = KeyedAdapters](Core[A]):
    """People by their number's hash."""

    @cached_property
    def identities(self) -> Identities:
        """Finds all identities of a person."""
        on = self.adapters
        return Identities(on.contacts, on.people, on.sessions, self.hash_of)

    def hash_of(self, organisation: str, e164: str) -> str:
        """The hash of a person. The key is read at the first call, not when a use case is made."""
        return self.adapters.number_key.person(organisation, e164)
