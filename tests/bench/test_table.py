"""The table's verdicts."""

import pytest

from bench.__main__ import Row, line


@pytest.mark.parametrize(
    ("better", "value", "target", "verdict"),
    [
        ("less", 49.9, 50, "ok"),
        ("less", 50.1, 50, "MISSED"),
        ("more", 0.81, 0.8, "ok"),
        ("more", 0.79, 0.8, "MISSED"),
    ],
)
def test_a_figure_meets_its_target_or_misses_it(better: str, value: float, target: float, verdict: str) -> None:
    row = Row(name="n", value=value, target=target, unit="ms", better=better)
    assert row.is_met == (verdict == "ok")
    assert line(row).endswith(verdict)


def test_a_figure_without_a_target_is_told_and_judged_by_nobody() -> None:
    row = Row(name="latency", value=88, unit="ms")
    assert row.is_met
    assert line(row).split() == ["latency", "88", "ms"]
