"""asyncio's report of exceptions in tasks that were not awaited."""

import asyncio
import gc

import pytest

from shared.app.runtime import Loop


async def _without_children() -> None:
    async def quotes() -> None:
        int("+22177000123x Awa")

    task = asyncio.create_task(quotes())
    await asyncio.wait([task])


def test_an_exception_in_a_task_that_was_not_awaited_is_reported_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reported: list[tuple[str, str]] = []
    loop = Loop(lambda error, where: reported.append((type(error).__name__, where)))
    loop.run(_without_children())
    gc.collect()
    loop.close()
    assert reported == [("ValueError", "event_loop")]
    assert "Awa" not in caplog.text
