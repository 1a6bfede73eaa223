"""Prints the figures of a checkout's documents, to compare before and after a change.

python -m tests.documents                        this checkout
python -m tests.documents --root ../old -v       another checkout, with every place
python -m tests.documents --json figures.json    also as JSON
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.documents import prose
from tests.documents.pages import MARKS, pages

type Value = int | float | Sequence[str] | Mapping[str, int]


def measure(root: Path) -> dict[str, Value]:
    """All figures. A list has one entry for each place."""
    documents = pages(root)
    written, said = prose.texts(documents), prose.docstrings(root)
    marks = Counter(block.mark for page in documents for block in page.blocks if block.is_command)
    return {
        "documents": len(documents),
        "lines": sum(len(page.lines) for page in documents),
        "words of documents": prose.words(written),
        "riddle words per 1,000 of documents": round(prose.per_thousand(written), 2),
        "riddle words of documents": prose.riddles(written),
        f"paragraphs over {prose.LONGEST_PARAGRAPH} words": prose.long_paragraphs(documents),
        f"lines over {prose.LONGEST_LINE} characters": prose.long_lines(documents),
        "words of docstrings": prose.words(said),
        "riddle words per 1,000 of docstrings": round(prose.per_thousand(said), 2),
        "riddle words of docstrings": prose.riddles(said),
        'docstrings that only say "See `X`."': prose.pointers(said),
        "command blocks by mark": {mark: marks[mark] for mark in (*MARKS, "none")},
    }


def shown(value: Value, *, verbose: bool) -> str:
    """One figure as text. A list appears as its length, and in full if `verbose`."""
    match value:
        case int() | float():
            return str(value)
        case Mapping():
            return ", ".join(f"{name} {count}" for name, count in value.items())
        case _:
            return "".join([str(len(value)), *(f"\n  {place}" for place in value if verbose)])


def main(argv: Sequence[str]) -> int:
    """Prints the figures. Always gives 0: people and tests compare them."""
    parser = argparse.ArgumentParser(prog="python -m tests.documents", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the checkout to be measured")
    parser.add_argument("--json", type=Path, help="write all figures with their places to this file")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every place that is counted")
    options = parser.parse_args(argv)
    found = measure(options.root)
    sys.stdout.write("".join(f"{name}: {shown(one, verbose=options.verbose)}\n" for name, one in found.items()))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
