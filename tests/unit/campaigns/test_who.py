"""Who asked for a distribution, confirmed it, and paused, resumed or cancelled it last."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.ids import SYSTEM
from shared.base.refusal import Refusal
from shared.campaigns.distribution import Action, Distribution, DistributionStatus
from shared.messages.errors import Kind, SendError
from tests.fakes.office import DEMO, Office, recipient

type Names = tuple[str | None, str | None, str | None]


@pytest.fixture
def office() -> Office:
    return Office()


def made(office: Office, *, confirm: bool = False, by: str | None = "awa") -> Distribution:
    people = [recipient(number) for number in range(1, 11)]
    new = replace(office.new_distribution(people, confirm=confirm), created_by=by, name="Deuxième tour")
    return office.run(office.planning().create(new))


def stored(office: Office, one: Distribution) -> Distribution:
    return office.distributions.items[DEMO, one.distribution_id]


def names(office: Office, one: Distribution) -> Names:
    found = stored(office, one)
    return found.created_by, found.confirmed_by, found.controlled_by


def act(office: Office, one: Distribution, action: Action, by: str | None) -> None:
    office.run(office.control.act(DEMO, one.distribution_id, action, by))


def test_each_action_names_its_caller(office: Office) -> None:
    one = made(office)
    assert stored(office, one).name == "Deuxième tour"
    assert names(office, one) == ("awa", None, None)
    act(office, one, Action.CONFIRM, "baba")
    assert names(office, one) == ("awa", "baba", None)
    for action, by in ((Action.PAUSE, "coumba"), (Action.RESUME, "demba"), (Action.CANCEL, "eva")):
        act(office, one, action, by)
        assert names(office, one) == ("awa", "baba", by)


@pytest.mark.parametrize("by", ["awa", None])
def test_one_that_is_confirmed_with_its_request_names_its_maker_twice(office: Office, by: str | None) -> None:
    assert names(office, made(office, confirm=True, by=by)) == (by, by, None)


def test_an_action_that_changes_nothing_or_is_refused_leaves_the_name(office: Office) -> None:
    one = made(office, confirm=True)
    act(office, one, Action.CONFIRM, "zoe")
    act(office, one, Action.RESUME, "zoe")
    assert names(office, one) == ("awa", "awa", None)
    act(office, one, Action.PAUSE, "baba")
    act(office, one, Action.PAUSE, "zoe")
    with pytest.raises(Refusal):
        act(office, one, Action.CONFIRM, "zoe")
    assert names(office, one) == ("awa", "awa", "baba")
    act(office, one, Action.CANCEL, "coumba")
    act(office, one, Action.CANCEL, "zoe")
    assert names(office, one) == ("awa", "awa", "coumba")


def test_a_caller_without_a_name_takes_the_place_of_the_one_before(office: Office) -> None:
    one = made(office, confirm=True)
    act(office, one, Action.PAUSE, "baba")
    act(office, one, Action.RESUME, None)
    assert names(office, one) == ("awa", "awa", None)


def test_the_same_request_again_keeps_its_maker(office: Office) -> None:
    made(office)
    assert names(office, made(office, by="zoe")) == ("awa", None, None)


def test_what_is_not_confirmed_within_seven_days_is_cancelled_by_the_system(office: Office) -> None:
    one = made(office)
    office.clock.pass_by(hours=24 * 7 + 1)
    office.tick()
    assert stored(office, one).status is DistributionStatus.CANCELLED
    assert names(office, one) == ("awa", None, SYSTEM)


def test_a_pause_by_a_hold_is_the_systems_until_a_person_acts(office: Office) -> None:
    one = made(office, confirm=True)
    office.do_tasks()
    office.provider.answers = [SendError(Kind.STOP, "POL0001", "balance_empty")]
    office.deliver(within=timedelta(seconds=5))
    office.clock.pass_by(seconds=60)
    office.tick()
    assert stored(office, one).status is DistributionStatus.PAUSED
    assert names(office, one) == ("awa", "awa", SYSTEM)
    act(office, one, Action.PAUSE, "baba")
    assert names(office, one) == ("awa", "awa", "baba")
