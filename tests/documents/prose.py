"""How plain the prose is: riddle words, long paragraphs, long lines, and docstrings that only point elsewhere."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.documents.pages import Page
from tests.structure.code import Module, is_docstring, modules
from tests.structure.identifiers import FOLDERS

RIDDLES = ("nobody", "somebody", "whoever", "whatever", "anybody", "everybody")
"""These words hide the actor: a program, an officer, a provider (house.md, Prose)."""
LONGEST_PARAGRAPH, LONGEST_LINE = 90, 120
"""In words and in characters."""
_WORD = re.compile(r"[^\W\d_](?:[\w’'-]*\w)?")
_RIDDLE = re.compile(rf"\b(?:{'|'.join(RIDDLES)})\b", re.IGNORECASE)
_CODE = re.compile(r"(`+).+?\1")
_POINTS_ELSEWHERE = re.compile(r"See `[^`]+`\.?")


def docstrings(root: Path) -> list[tuple[str, str]]:
    """("file:line", text) of every docstring and every description under a field or constant."""
    return [found for folder in FOLDERS for one in modules(root, folder) for found in _docstrings_of(one)]


def _docstrings_of(module: Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.stmt) and is_docstring(node):
            assert isinstance(node, ast.Expr)
            assert isinstance(node.value, ast.Constant)
            yield f"{module.path}:{node.lineno}", str(node.value.value)


def texts(found: Iterable[Page]) -> list[tuple[str, str]]:
    """("file:line", text) of every line of prose."""
    return [(f"{page.path}:{number}", line) for page in found for number, line in page.prose]


def words(found: Iterable[tuple[str, str]]) -> int:
    """The number of words; code in backticks does not count."""
    return sum(len(_WORD.findall(_CODE.sub("", text))) for _, text in found)


def riddles(found: Iterable[tuple[str, str]]) -> list[str]:
    """ "file:line word" of each riddle word outside of backticks."""
    return [f"{place} {one.lower()}" for place, text in found for one in _RIDDLE.findall(_CODE.sub("", text))]


def per_thousand(found: list[tuple[str, str]]) -> float:
    """Riddle words in a thousand words."""
    return 1000 * len(riddles(found)) / max(1, words(found))


def long_paragraphs(found: Iterable[Page]) -> list[str]:
    """ "file:line words" of each paragraph that is too long."""
    counted = ((page, number, len(text.split())) for page in found for number, text in page.paragraphs)
    return [f"{page.path}:{number} {count}" for page, number, count in counted if count > LONGEST_PARAGRAPH]


def long_lines(found: Iterable[Page]) -> list[str]:
    """ "file:line characters" of each line that is too long, code and tables included."""
    counted = ((page, number, len(line)) for page in found for number, line in enumerate(page.lines, 1))
    return [f"{page.path}:{number} {count}" for page, number, count in counted if count > LONGEST_LINE]


def pointers(found: Iterable[tuple[str, str]]) -> list[str]:
    """ "file:line" of each docstring that contains only "See `X`."."""
    return [place for place, text in found if _POINTS_ELSEWHERE.fullmatch(text.strip())]
