"""Lambda's runtime interface emulator from aws-sam-cli, without its container.

It handles one event at a time and crashes on two at once. The "Init Duration" in its REPORT line is the emulator's own
start; the line INIT REPORT has the init of the runtime.
"""

import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from local.processes import PROJECT_ROOT, free_port
from tests.artefacts.building import ARCHITECTURE, function_environment
from tests.template.reading import FUNCTION_FOLDERS

_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
_EVENT = re.compile(r"INVOKE RTDONE\(status: success, .*duration: ([0-9.]+)ms\)")
_PATIENCE = 60.0
"""Seconds to wait until it listens and answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulated:
    """The emulator's figures in milliseconds. The event has no work: no record, or a path without a route."""

    init_ms: float
    first_event_ms: float


def rie() -> Path | None:
    """The emulator for this machine, or None. It needs `make build`'s SAM CLI and must be able to run the artefacts."""
    found = (PROJECT_ROOT / ".venv-sam").glob(
        f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"
    )
    able = sys.platform == "linux" and platform.machine() == ARCHITECTURE and importlib.util.find_spec("awslambdaric")
    return next(found, None) if able else None


@dataclass(frozen=True, slots=True)
class Emulator:
    """Starts one artefact with the runtime client of Lambda. `lambdas_own` holds the packages that Lambda adds."""

    program: Path
    artefact: Path
    lambdas_own: Path

    def start(self, function: str) -> Emulated:
        """Start it, send it one event, stop it. Raises RuntimeError, with the log, if it does not answer."""
        port, api_port = free_port(), free_port()
        options = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        options += ["--runtime-api-address", f"127.0.0.1:{api_port}"]
        runtime = [
            sys.executable,
            "-S",
            "-B",
            "-m",
            "awslambdaric",
            f"functions.{FUNCTION_FOLDERS[function]}.app.handler",
        ]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
            process = subprocess.Popen(  # noqa: S603 - the SAM CLI's program
                [str(self.program), *options, *runtime],
                cwd=self.artefact,
                env=self._environment(function),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                answered = _invoke(f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations")
            finally:
                process.terminate()
                process.wait(_PATIENCE)
            log.seek(0)
            return _read(log.read(), answered=answered)

    def _environment(self, function: str) -> dict[str, str]:
        paths = (self.artefact, self.lambdas_own)
        return function_environment(function) | {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        }


def _invoke(url: str) -> bool:
    """Whether it gave any answer."""
    request = Request(url, data=json.dumps({"Records": []}).encode(), method="POST")  # noqa: S310 - our own emulator
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            with urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - our own emulator
                answer.read()
        except (URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return True
    return False


def _read(log: str, *, answered: bool) -> Emulated:
    init, event = _INIT.search(log), _EVENT.search(log)
    if not answered or init is None or event is None:
        raise RuntimeError(f"the emulator did not answer\n{log}")
    return Emulated(init_ms=float(init[1]), first_event_ms=float(event[1]))
