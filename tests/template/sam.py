"""The SAM CLI. It has a virtual environment of its own."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.artefacts.building import build_environment, run
from tests.template.reading import ROOT
from tests.waiting import PATIENCE

_BIN = ROOT / ".venv-sam" / "bin"
_PARSER = Path(__file__).with_name("sam_parser.py")


def tool(name: str, *words: str) -> str:
    """The output of `sam` or `cfn-lint`. Installs them first if `make` has not done it yet."""
    run(["make", ".venv-sam/.matches-lock"], ROOT, build_environment())
    return run([str(_BIN / name), *words], ROOT, build_environment() | {"AWS_DEFAULT_REGION": "eu-west-1"})


def parse(commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """The options of each command (the words after `sam`) as SAM understands them, or `error`. Runs no command."""
    run(["make", ".venv-sam/.matches-lock"], ROOT, build_environment())
    asked = json.dumps([list(words) for words in commands])
    answer = subprocess.run(
        [str(_BIN / "python"), str(_PARSER)],
        input=asked,
        cwd=ROOT,
        env=build_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    understood: list[dict[str, Any]] = json.loads(answer.stdout)
    return understood
