import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from local.clock import BackwardsError, StackClock
from shared.base.instants import format_instant, from_rfc3339
from tests.waiting import PATIENCE

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Ticks:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_runs_on_from_its_start() -> None:
    ticks = Ticks()
    clock = StackClock(START, ticks)
    ticks.seconds += 90
    assert clock.now() == START + timedelta(seconds=90)


def test_jumps_forwards_and_notifies_its_listeners() -> None:
    clock = StackClock(START, Ticks())
    reported: list[datetime] = []
    clock.on_jump(reported.append)
    clock.advance_to(START + timedelta(hours=3))
    assert clock.now() == START + timedelta(hours=3)
    assert reported == [START + timedelta(hours=3)]


def test_never_goes_back() -> None:
    clock = StackClock(START, Ticks())
    with pytest.raises(BackwardsError, match="2026-11-23T10:00:00"):
        clock.advance_to(START - timedelta(microseconds=1))
    assert clock.now() == START


def test_a_jump_wakes_sleepers_of_every_loop_and_only_those_it_passes() -> None:
    clock = StackClock(START)
    woken: list[str] = []
    asleep = threading.Barrier(3)

    def sleeper(name: str, seconds: float) -> None:
        async def sleep() -> None:
            asyncio.get_running_loop().call_soon(asleep.wait)
            await asyncio.wait_for(clock.sleep(seconds), PATIENCE)
            woken.append(name)

        asyncio.run(sleep())

    short = threading.Thread(target=sleeper, args=("short", 600))
    long = threading.Thread(target=sleeper, args=("long", 7200))
    for thread in (short, long):
        thread.start()
    asleep.wait()
    clock.advance_to(START + timedelta(hours=1))
    short.join(PATIENCE)
    assert woken == ["short"]
    clock.advance_to(START + timedelta(hours=3))
    long.join(PATIENCE)
    assert woken == ["short", "long"]


def test_sleeping_for_no_time_returns_at_once() -> None:
    asyncio.run(StackClock(START, Ticks()).sleep(-1))


@pytest.mark.parametrize("text", ["", "soon", "2026-11-23", "2026-11-23T10:00:00"])
def test_an_instant_needs_a_zone(text: str) -> None:
    with pytest.raises(ValueError, match=r"time zone|Invalid isoformat"):
        from_rfc3339(text)


def test_instants_are_written_in_utc() -> None:
    assert format_instant(from_rfc3339("2026-11-23T11:00:00.5+01:00")) == "2026-11-23T10:00:00.500Z"
