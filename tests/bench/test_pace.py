"""What `bench.pace` says of instants that are known."""

from bench.pace import busiest, figures, uneven


def test_an_even_lane_uses_its_rate_and_no_more() -> None:
    found = figures([number / 4 for number in range(50)], 4)
    assert (found["achieved"], found["most_in_a_second"]) == (1.0, 4)


def test_a_crowded_second_is_seen_wherever_it_begins() -> None:
    assert busiest([0.0, 0.9, 1.0, 1.1, 1.2, 1.85, 3.0]) == 5


def test_uneven_is_told_against_the_most_punctual() -> None:
    assert uneven([3.001, 3.0, 3.02]) == {"uneven_ms_p50": 1.0, "uneven_ms_p99": 20.0, "uneven_ms_most": 20.0}
