"""Settings of all tests: the examples of property tests, and the order in which `make test` hands out files."""

from pathlib import Path

import pytest

from tests.examples import load_profile

HERE = Path(__file__).parent
LONG = ("stack", "documents", "bench", "simulation", "template", "artefacts", "demo", "local")
"""Folders with tests of many seconds. They come first: at the end each worker has short files left, so none works alone
for long. xdist itself would put the files with the most tests first (`--no-loadscope-reorder` forbids it)."""

load_profile()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(HERE).parts[0]
    return LONG.index(folder) if folder in LONG else len(LONG)
