"""When the alarms ring. The tests compute their metric math as CloudWatch does; a metric without data is None."""

import re
from collections import Counter
from datetime import timedelta

import pytest

from shared.campaigns.distribution import Action
from shared.messages.errors import Kind, SendError
from tests.fakes.office import DEMO, Office
from tests.template.reading import at, events, listed, mapping, number, text
from tests.template.test_operating import ALARMS, TEMPLATE, each_alarm, of_alarm

type Value = float | None


def _fill(value: Value, instead: float) -> float:
    return instead if value is None else value


def _known(values: list[Value]) -> list[float]:
    return [one for one in values if one is not None]


MATH = {
    "FILL": _fill,
    "IF": lambda condition, yes, no: yes if condition else no,
    "SUM": lambda values: sum(_known(values)) if _known(values) else None,
    "MAX": lambda values: max(_known(values), default=None),
}


def rings(alarm: str, **metrics: float) -> bool:
    """Whether one period with these metrics exceeds the alarm's threshold."""
    its = ALARMS[alarm]
    entries = {text(one, "Id"): mapping(one) for one in listed(its["Metrics"])}
    assert metrics.keys() <= {name for name, one in entries.items() if "MetricStat" in one}

    def value(name: str) -> Value:
        if "Expression" not in entries[name]:
            return metrics.get(name)
        said = text(entries[name], "Expression").replace(" AND ", " and ").replace(" OR ", " or ")
        asked = set(re.findall(r"\b[a-z]\w*", said)) - {"and", "or"}
        found: Value = eval(said, {"__builtins__": {}}, MATH | {one: value(one) for one in asked})
        return found

    result = value("result")
    assert its["ComparisonOperator"] == "GreaterThanThreshold"
    return result is not None and result > number(its, "Threshold")


@each_alarm
def test_an_alarm_keeps_cloudwatchs_limits_and_is_silent_without_data(alarm: str) -> None:
    """CloudWatch allows at most ten metrics and ten expressions; the alarm watches one of them. Only for TickMissing,
    no data means an alarm."""
    entries = [mapping(one) for one in listed(ALARMS[alarm].get("Metrics", []))]
    if not entries:
        return
    expressions = [one for one in entries if "Expression" in one]
    assert max(len(expressions), len(entries) - len(expressions)) <= 10
    assert [text(one, "Id") for one in entries if one.get("ReturnData", True)] == ["result"]
    assert rings(alarm) == (alarm == "TickMissing")


SMS_SHARE = "SmsFailureShare"
NEVER_TRIED = {"cancelled", "erased", "expired", "opted_out", "consent_missing", "experiment_withheld"}


def _reasons(alarm: str) -> set[str]:
    return {value for one in of_alarm(alarm) for name, value in one.dimensions if name == "reason"}


@pytest.mark.parametrize("alarm", ["WhatsAppFailureShare", "SmsFailureShare"])
def test_failures_ring_by_reason_and_untried_messages_do_not_count(alarm: str) -> None:
    """A cancel of ten thousand, an erasure, or an experiment that Meta withholds: none of them is in the share."""
    reasons = _reasons(alarm)
    assert {"undeliverable", "outcome_unknown", "provider_rejected"} <= reasons
    assert reasons & NEVER_TRIED == set()
    assert {one.name for one in of_alarm(alarm)} == {"Failures", "Calls"}
    entries = {text(one, "Id"): mapping(one) for one in listed(ALARMS[alarm]["Metrics"])}
    for summed in ("failed", "worst"):
        assert set(re.findall(r"[a-z]\w+", text(entries[summed], "Expression"))) == reasons
    for reason in reasons:
        dimensions = listed(at(entries[reason], "MetricStat", "Metric", "Dimensions"))
        assert [one["Value"] for one in map(mapping, dimensions) if one["Name"] == "reason"] == [reason]
        assert rings(alarm, accepted=89, **{reason: 11})
        assert not rings(alarm, accepted=91, **{reason: 9})
        assert not rings(alarm, accepted=20, **{reason: 29})


def _counted(office: Office) -> dict[str, float]:
    """What the SMS alarm would read of the office's events: accepted calls, and failures by reason."""
    reported = office.telemetry.events
    reasons = Counter(
        str(one["reason"]) for name, one in reported if name == "message_moved" and one["status"] == "failed"
    )
    calls = sum(one["outcome"] == "accepted" for name, one in reported if name == "provider_called")
    return {"accepted": calls, **{reason: count for reason, count in reasons.items() if reason in _reasons(SMS_SHARE)}}


def test_a_cancelled_campaign_rings_nothing_and_a_refused_one_does() -> None:
    office = Office()
    cancelled = office.distribute(100)
    office.do_tasks()
    office.run(office.control.act(DEMO, cancelled.distribution_id, Action.CANCEL))
    office.do_tasks()
    ended = [one for name, one in office.telemetry.events if name == "message_moved"]
    assert [one["reason"] for one in ended] == ["cancelled"] * 100
    assert not rings(SMS_SHARE, **_counted(office))
    office = Office()
    office.distribute(100)
    office.do_tasks()
    office.provider.answers = [
        SendError(Kind.RECIPIENT, f"SVC000{number % 4}", "undeliverable") for number in range(15)
    ]
    office.deliver(within=timedelta(seconds=60))
    assert rings(SMS_SHARE, **_counted(office))


@pytest.mark.parametrize("alarm", ["WhatsAppStandsStill", "SmsStandsStill"])
def test_release_without_any_accepted_message_rings(alarm: str) -> None:
    assert rings(alarm, releasing=1)
    assert not rings(alarm, releasing=1, accepted=1)
    assert not rings(alarm, accepted=1)


def test_failures_of_many_reasons_ring_together() -> None:
    few = dict.fromkeys(("undeliverable", "provider_rejected", "outcome_unknown"), 8.0)
    assert rings("SmsFailureShare", accepted=76, **few)
    assert not rings("SmsFailureShare", accepted=100, **few)


def test_overdue_work_rings_although_release_reports_nothing() -> None:
    """The alarms of a standstill depend on an event of release itself. Without a worker there is no such event."""
    assert rings("DistributionsOverdue", distributions=1, shards=0)
    assert rings("DistributionsOverdue", distributions=0, shards=1)
    assert not rings("DistributionsOverdue", distributions=0, shards=0)


@pytest.mark.parametrize("alarm", ["WhatsAppDeadLettersPresent", "SmsDeadLettersPresent"])
def test_dead_letters_ring_while_they_stand_and_if_no_function_takes_them(alarm: str) -> None:
    for metric in ("standing", "lying", "held", "received"):
        assert rings(alarm, **{metric: 1})


def test_refused_and_unreadable_webhooks_ring() -> None:
    routes = {value for one in of_alarm("WebhookAnswers4xx") for name, value in one.dimensions if name == "Resource"}
    posts = {text(event, "Path") for _, event in events(TEMPLATE, "HttpApi") if event["Method"] == "POST"}
    assert routes == {path for path in posts if path.startswith("/webhooks/")}
    assert rings("WebhookAnswers4xx", meta=30)
    assert rings("WebhookAnswers4xx", orange=30)
    assert rings("WebhooksMalformed", meta=1)
    assert rings("WebhooksMalformed", orange=1)
