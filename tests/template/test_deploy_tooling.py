"""CI runs what a laptop runs, with pinned actions. The hooks call what `make` calls."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.artefacts.building import build_environment, run
from tests.template.reading import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
BIN = Path(sys.executable).parent
PRIVATE_KEY = b"-----BEGIN RSA " + b"PRIVATE KEY-----"  # in two parts, or the hook would find it here
CONFLICT = b"line\n" + b"<" * 7 + b" ours\n"  # likewise
PINNED = re.compile(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def workflow() -> Any:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))


def hooks() -> list[dict[str, Any]]:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in config["repos"]} == {"local"}, "a hook that has to be fetched"
    return [hook for repository in config["repos"] for hook in repository["hooks"]]


def test_the_workflow_fits_githubs_schema() -> None:
    run([str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)], ROOT, {})


def test_the_workflow_runs_what_ci_run_runs_and_nothing_else() -> None:
    [job] = workflow()["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert job["timeout-minutes"] <= 60


def test_the_workflow_may_only_read() -> None:
    assert workflow()["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow()["jobs"].values())


def test_every_action_is_pinned_by_its_commit_and_names_its_version() -> None:
    uses = [line for line in WORKFLOW.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert uses
    assert not [line for line in uses if not PINNED.search(line)]


def test_the_hooks_are_read_by_pre_commit() -> None:
    run([str(BIN / "pre-commit"), "validate-config", str(ROOT / ".pre-commit-config.yaml")], ROOT, build_environment())


def test_every_hook_calls_a_make_target_or_a_program_of_the_environment() -> None:
    for hook in hooks():
        program, *words = hook["entry"].split()
        match hook["language"]:
            case "fail":
                assert hook["files"]
            case "system" if program == "make":
                run(["make", "-n", *words], ROOT, build_environment())
            case "system":
                assert program.startswith(".venv/bin/")
                assert (BIN / Path(program).name).is_file()
            case other:
                pytest.fail(f"{hook['id']}: {other} would have to be installed")


@pytest.mark.parametrize(
    ("name", "content", "hook"),
    [
        ("notes.txt", PRIVATE_KEY, "private-keys"),
        ("film.bin", bytes(700 * 1024), "big-files"),
        ("architecture.md", CONFLICT, "merge-conflicts"),
    ],
    ids=["private-key", "big-file", "conflict-marker-outside-of-a-merge"],
)
def test_the_hooks_refuse_secrets_conflicts_and_big_files(tmp_path: Path, name: str, content: bytes, hook: str) -> None:
    """Each case has a repository of its own. The hook for big files looks only at added files."""
    (tmp_path / name).write_bytes(content)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", name], cwd=tmp_path, check=True)
    done = _hooked(hook, [name], tmp_path)
    assert done.returncode == 1
    assert name.encode() in done.stdout


def _hooked(hook: str, names: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Runs the hook's own command over these files, as pre-commit would."""
    [entry] = [one["entry"] for one in hooks() if one["id"] == hook]
    program, *words = entry.split()
    return subprocess.run([BIN / Path(program).name, *words, *names], cwd=folder, capture_output=True, check=False)


def test_no_committed_file_holds_a_conflict_marker() -> None:
    """Over all files on each CI run: a commit can be made without the hooks, and conflict markers once reached main."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = [name for name in tracked.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    assert "docs/architecture.md" in names
    done = _hooked("merge-conflicts", names, ROOT)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize("name", [".env", ".env.local", "shared/.env.prod"])
def test_no_env_file_is_committed(name: str) -> None:
    [pattern] = [hook["files"] for hook in hooks() if hook["language"] == "fail"]
    assert re.search(pattern, name)
    assert not re.search(pattern, "docs/.environment.md")
    assert not re.search(pattern, "events/env.json")
