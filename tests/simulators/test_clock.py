"""The simulators' clock follows the jumps of the stack's clock."""

import asyncio
from datetime import timedelta

from local.simulators.clock import OffsetClock


async def _slept(clock: OffsetClock, seconds: float, order: list[float]) -> None:
    await clock.sleep(seconds)
    order.append(seconds)


def test_a_jump_wakes_only_the_sleepers_that_it_passes() -> None:
    asyncio.run(_jumps())


async def _jumps() -> None:
    clock = OffsetClock()
    order: list[float] = []
    sleepers = [asyncio.create_task(_slept(clock, seconds, order)) for seconds in (600.0, 3600.0, 60.0)]
    await asyncio.sleep(0)
    clock.set(clock.now() + timedelta(minutes=20))
    await asyncio.gather(sleepers[0], sleepers[2])
    assert sorted(order) == [60.0, 600.0]
    assert not sleepers[1].done()
    clock.set(clock.now() + timedelta(minutes=50))
    await sleepers[1]


def test_sleeping_for_no_time_ends_at_once() -> None:
    asyncio.run(OffsetClock().sleep(0))
    asyncio.run(OffsetClock().sleep(-1))
