"""When no SMS may be sent: quiet hours and peak hours in the recipient's local time, also when the clocks change.

Rules and zones: reference/orange_sms.md §8. Closed time is what a clock at the recipient shows, so hours are never
added to an instant. Zone data comes from the pinned tzdata package: the machine's may be missing or old.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

Window = tuple[time, time]
"""Start (included) and end (excluded), every day. If the end is not after the start, the window crosses midnight."""

QUIET: Window = (time(21), time(7))

DEFAULT_PEAK_HOURS = (("08:00", "10:00"), ("17:00", "21:00"))
"""Peak hours of an organisation that has set none (api.md, Settings), in the recipients' local time."""

_DAYS_AHEAD = 4
"""How many days to look ahead. Every day has an open time, but a change of the clocks may remove one."""


class UnknownZoneError(ValueError):
    """The zone is not in the tz database. The caller must not send: there is no default zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedHours:
    """Daily closed windows, which may touch or overlap. ValueError if they leave no minute of the day open."""

    windows: tuple[Window, ...]

    def __post_init__(self) -> None:
        for start, end in self.windows:
            if start.tzinfo is not None or end.tzinfo is not None:
                raise ValueError("a window is in local time and must have no time zone")
            if start == end:
                raise ValueError("a window's end must differ from its start")
        # If some minute of the day is open, the end of some window is open.
        if self.windows and all(self.holds(end) for _, end in self.windows):
            raise ValueError("the windows close the whole day")

    def holds(self, wall: time) -> bool:
        """Whether the local time `wall` is closed."""
        return any(start <= wall < end if start < end else wall >= start or wall < end for start, end in self.windows)


QUIET_HOURS = ClosedHours(windows=(QUIET,))


def parse_windows(pairs: Iterable[Sequence[str]]) -> tuple[Window, ...]:
    """Windows from [["08:00", "10:00"], …]. An end may be "24:00". ValueError for any other form."""
    return tuple(_window(pair) for pair in pairs)


def next_open(instant: datetime, zone: str, closed: ClosedHours) -> datetime:
    """`instant` if `zone` is open then, else the next open instant; in UTC.

    Windows that touch count as one. UnknownZoneError for an unknown zone, ValueError if `instant` has no time zone.
    """
    start, where = _utc(instant), _zone(zone)
    if _open(start, where, closed):
        return start
    ends = [end for _, end in closed.windows]
    return next(t for t in _turns(start, where, ends) if _open(t, where, closed))


def closes_at(instant: datetime, zone: str, closed: ClosedHours) -> datetime | None:
    """The first closed instant from `instant` on, in UTC; `instant` itself if it is closed. None without windows."""
    start, where = _utc(instant), _zone(zone)
    if not closed.windows:
        return None
    if not _open(start, where, closed):
        return start
    starts = [begin for begin, _ in closed.windows]
    return next(t for t in _turns(start, where, starts) if not _open(t, where, closed))


def _window(pair: Sequence[str]) -> Window:
    if isinstance(pair, str) or len(pair) != 2:
        raise ValueError("a window must be a pair: start and end")
    start, end = pair
    window = (_wall(start), time(0) if end == "24:00" else _wall(end))
    if window[0] == window[1]:
        raise ValueError("a window's end must differ from its start")
    return window


def _wall(text: str) -> time:
    if len(text) != 5 or not text.isascii() or text[2] != ":" or not (text[:2] + text[3:]).isdigit():
        raise ValueError("a time of day must have the form HH:MM")
    return time(int(text[:2]), int(text[3:]))


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("the instant has no time zone")
    return instant.astimezone(UTC)


def _open(instant: datetime, where: ZoneInfo, closed: ClosedHours) -> bool:
    return not closed.holds(instant.astimezone(where).time())


def _turns(start: datetime, where: ZoneInfo, edges: Sequence[time]) -> Iterator[datetime]:
    """The instants after `start`, in order, at which the local clock may pass one of `edges`.

    They include both passages of a time that comes twice, and the changes of the clocks, which may jump over an edge.
    """
    today = start.astimezone(where).date()
    turns = set(_clock_changes(start, where))
    for day in (today + timedelta(days=n) for n in range(_DAYS_AHEAD)):
        for edge in edges:
            turns |= {datetime.combine(day, edge.replace(fold=fold), where).astimezone(UTC) for fold in (0, 1)}
    return iter(sorted(turn for turn in turns if turn > start))


def _clock_changes(start: datetime, where: ZoneInfo) -> Iterator[datetime]:
    hours = [start + timedelta(hours=n) for n in range(24 * _DAYS_AHEAD + 1)]
    offsets = [hour.astimezone(where).utcoffset() for hour in hours]
    for before, after, old, new in zip(hours, hours[1:], offsets, offsets[1:], strict=False):
        if old != new:
            yield _clock_change(before, after, where)


def _clock_change(before: datetime, after: datetime, where: ZoneInfo) -> datetime:
    """The second at which the offset changes. `before` and `after` are an hour apart."""
    low = before.replace(microsecond=0)
    old = low.astimezone(where).utcoffset()
    seconds = int((after - low).total_seconds()) + 1
    first, last = 0, seconds
    while last - first > 1:
        middle = (first + last) // 2
        if (low + timedelta(seconds=middle)).astimezone(where).utcoffset() == old:
            first = middle
        else:
            last = middle
    return low + timedelta(seconds=last)


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


@lru_cache
def _zone(name: str) -> ZoneInfo:
    if name not in _zone_names():
        raise UnknownZoneError("the time zone is not in the tz database")
    with (resources.files("tzdata") / "zoneinfo" / name).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)
