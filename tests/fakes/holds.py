"""Holds in memory."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from shared.campaigns.distribution import Distribution
from shared.holds.hold import Holds
from shared.messages.payload import Channel
from tests.fakes.bulk import FakeDistributions
from tests.fakes.world import Points


class FakeHolds:
    """Implements `HoldStore`. It reads the distributions with the holds, as the table does."""

    def __init__(self, points: Points, distributions: FakeDistributions) -> None:
        self.items: dict[tuple[str, Channel], Holds] = {}
        self._points = points
        self._distributions = distributions

    async def get(self, organisation: str, channel: Channel) -> Holds:
        await self._points("holds.get")
        return self.items.get((organisation, channel), Holds(organisation=organisation, channel=channel))

    async def read(
        self, distributions: Collection[tuple[str, str]], holds: Collection[tuple[str, Channel]]
    ) -> tuple[Mapping[tuple[str, str], Distribution], Mapping[tuple[str, Channel], Holds]]:
        found = await self._distributions.get_many(distributions)
        return (
            {(one.organisation, one.distribution_id): one for one in found.values()},
            {one: self.items[one] for one in holds if one in self.items},
        )

    async def save(self, holds: Holds) -> bool:
        await self._points("holds.save")
        key = (holds.organisation, holds.channel)
        known = self.items.get(key)
        if known == dataclasses.replace(holds, revision=holds.revision + 1):
            return True
        if holds.revision != (known.revision if known else 0):
            return False
        self.items[key] = dataclasses.replace(holds, revision=holds.revision + 1)
        return True

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[str, Channel]]:
        await self._points("holds.due")
        due = [(one.check_at, key) for key, one in self.items.items() if one.check_at and one.check_at <= now]
        return [key for _, key in sorted(due)[:limit]]
