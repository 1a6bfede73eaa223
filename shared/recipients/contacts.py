"""Who is who: a person has a number, a user ID at Meta, or both, and what they say under one holds for the other.

Identities are keyed hashes of either. What is said is written first and its links are read after; a link is written
first and what was said is read after: whichever is heard first, they meet, and without a timer.
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
"""Numbers from Meta have their calling code: the default country is never used."""

_REMEMBERED = 20_000
"""Pairs that one worker knows to be linked; then it forgets them all."""

type IdentityPair = tuple[str, str, str]
"""Organisation, and two identities in it."""


class Contacts(Protocol):
    """The links, found by the identity that they lead away from."""

    async def add_identity_links(self, organisation: str, identity_links: Iterable[tuple[str, IdentityLink]]) -> None:
        """Keep the links, each under the identity that it leads away from; another one to the same identity is
        replaced. Returns once all are there; where it raises, some may be."""
        ...

    async def identity_links(self, organisation: str, one: str) -> Sequence[IdentityLink]:
        """All of one identity's, as they surely stand."""
        ...

    async def joined_identities(self, organisation: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of the pairs have a link from the first to the second; a moment old."""
        ...


class Identities:
    """Records what people say for all the names that they are known by.

    `hashed` makes an identity of an organisation and a name: `NumberKey.person`.
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
        """The identities that a contact names: the number's first."""
        found: list[str] = []
        if contact.phone is not None:
            found.append(self._hashed(organisation, _as_we_write_it(contact.phone)))
        if contact.user_id is not None:
            found.append(self._hashed(organisation, contact.user_id))
        return found

    async def same(self, organisation: str, identities: Iterable[str]) -> list[str]:
        """These, in their order, and whatever else is the same person, near links first."""
        found = list(dict.fromkeys(identities))
        for one in found:  # grows while it is walked
            identity_links = await self._contacts.identity_links(organisation, one)
            found += sorted(
                {identity_link.other for identity_link in identity_links if identity_link.until is None} - set(found)
            )
        return found

    async def record(self, organisation: str, identities: Iterable[str]) -> ConsentRecord:
        """What is known of the consent of a person with these identities."""
        records = await self._people.consents(organisation, identities)
        return ConsentRecord().joined(one for record in records.values() for one in record.statements)

    async def revoke(self, organisation: str, identities: Iterable[str], opt_out: Consent) -> None:
        """Record an opt-out for these identities and all that they lead to."""
        for one in identities:
            await self._spread(organisation, one, [opt_out])

    async def open_session(
        self, organisation: str, phone_number_id: str, identities: Sequence[str], until: datetime
    ) -> None:
        """The session is open for these identities and whatever else is the same person."""
        for one in identities:
            await self._sessions.open(organisation, phone_number_id, one, until)
        for one in (await self.same(organisation, identities))[len(identities) :]:
            await self._sessions.open(organisation, phone_number_id, one, until)

    async def open_until(self, organisation: str, phone_number_id: str, identities: Sequence[str]) -> datetime | None:
        """When the session of a person with these identities ends or ended."""
        ends = await self._sessions.open_until(organisation, phone_number_id, identities)
        return max(ends.values(), default=None)

    async def introduce(self, organisation: str, phone_number_id: str, person: str, other: str) -> None:
        """From now on `person`, whom messages go to, is known by another name too: a user ID, or Meta's own number.

        The way from that name to the person comes first, because it matters; the way back says that it is done.
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
        """A new number is a new person: what the old one had agreed to stays behind, what they refused goes along."""
        identity_link = IdentityLink(other=current, until=at)
        if previous == current or identity_link in await self._contacts.identity_links(organisation, previous):
            return
        await self._contacts.add_identity_links(organisation, [(previous, identity_link)])
        record = await self.record(organisation, [previous])
        await self._spread(organisation, current, [one for one in record.statements if identity_link.carries(one)])

    async def _share(self, organisation: str, phone_number_id: str, one: str, other: str) -> None:
        """What is known under one identity holds for the other."""
        record, until = await asyncio.gather(
            self._consents.get((organisation, one)), self._open.get((organisation, phone_number_id, one))
        )
        if record is not None:
            await self._spread(organisation, other, record.statements)
        if until is not None:
            await self._sessions.open(organisation, phone_number_id, other, until)

    async def _spread(self, organisation: str, one: str, statements: Iterable[Consent]) -> None:
        """Record these statements for an identity and for all that it leads to, each as far as the links carry it."""
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
        """From the first identity of each to the second."""
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
    """A number of Meta's as everything else here writes it; None where it can get no messages."""
    try:
        return normalise_any_form(phone, _ANY_COUNTRY)
    except PhoneError:
        return None


def _as_we_write_it(phone: str) -> str:
    """An old form stays as it is: its hash is that of the new one."""
    try:
        return normalise(phone, _ANY_COUNTRY).e164
    except PhoneError:
        return phone
