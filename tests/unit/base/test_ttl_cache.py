"""Callers that ask at the same time share a fact."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta

import pytest

from shared.base.caches import TtlCache
from tests.fakes.world import MORNING

AGE = timedelta(seconds=1)


class Source:
    """Records the keys of each read. It fails the first `failures` times."""

    def __init__(self, failures: int = 0) -> None:
        self.reads: list[list[str]] = []
        self.failures = failures

    async def read(self, keys: Collection[str]) -> Mapping[str, str]:
        self.reads.append(sorted(keys))
        await asyncio.sleep(0)
        if len(self.reads) <= self.failures:
            raise ConnectionError
        return {key: f"{key}{len(self.reads)}" for key in keys if key != "nothing"}


async def _asked(cache: TtlCache[str, str], *keys: str, after: float = 0) -> list[object]:
    now = MORNING + timedelta(seconds=after)
    return list(await asyncio.gather(*(cache.get(key, now) for key in keys), return_exceptions=True))


def test_concurrent_callers_share_a_read() -> None:
    async def run() -> None:
        source = Source()
        cache = TtlCache(source.read, AGE)
        assert await _asked(cache, "a", "b", "a", "nothing") == ["a1", "b1", "a1", None]
        assert source.reads == [["a", "b", "nothing"]]

    asyncio.run(run())


@pytest.mark.parametrize(("after", "found"), [(1.0, "a1"), (1.001, "a2")])
def test_a_fact_is_read_again_once_it_is_too_old(after: float, found: str) -> None:
    async def run() -> None:
        cache = TtlCache(Source().read, AGE)
        await _asked(cache, "a")
        assert await _asked(cache, "a", after=after) == [found]

    asyncio.run(run())


def test_a_forgotten_fact_is_read_again() -> None:
    async def run() -> None:
        cache = TtlCache(Source().read, AGE)
        await _asked(cache, "a", "b")
        cache.forget("a")
        assert await _asked(cache, "a", "b") == ["a2", "b1"]

    asyncio.run(run())


def test_a_failed_read_reaches_all_callers_that_shared_it_and_is_not_cached() -> None:
    async def run() -> None:
        cache = TtlCache(Source(failures=1).read, AGE)
        assert [type(one) for one in await _asked(cache, "a", "b")] == [ConnectionError, ConnectionError]
        assert await _asked(cache, "a", "b") == ["a2", "b2"]

    asyncio.run(run())
