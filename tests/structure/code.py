"""The parsed Python files of a checkout. It imports no module of the product, so it can read an old checkout."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file. `path` is relative to the checkout ("shared/policy/gate.py")."""

    path: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its name in an import ("shared.policy.gate")."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def is_package(self) -> bool:
        """Whether it is an `__init__.py`, which does not count as a module."""
        return self.path.endswith("/__init__.py")

    @property
    def package(self) -> str:
        """The folder of the file."""
        return self.path.rpartition("/")[0]


def modules(root: Path, folder: str) -> list[Module]:
    """Every Python file below a folder of the checkout; none if the checkout lacks the folder."""
    files = sorted((root / folder).rglob("*.py"))
    return [
        Module(path=file.relative_to(root).as_posix(), tree=ast.parse(file.read_text(encoding="utf-8"), str(file)))
        for file in files
    ]


def functions(module: Module) -> Iterator[Function]:
    """Functions and methods, nested ones too."""
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def is_docstring(node: ast.stmt) -> bool:
    """Whether the statement is a bare string: a docstring, or the description below a field or constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
