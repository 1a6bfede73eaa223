"""A schedule of its own for each waiting distribution. A missing, late or doubled one does no harm."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.campaigns.distribution import Action, Distribution, DistributionStatus, Schedule, ScheduleMode
from shared.messages.payload import Channel
from shared.policy.hours import DEFAULT_PEAK_HOURS
from tests.fakes.office import DEMO, SMS, Office, recipient

NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
SEVEN = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def office() -> Office:
    return Office()


def made(
    office: Office,
    schedule: Schedule,
    *,
    confirm: bool = True,
    channel: Channel = Channel.SMS,
    phones: Sequence[str] = ("+221770000001",),
    key: str = "d",
) -> Distribution:
    rows = [recipient(number, phone=phone) for number, phone in enumerate(phones, start=1)]
    new = replace(office.new_distribution(rows, channel=channel, key=key, confirm=confirm), schedule=schedule)
    return office.run(office.planning().create(new))


AT_NOON = Schedule(mode=ScheduleMode.AT, at=NOON)
OFF_PEAK = Schedule(mode=ScheduleMode.OFF_PEAK)


def test_a_plan_without_confirmation_has_no_schedule(office: Office) -> None:
    planned = made(office, AT_NOON, confirm=False)
    assert office.schedules.kept == {}
    office.run(office.control.act(DEMO, planned.distribution_id, Action.CONFIRM))
    assert office.schedules.kept == {planned.distribution_id: (NOON, "Africa/Dakar")}


def test_a_distribution_confirmed_with_its_request_has_a_schedule_at_once(office: Office) -> None:
    waiting = made(office, AT_NOON)
    assert waiting.status is DistributionStatus.SCHEDULED
    assert office.schedules.kept == {waiting.distribution_id: (NOON, "Africa/Dakar")}


def test_a_distribution_that_may_leave_now_has_no_schedule(office: Office) -> None:
    assert made(office, Schedule(mode=ScheduleMode.NOW)).status is DistributionStatus.SENDING
    office.do_tasks()
    assert office.schedules.kept == {}


def test_an_off_peak_distribution_waits_for_the_end_of_the_peak(office: Office) -> None:
    office.clock.instant = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    waiting = made(office, OFF_PEAK)
    ten = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    assert office.schedules.kept == {waiting.distribution_id: (ten, "Africa/Dakar")}


@pytest.mark.parametrize(("peak_hours", "is_peak"), [(DEFAULT_PEAK_HOURS, True), ((), False)])
def test_more_than_10_000_sms_avoid_peak_hours_or_warn(
    office: Office, peak_hours: tuple[tuple[str, str], ...], is_peak: bool
) -> None:
    """Without peak hours there is nothing to wait for and no warning."""
    office.run(office.integrations.put(replace(SMS, peak_hours=peak_hours)))
    office.clock.instant = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    phones = [f"+2217700{number:05d}" for number in range(10_001)]
    waiting = made(office, Schedule(mode=ScheduleMode.AUTO), confirm=False, phones=phones)
    assert waiting.planned.starts_at == office.clock.instant + timedelta(hours=1.5 if is_peak else 0)
    at_once = made(office, Schedule(mode=ScheduleMode.NOW), confirm=False, phones=phones, key="e")
    assert ("peak_hours" in [warning.code for warning in at_once.planned.warnings]) == is_peak


def test_with_several_zones_the_schedule_has_the_time_of_the_first_to_open(office: Office) -> None:
    office.clock.instant = NIGHT
    waiting = made(office, Schedule(mode=ScheduleMode.NOW), phones=("+221770000001", "+261320008200"))
    assert waiting.status is DistributionStatus.SCHEDULED
    four = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    assert office.schedules.kept == {waiting.distribution_id: (four, "Indian/Antananarivo")}
    office.clock.instant = four
    office.run(office.fanout().tick_one(DEMO, waiting.distribution_id))
    office.do_tasks()
    assert office.schedules.kept == {waiting.distribution_id: (SEVEN, "Africa/Dakar")}


def test_whatsapp_waits_only_for_its_own_start(office: Office) -> None:
    waiting = made(office, AT_NOON, channel=Channel.WHATSAPP)
    assert office.schedules.kept == {waiting.distribution_id: (NOON, "UTC")}


def test_a_distribution_that_runs_into_the_night_gets_a_schedule(office: Office) -> None:
    office.clock.instant = datetime(2026, 11, 23, 20, 58, tzinfo=UTC)
    sending = office.distribute(700)
    office.do_tasks()
    office.clock.instant = datetime(2026, 11, 23, 21, 1, tzinfo=UTC)
    office.tick()
    assert office.schedules.kept == {sending.distribution_id: (SEVEN, "Africa/Dakar")}


@pytest.mark.parametrize("action", [Action.PAUSE, Action.CANCEL])
def test_a_pause_or_cancel_removes_the_schedule(office: Office, action: Action) -> None:
    waiting = made(office, AT_NOON)
    office.run(office.control.act(DEMO, waiting.distribution_id, action))
    assert office.schedules.kept == {}


def test_a_resume_makes_the_schedule_again(office: Office) -> None:
    waiting = made(office, AT_NOON)
    for action in (Action.PAUSE, Action.RESUME):
        office.run(office.control.act(DEMO, waiting.distribution_id, action))
    assert office.schedules.kept == {waiting.distribution_id: (NOON, "Africa/Dakar")}


@pytest.mark.parametrize("action", [Action.CONFIRM, Action.CANCEL])
def test_a_repeat_makes_or_removes_the_schedule_after_a_kill(office: Office, action: Action) -> None:
    waiting = made(office, AT_NOON, confirm=action is not Action.CONFIRM)
    point = "schedules.set" if action is Action.CONFIRM else "schedules.remove"
    assert office.killed(office.control.act(DEMO, waiting.distribution_id, action), (point, 1))
    office.run(office.control.act(DEMO, waiting.distribution_id, action))
    expected = {waiting.distribution_id} if action is Action.CONFIRM else set()
    assert set(office.schedules.kept) == expected


class TestItsFiring:
    def test_it_sends_at_its_instant(self, office: Office) -> None:
        waiting = made(office, AT_NOON)
        office.tasks.tasks.clear()
        office.clock.instant = NOON
        office.run(office.fanout().tick_one(DEMO, waiting.distribution_id))
        office.do_tasks()
        office.deliver(within=timedelta(seconds=10))
        assert len(office.provider.accepted) == 1

    def test_the_tick_does_the_work_of_a_missed_schedule(self, office: Office) -> None:
        made(office, AT_NOON)
        office.tasks.tasks.clear()
        office.clock.instant = NOON + timedelta(seconds=40)
        office.tick()
        office.deliver(within=timedelta(seconds=10))
        assert len(office.provider.accepted) == 1

    @pytest.mark.parametrize("early", [timedelta(hours=3), timedelta(seconds=1)])
    def test_an_early_call_sends_nothing_and_the_start_stays(self, office: Office, early: timedelta) -> None:
        waiting = made(office, AT_NOON)
        office.tasks.tasks.clear()
        office.clock.instant = NOON - early
        office.run(office.fanout().tick_one(DEMO, waiting.distribution_id))
        office.do_tasks()
        assert office.queue.waiting == []
        assert office.schedules.kept == {waiting.distribution_id: (NOON, "Africa/Dakar")}
        office.clock.instant = NOON
        office.tick()
        office.deliver(within=timedelta(seconds=10))
        assert len(office.provider.accepted) == 1

    def test_a_doubled_or_late_schedule_sends_once(self, office: Office) -> None:
        waiting = made(office, AT_NOON)
        office.clock.instant = NOON
        for late in (0, 1, 600):
            office.clock.instant = NOON + timedelta(seconds=late)
            for _ in range(2):
                office.run(office.fanout().tick_one(DEMO, waiting.distribution_id))
            office.do_tasks()
            office.deliver(within=timedelta(seconds=10))
        assert len(office.provider.accepted) == 1

    @pytest.mark.parametrize("action", [Action.PAUSE, Action.CANCEL])
    def test_a_schedule_that_was_not_removed_in_time_sends_nothing(self, office: Office, action: Action) -> None:
        waiting = made(office, AT_NOON)
        office.run(office.control.act(DEMO, waiting.distribution_id, action))
        office.clock.instant = NOON
        office.run(office.fanout().tick_one(DEMO, waiting.distribution_id))
        office.do_tasks()
        office.deliver(within=timedelta(seconds=10))
        assert office.provider.calls == 0

    def test_a_schedule_of_a_missing_distribution_does_nothing(self, office: Office) -> None:
        office.run(office.fanout().tick_one(DEMO, "never"))
        office.do_tasks()
        assert office.queue.waiting == []
