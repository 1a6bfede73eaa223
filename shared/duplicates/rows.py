"""Sorts the duplicates out of a planning run's rows, and writes down which they are."""

from collections.abc import Sequence

from shared.base.concurrency import Writes
from shared.campaigns.distribution import Distribution
from shared.campaigns.stored_content import DuplicateRow, Plans
from shared.duplicates.already_sent import Earlier
from shared.duplicates.dedupe_key import AcceptedRows, DedupeKey
from shared.policy.eligibility import Accepted, Rejected

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
