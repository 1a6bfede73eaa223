"""What asyncio tells of exceptions that nobody waited for."""

import asyncio
import gc

import pytest

from shared.app.runtime import Loop


async def _without_children() -> None:
    async def quotes() -> None:
        int("+22177000123x Awa")

    task = asyncio.create_task(quotes())
    await asyncio.wait([task])


def test_what_nobody_waited_for_is_told_and_its_text_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    reported: list[tuple[str, str]] = []
    loop = Loop(lambda error, where: reported.append((type(error).__name__, where)))
    loop.run(_without_children())
    gc.collect()
    loop.close()
    assert reported == [("ValueError", "event_loop")]
    assert "Awa" not in caplog.text
