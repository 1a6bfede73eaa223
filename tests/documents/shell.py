"""A bash in the root of the checkout. The test pastes the blocks of one document into it, one after the other."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from local.processes import PROJECT_ROOT

_MAKE = '#!/bin/sh\nexec /usr/bin/env -u MAKEFLAGS -u MAKELEVEL {make} -o .venv/.matches-lock "$@"\n'
"""The Makefile without its installation of packages: they are installed already and must not be fetched again."""
_FAILED = "FAILED: "


@dataclass(frozen=True, slots=True)
class Answer:
    """`printed`: standard output and error together. `failed`: the commands that ended with another code than 0."""

    printed: str
    failed: tuple[str, ...]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """This process's environment, with a `make` that installs no packages, and without an outer make's options."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    make = tools / "make"
    make.write_text(_MAKE.format(make="/usr/bin/make"))
    make.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not re.match(r"MAKE|MFLAGS|AWS_|NOW$", name)}
    return kept | {"PATH": f"{tools}:{os.environ['PATH']}"} | more


class Shell:
    """Variables and functions of one block stay for the next, as for a reader who pastes them.

    `instead`: a name in a document → its name here (ports, folders). `typed`: a line for each `read`.
    """

    def __init__(self, folder: Path, *, instead: Mapping[str, str], typed: str = "", **more: str) -> None:
        self._folder, self._instead = folder, instead
        self._typed = folder / "typed"
        self._typed.write_text(typed)
        self._process = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT_ROOT,
            env=environment(folder, **more),
        )
        self._tell("set -E; exec 9>/dev/null; trap 'echo \"" + _FAILED + "$BASH_COMMAND\" >&9' ERR")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            self._process.terminate()

    def paste(self, text: str) -> Answer:
        """Runs one block and waits for its end."""
        block, printed, failed = (self._folder / name for name in ("block", "printed", "failed"))
        block.write_text(self._meant(text))
        self._tell(f"source '{block}' <'{self._typed}' >'{printed}' 2>&1 9>'{failed}'; echo")
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "\n", f"the shell ended in\n{text}"
        found = [line.removeprefix(_FAILED) for line in failed.read_text().splitlines() if line.startswith(_FAILED)]
        commands = tuple(one for one in found if not one.startswith("source "))
        return Answer(self._documented(printed.read_text()), commands)

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _meant(self, text: str) -> str:
        for documented, meant in self._instead.items():
            text = text.replace(documented, meant)
        return text

    def _documented(self, text: str) -> str:
        for documented, meant in self._instead.items():
            text = text.replace(meant, documented)
        return text
