"""Starts a built function in a bare interpreter. Reports what it imported and how long it took."""

import sys
from pathlib import Path

import msgspec

from tests.artefacts import on_lambda
from tests.artefacts.building import function_environment, run
from tests.template.reading import FUNCTION_FOLDERS


class Start(msgspec.Struct, frozen=True):
    """The report of `on_lambda`. `seconds`: step → (by the clock, of the processor)."""

    callable: bool
    modules: dict[str, str | None]
    seconds: dict[str, tuple[float, float]]


def start(function: str, artefact: Path, lambdas_own: Path) -> Start:
    """Imports and builds a function (its logical ID) from its artefact alone, with Lambda's own packages beside it."""
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
