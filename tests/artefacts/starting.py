"""Starts a built function in a bare interpreter, and tells what that imported and took."""

import sys
from pathlib import Path

import msgspec

from tests.artefacts import on_lambda
from tests.artefacts.building import function_environment, run
from tests.template.reading import FUNCTION_FOLDERS


class Start(msgspec.Struct, frozen=True):
    """What `on_lambda` says. `seconds`: step → (by the clock, of the processor)."""

    callable: bool
    modules: dict[str, str | None]
    seconds: dict[str, tuple[float, float]]


def start(function: str, artefact: Path, lambdas_own: Path) -> Start:
    """Import and build a function (its logical ID) from its artefact alone, with Lambda's own packages beside it."""
    command = [
        sys.executable,
        "-I",
        "-S",
        on_lambda.__file__,
        str(artefact),
        str(lambdas_own),
        FUNCTION_FOLDERS[function],
    ]
    return msgspec.json.decode(run(command, artefact, function_environment(function)), type=Start)
