"""docs/deploy.md as data: its sections, and the blocks in them."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.documents.pages import Page
from tests.template.reading import ROOT

GUIDE = ROOT / "docs" / "deploy.md"


@dataclass(frozen=True, slots=True)
class Section:
    """A `##` heading and the text below it."""

    title: str
    text: str

    def blocks(self, language: str) -> list[str]:
        return [block.text for block in Page(path=self.title, text=self.text).blocks if block.language == language]


def sections(guide: Path = GUIDE) -> list[Section]:
    _, *parts = re.split(r"^## ", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [Section(*part.split("\n", 1)) for part in parts]


def section(number: int) -> Section:
    [found] = [section for section in sections() if section.title.startswith(f"{number}. ")]
    return found
