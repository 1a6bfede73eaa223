"""Keeps the tests over HTTP independent of the machine's speed (tests/stack/README.md)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.stack.programme import organisation_of

HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent / "local", HERE.parent / "chaos", HERE.parent / "simulators")
"""Tests and helpers that ask servers in other processes or threads."""
LONG = "tests/stack/test_a.py::test_" + "a_name_that_goes_on_and_on_" * 3


@cache
def trees(folder: Path) -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.py"))]


def calls(name: str, folder: Path = HERE) -> Iterator[tuple[str, ast.Call]]:
    for path, tree in trees(folder):
        for node in ast.walk(tree):
            function = node.func if isinstance(node, ast.Call) else None
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
            if isinstance(node, ast.Call) and called == name:
                yield f"{path.name}:{node.lineno}", node


def test_no_test_sleeps_or_reads_a_clock() -> None:
    """`tests.waiting.until` does it for them."""
    assert [where for clock in ("sleep", "monotonic", "perf_counter") for where, _ in calls(clock)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_request_has_the_five_seconds_of_the_client(folder: Path) -> None:
    """A busy machine needs longer. `tests.waiting.http` has the one patience."""
    short = [
        where
        for method in ("get", "post", "put", "delete", "request")
        for where, call in calls(method, folder)
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("httpx", "httpx2")
    ]
    assert short == []


def test_all_tests_share_one_patience() -> None:
    own = [
        where for name, most in (("until", 2), ("settled", 2)) for where, call in calls(name) if len(call.args) > most
    ]
    assert own == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{LONG}one", f"{LONG}other"),
        ("tests/stack/test_a.py::test_it", "tests/stack/test_b.py::test_it"),
        ("tests/stack/test_a.py::test_it[é]", "tests/stack/test_a.py::test_it[è]"),
    ],
)
def test_no_two_tests_share_an_organisation(one: str, other: str) -> None:
    names = {organisation_of(one), organisation_of(other)}
    assert len(names) == 2
    assert all(len(name) <= 60 and name.replace("_", "").replace("-", "").isalnum() for name in names)
