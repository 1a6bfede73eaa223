import pytest

from tests.template import reading
from tests.template.reading import Node


@pytest.fixture(scope="session")
def template() -> Node:
    return reading.read()
