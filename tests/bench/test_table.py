"""The results in the table of `make bench`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bench.__main__ import Row, line, main, paces
from bench.stand import NotMeasuredError
from shared.messages.payload import Channel

SMS, WHATSAPP = "sms at 5/s for 60 s", "whatsapp at 80/s for 30 s"


@pytest.mark.parametrize(
    ("better", "value", "target", "result"),
    [
        ("less", 49.9, 50, "ok"),
        ("less", 50.1, 50, "MISSED"),
        ("more", 0.81, 0.8, "ok"),
        ("more", 0.79, 0.8, "MISSED"),
    ],
)
def test_a_figure_meets_its_target_or_misses_it(better: str, value: float, target: float, result: str) -> None:
    row = Row(name="n", value=value, target=target, unit="ms", better=better)
    assert row.is_met == (result == "ok")
    assert line(row).endswith(result)


def test_a_figure_without_a_target_is_shown_without_a_result() -> None:
    row = Row(name="latency", value=88, unit="ms")
    assert row.is_met
    assert line(row).split() == ["latency", "88", "ms"]


def _too_slow_at_500(channel: Channel, rate: int, seconds: int) -> Mapping[str, float]:
    if rate == 500:
        raise NotMeasuredError("0 of 4000 messages reached the provider in time")
    return {"achieved": 0.99, "most_in_a_second": rate, "throttled": 0}


def _one(name: str) -> Iterator[Row]:
    yield Row(name=f"{name}: a figure", value=1, target=2, unit="")


def _starved() -> Iterator[Row]:
    yield from _one("latency")
    raise NotMeasuredError("3 of 44 messages did not reach the provider")


def test_a_part_that_could_not_be_measured_says_so_and_the_table_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {"pace": lambda: paces(_too_slow_at_500), "latency": _starved, "cost": lambda: _one("cost")}
    assert main([], parts, tmp_path / "results.json") == 0
    table = capsys.readouterr().out.splitlines()
    assert [text.split(",")[0] for text in table[:6]] == [f"pace: {one}" for one in 3 * (SMS,) + 3 * (WHATSAPP,)]
    assert table[6].startswith("pace: whatsapp at 500/s for 8 s ")
    assert table[6].endswith("not measured: 0 of 4000 messages reached the provider in time")
    assert [text.split()[0] for text in table[7:10]] == ["latency:", "latency", "cost:"]
    assert table[10].startswith("8 figures, 2 short of their targets")
    assert table[11:] == ["not measured: pace: whatsapp at 500/s for 8 s", "not measured: latency"]
    kept = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert [(row["value"], row["is_met"]) for row in kept if row["value"] is None] == [(None, False)] * 2


def test_an_error_of_the_bench_itself_is_raised_and_the_measured_rows_are_kept(tmp_path: Path) -> None:
    def broken() -> Iterator[Row]:
        yield from _one("sender")
        raise RuntimeError("not sent")

    with pytest.raises(RuntimeError, match="not sent"):
        main([], {"sender": broken}, tmp_path / "results.json")
    assert len(json.loads((tmp_path / "results.json").read_text())["rows"]) == 1
