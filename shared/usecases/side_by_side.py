"""Many pieces of work of which none may stop another: each is carried to its end, then the first trouble is raised."""

import asyncio
from collections.abc import Awaitable, Iterable


async def side_by_side(works: Iterable[Awaitable[object]]) -> None:
    """All at once. Returns or raises when the last has ended: nothing is still under way behind whoever asked."""
    _raise_first(await asyncio.gather(*map(_trouble_of, works)))


async def one_by_one(works: Iterable[Awaitable[object]]) -> None:
    """Each once the one before has ended, well or not. Of a generator nothing is made that is not begun."""
    _raise_first([await _trouble_of(work) for work in works])


async def _trouble_of(work: Awaitable[object]) -> Exception | None:
    try:
        await work
    except Exception as error:
        return error
    return None


def _raise_first(troubles: Iterable[Exception | None]) -> None:
    for trouble in troubles:
        if trouble is not None:
            raise trouble
