"""Commands of the local stack: python -m local run | token | demo | events | load. The `make` targets call them."""

import argparse
import importlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from types import FrameType
from typing import Any, NoReturn

from local.processes import collect_seldom
from local.settings import Settings, SettingsError

USAGE_ERROR = 2
LAST_SECONDS = 5.0
TOOLS = {
    "demo": "send two sample campaigns and show their logs",
    "events": "rewrite events/ for sam local invoke",
    "load": "send many SMS, then compare the simulator's ledger with the log",
}
"""Commands that are modules of their own. Each reads its own arguments."""


def main(argv: Sequence[str]) -> int:
    collect_seldom()
    parser = argparse.ArgumentParser(prog="python -m local")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="deploy the stack on moto and serve it")
    token = commands.add_parser("token", help="print a JWT for the running stack")
    for name, what in TOOLS.items():
        commands.add_parser(name, help=what, add_help=False)
    for command in (run, token):
        command.add_argument("--port", type=int, help="default: PORT, else 8000")
    token.add_argument("--organisation", default=os.environ.get("ORGANISATION") or "demo")
    token.add_argument("--scopes", default=os.environ.get("SCOPES"), help="space-separated; default: all")
    token.add_argument("--expires", type=int, default=int(os.environ.get("EXPIRES") or 3600), help="seconds")
    token.add_argument("--subject", default=os.environ.get("SUBJECT") or "local-officer", help="the caller (claim sub)")
    arguments, rest = parser.parse_known_args(argv)
    if arguments.command in TOOLS:
        return int(importlib.import_module(f"local.{arguments.command}").main(rest) or 0)
    if rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        settings = Settings.from_environment(os.environ, arguments.port)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    return run_stack(settings) if arguments.command == "run" else _token(settings, arguments)


def run_stack(settings: Settings) -> NoReturn:
    """Serve until a signal comes, then end the process.

    It ends with `os._exit`, because threads of functions would otherwise hold it up until their last retry.
    """
    code = USAGE_ERROR
    try:
        code = _serve(settings)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0
    except BaseException:
        code = 1
        traceback.print_exc()
    finally:
        _see_children_off()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _see_children_off() -> None:
    """Wait until the child processes have ended: each ends when its pipe to this process closes.

    A signal during the start may leave a child that has no other way to learn of the end.
    """
    give_up = time.monotonic() + LAST_SECONDS
    with suppress(ChildProcessError):  # no child is left
        while time.monotonic() < give_up:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                time.sleep(0.02)


def _serve(settings: Settings) -> int:
    from local.clock import StackClock  # noqa: PLC0415 - `token` starts faster without the imports of `run`
    from local.logs import logging_to  # noqa: PLC0415
    from local.processes import ChildFailedError  # noqa: PLC0415
    from local.stack import PortInUseError, Stack  # noqa: PLC0415

    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if stopping.is_set() or not started.is_set():
            raise SystemExit(0)  # during the start, or at a second signal: exit at once
        stopping.set()

    started = threading.Event()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        clock = StackClock(settings.start)
        with logging_to(sys.stderr, clock) as terminal, Stack(settings, clock=clock) as stack:
            started.set()
            print(stack.base_url, file=terminal, flush=True)
            print(_greeting(stack), file=terminal, flush=True)
            stopping.wait()
    except (PortInUseError, ChildFailedError) as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    return 0


def _greeting(stack: Any) -> str:
    outputs = stack.deployment.outputs
    port = stack.base_url.rpartition(":")[2]
    option = "" if port == "8000" else f" PORT={port}"
    tables = [name for key, name in sorted(outputs.items()) if key.endswith("TableName")]
    lines = [
        f"AWS (moto)   {stack.aws_url}",
        "  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=eu-west-1",
        f"  aws --endpoint-url {stack.aws_url} dynamodb list-tables",
        f"Tables       {'  '.join(tables)}",
        f"Token        make -s token{option}",
        f'Clock        curl -X POST {stack.base_url}/_local/clock -d \'{{"now": "…"}}\'',
        f"Reset        curl -X POST {stack.base_url}/_local/reset",
    ]
    if stack.simulators_url:
        simulators = " ".join(f"{stack.simulators_url}/{name}" for name in ("meta", "orange", "cards", "_control"))
        lines.insert(4, f"Simulators   {simulators}")
    return "\n".join(lines)


def _token(settings: Settings, arguments: argparse.Namespace) -> int:
    from local.running import NoStackError, find  # noqa: PLC0415
    from local.tokens import ALL_SCOPES, TokenRequest  # noqa: PLC0415

    try:
        stack = find(settings.state_root, settings.port)
    except NoStackError as error:
        print(error, file=sys.stderr)
        return 1
    request = TokenRequest(
        issuer=stack.base_url,
        organisation=arguments.organisation,
        scopes=ALL_SCOPES if arguments.scopes is None else arguments.scopes.split(),
        lifetime=timedelta(seconds=arguments.expires),
        subject=arguments.subject,
    )
    print(stack.token(request))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
