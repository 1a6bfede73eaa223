"""The figures of `bench.pace` for known times."""

import pytest

from bench.pace import busiest, figures, summed, uneven
from bench.stand import NotMeasuredError


def test_an_even_rate_limit_uses_its_rate_and_no_more() -> None:
    found = figures([number / 4 for number in range(50)], 4)
    assert (found["achieved"], found["most_in_a_second"]) == (1.0, 4)


def test_a_crowded_second_is_seen_wherever_it_begins() -> None:
    assert busiest([0.0, 0.9, 1.0, 1.1, 1.2, 1.85, 3.0]) == 5


def test_unevenness_is_measured_from_the_most_punctual_call() -> None:
    assert uneven([3.001, 3.0, 3.02]) == {"uneven_ms_p50": 1.0, "uneven_ms_p99": 20.0, "uneven_ms_most": 20.0}


SEND_SLOTS = {f"+2217700000{number:02d}": (100 + number) * 1_000_000 for number in range(10, 15)}


@pytest.mark.parametrize("arrived", [0, 1])
def test_it_measures_nothing_if_only_the_warm_up_arrived(arrived: int) -> None:
    """On a slow machine the calls of the warm-up come after the reset, and the counted calls come too late."""
    warm_up = [(f"tel:+2217700001{number:02d}", 50.0 + number) for number in range(20)]
    ours = [(f"tel:{to}", at / 1_000_000) for to, at in list(SEND_SLOTS.items())[:arrived]]
    with pytest.raises(NotMeasuredError, match=rf"^{arrived} of 5 messages reached the provider in time$"):
        summed([*warm_up, *ours], SEND_SLOTS, 1)


def test_a_late_warm_up_call_counts_only_in_the_most_in_a_second() -> None:
    ours = [(f"tel:{to}", at / 1_000_000) for to, at in SEND_SLOTS.items()]
    found = summed([("tel:+221770000100", 110.5), *ours], SEND_SLOTS, 1)
    assert (found["messages"], found["achieved"], found["most_in_a_second"]) == (5, 1.0, 2)
    assert found["uneven_ms_most"] == 0
