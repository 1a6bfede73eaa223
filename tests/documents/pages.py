"""The documents of a checkout as data: lines, paragraphs and fenced blocks. It imports no module of the product."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARKS = ("run", "ci", "docker", "account")
"""The mark of a command block, in its info string after "sh": how a test checks the block."""
OPTIONS = ("background", "repeat", "shown", "rehearsed")
"""The options of a command block:

- `background`: starts a program that stays.
- `repeat`: only reads; the shown answer comes after a moment.
- `shown`: the answer of the block before.
- `rehearsed`: needs an account, and also runs on the local stack.
"""
_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>.*)$")
_INDENTED = re.compile(r"^(?: {4}|\t)\S")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s")
_APART = re.compile(r"^\s*(?:#|\||<!--|$)")
"""A heading, a row of a table, a comment or a blank line: no part of a paragraph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of code. `line`: the line of its opening fence, from 1. `language`: empty without a fence."""

    path: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def is_command(self) -> bool:
        """Whether a reader pastes it. A block without fence or language counts too."""
        return self.language in {"sh", ""}

    @property
    def mark(self) -> str:
        """One of `MARKS`, or "none"."""
        return next((word for word in self.words if word in MARKS), "none")

    def has(self, option: str) -> bool:
        """Whether one of `OPTIONS` follows the mark."""
        return option in self.words

    def __str__(self) -> str:
        """ "README.md:12": its first line."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One document. `path` is relative to the checkout."""

    path: str
    text: str

    @property
    def lines(self) -> list[str]:
        """The file's lines, code included."""
        return self.text.splitlines()

    @property
    def blocks(self) -> list[Block]:
        """In the order of the page."""
        return [part for part in self._parts() if isinstance(part, Block)]

    @property
    def prose(self) -> list[tuple[int, str]]:
        """(number, text) of each line outside of blocks."""
        return [part for part in self._parts() if not isinstance(part, Block)]

    @property
    def paragraphs(self) -> list[tuple[int, str]]:
        """(number of the first line, text): running text, or one item of a list. Tables and headings are none."""
        found: list[tuple[int, list[str]]] = []
        last = 0
        for number, line in self.prose:
            if not _APART.match(line):
                if number != last + 1 or _ITEM.match(line) or not found:
                    found.append((number, []))
                found[-1][1].append(line.strip())
                last = number
        return [(number, " ".join(lines)) for number, lines in found]

    def _parts(self) -> Iterator[Block | tuple[int, str]]:
        numbered = deque(enumerate(self.lines, 1))
        in_list, before = False, ""
        while numbered:
            number, line = numbered.popleft()
            fence = _FENCE.match(line)
            if fence:
                yield self._block(number, fence["info"], _until_closed(numbered, fence["indent"], fence["ticks"]))
            elif _INDENTED.match(line) and not before.strip() and not in_list:
                yield self._block(number, "", [line, *_indented(numbered)])
            else:
                in_list = bool(_ITEM.match(line)) or (in_list and (not line.strip() or line.startswith(" ")))
                yield number, line
            before = line

    def _block(self, number: int, info: str, lines: list[str]) -> Block:
        language, *words = info.split() or [""]
        text = "".join(f"{line}\n" for line in lines)
        return Block(path=self.path, line=number, language=language, words=tuple(words), text=text)


def _until_closed(numbered: deque[tuple[int, str]], indent: str, ticks: str) -> list[str]:
    lines = []
    while numbered and (line := numbered.popleft()[1]).strip() != ticks:
        lines.append(line.removeprefix(indent))
    return lines


def _indented(numbered: deque[tuple[int, str]]) -> list[str]:
    lines = []
    while numbered and (_INDENTED.match(numbered[0][1]) or not numbered[0][1].strip()):
        lines.append(numbered.popleft()[1])
    return lines


def pages(root: Path) -> list[Page]:
    """README.md, everything under docs/, and the page of clients/."""
    files = [root / "README.md", *sorted((root / "docs").rglob("*.md")), *sorted((root / "clients").glob("*.md"))]
    return [Page(path=file.relative_to(root).as_posix(), text=file.read_text(encoding="utf-8")) for file in files]
