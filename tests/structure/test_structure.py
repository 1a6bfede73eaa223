import json
from pathlib import Path

import pytest

from tests.structure import figures, identifiers, words
from tests.structure.__main__ import main, measure
from tests.structure.code import modules

GATE = '''"""The gate."""
from shared.policy import hours
from shared.policy.hours import opens


class Gate:
    """Answers."""

    lane: str = "".copy(copy=1)
    """The sender's."""

    def check(self, row: str) -> str:
        """Reads
        the row."""
        try:
            return opens(row)
        except Exception:
            return hours.opens(row)

    def left(self, row, frozen=1): ...
'''
HOURS = '''def opens(row: str, *rest: int) -> str:
    """When it opens."""
    def inner(one: str) -> str:
        return one
    return inner(row)


FIELD = "told_at"
SENTENCE = "was told at night"
CONDITION = "attribute_not_exists(told_by) OR rank < :told"
'''
TEST = "def test_what_is_left_of_a_lane() -> None:\n    frozen = True\n"
TEMPLATE = """Resources:
  Alarm:
    Properties:
      MetricName: Copies  # of the lane
      AlarmDescription: >-
        The lane is full.
      Period: 60
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with two modules, a test and a template."""
    for name, text in {
        "shared/policy/__init__.py": "",
        "shared/policy/gate.py": GATE,
        "shared/policy/hours.py": HOURS,
        "tests/test_gate.py": TEST,
        "template.yaml": TEMPLATE,
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_the_figures_of_the_code(root: Path) -> None:
    shared = modules(root, "shared")
    assert figures.per_package(shared) == [("shared/policy", 2)]
    assert figures.with_one_importer(shared, shared) == [("shared.policy.hours", "shared.policy.gate")]
    assert figures.statements(shared) == 17
    assert [(lines, name.rpartition(" ")[2]) for lines, name in figures.lengths(shared)] == [
        (2, "opens"),
        (2, "inner"),
        (5, "check"),
    ]
    assert figures.typed_share(shared) == 3 / 4
    assert figures.broad_excepts(shared) == ["shared/policy/gate.py:17"]


def test_words_are_found_in_names_and_not_in_prose(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identifiers, "SENTENCE_WORDS", frozenset({"left"}))
    monkeypatch.setattr(identifiers, "NOT_MEANT", {"frozen": "a dataclass", ".copy": "a method", "copy=": "a keyword"})
    monkeypatch.setattr(identifiers, "MEANT_IN", {"tests/": frozenset({"frozen"})})
    monkeypatch.setattr(identifiers, "NOT_MEANT_IN", {"policy/h": {"told_at": "another meaning"}})
    found = {(word, one.name, one.kind) for word, places in identifiers.remaining(root).items() for one in places}
    assert found == {
        ("frozen", "frozen", "variable"),
        ("lane", "lane", "variable"),
        ("lane", "test_what_is_left_of_a_lane", "function"),
        ("left", "left", "function"),
        ("told", "told", "string"),
        ("told", "told_by", "string"),
        ("told_by", "told_by", "string"),
        ("copy", "Copies", "template"),
    }


def test_a_name_is_cut_at_underscores_and_capitals() -> None:
    assert identifiers.words_in("DynamoLanes") == ("lane",)
    assert identifiers.words_in("one_of_many") == ("of_many",)
    assert identifiers.words_in("leftover") == identifiers.words_in("of_the_many") == ()


def test_every_exception_contains_a_private_word() -> None:
    """An exception without a private word hides no name today and would hide a mistake later."""
    named = [*words.NOT_MEANT, *(name for names in words.NOT_MEANT_IN.values() for name in names)]
    assert [name for name in named if not identifiers.words_in(name)] == []
    assert words.WORDS.keys() >= words.SENTENCE_WORDS


def test_figures_are_printed_and_written(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, file = root / "ci.log", root / "figures.json"
    report.write_text("2 passed in 1.50s\n===== 10 passed, 1 skipped in 60.25s (0:01:00) =====\n")
    assert main(["--root", str(root), "--json", str(file), "--report", str(report)]) == 0
    printed = capsys.readouterr().out
    assert "modules in shared: 2\n" in printed
    assert "typed share: 75.00%\n" in printed
    assert "seconds of the tests: 60.2\n" in printed
    written = json.loads(file.read_text())
    assert written["private words"]["copy"]["Copies"] == ["template.yaml:4 template"]
    assert written.keys() - {"seconds of the tests"} == measure(root).keys()


def test_time_is_read_from_a_junit_file_too(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text('<testsuites><testsuite time="1.5"/><testsuite time="2"/></testsuites>')
    assert figures.seconds_of_tests(report) == 3.5
    report.write_text("nothing")
    with pytest.raises(SystemExit):
        figures.seconds_of_tests(report)


def test_tests_are_counted_by_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text("def test_a(): ...\ndef test_b(): ...\n")
    assert figures.tests_collected(tmp_path) == 2


def test_no_private_word_is_left_in_the_product() -> None:
    """house.md's left column. `python -m tests.structure -v` lists the names of all folders with their places."""
    found = identifiers.remaining(Path(__file__).parents[2], ["shared", "functions"])
    assert [place for places in found.values() for place in places] == []
