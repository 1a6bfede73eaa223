"""What works with numbers and contents by their hashes."""

from functools import cached_property
from typing import Protocol

from shared.app.container.core import Core, CoreAdapters
from shared.campaigns.ports import TaskQueue
from shared.campaigns.stored_content import Plans
from shared.recipients.contacts import Contacts, Identities
from shared.recipients.number_key import NumberKey
from shared.webhooks.unmatched_receipts import UnknownSms


class KeyedAdapters(CoreAdapters, Protocol):
    """`number_key` makes every hash that is stored, with a key that is read with the first hash: `number_key_bytes`."""

    @property
    def number_key(self) -> NumberKey: ...
    @property
    def number_key_bytes(self) -> bytes: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def contacts(self) -> Contacts: ...
    @property
    def unknown_sms(self) -> UnknownSms: ...
    @property
    def tasks(self) -> TaskQueue: ...


class Keyed[A: KeyedAdapters = KeyedAdapters](Core[A]):
    """People by their number's hash."""

    @cached_property
    def identities(self) -> Identities:
        """Who is the same person."""
        on = self.adapters
        return Identities(on.contacts, on.people, on.sessions, self.hash_of)

    def hash_of(self, organisation: str, e164: str) -> str:
        """Of a person, for those who must not read the key before they hash."""
        return self.adapters.number_key.person(organisation, e164)
