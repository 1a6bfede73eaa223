"""The table stays true: each guard is in the code exactly once, and its tests exist."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guards.__main__ import ROOT, TESTS_FAILED, noticed, without
from tests.guards.running import Pytest
from tests.guards.table import GUARDS, Guard

MUST_BE_THERE = ("claim", "lease", "epoch", "gate", "signature", "scope", "mask", "idempotency", "slot", "status")


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_each_guard_occurs_once_and_the_rest_is_valid_code(guard: Guard) -> None:
    code = (ROOT / guard.file).read_text()
    mutilated = without(guard, code)
    assert mutilated != code
    ast.parse(mutilated)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_named_tests_exist(guard: Guard) -> None:
    assert guard.tests
    assert [test for test in guard.tests if not _exists(test)] == []


def _exists(test: str) -> bool:
    """Whether the file is there and, if `test` names a class or a function, that too. Parameters are not checked."""
    file, *names = test.partition("[")[0].split("::")
    if not (ROOT / file).exists():
        return False
    nodes: list[ast.stmt] = ast.parse((ROOT / file).read_text()).body
    for name in names:
        named = [
            node
            for node in nodes
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
        if not named:
            return False
        nodes = named[0].body
    return True


@pytest.mark.parametrize(
    ("test", "exists"),
    [
        ("tests/guards/test_table.py", True),
        ("tests/guards/test_table.py::test_names_are_distinct", True),
        ("tests/guards/test_table.py::test_the_first_guards_are_in_the_table[claim]", True),
        ("tests/guards/test_table.py::test_of_before_it_was_renamed", False),
        ("tests/guards/test_table.py::TestTable::test_names_are_distinct", False),
        ("tests/guards/test_no_table.py", False),
        ("tests/contract/test_exports.py::TestFiles::test_a_part_that_was_overwritten_is_noticed", True),
    ],
)
def test_a_renamed_test_is_noticed(test: str, exists: bool) -> None:
    assert _exists(test) is exists


def test_names_are_distinct() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("word", MUST_BE_THERE)
def test_the_first_guards_are_in_the_table(word: str) -> None:
    assert any(guard.name.startswith(word) for guard in GUARDS)


def test_a_guard_that_is_not_in_the_file_is_an_error() -> None:
    guard = Guard(name="g", file="f", before="guard()", after="", tests=("t",))
    with pytest.raises(ValueError, match="stands 0 times"):
        without(guard, "nothing")


@pytest.fixture(scope="module")
def warm() -> Iterator[Pytest]:
    with Pytest() as running:
        yield running


@pytest.mark.parametrize(
    ("code", "expected"),
    [("assert True", 0), ("assert False", TESTS_FAILED), ("import time; time.sleep(3600)", None)],
    ids=["passes", "fails", "takes too long"],
)
def test_how_tests_ended_in_a_checkout(
    code: str, expected: int | None, warm: Pytest, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """If all guards are in place, only exit code 0 is expected. Any other result is written to standard error."""
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {code}\n")
    assert warm.ended(tmp_path, ["test_it.py"], longest=1 if expected is None else 300) == expected
    assert bool(capfd.readouterr().err) == (expected != 0)


@pytest.mark.parametrize(("bound", "expected"), [(3, True), (5, False)], ids=["guarded", "not guarded"])
def test_a_guard_is_noticed_if_a_test_fails_without_it(
    bound: int, expected: bool, warm: Pytest, tmp_path: Path
) -> None:
    """Each run imports the code of its own checkout, and the complete copy stays unchanged."""
    whole = tmp_path / "whole"
    (whole / "shared").mkdir(parents=True)
    (whole / "shared" / "code.py").write_text("def most(n):\n    n = min(n, 3)\n    return n\n")
    (whole / "test_it.py").write_text(
        f"from shared.code import most\n\n\ndef test_it():\n    assert most(4) <= {bound}\n"
    )
    assert warm.ended(whole, ["test_it.py"], longest=300, keeps_bytecode=True) == 0
    guard = Guard(name="g", file="shared/code.py", before="    n = min(n, 3)\n", after="", tests=("test_it.py",))
    assert noticed(guard, whole, warm) is expected
    assert warm.ended(whole, ["test_it.py"], longest=300) == 0
