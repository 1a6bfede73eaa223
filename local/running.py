"""Finds a stack that runs in another process, from the files that it keeps under .local/<port>."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from local.tokens import TokenRequest, load_key, mint
from shared.base.instants import from_rfc3339


class NoStackError(Exception):
    """No stack runs on that port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """A running stack. `simulators_url` is None without simulators. `now` is its clock's time when it was found."""

    base_url: str
    aws_url: str
    simulators_url: str | None
    key: rsa.RSAPrivateKey
    now: datetime

    def token(self, request: TokenRequest) -> str:
        """Sign a token by the stack's clock."""
        return mint(self.key, request, self.now)


def find(state_root: Path, port: int) -> RunningStack:
    """Find the stack on a port. Raises NoStackError."""
    directory = state_root / str(port)
    try:
        state = json.loads((directory / "stack.json").read_text())
        return RunningStack(
            base_url=state["base_url"],
            aws_url=state["aws_url"],
            simulators_url=state["simulators_url"],
            key=load_key(directory / "key.pem"),
            now=_now(state),
        )
    except (FileNotFoundError, urllib.error.URLError) as error:
        raise NoStackError(f"no stack runs on port {port}; start one with `make run PORT={port}`") from error


def _now(state: dict[str, Any]) -> datetime:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{state['base_url']}/_local/clock", timeout=5) as answer:
            return from_rfc3339(json.load(answer)["now"])
    except urllib.error.HTTPError:  # the demo's stack has no clock route, and its clock never jumps
        return datetime.fromtimestamp(time.time() + state["clock_offset_seconds"], UTC)
