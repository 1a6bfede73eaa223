"""Retry: the failed rows of a distribution become the rows of a new one, planned anew from their stored content.

They are found chunk by chunk: the counts say which chunks have failed rows, so the log is read only there. A row keeps
its number, so that it is the row of the officer's list in both distributions.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import batched

from shared.base.concurrency import gather_bounded
from shared.base.refusal import FieldError
from shared.campaigns.counts import RECEIPT_MISSING
from shared.campaigns.distribution import Counts, Distribution, Retry
from shared.campaigns.ports import Distributions
from shared.campaigns.stored_content import PlannedRow, Plans
from shared.messages.message import ALREADY_SENT, ERASED, Chunk, Message, Status
from shared.messages.ports import Log
from shared.policy.eligibility import Row, Stored

EXCLUDED = frozenset({"outcome_unknown", ALREADY_SENT, "opted_out", "cancelled", ERASED})
"""Reasons that a retry must name (api.md, Bulk). A message with an unknown outcome may have arrived, so sending it
again is a person's decision."""

NEVER = (ERASED, RECEIPT_MISSING)
"""Reasons that a retry must not name: nothing is left of an erased message, and a message without a receipt has not
failed."""

_AT_ONCE = 5
"""Chunks that are read together: a window of planning."""

_LOOKED_AT = 20
"""Chunks that a request reads before it is accepted. If none of them has a row for it, planning reads the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRows:
    """Finds the rows for a retry. It reads and changes nothing."""

    distributions: Distributions
    plans: Plans
    log: Log

    async def chunks(self, source: Distribution, retry: Retry) -> Sequence[tuple[Chunk, int]]:
        """The chunks with rows that failed for one of the reasons, by the running counts, and how many they have."""
        counts = await self.distributions.counts(source.organisation, source.distribution_id)
        found = {place: _failed(one, retry) for place, one in sorted(counts.items())}
        return [
            (Chunk(distribution_id=source.distribution_id, run=run, number=number), rows)
            for (run, number), rows in found.items()
            if rows > 0
        ]

    async def has_expired(self, source: Distribution, chunks: Sequence[tuple[Chunk, int]]) -> bool:
        """Whether the stored content is gone. All chunks of a plan expire on one day, or on two if it was made at
        midnight."""
        last, _ = chunks[-1]
        return await self.plans.read_chunk(source.organisation, source.planned.attempt, last) is None

    async def may_have_rows(self, source: Distribution, retry: Retry, chunks: Sequence[tuple[Chunk, int]]) -> bool:
        """Whether a retry finds a row, as far as some chunks show."""
        if len(chunks) > _LOOKED_AT:
            return True
        return any([bool(rows) async for rows in self.windows(source, retry, chunks)])

    async def windows(
        self, source: Distribution, retry: Retry, chunks: Sequence[tuple[Chunk, int]]
    ) -> AsyncIterator[Sequence[Row]]:
        """The rows, some chunks together. Memory stays bounded."""
        for some in batched(chunks, _AT_ONCE, strict=False):
            found = await asyncio.gather(*(self._rows(source, retry, *one) for one in some))
            yield [row for rows in found for row in rows]

    async def _rows(self, source: Distribution, retry: Retry, chunk: Chunk, failed: int) -> Sequence[Row]:
        planned = await self.plans.read_chunk(source.organisation, source.planned.attempt, chunk)
        if planned is None:
            return [Row(number=0, raw=None, field_error=_gone("expired")) for _ in range(failed)]
        messages = await self.log.get_many(source.organisation, [one.message_id for one in planned])
        return [
            _row(one, message)
            for one in planned
            if (message := messages.get(one.message_id)) is not None and selects(retry, message)
        ]


def selects(retry: Retry, message: Message) -> bool:
    """Whether a retry takes this row of its source."""
    if not message.may_be_sent_again or message.reason == ERASED:
        return False
    return message.reason not in EXCLUDED if retry.reasons is None else message.reason in retry.reasons


async def without_place(log: Log, organisation: str, rows: Iterable[PlannedRow]) -> set[int]:
    """Let the rows of a retry take the places of their failed messages, once they are in the log. Returns the rows
    (`PlannedRow.row`) whose failed message another one replaces, or has arrived. May be done twice."""
    lacking: set[int] = set()

    async def take(row: PlannedRow, resend_of: str) -> None:
        if not await log.note_successor(organisation, resend_of, successor=row.message_id):
            lacking.add(row.row)

    again = [(row, row.payload.resend_of) for row in rows if row.payload is not None]
    await gather_bounded(take(row, parent) for row, parent in again if parent is not None)
    return lacking


def _failed(counts: Counts, retry: Retry) -> int:
    """How many rows failed for a reason that the retry takes."""
    if retry.reasons is not None:
        return sum(counts.by_reason.get(reason, 0) for reason in retry.reasons)
    return counts.of(Status.FAILED) - sum(counts.by_reason.get(reason, 0) for reason in EXCLUDED)


def _row(planned: PlannedRow, message: Message) -> Row:
    """A row that is planned again. An erased one has no content left: it is rejected, and so it is not forgotten."""
    if planned.payload is None or not message.person:
        stored = Stored(recipient=planned.recipient, enrollment_id=planned.enrollment_id)
        return Row(number=planned.row, raw=None, field_error=_gone(ERASED), stored=stored)
    payload = replace(planned.payload, resend_of=message.message_id)
    stored = Stored(recipient=planned.recipient, enrollment_id=planned.enrollment_id, payload=payload)
    return Row(number=planned.row, raw=None, stored=stored)


def _gone(why: str) -> FieldError:
    return FieldError(field="row", code="row_unreadable", facts={"unread": why})
