"""The Protocols for consents and sessions, and readers for several organisations at once.

`storage` implements them on AWS, `tests/fakes` in memory; one contract suite tests both. Every method may be called
twice. Instants are in UTC.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from shared.policy.consent import Consent, ConsentRecord


class Sessions(Protocol):
    """Sessions between a WhatsApp number and persons. A person is a keyed hash."""

    async def open(self, organisation: str, phone_number_id: str, person: str, until: datetime) -> None:
        """Keep the session open until `until` (excluded). A session that lasts longer stays as it is."""
        ...

    async def open_until(
        self, organisation: str, phone_number_id: str, persons: Iterable[str]
    ) -> Mapping[str, datetime]:
        """The end of each person's session, which may be in the past. Persons without a session are left out."""
        ...


class People(Protocol):
    """The consents of persons. A person is a keyed hash of the number."""

    async def consents(self, organisation: str, persons: Iterable[str]) -> Mapping[str, ConsentRecord]:
        """The records of these persons. Persons without a record are left out."""
        ...

    async def record(self, organisation: str, person: str, statements: Iterable[Consent]) -> bool:
        """Add these statements to the person's record. True if one of them is new.

        A person's first statements may count as new twice, because a repeated write by AWS's client looks the same.
        """
        ...

    async def replace(self, organisation: str, person: str, statement: Consent) -> None:
        """Keep only this statement. An erasure removes all others."""
        ...


type OrganisationPerson = tuple[str, str]
"""Organisation and person."""

type Writer = tuple[str, str, str]
"""Organisation, phone number ID and person."""


async def consents_of(
    people: People, asked: Collection[OrganisationPerson]
) -> Mapping[OrganisationPerson, ConsentRecord]:
    """The consent records of persons of several organisations."""
    consents: dict[OrganisationPerson, ConsentRecord] = {}
    for organisation in {organisation for organisation, _ in asked}:
        persons = [person for owner, person in asked if owner == organisation]
        records = await people.consents(organisation, persons)
        consents |= {(organisation, person): record for person, record in records.items()}
    return consents


async def sessions_of(sessions: Sessions, asked: Collection[Writer]) -> Mapping[Writer, datetime]:
    """The ends of these sessions, some of which may be in the past."""
    found: dict[Writer, datetime] = {}
    for organisation, number in {(organisation, number) for organisation, number, _ in asked}:
        persons = [person for owner, to, person in asked if (owner, to) == (organisation, number)]
        ends = await sessions.open_until(organisation, number, persons)
        found |= {(organisation, number, person): until for person, until in ends.items()}
    return found
