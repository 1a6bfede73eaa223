"""Every test here runs against the fakes and against the AWS adapters. pytest runs coroutines in a loop of their
own."""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import closing

import pytest
from moto import mock_aws

from shared.app.runtime import Loop
from shared.storage.aws import Aws
from tests.contract.cloud import connect, deploy, on_aws, template
from tests.contract.world import World, in_memory
from tests.fakes.world import FakeClock
from tests.template.reading import Node


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}
    with asyncio.Runner() as runner:
        runner.run(test(**arguments))
    return True


@pytest.fixture(scope="session")
def described() -> Node:
    return template()


@pytest.fixture(scope="session")
def connected() -> Aws:
    return connect()


@pytest.fixture(scope="module")
def aws(connected: Aws) -> Iterator[Aws]:
    """moto in this process, for one module: the next module may use a moto of its own."""
    with mock_aws():
        yield connected


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    """An event loop for the functions of one module. It fails if a function leaves an exception unhandled."""
    unheard: list[Exception] = []
    with closing(Loop(lambda error, _: unheard.append(error))) as one:
        yield one
    assert unheard == []


@pytest.fixture
def cloud(aws: Aws, described: Node) -> World:
    return on_aws(aws, deploy(aws, described), FakeClock())


@pytest.fixture(params=["memory", "moto"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return in_memory()
    cloud: World = request.getfixturevalue("cloud")
    return cloud
