"""Work in which one failure does not stop the rest, and reads that many callers share."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

import pytest

from shared.base.concurrency import BatchLoader, gather_bounded, one_by_one

type Way = Callable[[Iterable[Awaitable[object]]], Awaitable[None]]


@pytest.mark.parametrize("way", [gather_bounded, one_by_one])
def test_all_work_ends_and_the_first_error_is_raised(way: Way) -> None:
    done: list[str] = []

    async def work(name: str, *, fails: bool = False) -> None:
        await asyncio.sleep(0)
        if fails:
            raise ConnectionError(name)
        await asyncio.sleep(0)
        done.append(name)

    async def run() -> None:
        with pytest.raises(ConnectionError, match="b"):
            await way([work("a"), work("b", fails=True), work("c"), work("d", fails=True), work("e")])
        assert done == ["a", "c", "e"]

    asyncio.run(run())


class Store:
    """Answers when a test allows it, with the value at the time of the request."""

    def __init__(self, *, first_fails: bool = False) -> None:
        self.value = 0
        self.reads: list[list[str]] = []
        self._first_fails = first_fails
        self.may_answer = asyncio.Event()

    async def read(self, keys: Collection[str]) -> Mapping[str, int]:
        self.reads.append(sorted(keys))
        stands, fails = self.value, self._first_fails and len(self.reads) == 1
        await self.may_answer.wait()
        if fails:
            raise ConnectionError
        return {key: stands for key in keys if key != "nothing"}


def test_callers_during_a_read_share_the_next_read_and_get_its_value() -> None:
    async def run() -> None:
        store = Store()
        batch_loader = BatchLoader(store.read)
        early = [asyncio.ensure_future(batch_loader.get(key)) for key in ("a", "b")]
        for _ in range(3):
            await asyncio.sleep(0)
        store.value = 1
        late = [asyncio.ensure_future(batch_loader.get(key)) for key in ("a", "c", "nothing")]
        for _ in range(3):
            await asyncio.sleep(0)
        assert store.reads == [["a", "b"]], "one read at a time"
        store.may_answer.set()
        assert await asyncio.gather(*early) == [0, 0]
        assert await asyncio.gather(*late) == [1, 1, None]
        assert store.reads == [["a", "b"], ["a", "c", "nothing"]]

    asyncio.run(run())


def test_a_reads_error_reaches_only_the_callers_that_shared_it() -> None:
    async def run() -> None:
        store = Store(first_fails=True)
        batch_loader = BatchLoader(store.read)
        early = [asyncio.ensure_future(batch_loader.get(key)) for key in ("a", "b")]
        for _ in range(3):
            await asyncio.sleep(0)
        late = asyncio.ensure_future(batch_loader.get("a"))
        store.may_answer.set()
        assert [type(one) for one in await asyncio.gather(*early, return_exceptions=True)] == 2 * [ConnectionError]
        assert await late == 0

    asyncio.run(run())
