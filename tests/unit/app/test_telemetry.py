"""The content of the log: lines with listed fields, and one embedded metric line for each set of dimensions."""

import json
import traceback
from collections.abc import Callable
from typing import cast

import pytest

from shared.app.telemetry import NAMESPACE, InvocationFailedError, LoggedTelemetry
from tests.fakes.world import FakeClock

CLOCK = FakeClock()
IDENTITY = "1998e1d8-1111-5222-8333-444455556666"
type Line = dict[str, object]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Callable[[], LoggedTelemetry]:
    """Call it inside the test: a logger is kept by its name and writes to the standard output of its creation."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "send_sms")  # never a dimension
    return lambda: LoggedTelemetry(request.node.name, CLOCK)


def written(capsys: pytest.CaptureFixture[str]) -> list[Line]:
    return [cast(Line, json.loads(line)) for line in capsys.readouterr().out.splitlines()]


def tell_call(telemetry: LoggedTelemetry, milliseconds: int, outcome: str = "accepted") -> None:
    telemetry.event(
        "provider_called", channel="sms", outcome=outcome, milliseconds=milliseconds, late_milliseconds=milliseconds * 2
    )


def metric_lines(lines: list[Line]) -> list[Line]:
    return [line for line in lines if "_aws" in line]


def test_a_line_names_its_event_once_and_has_its_ids(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = make()
    telemetry.event("queue_message_dropped", message_id=IDENTITY, found="done")
    [line] = written(capsys)
    assert line.pop("timestamp") == "2026-11-23T10:00:00.000Z"
    assert line.pop("service")
    assert line == {
        "level": "INFO",
        "message": "queue_message_dropped",
        "message_id": IDENTITY,
        "found": "done",
    }


def test_a_field_that_is_not_listed_is_not_written(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = make()
    telemetry.event("queue_message_dropped", message_id=IDENTITY, first_name="Awa")
    assert "Awa" not in json.dumps(written(capsys))


@pytest.mark.parametrize(
    "value", ["+22177000 1234", "0022177000123", "77 000 12 34", "Bonjour, votre carte", "é", "a" * 81]
)
def test_a_value_that_could_be_a_number_or_a_text_is_not_shown(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str], value: str
) -> None:
    telemetry = make()
    telemetry.warning_event("request_refused_as_wrong", message_id=IDENTITY, code=value)
    [line] = written(capsys)
    assert (line["code"], line["message_id"]) == ("***", IDENTITY)


@pytest.mark.parametrize(
    "value", ["131026", "403/53", "card HTTP 404", "ReadTimeout", "POST /v1/messages/{message_id}"]
)
def test_codes_are_shown(make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str], value: str) -> None:
    telemetry = make()
    telemetry.warning_event("request_refused_as_wrong", message_id=IDENTITY, code=value)
    assert written(capsys)[0]["code"] == value


def test_metrics_are_written_once_an_invocation(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = make()
    with telemetry.invocation():
        for milliseconds in (100, 120, 140):
            tell_call(telemetry, milliseconds)
        assert written(capsys) == []
    [line] = written(capsys)
    assert (line["channel"], line["outcome"], line["Calls"]) == ("sms", "accepted", [3.0])
    assert line["CallMilliseconds"] == [100.0, 120.0, 140.0]
    assert line["LateMilliseconds"] == [200.0, 240.0, 280.0]
    assert cast(Line, line["_aws"])["Timestamp"] == int(CLOCK.now().timestamp() * 1000)
    assert cast(Line, line["_aws"])["CloudWatchMetrics"] == [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [["channel", "outcome"]],
            "Metrics": [
                {"Name": "Calls", "Unit": "Count"},
                {"Name": "CallMilliseconds", "Unit": "Milliseconds"},
                {"Name": "LateMilliseconds", "Unit": "Milliseconds"},
            ],
        }
    ]


def test_an_invocation_without_metrics_writes_none_and_the_next_starts_at_zero(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = make()
    for count in ([1.0], [1.0]):
        with telemetry.invocation():
            tell_call(telemetry, 1, "throttled")
        [line] = written(capsys)
        assert line["Calls"] == count
    with telemetry.invocation():
        telemetry.event("text_half_dropped", message_id=IDENTITY)
    assert metric_lines(written(capsys)) == []


def test_a_failure_is_counted_by_reason_and_once_among_the_moves(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = make()
    with telemetry.invocation():
        for status, reason in (("sent", None), ("delivered", None), ("failed", "undeliverable")):
            telemetry.event(
                "message_moved", message_id=IDENTITY, channel="sms", before="sent", status=status, reason=reason
            )
    counted = {
        (line.get("status"), line.get("reason")): line.get("MessagesMoved", line.get("Failures"))
        for line in metric_lines(written(capsys))
    }
    assert counted == {("delivered", None): [1.0], ("failed", None): [1.0], (None, "undeliverable"): [1.0]}


def test_metrics_are_written_when_the_invocation_fails(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = make()

    def invoked() -> None:
        with telemetry.invocation():
            tell_call(telemetry, 5)
            raise ZeroDivisionError

    with pytest.raises(InvocationFailedError):
        invoked()
    counted = metric_lines(written(capsys))
    assert [line["Calls"] for line in counted if "Calls" in line] == [[1.0]]
    assert [line["OwnFailures"] for line in counted if "OwnFailures" in line] == [[1.0]]


def test_an_exception_leaves_a_handler_with_its_type_only(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = make()

    def invoked() -> None:
        with telemetry.invocation():
            int("+22177000123x Awa")

    with pytest.raises(InvocationFailedError) as escaped:
        invoked()
    reported = "".join(traceback.format_exception(escaped.value))
    assert "InvocationFailedError: ValueError" in reported
    assert "invalid literal" not in reported
    line = written(capsys)[0]
    assert (line["message"], line["where"], line["error"]) == ("crash", "invocation", "ValueError")


@pytest.mark.parametrize("field", ["message_id", "parent"])
def test_another_value_in_the_field_of_an_id_is_masked(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str], field: str
) -> None:
    telemetry = make()
    telemetry.event("fallback_begun", **{field: "Awa"})
    assert written(capsys)[0][field] == "***"


@pytest.mark.parametrize("calls", [99, 100, 101])
def test_more_values_than_a_line_may_hold_go_into_two_lines(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str], calls: int
) -> None:
    telemetry = make()
    with telemetry.invocation():
        for _ in range(calls):
            tell_call(telemetry, 7)
    lines = metric_lines(written(capsys))
    values = [cast(list[float], line.get("CallMilliseconds", [])) for line in lines]
    assert max(map(len, values)) <= 100
    assert sum(map(len, values)) == calls
    assert sum(sum(cast(list[float], line.get("Calls", []))) for line in lines) == calls


def test_a_crash_is_logged_with_its_place_and_without_its_text(
    make: Callable[[], LoggedTelemetry], capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry = make()
    with telemetry.invocation():
        try:
            int("+22177000123x Awa")
        except ValueError as error:
            telemetry.crash(error, "POST /v1/messages")
    line, counted = written(capsys)
    assert (line["message"], line["where"], line["error"]) == ("crash", "POST /v1/messages", "ValueError")
    assert "test_telemetry.py" in str(line["places"])
    assert "Awa" not in json.dumps(line)
    assert counted["OwnFailures"] == [1.0]
