"""Finds the private words that remain in names of the code, stored attributes, events, metrics and the template."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from tests.structure.code import Module, is_docstring, modules
from tests.structure.words import MEANT_IN, NOT_MEANT, NOT_MEANT_IN, SENTENCE_WORDS, WORDS

FOLDERS = ("shared", "functions", "local", "tests", "bench")
OWN = "tests/structure/"
"""These files contain the words themselves."""
_NAME = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_EXPRESSION = re.compile(r"(?:^|[\s(,])[:#][a-z]\w*|attribute_(?:not_)?exists|[$][{]")
"""Marks of a DynamoDB condition or update; no sentence has them."""
_PROSE_KEYS = {"Description", "AlarmDescription"}


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One name in one place. `kind`: module, class, function, argument, variable, attribute, keyword, import, string or
    template."""

    file: str
    line: int
    name: str
    kind: str


def remaining(root: Path, folders: Sequence[str] = FOLDERS) -> dict[str, list[Found]]:
    """Word → the places where a name contains it and no exception applies."""
    found: dict[str, list[Found]] = defaultdict(list)
    for place in sorted(set(names(root, folders))):
        for word in words_in(place.name):
            if not _is_exempt(place, word):
                found[word].append(place)
    return found


def names(root: Path, folders: Sequence[str] = FOLDERS) -> Iterator[Found]:
    """Every name in these folders' Python files and in the template."""
    for folder in folders:
        for module in modules(root, folder):
            if not module.path.startswith(OWN):
                yield from _of_module(module)
    template = root / "template.yaml"
    if template.is_file():
        yield from _of_template(template.read_text(encoding="utf-8"))


@cache
def words_in(name: str) -> tuple[str, ...]:
    """The private words in a name. The name is split at underscores and capitals."""
    parts = [part.lower() for part in _PART.findall(name)]
    return tuple(word for word, forms in WORDS.items() if any(_holds(parts, form.split("_")) for form in forms.forms))


def _holds(parts: Sequence[str], form: Sequence[str]) -> bool:
    return any(list(islice(parts, start, start + len(form))) == form for start in range(len(parts)))


def _is_exempt(place: Found, word: str) -> bool:
    is_sentence = place.name.startswith("test_") and place.kind == "function"
    its = {"attribute": f".{place.name}", "keyword": f"{place.name}="}.get(place.kind, place.name)
    is_meant = any(path in place.file and place.name in listed for path, listed in MEANT_IN.items())
    return (
        (not is_meant and not NOT_MEANT.keys().isdisjoint({place.name, its}))
        or any(path in place.file and place.name in listed for path, listed in NOT_MEANT_IN.items())
        or (is_sentence and word in SENTENCE_WORDS)
    )


def _of_module(module: Module) -> Iterator[Found]:
    for part in module.path.removesuffix(".py").split("/"):
        yield Found(module.path, 1, part, "module")
    prose = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr) and is_docstring(node)}
    for node in ast.walk(module.tree):
        for name, kind in _of_node(node, prose):
            yield Found(module.path, _line(node), name, kind)


def _line(node: ast.AST) -> int:
    """The line of the name. An attribute is the last part of its expression."""
    return getattr(node, "end_lineno" if isinstance(node, ast.Attribute) else "lineno", 1)


def _of_node(node: ast.AST, prose: set[int]) -> Iterator[tuple[str, str]]:  # noqa: C901 - one case a kind
    match node:
        case ast.ClassDef(name=name):
            yield name, "class"
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name, "function"
        case ast.arg(arg=name):
            yield name, "argument"
        case ast.Name(id=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name, "variable"
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)) | ast.TypeVar(name=name):
            yield name, "variable"
        case ast.Attribute(attr=name):
            yield name, "attribute"
        case ast.keyword(arg=str(name)):
            yield name, "keyword"
        case ast.MatchClass(kwd_attrs=listed):
            yield from ((name, "keyword") for name in listed)
        case ast.alias(name=name, asname=other):
            yield from ((part, "import") for part in [*name.split("."), *([other] if other else [])])
        case ast.ImportFrom(module=str(name)):
            yield from ((part, "import") for part in name.split("."))
        case ast.Constant(value=str(text)) if id(node) not in prose and _is_no_prose(text):
            yield from ((name, "string") for name in _NAME.findall(text))


def _is_no_prose(text: str) -> bool:
    """Whether a string can contain names: it has no blanks, or it is a DynamoDB expression."""
    return not re.search(r"\s", text.strip()) or _EXPRESSION.search(text) is not None


def _of_template(text: str) -> Iterator[Found]:
    """Names outside of comments and descriptions. A description ends at the first line that is indented less."""
    deeper: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        depth = len(line) - len(line.lstrip())
        if deeper is not None and (depth > deeper or not line.strip()):
            continue
        deeper = None
        code = re.sub(r"(^|\s)#.*", "", line)
        if code.strip().partition(":")[0] in _PROSE_KEYS:
            deeper = depth
            continue
        yield from (Found("template.yaml", number, name, "template") for name in _NAME.findall(code))


def by_name(places: Sequence[Found]) -> Mapping[str, list[Found]]:
    """The places of each name, the most frequent name first."""
    grouped: dict[str, list[Found]] = defaultdict(list)
    for place in places:
        grouped[place.name].append(place)
    return dict(sorted(grouped.items(), key=lambda one: (-len(one[1]), one[0])))
