"""The list of events and the code agree: each event in one is in the other, and no field is personal."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from shared.base.events import DIMENSIONS, EVENTS, IDENTITIES, Metric, Unit
from tests.template.reading import FUNCTION_FOLDERS, ROOT

CALLS = {"event": False, "warning_event": True, "crash": True}
"""A method of `Telemetry` → whether an operator may have to act."""
PERSONAL = re.compile(
    r"phone|number|name$|text|token|code_|card|person|recipient|body|payload|address|secret", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryCall:
    """One call of a telemetry."""

    place: str
    method: str
    name: str
    fields: frozenset[str]


def _reported() -> Iterator[TelemetryCall]:
    for folder in ("shared", "functions"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), path)):
                if isinstance(node, ast.Call) and _is_of_telemetry(node.func):
                    yield _read(node, f"{path}:{node.lineno}")


def _is_of_telemetry(called: ast.expr) -> bool:
    return (
        isinstance(called, ast.Attribute)
        and called.attr in CALLS
        and ast.unparse(called.value).rpartition(".")[2].strip("_") == "telemetry"
    )


def _read(call: ast.Call, place: str) -> TelemetryCall:
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr == "crash":
        return TelemetryCall(place=place, method="crash", name="crash", fields=EVENTS["crash"].fields)
    assert len(call.args) == 1, f"{place}: the name, and fields by name"
    [name] = call.args
    assert isinstance(name, ast.Constant), f"{place}: a name that can be read here"
    fields = [keyword.arg for keyword in call.keywords]
    assert None not in fields, f"{place}: fields that can be read here"
    return TelemetryCall(place=place, method=call.func.attr, name=str(name.value), fields=frozenset(map(str, fields)))


TELEMETRY_CALLS = tuple(_reported())


def _metrics() -> Iterator[tuple[str, Metric]]:
    return ((name, metric) for name, event in EVENTS.items() for metric in event.metrics)


def test_every_call_has_a_listed_event_and_listed_fields() -> None:
    unlisted = {one.place: one.name for one in TELEMETRY_CALLS if one.name not in EVENTS}
    assert unlisted == {}
    more = {one.place: one.fields - EVENTS[one.name].fields for one in TELEMETRY_CALLS}
    assert {place: fields for place, fields in more.items() if fields} == {}


def test_warning_events_use_the_method_for_warning_events() -> None:
    assert [one.place for one in TELEMETRY_CALLS if CALLS[one.method] is not EVENTS[one.name].is_warning] == []


def test_every_listed_event_and_field_is_used() -> None:
    reported: dict[str, set[str]] = {}
    for one in TELEMETRY_CALLS:
        reported.setdefault(one.name, set()).update(one.fields)
    assert reported == {name: set(event.fields) for name, event in EVENTS.items()}


def test_no_module_writes_to_the_log_without_the_list() -> None:
    """Only one module has a logger, and only that one and the metrics' module know Powertools."""
    loggers = re.compile(r"^(import logging|from logging|.*\bprint\(|.*aws_lambda_powertools)", re.MULTILINE)
    found = {
        file.relative_to(ROOT).as_posix()
        for folder in ("shared", "functions")
        for file in (ROOT / folder).rglob("*.py")
        if loggers.search(file.read_text(encoding="utf-8"))
    }
    assert found == {"shared/app/telemetry.py"}


def test_no_field_has_a_personal_name() -> None:
    assert {field for event in EVENTS.values() for field in event.fields if PERSONAL.search(field)} == set()


def test_dimensions_are_fields_of_few_values_and_never_identities() -> None:
    for name, metric in _metrics():
        assert set(metric.by) <= DIMENSIONS & EVENTS[name].fields, name
        assert metric.value is None or metric.value in EVENTS[name].fields, name
        assert metric.when is None or metric.when[0] in EVENTS[name].fields, name
    assert set() == DIMENSIONS & IDENTITIES
    assert {dimension for _, metric in _metrics() for dimension in metric.by} == DIMENSIONS


def test_a_metric_has_one_meaning() -> None:
    """All events that add to a metric have the same dimensions and unit."""
    shapes = sorted((metric.name, metric.by, metric.unit) for _, metric in _metrics())
    assert [one for one, other in pairwise(shapes) if one[0] == other[0] and one != other] == []


def test_metrics_in_milliseconds_have_a_name_that_says_so() -> None:
    for name, metric in _metrics():
        assert (metric.unit is Unit.MILLISECONDS) == metric.name.endswith("Milliseconds"), name


@pytest.mark.parametrize("function", sorted(FUNCTION_FOLDERS.values()))
def test_every_invocation_writes_its_metrics(function: str) -> None:
    """Everything that a handler runs, it runs inside `telemetry.invocation()`."""
    tree = ast.parse((ROOT / "functions" / function / "app.py").read_text(encoding="utf-8"))
    counted = {
        run
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and ast.unparse(node.items[0]) == "telemetry.invocation()"
        for run in _runs(node)
    }
    assert counted == set(_runs(tree)) != set()


def _runs(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The places that run the event loop."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "loop.run":
            yield node.lineno, ast.unparse(node)
