"""Identities of a person: a number, a user ID at Meta, or both. A statement under one applies to the other too.

Identities are keyed hashes. A statement is written first, and the links are read after it. A link is written first, and
the statements are read after it. So statement and link always meet, in any order and without a timer.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Literal, Protocol

from shared.base.caches import LruCache
from shared.base.concurrency import BatchLoader
from shared.policy.consent import Consent, ConsentRecord
from shared.policy.ports import People, Sessions, consents_of, sessions_of
from shared.recipients.number_key import IdentityLink
from shared.recipients.phone import PhoneError, PhoneNumber, normalise, normalise_any_form
from shared.webhooks.updates import Contact

_ANY_COUNTRY = "SN"
"""Any country of the list: numbers from Meta have their calling code, so the default country is not used."""

_REMEMBERED = 20_000
"""Linked pairs that a worker remembers."""

type IdentityPair = tuple[str, str, str]
"""Organisation, and two of its identities."""


class Contacts(Protocol):
    """Stores the links, by the identity at which they begin."""

    async def add_identity_links(self, organisation: str, identity_links: Iterable[tuple[str, IdentityLink]]) -> None:
        """Store the links, each with the identity at which it begins. A link between the same two identities is
        replaced.

        Returns when all are stored. If it raises, some may be stored.
        """
        ...

    async def identity_links(self, organisation: str, one: str) -> Sequence[IdentityLink]:
        """All links that begin at `one`, read consistently."""
        ...

    async def joined_identities(self, organisation: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """The pairs with a link from the first to the second. The read may be slightly old."""
        ...


class Identities:
    """Records statements for all identities of a person.

    `hashed` makes an identity from an organisation and a name: `NumberKey.person`.
    """

    def __init__(
        self, contacts: Contacts, people: People, sessions: Sessions, hashed: Callable[[str, str], str]
    ) -> None:
        self._contacts = contacts
        self._people = people
        self._sessions = sessions
        self._hashed = hashed
        self._known: LruCache[IdentityPair, None] = LruCache(_REMEMBERED)
        self._identity_pairs, self._joined_identities = (
            BatchLoader(self._read_identity_links),
            BatchLoader(self._join_identities),
        )
        self._consents = BatchLoader(partial(consents_of, people))
        self._open = BatchLoader(partial(sessions_of, sessions))

    def of(self, organisation: str, contact: Contact) -> list[str]:
        """The identities of a contact, the number's first."""
        found: list[str] = []
        if contact.phone is not None:
            found.append(self._hashed(organisation, _as_we_write_it(contact.phone)))
        if contact.user_id is not None:
            found.append(self._hashed(organisation, contact.user_id))
        return found

    async def same(self, organisation: str, identities: Iterable[str]) -> list[str]:
        """These identities in their order, then all others of the same person, close links first."""
        found = list(dict.fromkeys(identities))
        for one in found:  # the loop appends to this list
            identity_links = await self._contacts.identity_links(organisation, one)
            found += sorted(
                {identity_link.other for identity_link in identity_links if identity_link.until is None} - set(found)
            )
        return found

    async def record(self, organisation: str, identities: Iterable[str]) -> ConsentRecord:
        """The consent record of a person with these identities."""
        records = await self._people.consents(organisation, identities)
        return ConsentRecord().joined(one for record in records.values() for one in record.statements)

    async def revoke(self, organisation: str, identities: Iterable[str], opt_out: Consent) -> None:
        """Record an opt-out for these identities and for all that they link to."""
        for one in identities:
            await self._spread(organisation, one, [opt_out])

    async def open_session(
        self, organisation: str, phone_number_id: str, identities: Sequence[str], until: datetime
    ) -> None:
        """Open the session for these identities and for all others of the same person."""
        for one in identities:
            await self._sessions.open(organisation, phone_number_id, one, until)
        for one in (await self.same(organisation, identities))[len(identities) :]:
            await self._sessions.open(organisation, phone_number_id, one, until)

    async def open_until(self, organisation: str, phone_number_id: str, identities: Sequence[str]) -> datetime | None:
        """The end of the session of a person with these identities, which may be in the past; None if there is none."""
        ends = await self._sessions.open_until(organisation, phone_number_id, identities)
        return max(ends.values(), default=None)

    async def introduce(self, organisation: str, phone_number_id: str, person: str, other: str) -> None:
        """Record that `person`, the recipient of messages, has another name too: a user ID, or the number in Meta's
        form.

        The link from that name to the person is written first, because it is the important one. The link back is
        written last and marks that all is done.
        """
        known = (organisation, person, other)
        if known in self._known or await self._identity_pairs.get(known):
            self._remember(known)
            return
        await self._joined_identities.get((organisation, other, person))
        await self._share(organisation, phone_number_id, other, person)
        await self._joined_identities.get(known)
        await self._share(organisation, phone_number_id, person, other)
        self._remember(known)

    async def succeed(self, organisation: str, previous: str, current: str, at: datetime) -> None:
        """Record that `current` replaces `previous`. The new number counts as a new person: opt-outs apply to it too,
        consents do not.
        """
        identity_link = IdentityLink(other=current, until=at)
        if previous == current or identity_link in await self._contacts.identity_links(organisation, previous):
            return
        await self._contacts.add_identity_links(organisation, [(previous, identity_link)])
        record = await self.record(organisation, [previous])
        await self._spread(organisation, current, [one for one in record.statements if identity_link.carries(one)])

    async def _share(self, organisation: str, phone_number_id: str, one: str, other: str) -> None:
        """What is known under one identity applies to the other."""
        record, until = await asyncio.gather(
            self._consents.get((organisation, one)), self._open.get((organisation, phone_number_id, one))
        )
        if record is not None:
            await self._spread(organisation, other, record.statements)
        if until is not None:
            await self._sessions.open(organisation, phone_number_id, other, until)

    async def _spread(self, organisation: str, one: str, statements: Iterable[Consent]) -> None:
        """Record these statements for an identity and for all that it links to, as far as the links carry them."""
        waiting: list[tuple[str, frozenset[Consent]]] = [(one, frozenset(statements))]
        carried_over: dict[str, frozenset[Consent]] = {}
        while waiting:
            identity, carried = waiting.pop()
            new = carried - carried_over.get(identity, frozenset())
            if not new:
                continue
            carried_over[identity] = carried_over.get(identity, frozenset()) | new
            await self._people.record(organisation, identity, new)
            identity_links = await self._contacts.identity_links(organisation, identity)
            for identity_link in sorted(identity_links, key=lambda identity_link: identity_link.other):
                waiting.append((identity_link.other, frozenset(one for one in new if identity_link.carries(one))))

    def _remember(self, known: IdentityPair) -> None:
        self._known[known] = None

    async def _join_identities(self, identity_pairs: Collection[IdentityPair]) -> Mapping[IdentityPair, Literal[True]]:
        """Write links from the first identity of each pair to the second."""
        for organisation in {organisation for organisation, _, _ in identity_pairs}:
            identity_links = [
                (one, IdentityLink(other=other)) for owner, one, other in identity_pairs if owner == organisation
            ]
            await self._contacts.add_identity_links(organisation, identity_links)
        return dict.fromkeys(identity_pairs, True)

    async def _read_identity_links(
        self, identity_pairs: Collection[IdentityPair]
    ) -> Mapping[IdentityPair, Literal[True]]:
        found: dict[IdentityPair, Literal[True]] = {}
        for organisation in {organisation for organisation, _, _ in identity_pairs}:
            pairs = [(one, other) for owner, one, other in identity_pairs if owner == organisation]
            joined_identities = await self._contacts.joined_identities(organisation, pairs)
            found |= {(organisation, one, other): True for one, other in joined_identities}
        return found


def read_number(phone: str) -> PhoneNumber | None:
    """A number from Meta in our form; None if it cannot get messages."""
    try:
        return normalise_any_form(phone, _ANY_COUNTRY)
    except PhoneError:
        return None


def _as_we_write_it(phone: str) -> str:
    """The number in our form. An old form stays as it is, because its hash equals that of the new form."""
    try:
        return normalise(phone, _ANY_COUNTRY).e164
    except PhoneError:
        return phone
