"""What design.md asks of the code's shape: arrows point inward; template, code and document name the same things."""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import pytest

from shared.aws.function import MissingSettingError
from shared.aws.session import Aws
from shared.http import openapi
from shared.http.router import Router
from tests.template import reading
from tests.template.reading import FUNCTION_FOLDERS, ROOT, mapping, text

ARROWS = {
    "shared/domain": {"shared.domain", "phonenumbers", "tzdata"},
    "shared/usecases": {"shared.domain", "shared.usecases", "ijson"},
    "shared/aws": {
        *("shared.domain", "shared.usecases", "shared.aws"),
        *("botocore", "msgspec", "aws_lambda_powertools"),
    },
    "shared/providers": {"shared.domain", "shared.providers", "anyio", "httpx2"},
    "shared/http": {"shared.domain", "shared.usecases", "shared.http", "fastjsonschema"},
    "shared/wiring": {"shared.aws", "shared.providers", "shared.usecases", "shared.domain", "shared.wiring"},
    **{
        f"functions/{name}": {
            *("shared.domain", "shared.usecases", "shared.aws", "shared.providers", "shared.http", "shared.wiring"),
            f"functions.{name}",
        }
        for name in FUNCTION_FOLDERS.values()
    },
}
FOR_TYPES_ONLY = re.compile(r"_typeshed|types_boto3_\w+")
IMPURE = {"os", "random", "secrets", "time", "socket", "threading", "subprocess", "asyncio", "logging"}
HEADROOM = 1.15
LONGEST_FUNCTION, LONGEST_MODULE = int(48 * HEADROOM), int(508 * HEADROOM)
"""Budgets in lines: the longest of 2026-11-30 and 15 % more, so that a new field or method does not begin with a split.
"""
INTEGRATION = re.compile(r"(?<=/v1/integrations/)(whatsapp|sms|dhis2)\b")
"""The document tells the three apart, because their bodies differ; the template has one route for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file of the product, parsed."""

    path: str
    tree: ast.Module
    lines: int

    @property
    def layer(self) -> str:
        """Its first two folders."""
        return "/".join(self.path.split("/")[:2])


def _modules() -> Iterator[Module]:
    for folder in ("shared", "functions"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            path = file.relative_to(ROOT).as_posix()
            yield Module(path=path, tree=ast.parse(source, path), lines=source.count("\n"))


MODULES = tuple(_modules())
CODE = tuple(module for module in MODULES if module.tree.body)
each_module = pytest.mark.parametrize("module", CODE, ids=lambda module: module.path)
each_function = pytest.mark.parametrize("function", sorted(FUNCTION_FOLDERS))
TEMPLATE = reading.read()


def _imports(module: Module) -> Iterator[str]:
    """The names of all imported modules, cut to what ARROWS names."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (_cut(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.path}:{node.lineno} imports by relation"
            yield from (_cut(f"{node.module}.{alias.name}") for alias in node.names)


def _cut(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] in {"shared", "functions", "local", "tests"} else parts[0]


def _type_checking_imports(module: Module) -> set[str]:
    return {
        name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for name in _imports(Module(path=module.path, tree=ast.Module(body=node.body, type_ignores=[]), lines=0))
    }


def test_there_is_something_to_read() -> None:
    assert {module.layer for module in CODE} == set(ARROWS)


@each_module
def test_arrows_point_inward(module: Module) -> None:
    for_types = {name for name in _type_checking_imports(module) if FOR_TYPES_ONLY.fullmatch(name)}
    outward = set(_imports(module)) - ARROWS[module.layer] - set(sys.stdlib_module_names) - for_types
    assert outward == set(), f"{module.path} must not import {outward}"


@pytest.mark.parametrize("module", [one for one in CODE if one.layer == "shared/domain"], ids=lambda one: one.path)
def test_the_domain_is_pure(module: Module) -> None:
    """No clock, no randomness, no environment: all of it is passed in."""
    assert set(_imports(module)) & IMPURE == set()
    drawn = {ast.unparse(node) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute | ast.Name)}
    assert drawn & {"uuid4", "uuid1", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"} == set()


def test_one_module_reads_the_environment() -> None:
    readers = {
        module.path
        for module in CODE
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os")
    }
    assert readers == {"shared/aws/function.py"}


@each_module
def test_every_module_says_what_it_is(module: Module) -> None:
    assert ast.get_docstring(module.tree), module.path


def test_only_packages_are_empty() -> None:
    assert {Path(module.path).name for module in MODULES if not module.tree.body} <= {"__init__.py"}


@each_module
def test_nothing_is_long(module: Module) -> None:
    """A function's lines are its own: one that registers routes is as long as what it says between them."""
    assert module.lines <= LONGEST_MODULE, f"{module.path} has {module.lines} lines, its budget is {LONGEST_MODULE}"
    long = {
        f"{node.name}: {_own_lines(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _own_lines(node) > LONGEST_FUNCTION
    }
    assert long == set(), f"{module.path}: the budget of a function is {LONGEST_FUNCTION} lines"


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    nested = (node for node in function.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return _lines(function) - sum(map(_lines, nested))


# ------------------------------------------------------------------------------------------------ the template's view


CLOCK = "CLOCK_STARTS_AT"
"""Read by whoever makes the clock, before the function's own settings are anything's."""
SPECIAL = {CLOCK: "", "MESSAGE_RETENTION_DAYS": "400"}
"""Variables that are not just any text."""


def _environment(function: str) -> dict[str, str]:
    """The variables that the template gives a function, with values that mean nothing; without those of libraries."""
    shared = mapping(TEMPLATE, "Globals", "Function", "Environment", "Variables")
    own = mapping(reading.properties(TEMPLATE, function), "Environment", "Variables")
    of_ours = {name for name in shared | own if not re.fullmatch(r"POWERTOOLS_\w+|AWS_ENDPOINT_URL", name)}
    return dict.fromkeys(sorted(of_ours), "x") | {name: value for name, value in SPECIAL.items() if name in of_ours}


def _module_of(function: str, name: str) -> object:
    return importlib.import_module(f"functions.{FUNCTION_FOLDERS[function]}.{name}")


def _settings(function: str) -> set[str]:
    modules = [_module_of(function, "app")]
    if (ROOT / "functions" / FUNCTION_FOLDERS[function] / "deps.py").is_file():
        modules.append(_module_of(function, "deps"))
    kind = next(vars(module)["Settings"] for module in modules if "Settings" in vars(module))
    assert is_dataclass(kind)
    return {field.name.upper() for field in fields(kind)}


def _build(function: str, environment: dict[str, str]) -> object:
    return vars(_module_of(function, "app"))["build"](environment, None, Aws())


@each_function
def test_settings_are_what_the_template_gives(function: str) -> None:
    assert _settings(function) | {CLOCK} == set(_environment(function))


@each_function
def test_a_function_is_built_from_its_variables_and_from_no_fewer(function: str) -> None:
    environment = _environment(function)
    assert callable(_build(function, environment))
    for name in environment:
        with pytest.raises(MissingSettingError, match=rf"\b{name}$"):
            _build(function, {key: value for key, value in environment.items() if key != name})


def _registered(function: str) -> set[str]:
    """The routes of the router that the built handler holds; none where it serves queues only."""
    handler = _build(function, _environment(function))
    assert inspect.isfunction(handler)
    held = inspect.getclosurevars(handler).nonlocals.values()
    return {key for one in held if isinstance(one, Router) for key in one.route_keys}


def _in_template() -> dict[str, set[str]]:
    routes: dict[str, set[str]] = {function: set() for function in FUNCTION_FOLDERS}
    for function, event in reading.events(TEMPLATE, "HttpApi"):
        routes[function].add(f"{text(event, 'Method').upper()} {text(event, 'Path')}")
    return routes


@each_function
def test_a_function_serves_the_routes_that_the_template_sends_it(function: str) -> None:
    assert _registered(function) == _in_template()[function]


def test_the_document_has_the_template_s_routes() -> None:
    in_template = [key for keys in _in_template().values() for key in keys]
    assert len(in_template) == len(set(in_template))
    assert {INTEGRATION.sub("{name}", key) for key in openapi.routes()} == set(in_template)


def test_the_document_asks_for_a_token_where_the_gateway_does() -> None:
    for _, event in reading.events(TEMPLATE, "HttpApi"):
        key = f"{text(event, 'Method').upper()} {text(event, 'Path')}"
        is_open = event.get("Auth") == {"Authorizer": "NONE"}
        documented = [one for name, one in openapi.routes().items() if INTEGRATION.sub("{name}", name) == key]
        assert [bool(operation["security"]) for operation in documented] == [not is_open] * len(documented), key
