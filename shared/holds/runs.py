"""What holds do to a distribution: which runs wait, which begin anew, and what its status is. Pure.

A person's pause and the holds are two stored facts. A pause is the distribution's own status `paused` with the reason
`paused_by_user`; what holds make of the rest is worked out here, and never ends a pause.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.campaigns.distribution import Counts, Distribution, DistributionStatus, Run
from shared.holds.hold import DAILY_LIMIT, Holds, HoldScope, RunHold, ScopeKey, scopes_for

type Settled = Mapping[tuple[int, int], int]
"""(run, chunk) → how many rows have left `pending` there."""


def settled_by(counts: Mapping[tuple[int, int], Counts]) -> Settled:
    """By the counts of a distribution's chunks."""
    return {place: one.total for place, one in counts.items()}


def scopes_of(distribution: Distribution, run: Run) -> list[ScopeKey]:
    """What may hold a run."""
    return scopes_for(run.country, run.template, run.card_host, distribution.distribution_id)


def is_concerned(distribution: Distribution, holds: Holds) -> bool:
    """Whether one of its runs is held, or was until now."""
    return distribution.is_held or any(run.hold for run in distribution.planned.runs) or is_changed(distribution, holds)


def is_changed(distribution: Distribution, holds: Holds) -> bool:
    """Whether one of its runs is held or free otherwise than release last saw it."""
    for run in distribution.planned.runs:
        scopes = scopes_of(distribution, run)
        is_held = holds.holding(scopes) is not None
        if is_held != (run.hold is not None) or (not is_held and holds.generation_of(scopes) != run.generation):
            return True
    return False


def with_holds(distribution: Distribution, holds: Holds, settled: Settled, now: datetime) -> Distribution:
    """The distribution as the holds leave it: held runs wait, freed ones begin anew at their first chunk with pending
    rows, and the status says whether anything else is left to send."""
    if not distribution.is_releasing:
        return distribution
    runs = tuple(_with_hold(distribution, index, holds, settled) for index in range(len(distribution.planned.runs)))
    plan = dataclasses.replace(distribution.planned, runs=runs)
    waiting = [
        run
        for index, run in enumerate(runs)
        if run.pending_rows(index, settled) or (run.hold is not None and run.hold.reported_later)
    ]
    return _with_status(dataclasses.replace(distribution, plan=plan), waiting, now)


def held_rows(distribution: Distribution, settled: Settled) -> dict[RunHold, int]:
    """How many rows each hold keeps pending."""
    rows: dict[RunHold, int] = {}
    for index, run in enumerate(distribution.planned.runs if distribution.plan else ()):
        if run.hold is not None:
            rows[run.hold] = rows.get(run.hold, 0) + run.pending_rows(index, settled)
    return rows


def _with_hold(distribution: Distribution, index: int, holds: Holds, settled: Settled) -> Run:
    run = distribution.planned.runs[index]
    scopes = scopes_of(distribution, run)
    found = holds.holding(scopes)
    if found is not None:
        scope, hold = found
        held = RunHold(scope=scope, reason=hold.reason, since=hold.since, reported_later=hold.reported_later)
        return dataclasses.replace(run, hold=held)
    generation = holds.generation_of(scopes)
    if run.hold is None and generation == run.generation:
        return run
    freed = dataclasses.replace(run, hold=None, generation=generation, epoch=run.epoch + 1)
    return freed.rewound(index, settled)


def _with_status(distribution: Distribution, waiting: Sequence[Run], now: datetime) -> Distribution:
    """`waiting`: the runs with pending rows. Once all of them are held it is paused; a daily limit only slows it."""
    held = [run.hold for run in waiting if run.hold is not None]
    reason = _widest(held).reason if held and len(held) == len(waiting) else None
    is_tried = distribution.trying_until is not None and now < distribution.trying_until
    if reason is not None and not is_tried and any(hold.scope != DAILY_LIMIT for hold in held):
        return distribution.paused(reason)
    if not distribution.is_held:
        return dataclasses.replace(distribution, status_reason=reason)
    opens = distribution.opens(now)
    status = DistributionStatus.SCHEDULED if opens > now else DistributionStatus.SENDING
    return dataclasses.replace(distribution, status=status, status_reason=reason, due_at=now)


def _widest(holds: Iterable[RunHold]) -> RunHold:
    order = list(HoldScope)
    return min(holds, key=lambda hold: order.index(hold.scope.scope))
