from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.campaigns.reading import Load, bulk_seconds, estimated_end
from shared.messages.payload import Channel
from shared.pacing.rate_limit import RateLimitState, Share, book
from shared.policy.consent import Given
from shared.policy.gate import GateInput, Go, gate
from shared.recipients.countries import COVERED

PEAK = ((time(8), time(10)), (time(17), time(21)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOON = utc("2026-11-23T12:00")


def load(country: str, rows: int) -> Load:
    return Load(country=country, rows=rows)


@pytest.mark.parametrize(
    ("rows", "rate", "seconds"),
    [(0, 5, 0), (9, 1, 600 / 59), (4425, 5, 1000), (70_800, 80, 1000)],
)
def test_nine_tenths_of_the_rate_are_for_bulk(rows: int, rate: int, seconds: float) -> None:
    assert bulk_seconds(rows, rate) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("loads", "channel", "start", "peak", "end"),
    [
        # 4.425 a second: 15,930 an hour.
        ([], Channel.SMS, "2026-11-23T12:00", (), "2026-11-23T12:00"),
        ([load("SN", 15_930)], Channel.SMS, "2026-11-23T12:00", (), "2026-11-23T13:00"),
        ([load("SN", 15_930), load("CI", 15_930)], Channel.SMS, "2026-11-23T12:00", (), "2026-11-23T14:00"),
        # At 20:00 one hour is left before the night. The other hour begins at 07:00.
        ([load("SN", 31_860)], Channel.SMS, "2026-11-23T20:00", (), "2026-11-24T08:00"),
        ([load("SN", 15_930)], Channel.SMS, "2026-11-23T20:00", (), "2026-11-23T21:00"),
        ([load("SN", 15_930)], Channel.SMS, "2026-11-23T23:00", (), "2026-11-24T08:00"),
        # Madagascar closes at 18:00 UTC and opens at 04:00 UTC. It waits while Senegal's run uses the slots until
        # 21:00.
        ([load("SN", 31_860), load("MG", 15_930)], Channel.SMS, "2026-11-23T18:30", (), "2026-11-24T05:00"),
        # Open from 10:00 to 17:00 and from 07:00 to 08:00: work of 8 hours from 10:00 ends at 08:00.
        ([load("SN", 8 * 15_930)], Channel.SMS, "2026-11-23T10:00", PEAK, "2026-11-24T08:00"),
        ([load("SN", 9 * 15_930)], Channel.SMS, "2026-11-23T10:00", PEAK, "2026-11-24T11:00"),
        # Quiet hours apply only to SMS.
        ([load("SN", 31_860)], Channel.WHATSAPP, "2026-11-23T20:00", (), "2026-11-23T22:00"),
    ],
)
def test_the_estimated_end(
    loads: list[Load], channel: Channel, start: str, peak: tuple[tuple[time, time], ...], end: str
) -> None:
    assert estimated_end(loads, channel, start=utc(start), rate=5, peak=peak) == utc(end)


def test_the_estimate_agrees_with_the_booked_slots() -> None:
    start = int(NOON.timestamp()) * 1_000_000
    booked = book(RateLimitState(), Share.BULK, rate=5, earliest=start, count=450).send_slots[-1]
    end = estimated_end([load("SN", 450)], Channel.SMS, start=NOON, rate=5)
    assert end.timestamp() == pytest.approx(booked / 1_000_000, abs=0.5)


@given(
    rows=st.dictionaries(st.sampled_from(sorted(COVERED)), st.integers(0, 40_000), max_size=4),
    hours=st.integers(0, 24 * 366),
    off_peak=st.booleans(),
)
def test_the_last_send_slot_is_in_open_hours(rows: dict[str, int], hours: int, off_peak: bool) -> None:
    start, peak = NOON + timedelta(hours=hours), PEAK if off_peak else ()
    loads = [load(country, count) for country, count in rows.items()]
    end = estimated_end(loads, Channel.SMS, start=start, rate=5, peak=peak)
    assert end >= start + timedelta(seconds=bulk_seconds(sum(rows.values()), 5)) - timedelta(milliseconds=1)
    just_before = end - timedelta(milliseconds=1)
    waiting = [country for country, count in rows.items() if count]
    gate_inputs = [
        GateInput(channel=Channel.SMS, country=country, given=Given(), recorded=None, peak=peak) for country in waiting
    ]
    assert not gate_inputs or Go() in [gate(gate_input, just_before) for gate_input in gate_inputs]
