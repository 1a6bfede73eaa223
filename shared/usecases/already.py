"""Whom a campaign has reached already, or is about to: `skip_already_sent`.

Every plan leaves its prints (`shared.domain.prints`) beside its chunks. A later plan of the same campaign that asks
for it reads those, and looks up in the log only the rows that match: nothing is written a message. What counts is a
message that has not failed. One that failed and was sent again, or went as its fallback, counts by its successor.

What is planned and not confirmed does not count: nobody has decided to send it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.distribution import Distribution, DistributionStatus
from shared.domain.ids import row_message_id
from shared.domain.message import Message
from shared.domain.prints import row_of
from shared.domain.status import Status
from shared.usecases.frozen import Plans
from shared.usecases.ports import Distributions, Log

_PAGE = 100
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What a campaign had sent when a planning run began: 12 bytes for each row of its distributions, and the numbers
    and cards of its single messages."""

    organisation: str
    books: Sequence[tuple[Distribution, bytes]]
    singles: frozenset[str]
    """Prints of single messages that have not failed."""
    replaced: frozenset[str]
    """Messages of distributions that failed and have a successor that has not."""
    log: Log

    async def among(self, samenesses: Iterable[str]) -> set[str]:
        """Those that are sent, or on their way."""
        wanted = set(samenesses)
        found = wanted & self.singles
        candidates = {
            row_message_id(distribution.distribution_id, row): (sameness, distribution)
            for distribution, book in self.books
            for sameness in wanted - found
            if (row := row_of(book, sameness)) is not None
        }
        logged = await self.log.get_many(self.organisation, list(candidates)) if candidates else {}
        for message_id, (sameness, distribution) in candidates.items():
            if self._stands(message_id, logged.get(message_id), distribution):
                found.add(sameness)
        return found

    def _stands(self, message_id: str, message: Message | None, distribution: Distribution) -> bool:
        """A row that is not in the log yet will come, unless its distribution was cancelled."""
        if message is None:
            return distribution.status is not DistributionStatus.CANCELLED
        return message.status is not Status.FAILED or message_id in self.replaced


class AlreadySent:
    """Reads what a campaign has sent."""

    def __init__(self, distributions: Distributions, plans: Plans, log: Log) -> None:
        self._distributions = distributions
        self._plans = plans
        self._log = log

    async def before(self, distribution: Distribution) -> Earlier:
        """What its campaign has sent besides itself."""
        organisation = distribution.organisation
        books = [
            (one, book)
            for one in await self._confirmed(organisation, distribution.campaign_id)
            if one.distribution_id != distribution.distribution_id
            and (book := await self._plans.read_prints(organisation, one.distribution_id, one.planned.attempt))
        ]
        singles, replaced = _standing(await self._singles(organisation, distribution.campaign_id))
        return Earlier(organisation=organisation, books=books, singles=singles, replaced=replaced, log=self._log)

    async def _confirmed(self, organisation: str, campaign_id: str) -> list[Distribution]:
        found: list[Distribution] = []
        position: str | None = None
        while True:
            page = await self._distributions.page(
                organisation, campaign_id=campaign_id, status=None, position=position, limit=_PAGE
            )
            found += [one for one in page.items if one.was_confirmed]
            position = page.position
            if position is None:
                return found

    async def _singles(self, organisation: str, campaign_id: str) -> dict[str, Message]:
        listed = await self._log.singles(organisation, campaign_id, (None, None))
        found: dict[str, Message] = {}
        for start in range(0, len(listed), _AT_ONCE):
            part = [one.message_id for one in listed[start : start + _AT_ONCE]]
            found |= await self._log.get_many(organisation, part)
        return found


def _standing(singles: Mapping[str, Message]) -> tuple[frozenset[str], frozenset[str]]:
    """Prints of what has not failed, and the messages elsewhere that it stands for."""
    prints: set[str] = set()
    elsewhere: set[str] = set()
    for message in singles.values():
        if message.status is Status.FAILED:
            continue
        first = message
        while first.sameness is None and (parent := singles.get(first.parent_message_id or "")) is not None:
            first = parent
        if first.sameness is not None:
            prints.add(first.sameness)
        elif first.parent_message_id is not None:
            elsewhere.add(first.parent_message_id)
    return frozenset(prints), frozenset(elsewhere)
