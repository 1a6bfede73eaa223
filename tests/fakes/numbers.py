"""A WhatsApp number's pulse and people count in memory."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from shared.base.instants import from_milliseconds, hour_of, milliseconds
from shared.messages.fallback import Silence
from shared.pacing.daily_limit import counts_from, opens_at, used
from shared.sending.last_heard import STEP
from shared.sending.unknown_outcome import Beat
from tests.fakes.world import Points


class FakePulse:
    """`Pulse` on a dictionary."""

    def __init__(self, points: Points) -> None:
        self.beats: dict[tuple[str, str], Beat] = defaultdict(Beat)
        self.silences: dict[tuple[str, str], Silence] = {}
        self._points = points

    async def heard(
        self, organisation: str, phone_number_id: str, *, claimed_at: datetime | None = None, at: datetime | None = None
    ) -> Beat:
        await self._points("pulse.heard")
        beat = self.beats[organisation, phone_number_id]
        if claimed_at is not None and (beat.heard is None or claimed_at > beat.heard):
            beat = replace(beat, heard=_kept(claimed_at))
        if at is not None and (beat.last_heard_at is None or at >= beat.last_heard_at + STEP):
            beat = replace(beat, last_heard_at=_kept(at))
        self.beats[organisation, phone_number_id] = beat
        return beat

    async def held(self, organisation: str, phone_number_id: str, at: datetime) -> None:
        await self._points("pulse.held")
        beat = self.beats[organisation, phone_number_id]
        if beat.held is None or at > beat.held:
            self.beats[organisation, phone_number_id] = replace(beat, held=_kept(at))

    async def note_silence(self, organisation: str, distribution_id: str, silence: Silence) -> None:
        await self._points("pulse.note_silence")
        known = self.silences.get((organisation, distribution_id))
        if known is None or silence.until > known.until:
            kept = replace(silence, noted_at=_kept(silence.noted_at), until=_kept(silence.until))
            self.silences[organisation, distribution_id] = kept

    async def silence(self, organisation: str, distribution_id: str) -> Silence | None:
        await self._points("pulse.silence")
        return self.silences.get((organisation, distribution_id))

    async def read(self, organisation: str, phone_number_id: str) -> Beat:
        await self._points("pulse.read")
        return self.beats[organisation, phone_number_id]


class FakePeopleCount:
    """`PeopleCount` on dictionaries; its one write cannot be cut in two."""

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
