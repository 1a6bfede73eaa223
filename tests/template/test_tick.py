"""Three things are one fact: the tick's interval, how far ahead rate limits are filled, and the alarm for a missing
tick."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.campaigns.release import NEXT_LOOK
from shared.pacing.rate_limit import HORIZON, TICK_EVERY
from tests.template.reading import Node, at, events, listed, mapping, number, properties, text
from tests.template.test_alarms import rings
from tests.template.test_operating import ALARMS

ALARM = ALARMS["TickMissing"]
LONGEST_DELAY = timedelta(seconds=900)
"""The longest delay of SQS."""


def test_the_tick_comes_every_minute_and_a_missed_one_is_not_repeated(template: Node) -> None:
    [(function, tick)] = events(template, "ScheduleV2")
    assert function == "BulkFanoutFunction"
    assert tick["Input"] == '{"tick": true}'
    once = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": int(TICK_EVERY.total_seconds())}
    assert tick["RetryPolicy"] == once
    assert properties(template, function)["EventInvokeConfig"] == once
    rate = re.fullmatch(r"rate\((\d+) minutes?\)", text(tick, "ScheduleExpression"))
    assert rate is not None
    assert timedelta(minutes=int(rate[1])) == TICK_EVERY


def test_rate_limits_are_filled_for_longer_than_some_ticks_may_be_missing() -> None:
    """If two of three ticks in a row fail, every rate limit still has messages to send. SQS must be able to delay the
    last queue message that long."""
    assert 3 * TICK_EVERY <= HORIZON <= LONGEST_DELAY
    assert NEXT_LOOK == TICK_EVERY


def test_the_alarm_checks_each_tick_and_rings_once_the_booked_slots_are_used_up() -> None:
    [ticks] = [mapping(one) for one in listed(ALARM["Metrics"]) if "MetricStat" in mapping(one)]
    assert at(ticks, "MetricStat", "Metric", "MetricName") == "Ticks"
    period = timedelta(seconds=number(ticks, "MetricStat", "Period"))
    assert period == TICK_EVERY
    assert period * number(ALARM, "EvaluationPeriods") == HORIZON
    assert ALARM["DatapointsToAlarm"] == ALARM["EvaluationPeriods"]
    assert "No tick for five minutes" in text(ALARM, "AlarmDescription")
    assert timedelta(minutes=5) == HORIZON


def _first_rings(ticks: Sequence[int | None]) -> int | None:
    """The minute at whose end the alarm rings. A minute without a tick has no value. The alarm does not skip it: `FILL`
    gives it a value."""
    needed = number(ALARM, "EvaluationPeriods")
    past = [rings("TickMissing", **({} if one is None else {"ticks": one})) for one in ticks]
    return next((end for end in range(needed, len(past) + 1) if all(past[end - needed : end])), None)


@pytest.mark.parametrize(
    ("ticks", "minute"),
    [
        ([1] * 10 + [None] * 10, 15),
        ([1, None, 2, 1, None, None, None, None, 1, None], None),
        ([1] * 10 + [None] * 4 + [1] * 5, None),
        ([None] * 5, 5),
    ],
    ids=["the schedule is disabled", "ticks come unevenly", "four are missed", "it never ran"],
)
def test_five_minutes_without_a_tick_ring_after_five_minutes(ticks: Sequence[int | None], minute: int | None) -> None:
    assert _first_rings(ticks) == minute
