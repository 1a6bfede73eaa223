"""`make clients`: makes the typed clients in clients/ from the document that the local stack serves, and checks them.

    python -m tests.clients            make them, then check
    python -m tests.clients --check    fail if the stored ones differ from what the document makes

The checks: Spectral and Redocly have nothing to say about the document; both clients compile in strict mode; the
officer's day works through each against the stack, without a cast, and calls every operation.
"""

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from shared.base.instants import format_instant
from tests.clients import making
from tests.clients.tools import CLIENTS, PYTHON, TYPESCRIPT, ToolError, node, node_package, python
from tests.stack.running import RunningStack, started
from tests.waiting import http

NOT_AN_OFFICERS = ("/webhooks/", "/openapi.json", "/docs")
"""What no person calls through a client."""
DAYS = {"typescript": TYPESCRIPT / "example" / "day.ts", "python": PYTHON / "day.py"}
_CAST = {
    "typescript": re.compile(r"\bas\s+(?!const\b)[\w{\"'(]|\bany\b|@ts-|[\w\])]!(?=[.;,)\[])|<\w+>\s*\w+\("),
    "python": re.compile(r"\bAny\b|\bcast\b|type: ignore|\bgetattr\b"),
}
_NO_CODE = re.compile(r'"[^"]*"|//.*|/\*.*\*/|#(?! type: ignore).*')
"""Texts and comments on one line."""


def main(arguments: Sequence[str]) -> int:
    """Prints a line for each step. Gives the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with started(Path(folder) / "log") as stack:
                _checked(stack, Path(folder), store="--check" not in arguments)
        except ToolError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


def _checked(stack: RunningStack, folder: Path, *, store: bool) -> None:
    document = folder / "openapi.json"
    document.write_bytes(http().get(f"{stack.base_url}/openapi.json").raise_for_status().content)
    _step("Spectral and Redocly", lambda: _lint(document))
    _step("generating", lambda: _generate(document, folder, store=store))
    _step("tsc --strict", lambda: node_package("typescript/bin/tsc", "--project", str(TYPESCRIPT / "tsconfig.json")))
    _step("mypy --strict", lambda: python("mypy", f"--config-file={PYTHON / 'mypy.ini'}", str(PYTHON)))
    _step("every operation, no cast", lambda: _complete(stack))
    for language in DAYS:
        _step(f"an officer's day in {language}", lambda language=language: _day(stack, language))  # type: ignore[misc]


def _step(name: str, check: Callable[[], object]) -> None:
    began = time.monotonic()
    check()
    sys.stdout.write(f"{name}: fine, {time.monotonic() - began:.0f} s\n")
    sys.stdout.flush()


def _lint(document: Path) -> None:
    rules = CLIENTS / "lint"
    spectral = ("@stoplight/spectral-cli/dist/index.js", "lint", f"--ruleset={rules / 'spectral.yaml'}")
    node_package(*spectral, "--fail-severity=warn", "--quiet", str(document))
    found = node_package("@redocly/cli/bin/cli.js", "lint", f"--config={rules / 'redocly.yaml'}", str(document))
    if "warning" in found:
        raise ToolError(found)


def _generate(document: Path, folder: Path, *, store: bool) -> None:
    made = folder / "made"
    made.mkdir()
    making.make(document, made)
    differing = list(making.differences(made))
    if differing and not store:
        raise ToolError("make clients would change:\n" + "\n".join(differing))
    if differing:
        making.store(made)
        sys.stdout.write("".join(f"changed: clients/{one}\n" for one in differing))


def _complete(stack: RunningStack) -> None:
    """Each day calls every operation of an officer, and nothing in it hides a wrong type."""
    served = http().get(f"{stack.base_url}/openapi.json").json()["paths"]
    lacking = [
        f"{day}: {call}"
        for path, item in served.items()
        if not path.startswith(NOT_AN_OFFICERS)
        for method, operation in item.items()
        for day, call in (
            ("typescript", f'{method.upper()}("{path}"'),
            ("python", f"{operation['operationId']}.sync"),
        )
        if call not in DAYS[day].read_text(encoding="utf-8")
    ]
    if lacking := [*lacking, *_casts()]:
        raise ToolError("\n".join(lacking))


def _casts() -> Iterator[str]:
    for language, day in DAYS.items():
        for number, line in enumerate(day.read_text(encoding="utf-8").splitlines(), 1):
            if _CAST[language].search(_NO_CODE.sub("", line)):
                yield f"{day.name}:{number}: a cast: {line.strip()}"


def _day(stack: RunningStack, language: str) -> None:
    environment = {
        "BASE_URL": stack.base_url,
        "TOKEN": stack.token(f"day-in-{language}"),
        "CARDS": f"{stack.simulators_url}/cards",
        "CLOCK": format_instant(stack.now()),
    }
    if language == "typescript":
        node(DAYS[language], environment=environment)
    else:
        python("python", str(DAYS[language]), environment=environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
