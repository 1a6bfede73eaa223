"""Who is who, and whose session is open, in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.recipients.number_key import Link
from tests.fakes.world import Points


class FakeContacts:
    """`Contacts`."""

    def __init__(self, points: Points) -> None:
        self.kept: dict[tuple[str, str, str], Link] = {}
        self._points = points

    async def link_all(self, organisation: str, links: Iterable[tuple[str, Link]]) -> None:
        for one, link in links:
            await self._points("contacts.link")
            self.kept[organisation, one, link.other] = link

    async def links(self, organisation: str, one: str) -> Sequence[Link]:
        await self._points("contacts.links")
        return [link for (owner, name, _), link in self.kept.items() if (owner, name) == (organisation, one)]

    async def linked(self, organisation: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        await self._points("contacts.linked")
        return {(one, other) for one, other in pairs if (organisation, one, other) in self.kept}


class FakeSessions:
    """`Sessions`."""

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
