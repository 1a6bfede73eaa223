"""That the scenarios are whole; they run with `make chaos`."""

from local.sample.people import PLACES
from tests.chaos.scenarios import LEFT_OUT, SCENARIOS, named, take


def test_each_scenario_has_two_thousand_people_of_nine_countries_each_once() -> None:
    for scenario in SCENARIOS:
        people = take(scenario, tuple(PLACES))
        assert len(set(people)) == len(people) == 2000
        assert {country for country, _ in people} == set(PLACES)
        assert not LEFT_OUT & {tail for _, tail in people}


def test_names_are_distinct_and_found_by_their_words() -> None:
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)
    assert named([]) == list(SCENARIOS)
    assert [one.name for one in named(["night"])] == ["clock: night falls on the campaign"]


def test_night_comes_last_because_the_clock_only_goes_forwards() -> None:
    assert [one.at_night for one in SCENARIOS] == [False] * (len(SCENARIOS) - 1) + [True]
