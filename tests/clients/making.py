"""Both clients, made from a document, and what differs from the stored ones."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.clients.tools import PYTHON, TYPESCRIPT, node_package, python

MADE = {"schema.d.ts": TYPESCRIPT / "src" / "schema.d.ts", "oomus_messaging": PYTHON / "oomus_messaging"}
"""What is generated → where it is stored."""


def make(document: Path, folder: Path) -> None:
    """Makes all of `MADE` in `folder`."""
    types = str(folder / "schema.d.ts")
    node_package("openapi-typescript/bin/cli.js", str(document), "--output", types, "--default-non-nullable=false")
    python(
        "openapi-python-client",
        "generate",
        f"--path={document}",
        f"--output-path={folder / 'oomus_messaging'}",
        "--meta=none",
        f"--config={PYTHON / 'generator.yaml'}",
        "--fail-on-warning",
    )


def differences(folder: Path) -> Iterator[str]:
    """The stored files that differ from those in `folder`, relative to clients/."""
    for name, stored in MADE.items():
        made, kept = _files(folder / name), _files(stored)
        for one in sorted(made.keys() | kept.keys()):
            if made.get(one) != kept.get(one):
                yield str((stored / one if one else stored).relative_to(PYTHON.parent))


def store(folder: Path) -> None:
    """Puts what is in `folder` in the place of the stored files."""
    for name, stored in MADE.items():
        if stored.is_dir():
            shutil.rmtree(stored)
        stored.parent.mkdir(parents=True, exist_ok=True)
        if (folder / name).is_dir():
            shutil.copytree(folder / name, stored)
        else:
            shutil.copy(folder / name, stored)


def _files(place: Path) -> dict[str, bytes]:
    """Path → content, without what programs leave behind. A single file has the path ""."""
    if place.is_file():
        return {"": place.read_bytes()}
    found = (one for one in place.rglob("*") if one.is_file() and "cache" not in str(one.relative_to(place)))
    return {str(one.relative_to(place)): one.read_bytes() for one in found}
