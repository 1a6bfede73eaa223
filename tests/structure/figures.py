"""Figures of the code's structure: modules, statements, importers, functions, types and broad excepts."""

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import quantiles
from xml.etree import ElementTree

from tests.structure.code import Function, Module, functions, is_docstring

BROAD = {"Exception", "BaseException"}


def statements(found: Iterable[Module]) -> int:
    """Statements of all kinds, without docstrings and descriptions of fields."""
    return sum(isinstance(node, ast.stmt) and not is_docstring(node) for one in found for node in ast.walk(one.tree))


def per_package(found: Iterable[Module]) -> list[tuple[str, int]]:
    """(folder, number of modules directly in it), largest first."""
    counts = Counter(one.package for one in found if not one.is_package)
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def importers(found: Sequence[Module]) -> dict[str, set[str]]:
    """Module → the modules that import it or a name of it."""
    names = {one.name for one in found}
    importing: dict[str, set[str]] = defaultdict(set)
    for one in found:
        for name in _imported(one.tree):
            target = name if name in names else name.rpartition(".")[0]
            if target in names and target != one.name:
                importing[target].add(one.name)
    return importing


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def with_one_importer(shared: Sequence[Module], product: Sequence[Module]) -> list[tuple[str, str]]:
    """(module of `shared`, its only importer in the product)."""
    importing = importers(product)
    candidates = (one.name for one in shared if not one.is_package and len(importing[one.name]) == 1)
    return [(name, min(importing[name])) for name in candidates]


def lengths(found: Iterable[Module]) -> list[tuple[int, str]]:
    """(lines, "file:line name") of every function with a body, shortest first. Docstrings and the lines of nested
    functions do not count. A body of `...` alone is a declaration and is left out."""
    return sorted(
        (_own_lines(node), f"{one.path}:{node.lineno} {node.name}")
        for one in found
        for node in functions(one)
        if not _is_declaration(node)
    )


def _own_lines(function: Function) -> int:
    outside = (
        node for node in function.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or is_docstring(node)
    )
    return _lines(function) - sum(map(_lines, outside))


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _is_declaration(function: Function) -> bool:
    rest = [node for node in function.body if not is_docstring(node)]
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in rest)


def percentiles(found: Sequence[tuple[int, str]]) -> tuple[int, int]:
    """p50 and p90 of the lengths."""
    cuts = quantiles([lines for lines, _ in found], n=10, method="inclusive")
    return round(cuts[4]), round(cuts[8])


def typed_share(found: Iterable[Module]) -> float:
    """The share of functions with annotations for all arguments and the result; `self` and `cls` need none."""
    marks = [_is_typed(node) for one in found for node in functions(one)]
    return sum(marks) / len(marks) if marks else 1.0


def _is_typed(function: Function) -> bool:
    its = function.args
    plain = [*its.posonlyargs, *its.args]
    named = plain[1:] if plain and plain[0].arg in {"self", "cls"} else plain
    rest = [one for one in (its.vararg, its.kwarg) if one is not None]
    return function.returns is not None and all(one.annotation for one in [*named, *its.kwonlyargs, *rest])


def broad_excepts(found: Iterable[Module]) -> list[str]:
    """ "file:line" of every `except Exception`, `except BaseException` and bare `except`."""
    return [
        f"{one.path}:{node.lineno}"
        for one in found
        for node in ast.walk(one.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]


def _is_broad(caught: ast.expr | None) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in kinds)


def tests_collected(root: Path) -> int:
    """How many tests pytest finds in the checkout. The checkout must run with this interpreter's packages."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^(\d+)(?:/\d+)? tests? collected", done.stdout, re.MULTILINE)
    if found is None:
        raise SystemExit(f"pytest collected nothing in {root}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return int(found[1])


def seconds_of_tests(report: Path) -> float:
    """Reads pytest's JUnit file, or pytest's last closing line in the output of `.ci/run`."""
    text = report.read_text(encoding="utf-8")
    if text.lstrip().startswith("<"):
        return sum(float(suite.get("time", "0")) for suite in ElementTree.fromstring(text).iter("testsuite"))
    closing = re.findall(r"\b\d+ (?:passed|failed|error)\b.* in ([\d.]+)s", text)
    if not closing:
        raise SystemExit(f"{report} holds no closing line of pytest")
    return float(closing[-1])
