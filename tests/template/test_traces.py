"""Traces: Lambda draws them, and nothing of ours is added. So there is none to search (tests/stack/test_privacy.py).

A segment of Lambda's own has the function, the request ID, times and, of what was raised, type, text and places in the
code. What could add to it is an SDK of X-Ray's or OpenTelemetry's, as an import, a package, a layer or a setting.
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
"""Whom an exception's text names."""


def test_lambda_draws_them_and_no_layer_or_setting_adds_to_them(template: Node) -> None:
    common = mapping(template, "Globals", "Function")
    assert common["Tracing"] == "Active"
    given = {"common": common, **of_type(template, "AWS::Serverless::Function")}
    for name, its in given.items():
        assert its.keys() & {"Layers", "AutoPublishAlias"} == set(), name
        assert name == "common" or "Tracing" not in its, name
        variables = mapping(its, "Environment", "Variables")
        assert [one for one in variables if SETS.match(one)] == [], name


def test_no_function_imports_what_adds_to_them() -> None:
    imported = {
        f"{file.relative_to(ROOT)}: {name}"
        for folder in ("shared", "functions")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in _imported(node)
    }
    assert any(one.endswith("aws_lambda_powertools.Logger") for one in imported)  # it is read
    assert {one for one in imported if ADDS.search(one.partition(": ")[2])} == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [f"{node.module}.{one.name}" for one in node.names] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize("folder", FUNCTION_FOLDERS.values())
def test_no_artefact_holds_what_adds_to_them(folder: str) -> None:
    """Powertools' own module for it wants an SDK that is an extra of it, and not there."""
    required = (ROOT / "functions" / folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("aws-lambda-powertools==") for line in required)
    assert [line for line in required if ADDS.search(line)] == []


def test_what_lambda_draws_of_a_failure_is_a_type_and_a_place() -> None:
    """By the program that runs handlers on Lambda: what it sends to X-Ray when one raises."""
    bootstrap = pytest.importorskip("awslambdaric.bootstrap", reason="made for Linux alone")
    telemetry, runtime = LoggedTelemetry("traces", FakeClock()), _Runtime()

    def handler(event: str, _: object) -> None:
        with telemetry.invocation():
            int(event)

    nothing: Any = None
    bootstrap.handle_event_request(
        runtime, handler, "request-1", REPORTED, "text/plain", nothing, nothing, "arn", 0, nothing, _Deaf()
    )
    [cause] = runtime.causes
    drawn = json.loads(cause)["exceptions"]
    assert [(one["type"], one["message"]) for one in drawn] == [("InvocationFailedError", "ValueError")]
    assert "Awa" not in cause
    assert "77000" not in cause


class _Runtime:
    """Lambda's API towards the handler's program."""

    def __init__(self) -> None:
        self.causes: list[str] = []
        self.marshaller = self

    def unmarshal_request(self, body: str, _: str) -> str:
        return body

    def post_invocation_error(self, _id: str, _error: str, cause: str, _invocation: object) -> None:
        self.causes.append(cause)


class _Deaf:
    """Where the text of the failure goes that Lambda logs: tests/unit/app/test_telemetry.py looks at that."""

    def log_error(self, _: list[str]) -> None:
        """Nothing."""
