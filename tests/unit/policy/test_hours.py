from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy.hours import (
    QUIET,
    QUIET_HOURS,
    ClosedHours,
    UnknownZoneError,
    Window,
    closes_at,
    next_open,
    parse_windows,
)
from shared.recipients.countries import COVERED

PEAK = ClosedHours(windows=(QUIET, (time(8), time(10)), (time(17), time(21))))
EARLY = ClosedHours(windows=(QUIET, (time(7), time(9))))


TZDATA = resources.files("tzdata")


@cache
def pinned(zone: str) -> ZoneInfo:
    """The machine's own zone data may be older: Debian's of 2025 still has clock changes in Morocco in 2027."""
    with (TZDATA / "zoneinfo" / zone).open("rb") as data:
        return ZoneInfo.from_file(data)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "instant", "answer"),
    [
        ("Africa/Dakar", "2026-11-23T20:59:59.999999", "2026-11-23T20:59:59.999999"),
        ("Africa/Dakar", "2026-11-23T21:00", "2026-11-24T07:00"),
        ("Africa/Dakar", "2026-11-24T00:00", "2026-11-24T07:00"),
        ("Africa/Dakar", "2026-11-24T06:59:59.999999", "2026-11-24T07:00"),
        ("Africa/Dakar", "2026-11-24T07:00", "2026-11-24T07:00"),
        ("Africa/Dakar", "2026-12-31T23:30", "2027-01-01T07:00"),
        ("Africa/Douala", "2026-11-23T20:00", "2026-11-24T06:00"),
        ("Indian/Antananarivo", "2026-11-23T18:00", "2026-11-24T04:00"),
        ("Africa/Tunis", "2026-11-24T05:59", "2026-11-24T06:00"),
        # Egypt: the night of the spring change has 9 hours, that of autumn 11.
        ("Africa/Cairo", "2026-04-23T19:00", "2026-04-24T04:00"),
        ("Africa/Cairo", "2026-04-23T18:59", "2026-04-23T18:59"),
        ("Africa/Cairo", "2026-10-29T18:00", "2026-10-30T05:00"),
        ("Africa/Cairo", "2026-10-29T20:59", "2026-10-30T05:00"),
        ("Africa/Cairo", "2026-10-29T21:30", "2026-10-30T05:00"),
        ("Africa/Cairo", "2027-04-29T18:59", "2027-04-29T18:59"),
        ("Africa/Cairo", "2027-04-29T19:00", "2027-04-30T04:00"),
        ("Africa/Cairo", "2027-10-28T18:00", "2027-10-29T05:00"),
        ("Asia/Kathmandu", "2026-11-23T15:15", "2026-11-24T01:15"),
    ],
)
def test_quiet_hours(zone: str, instant: str, answer: str) -> None:
    opened = next_open(utc(instant), zone, QUIET_HOURS)
    assert opened == utc(answer)
    assert opened.tzinfo is UTC


@pytest.mark.parametrize(
    ("closed", "instant", "answer"),
    [
        (EARLY, "2026-11-23T21:00", "2026-11-24T09:00"),  # windows that touch are skipped together
        (PEAK, "2026-11-23T07:59", "2026-11-23T07:59"),
        (PEAK, "2026-11-23T08:00", "2026-11-23T10:00"),
        (PEAK, "2026-11-23T16:59", "2026-11-23T16:59"),
        (PEAK, "2026-11-23T17:00", "2026-11-24T07:00"),
        (ClosedHours(windows=()), "2026-11-23T23:00", "2026-11-23T23:00"),
    ],
)
def test_peak_hours(closed: ClosedHours, instant: str, answer: str) -> None:
    assert next_open(utc(instant), "Africa/Dakar", closed) == utc(answer)


def test_a_window_whose_end_the_clock_jumps_over_ends_with_the_jump() -> None:
    # Cairo, 24 April 2026: 00:00 becomes 01:00.
    closed = ClosedHours(windows=((time(22), time(0, 30)),))
    assert next_open(utc("2026-04-23T21:00"), "Africa/Cairo", closed) == utc("2026-04-23T22:00")


def test_a_window_that_comes_twice_closes_twice() -> None:
    # Cairo, 29 October 2026: 24:00 becomes 23:00.
    closed = ClosedHours(windows=((time(23), time(23, 30)),))
    assert next_open(utc("2026-10-29T20:10"), "Africa/Cairo", closed) == utc("2026-10-29T20:30")
    assert next_open(utc("2026-10-29T21:10"), "Africa/Cairo", closed) == utc("2026-10-29T21:30")
    assert closes_at(utc("2026-10-29T20:40"), "Africa/Cairo", closed) == utc("2026-10-29T21:00")


@pytest.mark.parametrize(
    ("closed", "instant", "answer"),
    [
        (QUIET_HOURS, "2026-11-23T12:00", "2026-11-23T21:00"),
        (QUIET_HOURS, "2026-11-23T07:00", "2026-11-23T21:00"),
        (QUIET_HOURS, "2026-11-23T22:00", "2026-11-23T22:00"),
        (PEAK, "2026-11-23T12:00", "2026-11-23T17:00"),
        (ClosedHours(windows=()), "2026-11-23T12:00", None),
    ],
)
def test_closes_at(closed: ClosedHours, instant: str, answer: str | None) -> None:
    assert closes_at(utc(instant), "Africa/Dakar", closed) == (utc(answer) if answer else None)


def test_the_answer_is_in_utc_for_an_instant_in_another_zone() -> None:
    cairo = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("Africa/Cairo"))
    assert next_open(cairo, "Africa/Cairo", QUIET_HOURS).tzinfo is UTC


@pytest.mark.parametrize(
    "zone", ["", "Africa", "Africa/Nowhere", "../etc/passwd", "/etc/localtime", "africa/dakar", "zones"]
)
def test_an_unknown_zone_raises(zone: str) -> None:
    for ask in (next_open, closes_at):
        with pytest.raises(UnknownZoneError):
            ask(utc("2026-11-23T12:00"), zone, QUIET_HOURS)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        next_open(datetime(2026, 11, 23, 12), "Africa/Dakar", QUIET_HOURS)  # noqa: DTZ001 - the fault under test


@pytest.mark.parametrize(
    "windows",
    [
        ((time(7), time(21)), (time(21), time(7))),
        ((time(0), time(12)), (time(12), time(0))),
        (QUIET, (time(6), time(14)), (time(13), time(22))),
        ((time(8), time(8)),),
        ((time(8, tzinfo=UTC), time(9, tzinfo=UTC)),),
    ],
)
def test_impossible_windows(windows: tuple[Window, ...]) -> None:
    with pytest.raises(ValueError, match="window"):
        ClosedHours(windows=windows)


def test_parse_windows() -> None:
    assert parse_windows([["08:00", "10:00"], ("17:30", "24:00")]) == (
        (time(8), time(10)),
        (time(17, 30), time(0)),
    )
    assert parse_windows([]) == ()


@pytest.mark.parametrize(
    "pair",
    [
        "8:00 10:00",
        "08:00",
        "08:00 08:00",
        "25:00 08:00",
        "24:00 08:00",
        "08h00 10:00",
        "08:00 10:00 12:00",
        "٠٨:00 10:00",
        "00:00 24:00",
        "+8:00 10:00",
        "08:60 10:00",
    ],
)
def test_windows_that_do_not_parse(pair: str) -> None:
    with pytest.raises(ValueError, match=r"window|time of day|must be in"):
        parse_windows([pair.split()])


ZONES = st.one_of(
    st.sampled_from([country.zone for country in COVERED.values()]),
    st.sampled_from(sorted((TZDATA / "zones").read_text().split())),
)
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
TIMES = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))


def near_clock_changes() -> list[tuple[str, datetime]]:
    """Midnights around the clock changes of Egypt and a few unusual zones, with the hours before them."""
    pairs = []
    for zone in ("Africa/Cairo", "Africa/Casablanca", "Australia/Lord_Howe", "Antarctica/Troll", "America/Havana"):
        where, hour, before = pinned(zone), utc("2025-01-01T00:00"), None
        while hour.year < 2031:
            offset = hour.astimezone(where).utcoffset()
            if before is not None and offset != before:
                pairs.append((zone, hour))
            before, hour = offset, hour + timedelta(hours=1)
    return pairs


CHANGES = st.tuples(st.sampled_from(near_clock_changes()), st.integers(-30 * 60, 6 * 60)).map(
    lambda found: (found[0][0], found[0][1] + timedelta(minutes=found[1]))
)
WHERE_AND_WHEN = st.one_of(st.tuples(ZONES, INSTANTS), CHANGES)


def is_quiet(instant: datetime, zone: str) -> bool:
    wall = instant.astimezone(pinned(zone)).time()
    return wall >= time(21) or wall < time(7)


def is_closed(instant: datetime, zone: str, closed: ClosedHours) -> bool:
    wall = instant.astimezone(pinned(zone)).time()
    return any(s <= wall < e if s < e else not e <= wall < s for s, e in closed.windows)


@settings(max_examples=500, deadline=None)
@given(WHERE_AND_WHEN)
def test_the_answer_is_never_in_quiet_hours_nor_early_nor_late(where_and_when: tuple[str, datetime]) -> None:
    zone, instant = where_and_when
    answer = next_open(instant, zone, QUIET_HOURS)
    assert answer >= instant
    assert not is_quiet(answer, zone)
    if answer > instant:
        assert answer - instant < timedelta(hours=14)
        minute = answer - timedelta(microseconds=1)
        while minute >= instant:
            assert is_quiet(minute, zone)
            minute -= timedelta(minutes=15)


@st.composite
def closed_hours(draw: st.DrawFn) -> ClosedHours:
    windows = tuple(draw(st.lists(st.tuples(TIMES, TIMES).filter(lambda pair: pair[0] != pair[1]), max_size=3)))
    try:
        return ClosedHours(windows=windows)
    except ValueError:
        return QUIET_HOURS


@settings(max_examples=300, deadline=None)
@given(WHERE_AND_WHEN, closed_hours())
def test_any_windows_open_and_close_at_the_first_instant(
    where_and_when: tuple[str, datetime], closed: ClosedHours
) -> None:
    zone, instant = where_and_when
    start = instant.replace(second=0, microsecond=0)
    start -= timedelta(minutes=start.minute % 15)
    quarters = [start + timedelta(minutes=15 * n) for n in range(4 * 80)]  # zones change on quarters in these years
    opened = next_open(start, zone, closed)
    assert opened == next(q for q in quarters if not is_closed(q, zone, closed))
    closing = closes_at(start, zone, closed)
    assert closing == next((q for q in quarters if is_closed(q, zone, closed)), None)
