"""Identity links and open sessions, in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.recipients.number_key import IdentityLink
from tests.fakes.world import Points


class FakeContacts:
    """Implements `Contacts` in memory."""

    def __init__(self, points: Points) -> None:
        self.kept: dict[tuple[str, str, str], IdentityLink] = {}
        self._points = points

    async def add_identity_links(self, organisation: str, identity_links: Iterable[tuple[str, IdentityLink]]) -> None:
        for one, identity_link in identity_links:
            await self._points("contacts.identity_link")
            self.kept[organisation, one, identity_link.other] = identity_link

    async def identity_links(self, organisation: str, one: str) -> Sequence[IdentityLink]:
        await self._points("contacts.identity_links")
        return [
            identity_link
            for (owner, name, _), identity_link in self.kept.items()
            if (owner, name) == (organisation, one)
        ]

    async def joined_identities(self, organisation: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        await self._points("contacts.joined_identities")
        return {(one, other) for one, other in pairs if (organisation, one, other) in self.kept}


class FakeSessions:
    """Implements `Sessions` in memory."""

    def __init__(self, points: Points) -> None:
        self.ends: dict[tuple[str, str, str], datetime] = {}
        self._points = points

    async def open(self, organisation: str, phone_number_id: str, person: str, until: datetime) -> None:
        await self._points("sessions.open")
        key = (organisation, phone_number_id, person)
        self.ends[key] = max(until, self.ends.get(key, until))

    async def open_until(
        self, organisation: str, phone_number_id: str, persons: Iterable[str]
    ) -> Mapping[str, datetime]:
        await self._points("sessions.open_until")
        keys = {(organisation, phone_number_id, one) for one in persons}
        return {key[2]: self.ends[key] for key in keys if key in self.ends}
