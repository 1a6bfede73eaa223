"""The shape of the code that design.md and house.md ask for: import rules, and the same names in template, code and
document."""

import ast
import importlib
import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path

import pytest

from shared.api import openapi
from shared.api.router import Router
from shared.app.runtime import MissingSettingError
from shared.storage.aws import Aws
from tests.template import reading
from tests.template.reading import FUNCTION_FOLDERS, ROOT, mapping, text

CAPABILITIES = {
    *("base", "texts", "recipients", "cards", "policy", "pacing", "messages", "sending", "holds", "campaigns"),
    *("duplicates", "webhooks", "integrations", "exports", "statistics"),
}
"""The capabilities. Each uses `base`, which knows none of them."""
EDGES = {"storage", "providers", "api", "app"}
LIBRARIES = {
    "recipients": {"phonenumbers", "ijson"},
    "providers": {"anyio", "httpx2"},
    "storage": {"botocore", "msgspec", "python_calamine"},
    "api": {"fastjsonschema"},
    "app": {"aws_lambda_powertools", "msgspec"},
}
"""Third-party packages, with the folders that may import them."""
FOR_TYPES_ONLY = re.compile(r"_typeshed|types_boto3_\w+")
IMPURE = {"os", "random", "secrets", "time", "socket", "threading", "subprocess", "logging"}
DRAWN = {"uuid4", "uuid1", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
MOST_MODULES = 16
"""In one package: about 15 (house.md)."""
HEADROOM = 1.15
LONGEST_FUNCTION, LONGEST_MODULE = int(48 * HEADROOM), int(508 * HEADROOM)
"""Budgets in lines: the longest of 2026-11-30 plus 15 %, so that a new field or method does not begin with a split."""
INTEGRATION = re.compile(r"(?<=/v1/integrations/)(whatsapp|sms|dhis2)\b")
"""The document has three routes, because their bodies differ; the template has one for all three."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """One parsed file of the product."""

    path: str
    tree: ast.Module
    lines: int

    @property
    def package(self) -> str:
        """ "shared/texts" → "texts", "functions/api" → "functions"."""
        parts = self.path.split("/")
        return parts[1] if parts[0] == "shared" else parts[0]

    @cached_property
    def imports(self) -> frozenset[str]:
        """The full names of all its imports, also inside functions and for types only."""
        return frozenset(_imports(self.path, self.tree))

    @property
    def ours(self) -> set[str]:
        """The packages of the product that it imports: "texts", "storage", "functions.api"."""
        return {_package_of(name) for name in self.imports if name.split(".")[0] in {"shared", "functions"}}

    @property
    def libraries(self) -> set[str]:
        """Its imports that are neither Python's own nor ours."""
        outside = {name.split(".")[0] for name in self.imports} - set(sys.stdlib_module_names) - {"shared", "functions"}
        return outside - {name for name in outside if FOR_TYPES_ONLY.fullmatch(name)}


def _imports(path: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by relation"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _package_of(name: str) -> str:
    first, second = name.split(".")[:2]
    return second if first == "shared" else f"{first}.{second}"


def _modules() -> Iterator[Module]:
    for folder in ("shared", "functions"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            path = file.relative_to(ROOT).as_posix()
            yield Module(path=path, tree=ast.parse(source, path), lines=source.count("\n"))


MODULES = tuple(_modules())
CODE = tuple(module for module in MODULES if module.tree.body)
each_function = pytest.mark.parametrize("function", sorted(FUNCTION_FOLDERS))
TEMPLATE = reading.read()


def _of(packages: Iterable[str]) -> list[Module]:
    found = [module for module in CODE if module.package in packages]
    assert found, packages
    return found


def _offences(packages: Iterable[str], forbidden: set[str]) -> list[str]:
    """Each import of a forbidden package, as a sentence."""
    return [
        f"{module.path} must not import {', '.join(sorted(module.ours & forbidden))}"
        for module in _of(packages)
        if module.ours & forbidden
    ]


def test_every_folder_has_a_place_in_the_rules() -> None:
    assert {module.package for module in CODE} == CAPABILITIES | EDGES | {"functions"}


def test_capabilities_know_neither_aws_nor_providers_nor_http() -> None:
    functions = {f"functions.{name}" for name in FUNCTION_FOLDERS.values()}
    assert _offences(CAPABILITIES, EDGES | functions) == []


def test_base_knows_no_capability() -> None:
    assert _offences({"base"}, (CAPABILITIES | EDGES) - {"base"}) == []


def test_storage_providers_and_api_know_only_capabilities() -> None:
    for edge in ("storage", "providers", "api"):
        assert _offences({edge}, EDGES - {edge}) == []


def test_only_app_puts_functions_together() -> None:
    """A function's folder translates events. It knows the API's words and its answers, but no adapter."""
    assert _offences({"functions"}, {"storage", "providers"}) == []
    for name in FUNCTION_FOLDERS.values():
        others = {f"functions.{other}" for other in FUNCTION_FOLDERS.values() if other != name}
        mine = [module for module in _of({"functions"}) if module.path.startswith(f"functions/{name}/")]
        assert [module.path for module in mine if module.ours & others] == []


def test_app_is_imported_by_functions_only() -> None:
    assert _offences((CAPABILITIES | EDGES) - {"app"}, {"app"}) == []


def test_libraries_stay_in_their_folder() -> None:
    strange = [
        f"{module.path} must not import {', '.join(sorted(module.libraries - LIBRARIES.get(module.package, set())))}"
        for module in CODE
        if module.libraries - LIBRARIES.get(module.package, set())
    ]
    assert strange == []


def test_capabilities_get_clock_randomness_and_environment_passed_in() -> None:
    """Async modules may use asyncio; others may not even use that."""
    for module in _of(CAPABILITIES):
        waits = any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(module.tree))
        roots = {name.split(".")[0] for name in module.imports}
        assert roots & (IMPURE if waits else IMPURE | {"asyncio"}) == set(), module.path
        drawn = {ast.unparse(node) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute | ast.Name)}
        assert drawn & DRAWN == set(), module.path


def test_one_module_reads_the_environment() -> None:
    readers = {
        module.path
        for module in CODE
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os")
    }
    assert readers == {"shared/app/runtime.py"}


def test_every_module_has_a_docstring() -> None:
    assert [module.path for module in CODE if not ast.get_docstring(module.tree)] == []


def test_only_packages_are_empty() -> None:
    assert {Path(module.path).name for module in MODULES if not module.tree.body} <= {"__init__.py"}


def test_no_package_is_crowded() -> None:
    sizes = Counter(str(Path(module.path).parent) for module in CODE)
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}


def test_functions_and_modules_keep_to_their_length() -> None:
    """A function's lines are its own, without nested functions: one that registers routes is as long as the code in
    between."""
    assert {module.path: module.lines for module in CODE if module.lines > LONGEST_MODULE} == {}
    long = {
        f"{module.path} {node.name}": _own_lines(node)
        for module in CODE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _own_lines(node) > LONGEST_FUNCTION
    }
    assert long == {}


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    nested = (node for node in function.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return _lines(function) - sum(map(_lines, nested))


# ------------------------------------------------------------------------------------------------ the template's view


CLOCK = "CLOCK_STARTS_AT"
"""Read by the code that makes the clock, before the function's own settings."""
SPECIAL = {CLOCK: "", "MESSAGE_RETENTION_DAYS": "400"}
"""Variables with a fixed form."""


def _environment(function: str) -> dict[str, str]:
    """The variables that the template gives a function, with meaningless values; without those of libraries."""
    shared = mapping(TEMPLATE, "Globals", "Function", "Environment", "Variables")
    own = mapping(reading.properties(TEMPLATE, function), "Environment", "Variables")
    of_ours = {name for name in shared | own if not re.fullmatch(r"POWERTOOLS_\w+|AWS_ENDPOINT_URL", name)}
    return dict.fromkeys(sorted(of_ours), "x") | {name: value for name, value in SPECIAL.items() if name in of_ours}


def _module_of(function: str, name: str) -> object:
    return importlib.import_module(f"functions.{FUNCTION_FOLDERS[function]}.{name}")


def _settings(function: str) -> set[str]:
    kind = vars(_module_of(function, "app"))["Settings"]
    assert is_dataclass(kind)
    return {field.name.upper() for field in fields(kind)}


def _build(function: str, environment: dict[str, str]) -> object:
    return vars(_module_of(function, "app"))["build"](environment, None, Aws())


@each_function
def test_settings_equal_the_templates_variables(function: str) -> None:
    assert _settings(function) | {CLOCK} == set(_environment(function))


@each_function
def test_a_function_needs_all_of_its_variables(function: str) -> None:
    environment = _environment(function)
    assert callable(_build(function, environment))
    for name in environment:
        with pytest.raises(MissingSettingError, match=rf"\b{name}$"):
            _build(function, {key: value for key, value in environment.items() if key != name})


def _registered(function: str) -> set[str]:
    """The routes of the built handler's router; none if it serves only queues."""
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
