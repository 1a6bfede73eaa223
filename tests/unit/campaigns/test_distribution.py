from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.campaigns.distribution import (
    PAUSED_BY_USER,
    Action,
    Counts,
    Distribution,
    DistributionStatus,
    Outcome,
    Plan,
    Run,
    Schedule,
    ScheduleMode,
    outcome_of,
)
from shared.messages.message import Status
from shared.messages.payload import Channel

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=19)
TABLE = """
    planning   confirm 409   pause 409     resume 409   cancel cancelled
    planned    confirm runs  pause 409     resume 409   cancel cancelled
    scheduled  confirm 200   pause paused  resume 200   cancel cancelled
    sending    confirm 200   pause paused  resume 200   cancel cancelled
    paused     confirm 409   pause 200     resume runs  cancel cancelled
    completed  confirm 409   pause 409     resume 409   cancel 409
    rejected   confirm 409   pause 409     resume 409   cancel 409
    cancelled  confirm 409   pause 409     resume 409   cancel 200
"""
"""api.md, "Bulk", copied cell by cell; `runs` is "→ sending or scheduled"."""
MEANING = {
    "409": Outcome.CONFLICT,
    "200": Outcome.UNCHANGED,
    "runs": Outcome.RUN,
    "paused": Outcome.PAUSE,
    "cancelled": Outcome.CANCEL,
}
CELLS = {
    (status, action): MEANING[cell]
    for status, *cells in (line.split() for line in TABLE.strip().splitlines())
    for action, cell in zip(cells[::2], cells[1::2], strict=True)
}


@pytest.mark.parametrize(("status", "action"), list(product(DistributionStatus, Action)))
def test_the_table_of_actions(status: DistributionStatus, action: Action) -> None:
    assert outcome_of(action, status) is CELLS[(status, action)]


def run(country: str = "SN", *, rows: int = 250, logged: int = 0, released: int = 0) -> Run:
    return Run(country=country, rows=rows, chunks=3, logged=logged, released=released)


PLAN = Plan(
    attempt=1,
    runs=(run(), run("MG")),
    accepted=500,
    rejected=1,
    duplicates=2,
    segments=500,
    prices=(),
    warnings=(),
    peak=(),
    starts_at=None,
    estimated_end=None,
)
PLANNED = Distribution(
    organisation="demo",
    distribution_id="d",
    campaign_id="c",
    channel=Channel.SMS,
    schedule=Schedule(),
    confirm=False,
    request_hash="h",
    status=DistributionStatus.PLANNED,
    created_at=NOW,
    plan=PLAN,
)


def starting(starts_at: datetime | None) -> Distribution:
    return replace(PLANNED, plan=replace(PLAN, starts_at=starts_at))


@pytest.mark.parametrize(
    ("starts_at", "status", "due_at"),
    [
        (None, DistributionStatus.SENDING, NOW),
        (NOW - timedelta(hours=1), DistributionStatus.SENDING, NOW),
        (NOW, DistributionStatus.SENDING, NOW),
        (LATER, DistributionStatus.SCHEDULED, LATER),
    ],
)
def test_a_confirmed_distribution_is_due_at_its_start(
    starts_at: datetime | None, status: DistributionStatus, due_at: datetime
) -> None:
    confirmed = starting(starts_at).confirmed(NOW)
    assert (confirmed.status, confirmed.due_at, confirmed.epoch) == (status, due_at, 1)


@pytest.mark.parametrize(
    ("channel", "status", "due_at"),
    [
        (Channel.SMS, DistributionStatus.SCHEDULED, datetime(2026, 11, 24, 4, tzinfo=UTC)),  # in Madagascar
        (Channel.WHATSAPP, DistributionStatus.SENDING, datetime(2026, 11, 23, 22, tzinfo=UTC)),
    ],
)
def test_a_distribution_confirmed_at_night_waits_for_the_morning(
    channel: Channel, status: DistributionStatus, due_at: datetime
) -> None:
    night = datetime(2026, 11, 23, 22, tzinfo=UTC)
    planned = replace(PLANNED, channel=channel, plan=replace(PLAN, starts_at=night - timedelta(hours=8)))
    confirmed = planned.confirmed(night)
    assert (confirmed.status, confirmed.due_at) == (status, due_at)


def test_a_pause_raises_the_epoch_of_queue_messages() -> None:
    sending = PLANNED.confirmed(NOW)
    paused = sending.paused(PAUSED_BY_USER)
    assert (paused.status, paused.status_reason) == (DistributionStatus.PAUSED, "paused_by_user")
    assert (paused.due_at, paused.epoch) == (None, sending.epoch + 1)


@pytest.mark.parametrize(
    ("first", "released"),
    [((3, 3), (3, 2)), ((1, 3), (1, 2)), ((0, 1), (0, 1)), ((3, 2), (3, 2))],
)
def test_a_resume_releases_again_from_the_first_chunk_with_pending_rows(
    first: tuple[int, int], released: tuple[int, int]
) -> None:
    settled = {(index, chunk): run().rows_in(chunk) for index in (0, 1) for chunk in range(first[index])}
    runs = (run(logged=3, released=3), run("MG", logged=3, released=2))
    paused = replace(PLANNED, plan=replace(PLAN, runs=runs)).confirmed(NOW).paused(PAUSED_BY_USER)
    resumed = paused.resumed(NOW, settled)
    assert (resumed.status, resumed.status_reason) == (DistributionStatus.SENDING, None)
    assert resumed.epoch == paused.epoch + 1
    assert tuple(one.released for one in resumed.planned.runs) == released
    assert tuple(one.logged for one in resumed.planned.runs) == (3, 3)


def test_a_distribution_resumed_before_its_start_is_scheduled() -> None:
    resumed = starting(LATER).confirmed(NOW).paused(PAUSED_BY_USER).resumed(NOW, {})
    assert (resumed.status, resumed.due_at) == (DistributionStatus.SCHEDULED, LATER)


@pytest.mark.parametrize(
    ("distribution", "due_at"),
    [
        (replace(PLANNED, plan=None, status=DistributionStatus.PLANNING), None),
        (PLANNED, None),
        (PLANNED.confirmed(NOW), NOW),
    ],
)
def test_a_cancelled_distribution_is_swept_if_it_was_confirmed(
    distribution: Distribution, due_at: datetime | None
) -> None:
    cancelled = distribution.cancelled(NOW)
    assert (cancelled.status, cancelled.due_at) == (DistributionStatus.CANCELLED, due_at)
    assert cancelled.epoch == distribution.epoch + 1


def test_every_step_raises_the_epoch() -> None:
    sending = PLANNED.confirmed(NOW)
    paused = sending.paused(PAUSED_BY_USER)
    resumed = paused.resumed(NOW, {})
    assert [each.epoch for each in (PLANNED, sending, paused, resumed, resumed.cancelled(NOW))] == [0, 1, 2, 3, 4]


def test_a_run_s_chunks() -> None:
    assert [run().rows_in(chunk) for chunk in range(3)] == [100, 100, 50]
    assert not run(released=2).is_released
    assert run(released=3).is_released
    assert PLANNED.with_run(0, run(logged=2)).planned.runs == (run(logged=2), run("MG"))


def test_without_a_plan_there_is_nothing_to_confirm() -> None:
    with pytest.raises(ValueError, match="no plan"):
        replace(PLANNED, plan=None).confirmed(NOW)


@pytest.mark.parametrize(
    ("mode", "channel", "messages", "off_peak"),
    [
        (ScheduleMode.AUTO, Channel.SMS, 10_000, False),
        (ScheduleMode.AUTO, Channel.SMS, 10_001, True),
        (ScheduleMode.AUTO, Channel.WHATSAPP, 10_001, False),
        (ScheduleMode.NOW, Channel.SMS, 10_001, False),
        (ScheduleMode.OFF_PEAK, Channel.SMS, 1, True),
        (ScheduleMode.OFF_PEAK, Channel.WHATSAPP, 1, False),
        (ScheduleMode.AT, Channel.SMS, 10_001, False),
    ],
)
def test_which_distributions_leave_outside_peak_hours(
    mode: ScheduleMode, channel: Channel, messages: int, off_peak: bool
) -> None:
    assert Schedule(mode=mode).is_off_peak(channel, messages) is off_peak


counts = st.builds(
    Counts,
    by_status=st.dictionaries(st.sampled_from(Status), st.integers(-9, 9).filter(bool)),
    by_reason=st.dictionaries(st.sampled_from(["undeliverable", "cancelled"]), st.integers(-9, 9).filter(bool)),
)


@given(counts, counts, counts)
def test_counts_add_up(one: Counts, two: Counts, three: Counts) -> None:
    assert one.plus(two).plus(three) == three.plus(one.plus(two))
    assert one.plus(Counts()) == one
    assert one.plus(two).total == one.total + two.total
    for status in Status:
        assert one.plus(two).of(status) == one.of(status) + two.of(status)
