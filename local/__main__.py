"""python -m local run | token | demo: what `make run`, `make token` and `make demo` call."""

import argparse
import importlib
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from local.clock import parse_instant
from local.settings import Settings, SettingsError

USAGE_ERROR = 2


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="deploy the stack on moto, and stay")
    token = commands.add_parser("token", help="print a JWT for the running stack")
    commands.add_parser("demo", help="send a sample campaign and show its log", add_help=False)
    for command in (run, token):
        command.add_argument("--port", type=int, help="default: PORT, else 8000")
    token.add_argument("--organisation", default=os.environ.get("ORGANISATION") or "demo")
    token.add_argument("--scopes", default=os.environ.get("SCOPES"), help="space-separated; default: all")
    token.add_argument("--expires", type=int, default=int(os.environ.get("EXPIRES") or 3600), help="seconds")
    arguments, rest = parser.parse_known_args(argv)
    if arguments.command == "demo":
        return int(importlib.import_module("local.demo").main(rest) or 0)
    if rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        settings = Settings.from_environment(os.environ, arguments.port)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    return run_stack(settings) if arguments.command == "run" else _token(settings, arguments)


def run_stack(settings: Settings) -> int:
    from local.logs import logging_to  # noqa: PLC0415 - `token` need not wait for what `run` imports
    from local.processes import ChildFailedError  # noqa: PLC0415
    from local.stack import PortInUseError, Stack  # noqa: PLC0415

    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if stopping.is_set() or not started.is_set():
            raise SystemExit(0)  # during the start, or asked twice: straight out, children see their pipe close
        stopping.set()

    started = threading.Event()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        with logging_to(sys.stderr) as terminal, Stack(settings) as stack:
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
    ]
    if stack.simulators_url:
        simulators = " ".join(f"{stack.simulators_url}/{name}" for name in ("meta", "orange", "cards", "_control"))
        lines.insert(4, f"Simulators   {simulators}")
    return "\n".join(lines)


def _token(settings: Settings, arguments: argparse.Namespace) -> int:
    from local.tokens import ALL_SCOPES, TokenRequest, load_key, mint  # noqa: PLC0415

    directory = settings.state_root / str(settings.port)
    try:
        state = json.loads((directory / "stack.json").read_text())
        key = load_key(directory / "key.pem")
        now = _stack_now(state)
    except (FileNotFoundError, urllib.error.URLError):
        print(f"no stack runs on port {settings.port}; start one with `make run PORT={settings.port}`", file=sys.stderr)
        return 1
    request = TokenRequest(
        issuer=state["base_url"],
        organisation=arguments.organisation,
        scopes=ALL_SCOPES if arguments.scopes is None else arguments.scopes.split(),
        lifetime=timedelta(seconds=arguments.expires),
    )
    print(mint(key, request, now))
    return 0


def _stack_now(state: dict[str, Any]) -> datetime:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{state['base_url']}/_local/clock", timeout=5) as answer:
            return parse_instant(json.load(answer)["now"])
    except urllib.error.HTTPError:  # a stack whose clock is not open: the demo's, which never jumps
        return datetime.fromtimestamp(time.time() + state["clock_offset_seconds"], UTC)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
