"""Prints the sizes of the artefacts: python -m tests.artefacts.sizes .aws-sam/build"""

import io
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Bytes on Lambda's disk, and bytes of the uploaded archive."""

    unzipped: int
    zipped: int


def measure(artefact: Path) -> Size:
    """The size of an artefact; zipped as `sam deploy` zips it (deflate)."""
    archive = io.BytesIO()
    files = [path for path in sorted(artefact.rglob("*")) if path.is_file()]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in files:
            zipped.write(path, path.relative_to(artefact))
    return Size(unzipped=sum(path.stat().st_size for path in files), zipped=archive.tell())


def table(sizes: dict[str, Size]) -> str:
    lines = [f"{'artefact':<24}{'unzipped':>12}{'zipped':>12}"]
    lines += [f"{name:<24}{_megabytes(size.unzipped)}{_megabytes(size.zipped)}" for name, size in sorted(sizes.items())]
    return "\n".join(lines)


def _megabytes(size: int) -> str:
    return f"{size / 2**20:>9.1f} MB"


if __name__ == "__main__":
    built = [path for path in Path(sys.argv[1]).iterdir() if path.is_dir()]
    sys.stdout.write(table({path.name: measure(path) for path in built}) + "\n")
