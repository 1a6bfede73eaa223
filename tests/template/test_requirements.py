import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.template.reading import FUNCTION_FOLDERS, ROOT

FOLDERS = tuple(FUNCTION_FOLDERS.values())
LAMBDA = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64", "python_version": "3.13"}
LAMBDAS_OWN = {"boto3", "botocore"}
# Modules whose distribution has another name. zoneinfo: Lambda's image has no zone files.
BROUGHT_BY = {"phonenumbers": "phonenumberslite", "zoneinfo": "tzdata"}


def pins(folder: str) -> dict[str, str]:
    lines = (ROOT / "functions" / folder / "requirements.txt").read_text(encoding="utf-8").split()
    return dict(line.split("==") for line in lines)


@pytest.fixture(scope="module")
def locked() -> dict[str, tuple[str, set[str]]]:
    """Name → its version in uv.lock, and its dependencies on Lambda."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return {
        package["name"]: (
            package.get("version", ""),
            {
                needed["name"]
                for needed in package.get("dependencies", [])
                if "marker" not in needed or Marker(needed["marker"]).evaluate(dict(LAMBDA))
            },
        )
        for package in lock["package"]
        if package["name"] in {name for folder in FOLDERS for name in pins(folder)}
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_pins_are_those_of_the_lock_file_and_complete(folder: str, locked: dict[str, tuple[str, set[str]]]) -> None:
    """Complete, because the artefact is installed without a search for dependencies."""
    pinned = pins(folder)
    assert pinned == {name: locked[name][0] for name in pinned}
    assert {needed for name in pinned for needed in locked[name][1]} <= set(pinned)


@pytest.mark.parametrize("folder", FOLDERS)
def test_only_requested_packages_and_their_dependencies_are_shipped(
    folder: str, locked: dict[str, tuple[str, set[str]]]
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked_for = {Requirement(line).name for line in project["dependencies"]}
    wanted = {needed for name in pins(folder) for needed in locked[name][1]}
    assert set(pins(folder)) <= asked_for | wanted
    assert not set(pins(folder)) & LAMBDAS_OWN


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_artefact_holds_what_its_code_imports(folder: str) -> None:
    missing = {name for name in _imported_from_outside(folder) if BROUGHT_BY.get(name, name) not in _modules(folder)}
    assert not missing - LAMBDAS_OWN


def _modules(folder: str) -> set[str]:
    return {name.replace("-", "_") for name in pins(folder)}


def _imported_from_outside(folder: str) -> set[str]:
    """Top-level names of all third-party modules that the function can reach."""
    waiting = list((ROOT / "functions" / folder).rglob("*.py"))
    seen: set[Path] = set()
    outside: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for module in _imports(ast.parse(path.read_text(encoding="utf-8"))):
            top = module.split(".")[0]
            if top in {"shared", "functions"}:
                waiting += _files(module)
            elif top not in sys.stdlib_module_names or top in BROUGHT_BY:
                outside.add(top)
    return outside


def _imports(node: ast.AST) -> Iterator[str]:
    """Includes imports inside functions, but not those for the type checker alone."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child)


def _files(module: str) -> list[Path]:
    """The module's file and the packages above it; nothing for a name that is no module."""
    parts = module.split(".")
    paths = [ROOT.joinpath(*parts).with_suffix(".py")]
    paths += [ROOT.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return [path for path in paths if path.is_file()]
