"""Alarms, dashboard, saved queries and runbook agree with each other and with the code's list of events."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.api.texts.sentences import TextKind, known_codes
from shared.app.providers import PROVIDERS
from shared.base.events import ACCEPTED, EVENTS
from shared.messages.errors import Kind
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.messages.ports import ClaimAnswer
from shared.policy.gate_check import GateDecision
from tests.template import reading
from tests.template.reading import FUNCTION_FOLDERS, QUEUES, ROOT, Node, at, listed, mapping, of_type, properties, text

ALARM, QUERY = "AWS::CloudWatch::Alarm", "AWS::Logs::QueryDefinition"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
PARTS = ("**Means.**", "**Look.**", "**Do.**", "**Over when**")
OWN = "${AWS::StackName}"
VALUES = {
    "channel": set(Channel),
    "outcome": {*Kind, ACCEPTED},
    "status": set(Status),
    "provider": {str(row.name) for row in PROVIDERS},
    "decision": set(GateDecision),
    "found": set(ClaimAnswer),
    "reason": known_codes(TextKind.REASON, "en") | known_codes(TextKind.FIELD, "en"),
}
"""Allowed values of each dimension, from the code's enumerations. A reason is a reason of a row or a message that has a
text."""
OF_AWS = {
    "AWS/Lambda": {"Errors": {"FunctionName"}, "Duration": {"FunctionName"}},
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage": {"QueueName"},
        "ApproximateNumberOfMessagesVisible": {"QueueName"},
        "ApproximateNumberOfMessagesNotVisible": {"QueueName"},
        "NumberOfMessagesReceived": {"QueueName"},
    },
    "AWS/ApiGateway": {name: {"ApiId", "Stage", "Method", "Resource"} for name in ("4xx", "5xx")},
}
TEMPLATE = reading.read()
ALARMS = of_type(TEMPLATE, ALARM)
QUERIES = of_type(TEMPLATE, QUERY)
each_alarm = pytest.mark.parametrize("alarm", sorted(ALARMS))
each_query = pytest.mark.parametrize("query", sorted(QUERIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A metric as the template names it, with dimensions as (name, value)."""

    place: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def _plain(node: Node) -> str:
    """A value or its reference as text: !Ref X as ${X}, !GetAtt X.Y as ${X.Y}."""
    if isinstance(node, dict):
        [inner] = node.values()
        return f"${{{inner}}}"
    return str(node)


def of_alarm(name: str) -> Iterator[Named]:
    its = ALARMS[name]
    stats = [
        mapping(one, "MetricStat", "Metric") for one in listed(its.get("Metrics", [])) if "MetricStat" in mapping(one)
    ]
    for metric in stats or [its]:
        dimensions = [mapping(one) for one in listed(metric.get("Dimensions", []))]
        yield Named(
            place=name,
            namespace=_plain(metric["Namespace"]),
            name=text(metric, "MetricName"),
            dimensions=tuple((text(one, "Name"), _plain(one["Value"])) for one in dimensions),
        )


def _widgets() -> list[dict[str, Node]]:
    body = json.loads(text(properties(TEMPLATE, "Dashboard"), "DashboardBody", "Fn::Sub"))
    return [mapping(one) for one in listed(at(body, "widgets"))]


def _of_dashboard() -> Iterator[Named]:
    for widget in _widgets():
        title = text(widget, "properties", "title")
        for row in listed(mapping(widget, "properties").get("metrics", [])):
            parts = [str(one) for one in listed(row) if not isinstance(one, dict)]
            if parts:
                pairs = tuple(zip(parts[2::2], parts[3::2], strict=True))
                yield Named(place=title, namespace=parts[0], name=parts[1], dimensions=pairs)


SHOWN = tuple(_of_dashboard())
ALARMED = tuple(one for name in ALARMS for one in of_alarm(name))
OURS = {metric.name: metric for event in EVENTS.values() for metric in event.metrics}


def _mistake(named: Named) -> str | None:
    if named.namespace != OWN:
        known = OF_AWS.get(named.namespace, {}).get(named.name)
        return None if known and {name for name, _ in named.dimensions} <= known else "not one of AWS's"
    if named.name not in OURS:
        return "not a metric of the code"
    if {name for name, _ in named.dimensions} != set(OURS[named.name].by):
        return "other dimensions than the code's"
    wrong = [value for name, value in named.dimensions if value not in VALUES[name]]
    return f"no value of that dimension: {wrong}" if wrong else None


def test_alarms_and_dashboard_name_metrics_that_the_code_or_aws_writes() -> None:
    assert {(one.place, one.name): mistake for one in (*SHOWN, *ALARMED) if (mistake := _mistake(one))} == {}


def test_the_code_s_metrics_go_to_the_stack_s_own_namespace() -> None:
    variables = mapping(TEMPLATE, "Globals", "Function", "Environment", "Variables")
    assert _plain(variables["POWERTOOLS_METRICS_NAMESPACE"]) == OWN


def test_the_dashboard_shows_every_metric_of_the_code() -> None:
    """A metric costs money even if it is shown nowhere."""
    expressions = {name for widget in _widgets() for name in re.findall(r'MetricName=\\"(\w+)', json.dumps(widget))}
    assert {one.name for one in SHOWN if one.namespace == OWN} | expressions == set(OURS)


def test_the_dashboard_shows_every_alarm() -> None:
    [widget] = [one for one in _widgets() if one["type"] == "alarm"]
    assert listed(at(widget, "properties", "alarms")) == [f"${{{name}.Arn}}" for name in ALARMS]


def test_widgets_do_not_overlap() -> None:
    cells = [
        (x, y)
        for one in _widgets()
        for x in range(reading.number(one, "x"), reading.number(one, "x") + reading.number(one, "width"))
        for y in range(reading.number(one, "y"), reading.number(one, "y") + reading.number(one, "height"))
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


# -------------------------------------------------------------------------------------------------------------- alarms


def _dimensions_of(metric: str) -> set[str]:
    return {value for one in ALARMED if one.name == metric for _, value in one.dimensions}


def test_each_function_queue_and_dead_letter_queue_has_an_alarm() -> None:
    assert _dimensions_of("Errors") == {f"${{{function}}}" for function in FUNCTION_FOLDERS}
    assert _dimensions_of("ApproximateAgeOfOldestMessage") == {f"${{{queue}.QueueName}}" for queue in QUEUES}
    lying = _dimensions_of("ApproximateNumberOfMessagesVisible") | _dimensions_of("NumberOfMessagesReceived")
    assert lying == {f"${{{queue.removesuffix('Queue')}DeadLetters.QueueName}}" for queue in QUEUES}


def test_each_channel_has_its_alarms() -> None:
    for metric in ("DistributionsReleasing", "DeadLettersStanding", "Calls", "Failures"):
        assert set(Channel) <= _dimensions_of(metric), metric


@each_alarm
def test_an_alarm_links_to_its_runbook_entry_and_existing_queries(alarm: str) -> None:
    said = text(ALARMS[alarm], "AlarmDescription").strip()
    assert said.endswith(f". docs/runbook.md#{alarm.lower()}")
    assert len(said) <= 1024
    for query in re.findall(r"saved query ([a-z-]+)", said):
        assert query in _query_names(), said


@each_alarm
def test_an_alarm_notifies_the_topic_and_is_silent_without_data(alarm: str) -> None:
    its = ALARMS[alarm]
    assert at(its, "AlarmActions", "Fn::If", 0) == "HasAlarmTopic"
    assert its["TreatMissingData"] == ("breaching" if alarm == "TickMissing" else "notBreaching")


def test_the_guide_states_the_cost_of_the_alarms() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert f"{len(ALARMED) / 10:.2f} for {len(ALARMS)} alarms" in guide


def _entries() -> dict[str, str]:
    section = RUNBOOK.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    return {name: body for name, _, body in (one.partition("\n") for one in section.split("\n### ")[1:])}


def test_the_runbook_has_an_entry_for_each_alarm_and_no_other() -> None:
    assert list(_entries()) == list(ALARMS)


def test_the_runbook_names_widgets_of_the_dashboard() -> None:
    titles = [text(widget, "properties", "title") for widget in _widgets()]
    named = re.findall(r"\b[Ww]idgets? \*([^*]+)\*", RUNBOOK.replace("\n  ", " "))
    assert len(named) > 15
    assert [part for part in named if not any(part in title for title in titles)] == []


def test_the_triage_names_each_alarm() -> None:
    assert set(ALARMS) - set(re.findall(r"\w+", _rows("Triage"))) == set()


@each_alarm
def test_an_entry_has_all_parts_in_order(alarm: str) -> None:
    entry = _entries()[alarm]
    places = [entry.find(part) for part in PARTS]
    assert -1 not in places, f"{alarm}: {PARTS}"
    assert places == sorted(places)


def test_queries_routes_and_entries_named_in_the_runbook_exist() -> None:
    known = _query_names() | set(EVENTS) | set(ALARMS)
    for word in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", RUNBOOK):
        assert word in known, word
    routes = {f"{text(event, 'Method')} {text(event, 'Path')}" for _, event in reading.events(TEMPLATE, "HttpApi")}
    routes = {re.sub(r"\{\w+\}", "{}", route) for route in routes}
    for method, path in re.findall(r"`(GET|POST|PUT|DELETE) (/[^`? ]+)", RUNBOOK):
        concrete = re.sub(r"\{\w+\}", "{}", path)
        assert {f"{method} {concrete}", f"{method} {_named(concrete)}"} & routes, f"{method} {path}"


@pytest.mark.parametrize("event", sorted(name for name, its in EVENTS.items() if its.is_warning))
def test_the_runbook_explains_each_warning_event(event: str) -> None:
    assert f"`{event}`" in _rows("Warning events")


def test_the_runbook_names_each_reason_that_stops_a_distribution() -> None:
    assert known_codes(TextKind.STATUS_REASON, "en") <= set(re.findall(r"\w+", RUNBOOK))


def test_the_runbook_names_each_check_of_an_integrations_health() -> None:
    source = (ROOT / "shared" / "integrations" / "health.py").read_text(encoding="utf-8")
    checks = set(re.findall(r'_(?:good|bad|unasked)\(\s*"(\w+)"', source))
    assert len(checks) > 8
    assert [name for name in checks if f"`{name}`" not in _rows("Health checks")] == []


def _rows(title: str) -> str:
    return RUNBOOK.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _named(path: str) -> str:
    return re.sub(r"(?<=/v1/integrations/)\w+", "{}", path)


# ------------------------------------------------------------------------------------------------------------- queries


WORDS_OF_INSIGHTS = frozenset(
    (
        *("fields", "filter", "sort", "stats", "limit", "by", "as", "asc", "desc"),
        *("and", "or", "in", "count", "count_distinct", "latest"),
    )
)
ACCESS_FIELDS = frozenset(json.loads(text(properties(TEMPLATE, "HttpApi"), "AccessLogSettings", "Format")))
OF_EVERY_LINE = frozenset(("@timestamp", "level", "message", "service"))
PLACEHOLDERS = frozenset(("MESSAGE_ID", "DISTRIBUTION_ID"))


def _query_names() -> set[str]:
    return {text(its, "Name", "Fn::Sub").removeprefix(f"{OWN}/") for its in QUERIES.values()}


@each_query
def test_fields_and_events_of_a_query_exist(query: str) -> None:
    said = re.sub(r"^#.*$", "", text(QUERIES[query], "QueryString"), flags=re.MULTILINE)
    quoted = set(re.findall(r'"([^"]*)"', said))
    assert quoted <= {*EVENTS, *Status, *PLACEHOLDERS, "WARNING", "ERROR"}
    ours = {field for event in EVENTS.values() for field in event.fields} | OF_EVERY_LINE
    bare = re.sub(r'"[^"]*"', "", said)
    aliases = set(re.findall(r"\bas (\w+)", bare))
    fields = {one.split(".")[0] for one in re.findall(r"@?[A-Za-z_][\w.]*", bare)}
    known = ACCESS_FIELDS | {"@timestamp"} if _groups(query) == {"AccessLogs"} else ours
    assert fields - aliases - WORDS_OF_INSIGHTS - known == set()


def test_queries_show_the_organisation() -> None:
    """Two queries are exceptions: the lines of slow calls name the message, and the gateway knows only routes."""
    silent = {query for query in QUERIES if "organisation" not in text(QUERIES[query], "QueryString")}
    assert silent == {"SlowestSendsQuery", "AnswersByRouteQuery"}


def _groups(query: str) -> set[str]:
    return {str(at(one, "Ref")) for one in listed(QUERIES[query]["LogGroupNames"])}


def test_queries_search_the_functions_own_log_groups_or_the_gateways() -> None:
    assert _query_names() >= {"by-message", "by-distribution", "failures-by-code", "slowest-sends"}
    groups = {name.replace("Function", "Logs") for name in FUNCTION_FOLDERS}
    for name, its in QUERIES.items():
        assert _groups(name) <= groups or _groups(name) == {"AccessLogs"}, name
        assert text(its, "Name", "Fn::Sub").startswith(f"{OWN}/"), name
