"""docs/deploy.md as data: its fenced blocks, and the commands in them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]

from tests.template.reading import ROOT

GUIDE = ROOT / "docs" / "deploy.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:make|curl|aws) [^`]+)`")
_HEREDOC = re.compile(r"<<'(\w+)'\n.*?^\1\n", re.MULTILINE | re.DOTALL)
_ASSIGNED = re.compile(r"^\w+=\$\((.*)\)$")
_PLAIN_ASSIGNMENT = re.compile(r"^\w+=(?!\$\()")


@dataclass(frozen=True, slots=True)
class Section:
    """A `##` heading and the text below it."""

    title: str
    text: str

    def blocks(self, language: str) -> list[str]:
        return [body for found, body in _BLOCK.findall(self.text) if found == language]


def sections(guide: Path = GUIDE) -> list[Section]:
    _, *parts = re.split(r"^## ", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [Section(*part.split("\n", 1)) for part in parts]


def section(number: int) -> Section:
    [found] = [section for section in sections() if section.title.startswith(f"{number}. ")]
    return found


def commands(text: str) -> list[list[str]]:
    """Every command of every `sh` block, and the commands in running text that can be pasted, each as words."""
    lines = [line for block in Section("", text).blocks("sh") for line in _lines(block)]
    lines += _INLINE.findall(_BLOCK.sub("", text))
    return [shlex.split(line, comments=True) for line in lines]


def query(words: list[str]) -> Any:
    """The compiled `--query` of a command, or None."""
    return jmespath.compile(words[words.index("--query") + 1]) if "--query" in words else None


def _lines(block: str) -> list[str]:
    """One command a line. The content of a here-document is no command; the content of `X=$(…)` is one."""
    whole = _HEREDOC.sub("\n", block).replace("\\\n", " ")
    found = []
    for line in filter(None, map(str.strip, whole.splitlines())):
        inner = _ASSIGNED.match(line)
        if inner:
            found.append(inner.group(1))
        elif not _PLAIN_ASSIGNMENT.match(line):
            found.append(line)
    return found
