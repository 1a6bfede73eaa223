"""One local stack for the tests of this folder in a process: template, functions, moto and simulators, over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.programme import Programme, organisation_of
from tests.stack.running import UNTHROTTLED, RunningStack, started

HERE = Path(__file__).parent


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with started(tmp_path_factory.mktemp("stack") / "log") as running:
        running.set_simulators(orange_rate_per_second=UNTHROTTLED)
        yield running


@pytest.fixture(scope="module")
def fresh_stack(stack: RunningStack) -> Iterator[RunningStack]:
    """The same stack for the tests of one file that move its clock by hours or look at all that it holds.

    They find it empty, and so does the next file. A start would take seven seconds of processor time, this takes half
    a second.
    """
    stack.begin_anew()
    yield stack
    stack.begin_anew()


@pytest.fixture
def programme(stack: RunningStack, request: pytest.FixtureRequest) -> Iterator[Programme]:
    """An organisation of the test's own, so that tests share only the stack."""
    with Programme(stack, organisation_of(request.node.nodeid)) as programme:
        yield programme


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.stack)
