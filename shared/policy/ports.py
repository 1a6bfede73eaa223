"""What the rules about people ask of the world: consents and sessions, of one organisation or of many at once.
`storage` answers on AWS, `tests/fakes` in memory; one contract suite holds both to the same behaviour. Every method
may be called twice; instants are aware and in UTC.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from shared.policy.consent import Consent, ConsentRecord


class Sessions(Protocol):
    """Sessions between the organisation's number and its people. A person is a keyed hash."""

    async def open(self, organisation: str, phone_number_id: str, person: str, until: datetime) -> None:
        """Keep the session open until then, that instant excluded; never shortens one."""
        ...

    async def open_until(
        self, organisation: str, phone_number_id: str, persons: Iterable[str]
    ) -> Mapping[str, datetime]:
        """When each one's session ends. It may have ended: compare with the clock. Who never wrote is left out."""
        ...


class People(Protocol):
    """What is known of a person, found by the keyed hash of the number."""

    async def consents(self, organisation: str, persons: Iterable[str]) -> Mapping[str, ConsentRecord]:
        """The records of those who have one."""
        ...

    async def record(self, organisation: str, person: str, statements: Iterable[Consent]) -> bool:
        """Join these statements to the person's record; says whether that told us anything new. The first statements
        of a person may count as new when they are told again: AWS's own repeat of a write looks alike."""
        ...

    async def replace(self, organisation: str, person: str, statement: Consent) -> None:
        """Keep this statement alone: an erasure leaves nothing else."""
        ...


type Somebody = tuple[str, str]
"""Organisation, person."""

type Writer = tuple[str, str, str]
"""Organisation, phone number ID, person."""


async def consents_of(people: People, asked: Collection[Somebody]) -> Mapping[Somebody, ConsentRecord]:
    """What each has said, as far as it is recorded."""
    consents: dict[Somebody, ConsentRecord] = {}
    for organisation in {organisation for organisation, _ in asked}:
        persons = [person for owner, person in asked if owner == organisation]
        records = await people.consents(organisation, persons)
        consents |= {(organisation, person): record for person, record in records.items()}
    return consents


async def sessions_of(sessions: Sessions, asked: Collection[Writer]) -> Mapping[Writer, datetime]:
    """When each one's session with the number ends or ended."""
    found: dict[Writer, datetime] = {}
    for organisation, number in {(organisation, number) for organisation, number, _ in asked}:
        persons = [person for owner, to, person in asked if (owner, to) == (organisation, number)]
        ends = await sessions.open_until(organisation, number, persons)
        found |= {(organisation, number, person): until for person, until in ends.items()}
    return found
