"""What was last heard of a WhatsApp number, and its count of people, in memory."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from shared.base.instants import from_milliseconds, hour_of, milliseconds
from shared.messages.fallback import Silence
from shared.pacing.daily_limit import counts_from, opens_at, used
from shared.sending.last_heard import STEP
from shared.sending.unknown_outcome import LastHeard
from tests.fakes.world import Points


class FakeLastHeard:
    """Implements `LastHeardStore` in memory."""

    def __init__(self, points: Points) -> None:
        self.last_heard_of: dict[tuple[str, str], LastHeard] = defaultdict(LastHeard)
        self.silences: dict[tuple[str, str], Silence] = {}
        self._points = points

    async def note_reports(
        self, organisation: str, phone_number_id: str, *, claimed_at: datetime | None = None, at: datetime | None = None
    ) -> LastHeard:
        await self._points("last_heard_store.note_reports")
        last_heard = self.last_heard_of[organisation, phone_number_id]
        if claimed_at is not None and (last_heard.last_claimed_at is None or claimed_at > last_heard.last_claimed_at):
            last_heard = replace(last_heard, last_claimed_at=_kept(claimed_at))
        if at is not None and (last_heard.last_heard_at is None or at >= last_heard.last_heard_at + STEP):
            last_heard = replace(last_heard, last_heard_at=_kept(at))
        self.last_heard_of[organisation, phone_number_id] = last_heard
        return last_heard

    async def held(self, organisation: str, phone_number_id: str, at: datetime) -> None:
        await self._points("last_heard_store.held")
        last_heard = self.last_heard_of[organisation, phone_number_id]
        if last_heard.held is None or at > last_heard.held:
            self.last_heard_of[organisation, phone_number_id] = replace(last_heard, held=_kept(at))

    async def note_silence(self, organisation: str, distribution_id: str, silence: Silence) -> None:
        await self._points("last_heard_store.note_silence")
        known = self.silences.get((organisation, distribution_id))
        if known is None or silence.until > known.until:
            kept = replace(silence, noted_at=_kept(silence.noted_at), until=_kept(silence.until))
            self.silences[organisation, distribution_id] = kept

    async def silence(self, organisation: str, distribution_id: str) -> Silence | None:
        await self._points("last_heard_store.silence")
        return self.silences.get((organisation, distribution_id))

    async def read(self, organisation: str, phone_number_id: str) -> LastHeard:
        await self._points("last_heard_store.read")
        return self.last_heard_of[organisation, phone_number_id]


class FakePeopleCount:
    """Implements `PeopleCount`. Its single write is atomic."""

    def __init__(self, points: Points) -> None:
        self.hours: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        self.people: dict[tuple[str, str, str], int] = {}
        self._points = points

    async def take(
        self, organisation: str, portfolio: str, person: str, *, limit: int | None, now: datetime
    ) -> datetime | None:
        await self._points("people_count.take")
        hours, hour = self.hours[organisation, portfolio], hour_of(now)
        before = self.people.get((organisation, portfolio, person))
        is_counted = before is not None and before >= counts_from(now)
        if not is_counted and limit is not None and used(hours, now) >= limit:
            return max(opens_at(hours, limit, now), now + timedelta(seconds=1))
        if is_counted and before is not None:
            hours[before] -= 1
        hours[hour] = hours.get(hour, 0) + 1
        self.people[organisation, portfolio, person] = hour
        return None

    async def used(self, organisation: str, portfolio: str, now: datetime) -> int:
        await self._points("people_count.used")
        return used(self.hours[organisation, portfolio], now)

    async def opens_at(self, organisation: str, portfolio: str, limit: int, now: datetime) -> datetime:
        await self._points("people_count.opens_at")
        return opens_at(self.hours[organisation, portfolio], limit, now)


def _kept(instant: datetime) -> datetime:
    return from_milliseconds(milliseconds(instant))
