"""Pauses every distribution that a provider's word concerns: all of a channel, or all that call one template."""

from collections.abc import Callable

from shared.domain.distribution import RELEASING, Distribution, DistributionStatus
from shared.domain.payload import Channel
from shared.usecases.ports import Distributions, Telemetry

_PAGE = 100


class Stopping:
    """What is paused stays so until a person resumes it. Pausing twice is pausing once.

    The list of distributions may be a moment behind: one that was confirmed just now is met by release, or by the
    provider's own refusal.
    """

    def __init__(self, distributions: Distributions, telemetry: Telemetry) -> None:
        self._distributions = distributions
        self._telemetry = telemetry

    async def pause_account(self, organisation: str, channel: Channel, reason: str) -> int:
        """Pause all that the organisation sends on a channel; answers how many distributions that were."""
        return await self._pause(organisation, lambda one: one.channel is channel, reason)

    async def pause_template(self, organisation: str, name: str, reason: str, language: str | None = None) -> int:
        """Pause all whose WhatsApp messages call the template, in that language if one is named."""
        return await self._pause(organisation, lambda one: one.calls(name, language), reason)

    async def _pause(self, organisation: str, concerned: Callable[[Distribution], bool], reason: str) -> int:
        paused = 0
        for status in RELEASING:
            for found in await self._all(organisation, status):
                if concerned(found):
                    paused += await self._pause_one(found, concerned, reason)
        return paused

    async def _all(self, organisation: str, status: DistributionStatus) -> list[Distribution]:
        found: list[Distribution] = []
        position: str | None = None
        while True:
            page = await self._distributions.page(
                organisation, campaign_id=None, status=status, position=position, limit=_PAGE
            )
            found += page.items
            position = page.position
            if position is None:
                return found

    async def _pause_one(self, found: Distribution, concerned: Callable[[Distribution], bool], reason: str) -> int:
        """Read as it surely stands, because the list may lag; try again where somebody else changed it."""
        while True:
            current = await self._distributions.get(found.organisation, found.distribution_id)
            if current is None or current.status not in RELEASING or not concerned(current):
                return 0
            if await self._distributions.save(current.paused(reason)) is not None:
                self._telemetry.trouble(
                    "distribution_stopped",
                    organisation=current.organisation,
                    distribution_id=current.distribution_id,
                    reason=reason,
                )
                return 1
