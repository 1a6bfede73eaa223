"""The served OpenAPI document against the served API. schemathesis makes right and wrong requests from the document.

No request may cause a 5xx, an undocumented status or content type, or a body that the schema does not describe, and no
wrong request may be accepted. Each operation gets a few requests, the same in every run; `EXAMPLES=50` makes 50 of
each.
"""

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
from tests.examples import examples
from tests.stack.programme import Programme
from tests.stack.running import RunningStack

SCHEMA = schemathesis.openapi.from_dict(dict(document()))
_FOUND = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
OPERATIONS = {operation.definition.raw["operationId"]: operation for operation in _FOUND}
TOO_LARGE = 413
EXAMPLES_OF_BODIES, EXAMPLES_OF_READS = examples(12), examples(4)
"""For each operation, of right requests and of wrong ones."""


def no_wrong_request_is_accepted(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Two exceptions that schemathesis does not know: 413 is a refusal too, and an empty value in a query counts as
    missing."""
    is_empty = any(value == "" for value in (case.query or {}).values())
    if response.status_code != TOO_LARGE and not is_empty:
        negative_data_rejection(context, response, case)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    no_wrong_request_is_accepted,
]


@pytest.fixture(scope="module")
def signed_in(stack: RunningStack) -> dict[str, str]:
    """One organisation with both channels. The requests may change it in any way."""
    with Programme(stack, "openapi"):
        return {"Authorization": f"Bearer {stack.token('openapi')}"}


def _tries() -> Iterator[tuple[str, GenerationMode]]:
    """An operation without inputs has no wrong requests."""
    for name, operation in OPERATIONS.items():
        yield name, GenerationMode.POSITIVE
        if operation.body or operation.query or operation.path_parameters or operation.headers:
            yield name, GenerationMode.NEGATIVE


@pytest.mark.parametrize(("operation", "mode"), list(_tries()))
def test_the_api_conforms_to_the_document(
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
