"""Keeps the tests over HTTP independent of the machine's speed (tests/stack/README.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.programme import organisation_of

HERE = Path(__file__).parent
SLEEPS_FOR_ITS_OWN = "programme.py"
"""`until` looks again and again."""
LONG = "tests/stack/test_a.py::test_" + "a_name_that_goes_on_and_on_" * 3


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(HERE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            function = node.func if isinstance(node, ast.Call) else None
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
            if isinstance(node, ast.Call) and called == name:
                yield f"{path.name}:{node.lineno}", node


def test_no_test_sleeps_or_reads_a_clock() -> None:
    assert [where for where, _ in calls("sleep") if not where.startswith(SLEEPS_FOR_ITS_OWN)] == []
    for clock in ("monotonic", "perf_counter"):
        assert [where for where, _ in calls(clock) if not where.startswith(SLEEPS_FOR_ITS_OWN)] == []


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
