"""Runs `sam local` from outside: the built artefacts, in containers, beside `make run DOCKER=1`."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.events import ENVIRONMENT, FOLDER, GATEWAY, MOTO, SIMULATORS, Step
from local.processes import PROJECT_ROOT
from tests.stack.running import RunningStack, started
from tests.waiting import PATIENCE

ARTEFACTS = PROJECT_ROOT / ".aws-sam" / "x86_64"
SAM = PROJECT_ROOT / ".venv-sam" / "bin" / "sam"
IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"
INVOKE_SECONDS = 600
START_SECONDS = 300
"""Seconds until the tests take a start for hung, also on a busy machine. An invocation takes three on an idle one."""


def why_not() -> str | None:
    """What this machine lacks to run containers; None if it lacks nothing."""
    try:
        answer = _docker("info", "--format", "{{.ServerVersion}}")
    except (FileNotFoundError, subprocess.TimeoutExpired):
        answer = None
    if answer is None or answer.returncode:
        return 'no Docker engine answers; eval "$(../shared/sam-local/up)" may give one'
    if not (ARTEFACTS / "template.yaml").exists():
        return "there are no x86_64 artefacts; make test-docker builds them"
    return None


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """`answer`: what the function returned. `said`: what the function and SAM wrote to standard error."""

    answer: Any
    said: str
    code: int

    @property
    def status(self) -> int:
        return int(self.answer["statusCode"])

    @property
    def body(self) -> Any:
        return json.loads(self.answer["body"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SamLocal:
    """`events`: the folder with the files of events/, changed to the ports of the test's own stack."""

    events: Path

    def invoke(self, step: Step) -> Invocation:
        """`sam local invoke`: one container for one event."""
        done = subprocess.run(
            [SAM, "local", "invoke", step.function, "--event", self.events / f"{step.name}.json", *self._options()],
            capture_output=True,
            text=True,
            timeout=INVOKE_SECONDS,
            env=_environment(),
            check=False,
        )
        lines = done.stdout.strip().splitlines()
        return Invocation(answer=json.loads(lines[-1]) if lines else None, said=done.stderr, code=done.returncode)

    @contextmanager
    def api(self, log: Path) -> Iterator[str]:
        """`sam local start-api`; gives its base URL. A container stays for the next call of its function."""
        port = _ports(1)[0]
        command = [SAM, "local", "start-api", "--port", str(port), "--warm-containers", "LAZY", *self._options()]
        with (
            log.open("w") as output,
            subprocess.Popen(command, stdout=output, stderr=output, env=_environment()) as api,
        ):
            try:
                _wait_for(port, api, log)
                yield f"http://127.0.0.1:{port}"
            finally:
                api.terminate()

    def _options(self) -> Sequence[str | Path]:
        pulled = not _docker("image", "inspect", IMAGE).returncode
        return [
            *("--template", ARTEFACTS / "template.yaml", "--config-file", PROJECT_ROOT / "samconfig.toml"),
            *("--region", "eu-west-1", "--parameter-overrides", "Architecture=x86_64"),
            *("--add-host", "host.docker.internal:host-gateway", "--env-vars", self.events / ENVIRONMENT),
            *(["--skip-pull-image"] if pulled else []),
        ]


def _environment() -> dict[str, str]:
    """This environment without AWS credentials, so that none reaches a container."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "SAM_CLI_TELEMETRY": "0"}


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START_SECONDS * 5):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"sam local start-api does not listen:\n{log.read_text()}")


def _ports(count: int) -> range:
    """Free ports in a row. They have four digits as in events/, so that no length in an event changes."""
    for first in range(8100 + os.getpid() % 100 * 10, 9990, 5):
        row = range(first, first + count)
        try:
            for port in row:
                with socket.socket() as probe:
                    probe.bind(("0.0.0.0", port))
        except OSError:
            continue
        return row
    pytest.fail(f"there are no {count} free ports in a row")


@contextmanager
def beside_a_stack(folder: Path) -> Iterator[tuple[RunningStack, SamLocal]]:
    """`make run DOCKER=1` on its own ports, and `sam local` with events that name these ports."""
    ports = _ports(3)
    moved = {f":{old}": f":{new}" for old, new in zip((GATEWAY, MOTO, SIMULATORS), ports, strict=True)}
    pattern = re.compile("|".join(moved) + r"(?!\d)")
    for file in FOLDER.glob("*.json"):
        text = pattern.sub(lambda found: moved[found[0]], file.read_text(encoding="utf-8"))
        (folder / file.name).write_text(text, encoding="utf-8")
    with started(folder / "stack.log", PORT=str(ports[0]), DOCKER="1", NOW="") as stack:
        yield stack, SamLocal(events=folder)
