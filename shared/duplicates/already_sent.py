"""`skip_already_sent`: which persons and cards a campaign has reached already, or is about to reach. Also: sorting the
duplicates out of a planning run's rows.

Every plan stores a dedupe index (`shared.duplicates.dedupe_index`) beside its chunks. A later plan of the same campaign
reads these indexes and looks up only the matching rows in the log. A message counts unless it has failed. If a failed
message was resent or has a fallback, the new message counts. A plan that is not confirmed does not count, because its
sending is not decided.

Plans made at the same time do not see each other, and a plan may be confirmed days later. So a distribution checks
again each time it logs chunks. Two distributions that log at the same time must neither wait for each other nor both
send. Therefore each takes a turn in its campaign before it logs its first row (`Turns`). The later one skips the rows
that both have, even if the earlier one has not logged them yet.

This costs one write per distribution that asks for it, and none per row. It also covers rows that match by enrolment or
by text. Such rows have no common key that a lock item could use.
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
from shared.campaigns.ports import DistributionQuery, Distributions
from shared.campaigns.stored_content import DuplicateRow, Plans
from shared.duplicates.dedupe_index import Mark, Pairs, rows_of, same_rows
from shared.duplicates.dedupe_key import AcceptedRows, DedupeKey, RowsAcceptedAgain, marks_in
from shared.messages.message import Message, Status
from shared.messages.ports import Log, Page, pages
from shared.messages.status_writer import StatusWriter
from shared.policy.eligibility import Accepted, Rejected

_PAGE = 100

_AT_ONCE = 1000

_LAG = timedelta(minutes=5)
"""Indexes may be late and clocks may differ, so changes up to this long before planning are read again."""

_CANDIDATES_AT_ONCE = 8
"""Candidates of a row that are read at once. Nearly always the first one counts. A phone may have thousands of rows."""

_REMEMBERED = 4
"""Distributions whose index stays in memory: 36 MB for a million rows."""


class Turns(Protocol):
    """The order in which a campaign's distributions begin to log; only distributions with `skip_already_sent` take
    part.
    """

    async def take(self, organisation: str, campaign_id: str, distribution_id: str) -> Sequence[str]:
        """The distributions that took their turn before this one, in order.

        The first call fixes this one's place. Of two distributions, at least one sees the other.
        """
        ...


class StillCounting:
    """Finds out whether rows of other distributions were sent or will be sent."""

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
        """`replaced`: failed messages whose successor has not failed. `give_way`: distributions with a later turn; they
        skip the rows that they share with this one, so their rows do not count here.
        """
        self._organisation = organisation
        self._log = log
        self._status_writer = status_writer
        self._clock = clock
        self._replaced = replaced
        self._give_way = give_way

    async def among(self, candidates: Mapping[int, Iterator[tuple[Distribution, int]]]) -> set[int]:
        """The rows for which one of the candidates (distribution, row in it) counts."""
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
        """Whether the message counts. A row that is not in the log yet will be sent, unless its distribution is
        cancelled.
        """
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
        """Whether the message of a cancelled distribution has ended. If the cancel has not reached it yet, it is ended
        here, so that it is certainly not sent.
        """
        now = self._clock.now()
        moved = await self._status_writer.end_unsent(self._organisation, message.message_id, "cancelled", now)
        return moved.won or (moved.before is not None and moved.before.status is Status.FAILED)


class Compares(Protocol):
    """Finds the rows of a planning run that the campaign has sent already."""

    async def among(self, rows: Mapping[int, Sequence[Mark]]) -> set[int]:
        """Those of the rows (row → marks) that were sent or will be sent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierThanRetry:
    """What a campaign had sent when a retry was planned. The rows are found by the dedupe index of their first plan:
    `replied` are those that a single message matches, `pairs` their partners in each other distribution."""

    replied: frozenset[int]
    pairs: Sequence[tuple[Distribution, Pairs]]
    still_counting: StillCounting

    async def among(self, rows: Mapping[int, Sequence[Mark]]) -> set[int]:
        """Those of the rows that were sent or will be sent. Their marks are not needed."""
        wanted = set(rows)
        found = wanted & self.replied
        return found | await self.still_counting.among({row: _candidates(self.pairs, row) for row in wanted - found})


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What a campaign had sent when a planning run began: the index of each distribution, and the marks of its single
    messages that have not failed.
    """

    books: Sequence[tuple[Distribution, bytes]]
    singles: "Singles"
    still_counting: StillCounting

    async def among(self, rows: Mapping[int, Sequence[Mark]]) -> set[int]:
        """Those of the rows (row → marks) that were sent or will be sent."""
        found = {row for row, marks in rows.items() if self.singles.have(marks)}
        return found | await self.still_counting.among(
            {row: self._candidates(marks) for row, marks in rows.items() if row not in found}
        )

    def _candidates(self, marks: Sequence[Mark]) -> Iterator[tuple[Distribution, int]]:
        return ((one, row) for one, book in self.books for row in rows_of(book, marks))


class Singles:
    """The marks of single messages that have not failed, and the failed messages that they replace."""

    def __init__(self, keys: Iterable[str], replaced: frozenset[str]) -> None:
        self.keys = [marks_in(key) for key in keys]
        self.replaced = replaced
        self._decides: dict[bytes, bool] = {}
        for mark in (mark for marks in self.keys for mark in marks):
            self._decides[mark.digest] = mark.decides or self._decides.get(mark.digest, False)

    def have(self, marks: Sequence[Mark]) -> bool:
        """Whether a single message matches one of these marks."""
        found = ((mark, self._decides.get(mark.digest[:8])) for mark in marks)
        return any(decides is not None and (decides or mark.decides) for mark, decides in found)


@dataclass(slots=True)
class _Known:
    """What is remembered of a distribution that logs: its own index, and the rows that it shares with others."""

    book: bytes
    pairs: dict[str, Pairs] = field(default_factory=dict)


class AlreadySent:
    """Finds what a campaign has sent."""

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
        """What the campaign has sent, apart from this distribution."""
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

    async def before_retry(self, distribution: Distribution, source: Distribution, first: bytes) -> EarlierThanRetry:
        """What the campaign has sent, apart from this retry and the distribution whose failed rows it takes. `first`:
        that one's dedupe index."""
        others = [
            one
            for one in await self._confirmed(distribution, None)
            if one.distribution_id not in (distribution.distribution_id, source.distribution_id)
        ]
        singles = await self._singles(distribution, None)
        return EarlierThanRetry(
            replied=frozenset(row for marks in singles.keys for row in rows_of(first, marks)),
            pairs=[(one, same_rows(first, await self._book(one) or b"")) for one in others],
            still_counting=self._still_counting(distribution.organisation, singles.replaced),
        )

    async def index_of(self, source: Distribution) -> bytes:
        """The dedupe index of a distribution's plan; empty if it has expired."""
        return await self._book(source) or b""

    async def since_planning(self, distribution: Distribution, rows: Iterable[int]) -> set[int]:
        """The rows that the campaign has sent since this distribution was planned, or will send.

        Called before rows are logged; it may be called again for the same rows. A worker reads the index of each other
        distribution once.
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
        """The distribution's index and its pairs; None if the index has expired."""
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
        """The other distributions that may have sent the same rows: confirmed since this one was planned, or with a row
        that was resent since.
        """
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
        """The campaign's confirmed distributions, newest first. With `since`, without those that are too old to have
        been confirmed after it.
        """

        query = DistributionQuery(organisation=distribution.organisation, campaign_id=distribution.campaign_id)

        async def read(position: str | None) -> Page[Distribution]:
            page = await self._distributions.page(query, position, _PAGE)
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
            # A successor's parent may be older than the listed messages.
            wanted = sorted(set(filter(None, map(_parent_of, found.values()))) - asked)
        return _still_counting_for([found[one] for one in new_ids if one in found], found)


def _candidates(pairs: Sequence[tuple[Distribution, Pairs]], row: int) -> Iterator[tuple[Distribution, int]]:
    return ((one, other) for one, both in pairs for other in both.of(row))


def _parent_of(message: Message) -> str | None:
    """The ID of the message that this one replaces, if that message must be looked up. A row of a distribution is found
    by its own index, also a row of a retry."""
    return message.parent_message_id if message.dedupe_key is None and message.chunk is None else None


def _still_counting_for(messages: Iterable[Message], known: Mapping[str, Message]) -> Singles:
    """The marks of messages that have not failed, and the rows of distributions that they replace."""
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


# Duplicates within a planning run.


_A_PART = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the rows of a planning run are compared with: each other, and, with `skip_already_sent`, what the campaign
    has sent already."""

    earlier: Compares | None = None
    accepted: AcceptedRows | RowsAcceptedAgain = field(default_factory=AcceptedRows)


class DuplicateRows:
    """Finds the duplicates in a file's rows and stores them. The caller passes the rows in the file's order."""

    def __init__(self, distribution: Distribution, plans: Plans, writes: Writes, comparison: Comparison) -> None:
        self._distribution = distribution
        self._plans = plans
        self._writes = writes
        self._earlier = comparison.earlier
        self._accepted = comparison.accepted
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
        """Whether the row is a duplicate and must not be sent. If not, later rows are compared with it."""
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
        """Store the remaining duplicates, and the dedupe index of the accepted rows for the campaign's later
        distributions.
        """
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
