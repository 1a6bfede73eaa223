"""The served OpenAPI document against the served API: schemathesis makes requests from it, right and wrong ones.

No 5xx, no status and no content type that the document does not name, no body that its schema does not describe, and
nothing wrong that is taken. A few requests an operation, the same in every run; `EXAMPLES=50` makes so many of each.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from shared.api.openapi import document
from tests.stack.programme import Programme
from tests.stack.running import RunningStack

SCHEMA = schemathesis.openapi.from_dict(dict(document()))
_FOUND = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
OPERATIONS = {operation.definition.raw["operationId"]: operation for operation in _FOUND}
TOO_LARGE = 413
CHOSEN = os.environ.get("EXAMPLES", "")
EXAMPLES_OF_BODIES, EXAMPLES_OF_READS = (int(CHOSEN), int(CHOSEN)) if CHOSEN else (12, 4)
"""Of each kind, right and wrong, for each operation."""


def nothing_wrong_is_taken(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """But what schemathesis does not know of: 413 is a refusal too, and an empty value of a query counts as absent."""
    is_empty = any(value == "" for value in (case.query or {}).values())
    if response.status_code != TOO_LARGE and not is_empty:
        negative_data_rejection(context, response, case)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    nothing_wrong_is_taken,
]


@pytest.fixture(scope="module")
def signed_in(stack: RunningStack) -> dict[str, str]:
    """One organisation with both channels set up; what the requests do to it does not matter."""
    with Programme(stack, "openapi"):
        return {"Authorization": f"Bearer {stack.token('openapi')}"}


def _tries() -> Iterator[tuple[str, GenerationMode]]:
    """Where nothing is asked for, nothing can be wrong."""
    for name, operation in OPERATIONS.items():
        yield name, GenerationMode.POSITIVE
        if operation.body or operation.query or operation.path_parameters or operation.headers:
            yield name, GenerationMode.NEGATIVE


@pytest.mark.parametrize(("operation", "mode"), list(_tries()))
def test_the_api_is_what_the_document_says(
    stack: RunningStack, signed_in: dict[str, str], operation: str, mode: GenerationMode
) -> None:
    @settings(
        max_examples=EXAMPLES_OF_BODIES if OPERATIONS[operation].body else EXAMPLES_OF_READS,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[operation].as_strategy(mode))
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(base_url=stack.base_url, headers=signed_in, checks=CHECKS)

    ask()
