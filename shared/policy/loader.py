"""Questions of many organisations at once, asked of stores that answer for one."""

from collections.abc import Collection, Mapping
from datetime import datetime

from shared.policy.consent import ConsentRecord
from shared.policy.ports import People, Sessions

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
