"""Builds the artefacts of the present tree, for this machine's architecture, in a folder of their own."""

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.requirements import Requirement

from tests.template.reading import ROOT, mapping, properties, read
from tests.waiting import PATIENCE

ARCHITECTURE = "x86_64"


def build_environment() -> dict[str, str]:
    """This process's environment, without what an outer make sets: its options and its ARCHITECTURE would win."""
    outer = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"}
    kept = {name: value for name, value in os.environ.items() if name not in outer}
    return kept | {"ARCHITECTURE": ARCHITECTURE, "SAM_CLI_TELEMETRY": "0"}


def copy_tree(into: Path) -> Path:
    """Copies what a build reads, so that an edit during the tests changes no build."""
    for package in ("functions", "shared"):
        shutil.copytree(ROOT / package, into / package, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("Makefile", "pyproject.toml", "uv.lock", ".python-version", "template.yaml", "samconfig.toml"):
        shutil.copy2(ROOT / name, into / name)
    for name in (".uv", ".venv"):
        (into / name).symlink_to(ROOT / name)
    return into


def build(logical_ids: Iterable[str], into: Path, tree: Path) -> dict[str, Path]:
    """Logical ID → its artefact. SAM calls the same make targets, and as many at once."""
    artefacts = {logical_id: into / logical_id for logical_id in logical_ids}
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(lambda item: _make(item[0], item[1], tree), artefacts.items()):
            pass
    return artefacts


def _make(logical_id: str, artefact: Path, tree: Path) -> None:
    environment = build_environment() | {"ARTIFACTS_DIR": str(artefact)}
    run(["make", f"build-{logical_id}"], tree, environment)


def run(command: list[str], where: Path, environment: dict[str, str]) -> str:
    """The command's standard output. If it fails, the assertion shows both outputs."""
    done = subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def files(folder: Path) -> set[Path]:
    """All files in the folder and below, relative to the folder."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def lay_out_lambdas_own(folder: Path, *more: str) -> None:
    """Links boto3 and its dependencies into an empty folder, as Lambda's runtime brings them.

    `more`: further packages, which come with their dependencies.
    """
    waiting, seen = ["boto3", *more], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        distribution = importlib.metadata.distribution(name)
        waiting += [r.name for r in map(Requirement, distribution.requires or []) if r.marker is None]
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            (folder / top).symlink_to(Path(str(distribution.locate_file(top))))


def function_environment(function: str) -> dict[str, str]:
    """The variables that the template and Lambda give to the function. References in the template get invented
    values."""
    template = read()
    common = mapping(template, "Globals", "Function", "Environment", "Variables")
    own = mapping(properties(template, function), "Environment", "Variables")
    given = {name: value if isinstance(value, str) else _invented(name) for name, value in (common | own).items()}
    return given | {
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "invented",
        "AWS_SECRET_ACCESS_KEY": "invented",
    }


def _invented(name: str) -> str:
    kinds = {"_URL": "https://invented.example", "_DAYS": "400"}
    return next((value for end, value in kinds.items() if name.endswith(end)), "invented")
