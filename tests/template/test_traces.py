"""Traces: Lambda makes them, and no code of ours adds to them. So none has to be searched
(tests/stack/test_privacy.py).

A segment of Lambda's own has the function, the request ID, times and, for an exception, its type, text and places in
the code. Only an SDK of X-Ray or OpenTelemetry could add to it: as an import, a package, a layer or a setting.
"""

import ast
import json
import re
from typing import Any

import pytest

from shared.app.telemetry import LoggedTelemetry
from tests.fakes.world import FakeClock
from tests.template.reading import FUNCTION_FOLDERS, ROOT, Node, mapping, of_type

ADDS = re.compile(r"xray|opentelemetry|\botel|ddtrace|tracer|tracing", re.IGNORECASE)
SETS = re.compile(r"OTEL_|AWS_XRAY_|POWERTOOLS_TRACE|AWS_LAMBDA_EXEC_WRAPPER|LAMBDA_CONTEXT_TRACE")
REPORTED = "+22177000123x Awa"
"""A text with a person's data, for the exception."""


def test_lambda_makes_traces_and_no_layer_or_setting_adds_to_them(template: Node) -> None:
    common = mapping(template, "Globals", "Function")
    assert common["Tracing"] == "Active"
    given = {"common": common, **of_type(template, "AWS::Serverless::Function")}
    for name, its in given.items():
        assert its.keys() & {"Layers", "AutoPublishAlias"} == set(), name
        assert name == "common" or "Tracing" not in its, name
        variables = mapping(its, "Environment", "Variables")
        assert [one for one in variables if SETS.match(one)] == [], name


def test_no_function_imports_a_tracing_sdk() -> None:
    imported = {
        f"{file.relative_to(ROOT)}: {name}"
        for folder in ("shared", "functions")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in _imported(node)
    }
    assert any(one.endswith("aws_lambda_powertools.Logger") for one in imported)  # proves that the imports were read
    assert {one for one in imported if ADDS.search(one.partition(": ")[2])} == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [f"{node.module}.{one.name}" for one in node.names] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize("folder", FUNCTION_FOLDERS.values())
def test_no_artefact_has_a_tracing_sdk(folder: str) -> None:
    """Powertools' tracing module needs an SDK of one of its extras, which the artefact does not have."""
    required = (ROOT / "functions" / folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("aws-lambda-powertools==") for line in required)
    assert [line for line in required if ADDS.search(line)] == []


def test_lambdas_trace_of_a_failure_has_its_type_and_place() -> None:
    """The program that runs handlers on Lambda decides what X-Ray gets when one raises."""
    bootstrap = pytest.importorskip("awslambdaric.bootstrap", reason="made for Linux alone")
    telemetry, runtime = LoggedTelemetry("traces", FakeClock()), _Runtime()

    def handler(event: str, _: object) -> None:
        with telemetry.invocation():
            int(event)

    nothing: Any = None
    bootstrap.handle_event_request(
        runtime, handler, "request-1", REPORTED, "text/plain", nothing, nothing, "arn", 0, nothing, _LogSink()
    )
    [cause] = runtime.causes
    drawn = json.loads(cause)["exceptions"]
    assert [(one["type"], one["message"]) for one in drawn] == [("InvocationFailedError", "ValueError")]
    assert "Awa" not in cause
    assert "77000" not in cause


class _Runtime:
    """Lambda's API for the program that runs handlers."""

    def __init__(self) -> None:
        self.causes: list[str] = []
        self.marshaller = self

    def unmarshal_request(self, body: str, _: str) -> str:
        return body

    def post_invocation_error(self, _id: str, _error: str, cause: str, _invocation: object) -> None:
        self.causes.append(cause)


class _LogSink:
    """Takes the text that Lambda logs of a failure; tests/unit/app/test_telemetry.py tests that text."""

    def log_error(self, _: list[str]) -> None:
        """Ignores the text."""
