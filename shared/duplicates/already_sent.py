"""Whom a campaign has reached already, or is about to: `skip_already_sent`.

Every plan leaves its dedupe index (`shared.duplicates.dedupe_index`) beside its chunks. A later plan of the same
campaign that asks for it reads those, and looks up in the log only the rows that match. What counts is a message that
has not failed. One that failed and was sent again, or went as its fallback, counts by its successor. What is planned
and not confirmed does not count: no person has decided to send it.

Plans that are made at the same time do not see each other, and a plan may be confirmed days after it was made. So a
distribution asks again each time it logs some chunks. Two that log at once must not wait for each other, nor send both.
Therefore each takes a turn in its campaign before it logs its first row (`Turns`): the later one leaves to the earlier
one what both have, whether that one has logged it yet or not. This costs one write for each distribution that asks, and
none for each row. It also covers rows that match by their enrolment or their text, which have no key in common that an
item of their own could lock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched, islice
from typing import Protocol

from shared.base.caches import LruCache
from shared.base.concurrency import Writes
from shared.base.ids import row_message_id
from shared.base.instants import Clock
from shared.campaigns.distribution import UNCONFIRMED_LIFE, Distribution, DistributionStatus
from shared.campaigns.ports import Distributions
from shared.campaigns.stored_content import DuplicateRow, Plans
from shared.duplicates.dedupe_index import Pairs, Print, rows_of, same_rows
from shared.duplicates.dedupe_key import AcceptedRows, DedupeKey, marks_in
from shared.messages.message import Message, Status
from shared.messages.ports import Log, Page, pages
from shared.messages.status_writer import StatusWriter
from shared.policy.eligibility import Accepted, Rejected

ALREADY_SENT = "already_sent"
"""Reason of a row that was found only when it was logged (api.md, Codes)."""

_PAGE = 100

_AT_ONCE = 1000

_LAG = timedelta(minutes=5)
"""Indexes may be a moment behind, and clocks differ a little: what changed so long before planning is read again."""

_CANDIDATES_AT_ONCE = 8
"""Of a row. Nearly always the first one counts; a phone with thousands of rows must not be looked up whole."""

_REMEMBERED = 4
"""Distributions whose index is kept in memory between two turns: 36 MB for a million rows."""


class Turns(Protocol):
    """The order in which a campaign's distributions begin to log, of those that skip what was sent."""

    async def take(self, organisation: str, campaign_id: str, distribution_id: str) -> Sequence[str]:
        """The distributions that took their turn before this one, in order. The first call decides its place for good:
        of two, one surely sees the other."""
        ...


class StillCounting:
    """Says of rows of other distributions whether they are sent, or on their way."""

    def __init__(
        self,
        organisation: str,
        log: Log,
        status_writer: StatusWriter,
        clock: Clock,
        *,
        replaced: frozenset[str],
        give_way: frozenset[str],
    ) -> None:
        """`replaced`: messages that failed and have a successor that has not. `give_way`: distributions with a later
        turn. They compare themselves with this one, so their rows do not count here."""
        self._organisation = organisation
        self._log = log
        self._status_writer = status_writer
        self._clock = clock
        self._replaced = replaced
        self._give_way = give_way

    async def among(self, candidates: Mapping[int, Iterator[tuple[Distribution, int]]]) -> set[int]:
        """Those rows of which one of the candidates (distribution, row in it) counts."""
        found: set[int] = set()
        remaining = dict(candidates)
        while remaining:
            some = {row: list(islice(others, _CANDIDATES_AT_ONCE)) for row, others in remaining.items()}
            found |= await self._with_one(some)
            remaining = {row: remaining[row] for row, others in some.items() if others and row not in found}
        await self._status_writer.flush()
        return found

    async def _with_one(self, candidates: Mapping[int, Sequence[tuple[Distribution, int]]]) -> set[int]:
        named = {
            row: [(one, row_message_id(one.distribution_id, other)) for one, other in others]
            for row, others in candidates.items()
        }
        wanted = sorted({message_id for others in named.values() for _, message_id in others})
        logged = await self._log.get_many(self._organisation, wanted) if wanted else {}
        return {
            row
            for row, others in named.items()
            for one, message_id in others
            if await self._counts(one, message_id, logged.get(message_id))
        }

    async def _counts(self, distribution: Distribution, message_id: str, message: Message | None) -> bool:
        """A row that is not in the log yet will come, unless its distribution was cancelled."""
        if message_id in self._replaced:
            return True
        if distribution.distribution_id in self._give_way:
            return False
        is_cancelled = distribution.status is DistributionStatus.CANCELLED
        if message is None:
            return not is_cancelled
        if message.status is Status.FAILED:
            return False
        return not (is_cancelled and message.is_open and await self._has_ended(message))

    async def _has_ended(self, message: Message) -> bool:
        """The cancel's sweep has not come to it yet. It is ended here, so that it surely does not leave any more."""
        now = self._clock.now()
        moved = await self._status_writer.end_unsent(self._organisation, message.message_id, "cancelled", now)
        return moved.won or (moved.before is not None and moved.before.status is Status.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What a campaign had sent when a planning run began: the index of each distribution, the marks of its single
    messages that have not failed."""

    books: Sequence[tuple[Distribution, bytes]]
    singles: "Singles"
    still_counting: StillCounting

    async def among(self, rows: Mapping[int, Sequence[Print]]) -> set[int]:
        """Those of the rows (each with its marks) that are sent, or on their way."""
        found = {row for row, marks in rows.items() if self.singles.have(marks)}
        return found | await self.still_counting.among(
            {row: self._candidates(marks) for row, marks in rows.items() if row not in found}
        )

    def _candidates(self, marks: Sequence[Print]) -> Iterator[tuple[Distribution, int]]:
        return ((one, row) for one, book in self.books for row in rows_of(book, marks))


class Singles:
    """Single messages that have not failed, by their marks; and the messages elsewhere that they stand for."""

    def __init__(self, keys: Iterable[str], replaced: frozenset[str]) -> None:
        self.keys = [marks_in(key) for key in keys]
        self.replaced = replaced
        self._decides: dict[bytes, bool] = {}
        for mark in (mark for marks in self.keys for mark in marks):
            self._decides[mark.digest] = mark.decides or self._decides.get(mark.digest, False)

    def have(self, marks: Sequence[Print]) -> bool:
        """Whether one of them is one message with what has these marks."""
        found = ((mark, self._decides.get(mark.digest[:8])) for mark in marks)
        return any(decides is not None and (decides or mark.decides) for mark, decides in found)


@dataclass(slots=True)
class _Known:
    """What is remembered of a distribution that logs: its own index, and its rows that others have too."""

    book: bytes
    pairs: dict[str, Pairs] = field(default_factory=dict)


class AlreadySent:
    """Reads what a campaign has sent."""

    def __init__(
        self,
        distributions: Distributions,
        turns: Turns,
        plans: Plans,
        log: Log,
        status_writer: StatusWriter,
        clock: Clock,
    ) -> None:
        self._distributions = distributions
        self._turns = turns
        self._plans = plans
        self._log = log
        self._status_writer = status_writer
        self._clock = clock
        self._known: LruCache[str, _Known] = LruCache(_REMEMBERED)

    async def before(self, distribution: Distribution) -> Earlier:
        """What its campaign has sent besides itself."""
        organisation = distribution.organisation
        books = [
            (one, book)
            for one in await self._confirmed(distribution, None)
            if one.distribution_id != distribution.distribution_id
            and (book := await self._plans.read_dedupe_index(organisation, one.distribution_id, one.planned.attempt))
        ]
        singles = await self._singles(distribution, None)
        return Earlier(
            books=books, singles=singles, still_counting=self._still_counting(organisation, singles.replaced)
        )

    async def since_planning(self, distribution: Distribution, rows: Iterable[int]) -> set[int]:
        """Those of its rows that its campaign has sent since it was planned, or is about to. Asked before rows are
        logged; may be asked again.

        The index of each other distribution is read once in the life of a worker.
        """
        planned_at = distribution.planned.compared_at
        known = await self._remembered(distribution) if planned_at is not None else None
        if planned_at is None or known is None:
            return set()
        since = planned_at - _LAG
        turns = await self._turns.take(
            distribution.organisation, distribution.campaign_id, distribution.distribution_id
        )
        singles = await self._singles(distribution, since)
        others = await self._since(distribution, since, turns, singles.replaced)
        give_way = frozenset(
            one.distribution_id for one in others if one.skip_already_sent and one.distribution_id not in turns
        )
        replied = {row for marks in singles.keys for row in rows_of(known.book, marks)}
        pairs = [(one, await self._pairs(distribution, known, one)) for one in others]
        wanted = set(rows)
        found = wanted & replied
        still_counting = self._still_counting(distribution.organisation, singles.replaced, give_way)
        return found | await still_counting.among({row: _candidates(pairs, row) for row in wanted - found})

    def _still_counting(
        self, organisation: str, replaced: frozenset[str], give_way: frozenset[str] = frozenset()
    ) -> StillCounting:
        return StillCounting(
            organisation, self._log, self._status_writer, self._clock, replaced=replaced, give_way=give_way
        )

    async def _remembered(self, distribution: Distribution) -> _Known | None:
        """None: its index has expired."""
        known = self._known.get(distribution.distribution_id)
        if known is None:
            book = await self._book(distribution)
            if book is None:
                return None
            known = self._known[distribution.distribution_id] = _Known(book)
        return known

    async def _book(self, one: Distribution) -> bytes | None:
        return await self._plans.read_dedupe_index(one.organisation, one.distribution_id, one.planned.attempt)

    async def _pairs(self, distribution: Distribution, known: _Known, other: Distribution) -> Pairs:
        if other.distribution_id not in known.pairs:
            book = await self._book(other)
            known.pairs[other.distribution_id] = same_rows(known.book, book or b"")
        return known.pairs[other.distribution_id]

    async def _since(
        self, distribution: Distribution, since: datetime, turns: Sequence[str], replaced: frozenset[str]
    ) -> Sequence[Distribution]:
        """The other distributions that may have sent what this one is about to: confirmed since it was planned, or with
        a row that was sent again since."""
        organisation = distribution.organisation
        listed = await self._confirmed(distribution, since)
        turned = await self._distributions.get_many([(organisation, one) for one in turns])
        confirmed = {one.distribution_id: one for one in (*listed, *turned.values())}
        rows = await self._log.get_many(organisation, sorted(replaced))
        again = {row.distribution_id for row in rows.values() if row.distribution_id is not None}
        found = {
            one.distribution_id: one
            for one in confirmed.values()
            if one.was_confirmed and (one.confirmed_at is None or one.confirmed_at >= since)
        }
        found |= await self._distributions.get_many([(organisation, one) for one in sorted(again - found.keys())])
        found.pop(distribution.distribution_id, None)
        return list(found.values())

    async def _confirmed(self, distribution: Distribution, since: datetime | None) -> list[Distribution]:
        """Its campaign's, newest first. `since`: not those that were made so long before that no person can have
        confirmed them since."""

        async def read(position: str | None) -> Page[Distribution]:
            page = await self._distributions.page(
                distribution.organisation,
                campaign_id=distribution.campaign_id,
                status=None,
                position=position,
                limit=_PAGE,
            )
            young = [one for one in page.items if since is None or one.created_at >= since - UNCONFIRMED_LIFE]
            return Page(items=young, position=page.position if len(young) == len(page.items) else None)

        return [one async for page in pages(read) for one in page if one.was_confirmed]

    async def _singles(self, distribution: Distribution, since: datetime | None) -> Singles:
        organisation = distribution.organisation
        listed = await self._log.singles(organisation, distribution.campaign_id, (since, None))
        new_ids = [one.message_id for one in listed]
        found: dict[str, Message] = {}
        asked: set[str] = set()
        wanted = new_ids
        while wanted:
            asked.update(wanted)
            for some in batched(wanted, _AT_ONCE, strict=False):
                found |= await self._log.get_many(organisation, some)
            # A successor's parent may be older than what was listed.
            wanted = sorted(set(filter(None, map(_parent_of, found.values()))) - asked)
        return _still_counting_for([found[one] for one in new_ids if one in found], found)


def _candidates(pairs: Sequence[tuple[Distribution, Pairs]], row: int) -> Iterator[tuple[Distribution, int]]:
    return ((one, other) for one, both in pairs for other in both.of(row))


def _parent_of(message: Message) -> str | None:
    """The message whose place it takes, if that has to be looked up."""
    return message.parent_message_id if message.dedupe_key is None else None


def _still_counting_for(messages: Iterable[Message], known: Mapping[str, Message]) -> Singles:
    """The marks of what has not failed, and the rows of distributions that it stands for."""
    keys: set[str] = set()
    elsewhere: set[str] = set()
    for message in messages:
        if message.status is Status.FAILED:
            continue
        first = message
        while (parent := known.get(_parent_of(first) or "")) is not None:
            first = parent
        if first.dedupe_key is not None:
            keys.add(first.dedupe_key)
        elif first.chunk is not None and first is not message:
            elsewhere.add(first.message_id)
        elif first.parent_message_id is not None:
            elsewhere.add(first.parent_message_id)
    return Singles(keys, frozenset(elsewhere))


# Sorts the duplicates out of a planning run's rows, and writes down which they are.


_A_PART = 1000


class DuplicateRows:
    """Takes the rows in the order of their file. `earlier`: what the campaign has sent already; None if nobody asks."""

    def __init__(self, distribution: Distribution, plans: Plans, writes: Writes, earlier: Earlier | None) -> None:
        self._distribution = distribution
        self._plans = plans
        self._writes = writes
        self._earlier = earlier
        self._accepted = AcceptedRows()
        self._keys: dict[int, DedupeKey] = {}
        self._sent: set[int] = set()
        self._found: list[DuplicateRow] = []
        self._parts = 0

    async def look_ahead(self, row_results: Sequence[Accepted | Rejected]) -> None:
        """Look up which of the next rows the campaign has sent already, many at once."""
        self._keys = {one.row: one.dedupe_key for one in row_results if isinstance(one, Accepted)}
        if self._earlier is not None:
            self._sent = await self._earlier.among({row: key.marks for row, key in self._keys.items()})

    async def has(self, accepted: Accepted) -> bool:
        """Whether the row is a duplicate, and so is not to be sent. If not, later rows are compared with it."""
        if accepted.row in self._sent:
            duplicate_of = None
        else:
            duplicate_of = self._accepted.take(self._keys[accepted.row], accepted.row)
            if duplicate_of is None:
                return False
        self._found.append(
            DuplicateRow(
                row=accepted.row,
                duplicate_of=duplicate_of,
                recipient=accepted.composed.phone.masked,
                enrollment_id=accepted.composed.enrollment_id,
            )
        )
        if len(self._found) >= _A_PART:
            await self._write_part()
        return True

    async def close(self) -> None:
        """Write what is left, and the dedupe index of the accepted rows for the campaign's later distributions."""
        if self._found:
            await self._write_part()
        one = self._distribution
        book = self._accepted.book()
        await self._writes.start(
            self._plans.write_dedupe_index(one.organisation, one.distribution_id, one.attempt, book)
        )

    async def _write_part(self) -> None:
        one, part, rows = self._distribution, self._parts, self._found
        self._parts, self._found = part + 1, []
        await self._writes.start(
            self._plans.write_duplicates(one.organisation, one.distribution_id, one.attempt, part, rows)
        )
