"""In memory: the traces of a person outside the log and the plans, and the schedules of waiting distributions."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.fakes.contacts import FakeContacts, FakeSessions
from tests.fakes.orange import FakeUnknownSms
from tests.fakes.world import Points


class FakeTraces:
    """Implements `Traces` over the fakes that keep data of a person."""

    def __init__(
        self, sessions: FakeSessions, contacts: FakeContacts, unknown_sms: FakeUnknownSms, points: Points
    ) -> None:
        self._sessions = sessions
        self._contacts = contacts
        self._unknown_sms = unknown_sms
        self._points = points

    async def forget(self, organisation: str, person: str, *, identity_links: bool) -> None:
        await self._points("traces.forget")
        ends = self._sessions.ends
        self._sessions.ends = {key: end for key, end in ends.items() if (key[0], key[2]) != (organisation, person)}
        self._unknown_sms.forget(organisation, person)
        if identity_links:
            kept = self._contacts.kept
            self._contacts.kept = {
                key: identity_link for key, identity_link in kept.items() if key[:2] != (organisation, person)
            }


class FakeSchedules:
    """Implements `Schedules`. `kept`: distribution → when to wake it, and the zone of that local time."""

    def __init__(self, points: Points) -> None:
        self.kept: dict[str, tuple[datetime, str]] = {}
        self.owners: dict[str, str] = {}
        self._points = points

    async def set(self, organisation: str, distribution_id: str, *, at: datetime, zone: str) -> None:
        await self._points("schedules.set")
        whole = at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)
        self.kept[distribution_id] = (whole.astimezone(ZoneInfo(zone)).astimezone(UTC), zone)
        self.owners[distribution_id] = organisation

    async def remove(self, distribution_id: str) -> None:
        await self._points("schedules.remove")
        self.kept.pop(distribution_id, None)
