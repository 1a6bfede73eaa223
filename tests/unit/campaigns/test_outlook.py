"""The estimated end and the warnings of a distribution, after the facts of its planning have changed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.campaigns.distribution import Action, Distribution
from shared.campaigns.reading import DistributionView
from shared.integrations.balances import Balance
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Channel
from shared.pacing.daily_limit import DailyLimit, NumberStatusUpdate
from tests.fakes.office import DEMO, SMS, WHATSAPP, Office, recipient


@pytest.fixture
def office() -> Office:
    return Office()


def planned(office: Office, rows: int, channel: Channel = Channel.SMS, *, confirm: bool = False) -> Distribution:
    people = [recipient(number) for number in range(1, rows + 1)]
    new = office.new_distribution(people, channel=channel, confirm=confirm)
    return office.run(office.planning().create(new))


def shown(office: Office, made: Distribution) -> DistributionView:
    return office.run(office.browse.distribution(DEMO, made.distribution_id))


def warned(office: Office, made: Distribution) -> dict[str, int | None]:
    return {warning.code: warning.count for warning in shown(office, made).warnings}


def act(office: Office, made: Distribution, action: Action) -> None:
    office.run(office.control.act(DEMO, made.distribution_id, action))
    office.do_tasks()


def test_the_end_of_a_plan_that_waits_moves_with_the_clock(office: Office) -> None:
    made = planned(office, 300)
    first = shown(office, made).estimated_end
    assert first == made.planned.estimated_end
    office.clock.pass_by(hours=2)
    later = shown(office, made).estimated_end
    assert first is not None
    assert later is not None
    assert later - first == timedelta(hours=2)


def test_a_paused_distribution_has_no_estimated_end_and_after_a_resume_a_later_one(office: Office) -> None:
    made = planned(office, 3000, confirm=True)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=30))
    first = shown(office, made).estimated_end
    assert first is not None
    act(office, made, Action.PAUSE)
    assert shown(office, made).estimated_end is None
    office.clock.pass_by(hours=1)
    act(office, made, Action.RESUME)
    later = shown(office, made).estimated_end
    assert later is not None
    assert timedelta(minutes=55) < later - first < timedelta(minutes=70)


def test_a_released_distribution_ends_with_its_last_slot_and_an_ended_one_has_no_estimate(office: Office) -> None:
    made = planned(office, 20, confirm=True)
    office.do_tasks()
    last = office.distributions.items[DEMO, made.distribution_id].last_send_slot
    assert shown(office, made).estimated_end == last
    act(office, made, Action.CANCEL)
    assert shown(office, made).estimated_end is None


def test_a_held_distribution_has_no_estimated_end(office: Office) -> None:
    made = planned(office, 20, confirm=True)
    office.do_tasks()
    office.provider.answers = [SendError(Kind.STOP, "POL0001", "balance_empty")]
    office.deliver(within=timedelta(seconds=5))
    assert shown(office, made).held
    assert shown(office, made).estimated_end is None


def test_a_raised_rate_brings_the_end_nearer(office: Office) -> None:
    made = planned(office, 3000)
    slow = shown(office, made).estimated_end
    raised = replace(SMS, rate_per_second=50, version=2)
    office.integrations.kept[DEMO, "sms"] = raised
    office.run(office.members.saved(raised))
    quick = shown(office, made).estimated_end
    assert slow is not None
    assert quick is not None
    assert quick < slow


def test_newly_bought_units_end_the_warning(office: Office) -> None:
    office.balances.answer = [Balance(country="SN", units=4)]
    made = planned(office, 10)
    before = warned(office, made)["units_insufficient"]
    assert before is not None
    office.balances.answer = [Balance(country="SN", units=7)]
    office.clock.pass_by(minutes=1)
    assert warned(office, made)["units_insufficient"] == before - 3
    office.balances.answer = [Balance(country="SN", units=100)]
    office.clock.pass_by(minutes=1)
    assert "units_insufficient" not in warned(office, made)


def test_countries_without_units_are_named_until_units_are_bought(office: Office) -> None:
    office.balances.answer = []
    made = planned(office, 10)
    office.clock.pass_by(minutes=1)
    assert [dict(one.facts) for one in shown(office, made).warnings if one.code == "units_missing"] == [
        {"unpriced": "SN"},
        {"without_units": "SN"},
    ]
    office.balances.answer = [Balance(country="SN", units=100)]
    office.clock.pass_by(minutes=1)
    assert [dict(one.facts) for one in shown(office, made).warnings if one.code == "units_missing"] == [
        {"unpriced": "SN"}
    ]


def test_a_warning_whose_cause_cannot_be_read_stays(office: Office) -> None:
    office.balances.answer = [Balance(country="SN", units=4)]
    made = planned(office, 10)
    before = warned(office, made)
    office.balances.answer = SendError(Kind.RETRY, "503")
    office.clock.pass_by(minutes=1)
    assert warned(office, made) == before


def test_a_page_of_distributions_asks_orange_once(office: Office) -> None:
    office.balances.answer = [Balance(country="SN", units=4)]
    made = planned(office, 10)
    asked = office.balances.asked
    for _ in range(5):
        shown(office, made)
    assert office.balances.asked == asked + 1


def test_only_unsent_rows_need_units(office: Office) -> None:
    office.balances.answer = [Balance(country="SN", units=4)]
    made = planned(office, 10, confirm=True)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=30))
    office.balances.answer = [Balance(country="SN", units=0)]
    office.clock.pass_by(minutes=1)
    assert "units_insufficient" not in warned(office, made)


def test_a_raised_limit_ends_the_warning(office: Office) -> None:
    number = (DEMO, WHATSAPP.phone_number_id)
    reported = NumberStatusUpdate(at=office.clock.now(), limit=DailyLimit(people=250), is_reading=True)
    office.run(office.number_statuses.tell(*number, reported))
    made = planned(office, 300, Channel.WHATSAPP)
    assert warned(office, made)["daily_limit_exceeded"] == 50
    office.clock.pass_by(minutes=1)
    office.run(
        office.number_statuses.tell(*number, NumberStatusUpdate(at=office.clock.now(), limit=DailyLimit(people=2000)))
    )
    assert "daily_limit_exceeded" not in warned(office, made)


def test_an_ended_distribution_has_no_warning_about_its_account(office: Office) -> None:
    office.balances.answer = [Balance(country="SN", units=4)]
    made = planned(office, 10)
    act(office, made, Action.CANCEL)
    assert "units_insufficient" not in warned(office, made)
