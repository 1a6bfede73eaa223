"""The artefacts of `make build` and `sam build`: built here for x86_64, imported alone, and searched.

Needs uv's cache or PyPI. Most of the time goes into building: make builds the five artefacts once, SAM once more.
"""

import csv
import importlib.util
import json
import marshal
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import CodeType

import pytest

from tests.artefacts.building import (
    build,
    build_environment,
    copy_tree,
    files,
    lay_out_lambdas_own,
    run,
)
from tests.artefacts.sizes import measure, table
from tests.artefacts.starting import Start, start
from tests.template.reading import FUNCTION_FOLDERS, ROOT

FUNCTIONS = tuple(FUNCTION_FOLDERS)
LARGEST = {function: (9 if function == "BulkFanoutFunction" else 6) * 2**20 for function in FUNCTIONS}
"""Bytes, zipped. At twice 6 MB the download costs a cold start as much as the byte code saves. The fan-out may be
larger: it alone carries the reader of workbooks, and no person waits for its start."""
HASHED_AND_NEVER_CHECKED = 0b01  # PEP 552: bit 0 means "by hash, not by time", bit 1 would mean "check the source"
NEVER_SHIPPED = {
    "tests",
    "local",
    "docs",
    "bench",
    "events",
    ".env",
    ".env.local",
    ".aws-sam",
    ".venv",
    "boto3",
    "botocore",
}
OMITTED = re.compile(r"\.\./|bin/|aws_lambda_powertools/(?:event_handler|utilities/(?!jmespath_utils/|typing/)[^/]+)/")
AWS = {"botocore", "dateutil", "jmespath", "six", "urllib3"}
EVERYWHERE = {*AWS, "aws_lambda_powertools", "msgspec", "typing_extensions"}
CALLS = {"httpx2", "idna"}
SENDS = {*CALLS, "anyio", "h11", "httpcore2", "truststore"}
BUDGETS = {
    "ApiFunction": (EVERYWHERE | CALLS | {"phonenumbers"}, 740),
    "BulkFanoutFunction": (EVERYWHERE | CALLS | {"phonenumbers", "ijson"}, 755),
    "SendWhatsAppFunction": (EVERYWHERE | SENDS, 660),
    "SendSmsFunction": (EVERYWHERE | SENDS, 655),
    "WebhookFunction": (EVERYWHERE | {"phonenumbers"}, 635),
}
"""The packages that are neither Python's nor ours, and the limit of modules in all, once the handler is built. The
limit is today's number plus a few modules of ours. boto3 on top of botocore would add 80 modules, pydantic more."""
PHONENUMBERS_DATA_WE_DO_WITHOUT = {"geodata", "carrierdata", "tzdata"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def artefacts(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build(FUNCTIONS, tmp_path_factory.mktemp("artefacts"), tree)


@pytest.fixture(scope="module")
def lambdas_own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lambdas-own")
    lay_out_lambdas_own(folder)
    return folder


@pytest.fixture(scope="module")
def starts(artefacts: dict[str, Path], lambdas_own: Path) -> dict[str, Start]:
    return {name: start(name, artefact, lambdas_own) for name, artefact in artefacts.items()}


def pins(folder: str) -> dict[str, str]:
    lines = (ROOT / "functions" / folder / "requirements.txt").read_text(encoding="utf-8").split()
    return dict(line.split("==") for line in lines)


# ── Each artefact works alone ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_handler_comes_from_its_own_artefact_alone(
    artefacts: dict[str, Path], lambdas_own: Path, starts: dict[str, Start], function: str
) -> None:
    """A bare interpreter imports and builds the handler. All other modules than Python's and Lambda's must lie in the
    artefact."""
    artefact, found = artefacts[function], starts[function]
    assert found.callable
    allowed = (
        artefact,
        lambdas_own,
        *(path.resolve() for path in lambdas_own.iterdir()),
        Path(json.__file__).parents[1],
    )
    unexpected = {
        name: file
        for name, file in found.modules.items()
        if file and not any(Path(file).is_relative_to(folder) for folder in allowed)
    }
    assert not unexpected
    ours = {name: file for name, file in found.modules.items() if name.split(".")[0] in {"functions", "shared"}}
    assert len(ours) > 20
    assert all(file and Path(file).is_relative_to(artefact) for file in ours.values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_start_imports_no_more_than_its_budget(
    artefacts: dict[str, Path], lambdas_own: Path, starts: dict[str, Start], function: str
) -> None:
    """Modules are counted, not timed. Raise a budget only after a look at `python -m bench.cold_start`."""
    packages, most = BUDGETS[function]
    outside = (artefacts[function], lambdas_own)
    modules = starts[function].modules
    found = {
        name.split(".")[0]
        for name, file in modules.items()
        if file and any(Path(file).is_relative_to(folder) for folder in outside)
    }
    assert found - {"functions", "shared"} == packages
    assert len(modules) <= most


# ── What is inside ───────────────────────────────────────────────────────────────────────────────────────────────────


def own_files(tree: Path, folder: str) -> set[Path]:
    """The files of the tree that belong in the artefact."""
    packages = (f"functions/{folder}", "shared")
    return {Path("functions/__init__.py")} | {
        Path(package) / path for package in packages for path in files(tree / package)
    }


def packaged_files(artefact: Path, folder: str) -> Iterator[Path]:
    """The files that the pinned packages installed, without those that the Makefile leaves out."""
    for name, version in pins(folder).items():
        record = artefact / f"{name.replace('-', '_')}-{version}.dist-info" / "RECORD"
        with record.open(encoding="utf-8", newline="") as lines:
            installed = [PurePosixPath(row[0]) for row in csv.reader(lines)]
        yield from (Path(path) for path in installed if not OMITTED.match(str(path)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_holds_its_function_shared_its_pinned_packages_and_byte_code_only(
    tree: Path, artefacts: dict[str, Path], function: str
) -> None:
    artefact, folder = artefacts[function], FUNCTION_FOLDERS[function]
    sources = own_files(tree, folder) | set(packaged_files(artefact, folder))
    byte_code = {Path(importlib.util.cache_from_source(path)) for path in sources if path.suffix == ".py"}
    assert files(artefact) == sources | byte_code


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_secret_and_no_development_file_is_in_the_artefact(
    tree: Path, artefacts: dict[str, Path], function: str
) -> None:
    """The names are written out here: a change to the listing that the test above compares with cannot add them."""
    artefact, folder = artefacts[function], FUNCTION_FOLDERS[function]
    assert not {path.name for path in artefact.iterdir()} & NEVER_SHIPPED
    assert {path.name for path in (artefact / "functions").iterdir() if path.is_dir()} == {folder, "__pycache__"}
    assert not [path for path in files(artefact) if path.name.startswith(".")]
    assert {path.suffix or path.name for path in own_files(tree, folder)} <= {".py", ".json", ".txt"}
    assert {path.name for path in own_files(tree, folder) if path.suffix == ".txt"} == {"requirements.txt"}
    assert not {path.name for path in (artefact / "phonenumbers").glob("*")} & PHONENUMBERS_DATA_WE_DO_WITHOUT


def test_stray_files_of_a_developers_tree_are_not_packaged(
    tree: Path, artefacts: dict[str, Path], tmp_path: Path
) -> None:
    """Secrets and leftovers lie beside and among the sources of a copied tree; none reaches the artefact."""
    littering = shutil.copytree(tree, tmp_path / "tree", symlinks=True)
    planted = [".env", ".env.local", "functions/.env.local", "functions/webhook/.env.local", "shared/.env"]
    planted += ["shared/storage/.aws.py.swp", "shared/__pycache__/gone.cpython-313.pyc", "shared/.cache/numbers.csv"]
    planted += [f"{package}/leftover.py" for package in ("tests", "local", "docs", "bench", "events", "functions/api")]
    for name in planted:
        (littering / name).parent.mkdir(parents=True, exist_ok=True)
        (littering / name).write_text("SECRET = 'invented'")
    littered = build(["WebhookFunction"], tmp_path / "littered", littering)["WebhookFunction"]
    assert files(littered) == files(artefacts["WebhookFunction"])


# ── Byte code ────────────────────────────────────────────────────────────────────────────────────────────────────────


def code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_all_byte_code_is_python_3_13s_never_checked_and_names_lambdas_path(
    artefacts: dict[str, Path], function: str
) -> None:
    """The interpreter must not check the byte code: reading and hashing each source would cost the start what it
    saves."""
    artefact = artefacts[function]
    wrong = []
    for source in artefact.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(source)).read_bytes()
        magic, flags, digest = compiled[:4], int.from_bytes(compiled[4:8], "little"), compiled[8:16]
        code = marshal.loads(compiled[16:])
        named = {one.co_filename for one in code_objects(code)}
        if (
            magic != importlib.util.MAGIC_NUMBER
            or flags != HASHED_AND_NEVER_CHECKED
            or digest != importlib.util.source_hash(source.read_bytes())
            or named != {f"/var/task/{source.relative_to(artefact)}"}
        ):
            wrong.append(source)
    assert not wrong
    assert sys.version_info[:2] == (3, 13)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_in_it_names_this_machine(tree: Path, artefacts: dict[str, Path], function: str) -> None:
    artefact = artefacts[function]
    names = [str(path).encode() for path in (ROOT, tree, artefact.parent, Path.home())]
    # A package's own texts may name a home such as `/root` as an example. Files that the build made may not.
    made_here = [
        p for p in artefact.rglob("*") if p.is_file() and (p.suffix == ".pyc" or ".dist-info" in p.parent.name)
    ]
    assert not [path for path in made_here if any(name in path.read_bytes() for name in names)]


# ── The same from SAM, and the size ──────────────────────────────────────────────────────────────────────────────────


def test_sam_builds_the_same_bytes_again(tree: Path, artefacts: dict[str, Path], tmp_path: Path) -> None:
    """This shows two things: SAM's own way works, and the same sources give the same artefact."""
    sam = ROOT / ".venv-sam" / "bin" / "sam"
    run(["make", ".venv-sam/.matches-lock"], ROOT, build_environment())
    options = ["--build-dir", str(tmp_path / "sam"), "--parameter-overrides", "Architecture=x86_64"]
    run([str(sam), "build", *options], tree, build_environment())
    for function, artefact in artefacts.items():
        again = tmp_path / "sam" / function
        assert files(again) == files(artefact)
        assert not [path for path in files(again) if (again / path).read_bytes() != (artefact / path).read_bytes()]


def test_no_artefact_is_too_big(artefacts: dict[str, Path]) -> None:
    sizes = {function: measure(artefact) for function, artefact in artefacts.items()}
    sys.stdout.write(table(sizes) + "\n")
    assert not {function: size.zipped for function, size in sizes.items() if size.zipped >= LARGEST[function]}
