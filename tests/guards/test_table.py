"""The table stays true: each guard is in the code exactly once, and its tests exist."""

import ast
from pathlib import Path

import pytest

from tests.guards.__main__ import ROOT, TESTS_FAILED, ended, without
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
    assert [test for test in guard.tests if not (ROOT / test.partition("::")[0]).exists()] == []


def test_names_are_distinct() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("word", MUST_BE_THERE)
def test_the_first_guards_are_in_the_table(word: str) -> None:
    assert any(guard.name.startswith(word) for guard in GUARDS)


def test_a_guard_that_is_not_in_the_file_is_an_error() -> None:
    guard = Guard(name="g", file="f", before="guard()", after="", tests=("t",))
    with pytest.raises(ValueError, match="stands 0 times"):
        without(guard, "nothing")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("assert True", 0), ("assert False", TESTS_FAILED), ("import time; time.sleep(60)", None)],
    ids=["passes", "fails", "takes too long"],
)
def test_how_tests_ended_in_a_checkout(
    code: str, expected: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If all guards are in place, only exit code 0 is expected. Any other result is written to standard error."""
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {code}\n")
    assert ended(tmp_path, ["test_it.py"], longest=5 if expected is None else 100) == expected
    assert bool(capsys.readouterr().err) == (expected != 0)
