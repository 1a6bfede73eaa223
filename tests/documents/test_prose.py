"""The documents stay plain: few riddle words, short paragraphs and lines. The command prints the same figures."""

import json
from pathlib import Path

import pytest

from local.processes import PROJECT_ROOT
from tests.documents import prose
from tests.documents.__main__ import main, measure
from tests.documents.pages import Page, pages

MOST_RIDDLES_IN_DOCUMENTS, MOST_RIDDLES_IN_DOCSTRINGS = 0.5, 0.5
"""In a thousand words."""
MOST_POINTERS = 0
"""Docstrings that only say "See `X`."."""
PAGES = pages(PROJECT_ROOT)
SAMPLE = """# Nobody reads titles

Somebody writes `nobody` here,
and whoever reads it stops.
- An item
  of two lines.

| a | table |
|---|---|

```sh run
everybody
```
"""


def test_documents_have_no_riddles_and_no_long_paragraphs_or_lines() -> None:
    found = prose.texts(PAGES)
    assert prose.per_thousand(found) <= MOST_RIDDLES_IN_DOCUMENTS, prose.riddles(found)
    assert prose.long_paragraphs(PAGES) == []
    assert prose.long_lines(PAGES) == []


def test_docstrings_keep_to_the_limits() -> None:
    found = prose.docstrings(PROJECT_ROOT)
    assert prose.per_thousand(found) <= MOST_RIDDLES_IN_DOCSTRINGS
    assert len(prose.pointers(found)) <= MOST_POINTERS


def test_the_map_is_short() -> None:
    [page] = [page for page in PAGES if page.path == "docs/architecture.md"]
    assert len(page.lines) <= 250
    assert [line for line in page.lines if len(line) > 100] == []


def test_a_page_is_measured() -> None:
    page = Page(path="x.md", text=SAMPLE + "word " * 91 + "\n" + "x" * 121 + "\n")
    assert prose.riddles(prose.texts([page])) == ["x.md:1 nobody", "x.md:3 somebody", "x.md:4 whoever"]
    assert [number for number, _ in page.paragraphs] == [3, 5, 14]
    assert prose.long_paragraphs([page]) == ["x.md:14 92"]
    assert prose.long_lines([page]) == ["x.md:14 455", "x.md:15 121"]
    assert prose.pointers([("a", "See `Clock`."), ("b", "The clock; see `Clock`.")]) == ["a"]


def test_figures_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text(SAMPLE)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "gate.py").write_text('"""Nobody knows."""\ndef f(): ...\n')
    assert main(["--root", str(tmp_path), "--json", str(tmp_path / "figures.json"), "-v"]) == 0
    printed = capsys.readouterr().out
    assert "riddle words of docstrings: 1\n  shared/gate.py:1 nobody\n" in printed
    assert "command blocks by mark: run 1, ci 0, docker 0, account 0, none 0\n" in printed
    assert json.loads((tmp_path / "figures.json").read_text()) == measure(tmp_path)
