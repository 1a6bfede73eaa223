"""Prints the structure's figures of a checkout, to compare before and after a change.

python -m tests.structure                            this checkout
python -m tests.structure --root ../old -v           another checkout, with every name and place
python -m tests.structure --json figures.json        also as JSON
python -m tests.structure --tests --report ci.log    with the number of tests and their time
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.structure import figures
from tests.structure.code import modules
from tests.structure.identifiers import FOLDERS, by_name, remaining
from tests.structure.words import WORDS

type Value = int | float | str | Sequence[Value] | Mapping[str, Value]


def measure(root: Path) -> dict[str, Value]:
    """All figures that need only the files."""
    of = {folder: modules(root, folder) for folder in FOLDERS}
    shared, product = of["shared"], [*of["shared"], *of["functions"]]
    packages = figures.per_package(shared)
    lengths = figures.lengths(product)
    half, tenth = figures.percentiles(lengths)
    words = {word: by_name(places) for word, places in remaining(root).items()}
    return {
        "modules in shared": sum(count for _, count in packages),
        "modules per package": dict(packages),
        "statements": {folder: figures.statements(of[folder]) for folder in FOLDERS}
        | {"shared and functions": figures.statements(product), "all": sum(map(figures.statements, of.values()))},
        "modules with one importer": [f"{name} <- {only}" for name, only in figures.with_one_importer(shared, product)],
        "function length": {"functions": len(lengths), "p50": half, "p90": tenth, "max": lengths[-1][0]},
        "longest functions": [f"{lines} {name}" for lines, name in reversed(lengths[-5:])],
        "typed share": round(figures.typed_share(product), 4),
        "broad excepts": list(figures.broad_excepts(product)),
        "private words": {
            word: {name: [f"{one.file}:{one.line} {one.kind}" for one in places] for name, places in names.items()}
            for word, names in words.items()
        },
        "private words in all": sum(len(places) for names in words.values() for places in names.values()),
    }


def shown(value: Value, *, verbose: bool) -> str:
    """One figure as text. A list or a word appears as its count, and in full if `verbose`."""
    match value:
        case float():
            return f"{value:.2%}" if value <= 1 else f"{value:.1f}"
        case Mapping():
            return "".join(f"\n    {name}: {shown(one, verbose=verbose)}" for name, one in value.items())
        case str() | int():
            return str(value)
        case _:
            return "".join([str(len(value)), *(f"\n      {one}" for one in value if verbose)])


def text(found: dict[str, Value], *, verbose: bool) -> str:
    """The printed text."""
    lines = [f"{name}: {shown(one, verbose=verbose)}" for name, one in found.items() if name != "private words"]
    words = found["private words"]
    assert isinstance(words, Mapping)
    for word, names in words.items():
        assert isinstance(names, Mapping)
        places = sum(len(one) for one in names.values() if isinstance(one, Sequence))
        lines.append(f"  {word} ({WORDS[word].becomes}): {places} in {len(names)} names")
        lines += [f"    {name}: {shown(one, verbose=True)}" for name, one in names.items() if verbose]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> int:
    """Prints the figures. Always gives 0: people and tests compare them."""
    parser = argparse.ArgumentParser(prog="python -m tests.structure", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the checkout to be measured")
    parser.add_argument("--json", type=Path, help="write all figures with names and places to this file")
    parser.add_argument("--tests", action="store_true", help="have pytest count the tests of the checkout")
    parser.add_argument("--report", type=Path, help="pytest's JUnit file or the output of .ci/run: time of the tests")
    parser.add_argument("-v", "--verbose", action="store_true", help="name everything that is counted")
    options = parser.parse_args(argv)
    found = measure(options.root)
    if options.tests:
        found["tests"] = figures.tests_collected(options.root)
    if options.report:
        found["seconds of the tests"] = figures.seconds_of_tests(options.report)
    sys.stdout.write(text(found, verbose=options.verbose))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
