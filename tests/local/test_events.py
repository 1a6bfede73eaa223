"""The files of events/ are complete, and they are what the stack makes today."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.events import ENVIRONMENT, FOLDER, WALK, make, read
from tests.template import reading

TEMPLATE = reading.read()
MAKE = "make events writes them anew"


def test_every_function_and_trigger_has_an_event() -> None:
    triggers = {
        (function, trigger)
        for function, its in reading.of_type(TEMPLATE, "AWS::Serverless::Function").items()
        for trigger in reading.mapping(its, "Events")
    }
    assert {(step.function, step.trigger) for step in read()} == triggers


def test_there_is_no_other_file() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {f"{step.name}.json" for step in read()} | {WALK, ENVIRONMENT}


def test_the_env_file_names_the_variables_that_the_template_gives() -> None:
    """SAM sets only these variables."""
    shared = reading.mapping(TEMPLATE, "Globals", "Function", "Environment", "Variables")
    named: Mapping[str, Mapping[str, str]] = json.loads((FOLDER / ENVIRONMENT).read_text(encoding="utf-8"))
    for function, its in reading.of_type(TEMPLATE, "AWS::Serverless::Function").items():
        given = set(shared) | set(reading.mapping(its, "Environment", "Variables"))
        assert set(named[function]) == {name for name in given if not name.startswith("POWERTOOLS_")}


@pytest.mark.stack
def test_the_files_are_what_the_stack_makes(tmp_path: Path) -> None:
    make(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in FOLDER.iterdir()}, MAKE
    for made in tmp_path.iterdir():
        assert _document(FOLDER / made.name) == _document(made), f"{made.name} is out of date: {MAKE}"


def _document(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
