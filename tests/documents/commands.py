"""Commands that cannot run here are checked in another way. Each check raises an error for a mistake.

| program | checked against |
|---|---|
| make | the Makefile: `make -n` finds the target |
| aws | botocore's description of the service: operation, options, required ones; queries are compiled |
| curl | the routes of template.yaml, and those of the local stack and of the simulators |
| git | its own short help: the options exist |
| .venv/bin/python | the module is there and reads each option |
| invoke (docs/local-testing.md) | events/walk.json: the function and its event |

SAM's own parser reads all commands of SAM at once (test_commands.py).
"""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import botocore.session
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name

from tests.artefacts.building import build_environment, run
from tests.documents.pages import Page
from tests.template.reading import ROOT, events, read, text

SAM = ".venv-sam/bin/sam"
SHELLS_OWN = {"export", "read", "cat", "rm", "echo", "eval", "sed"}
UNCHECKED = (
    ["aws", "configure", "sso"],
    ["aws", "sso", "login"],
    ["curl", "https://graph.facebook.com"],
    ["aws", "s3", "ls"],
)
"""The CLI's own commands, which botocore does not know, and calls to other services: no check is possible here."""
_ALL_COMMANDS = {"query", "output", "profile", "region"}
"""Options of every aws command; a value follows."""
_RENAMED = {("sns", "subscribe", "notification-endpoint"): "endpoint"}
"""The CLI's own name for a member of the service."""
_INLINE = re.compile(r"`((?:make|curl|aws|python|\.venv/bin/python) [^`…]+)`")
_HEREDOC = re.compile(r"<<'(\w+)'\n.*?^\1\n", re.MULTILINE | re.DOTALL)
_ASSIGNED = re.compile(r"^\w+=\"?\$\((.*)\)\"?$")
_PLAIN = re.compile(r"^(?:\w+=(?!\$\()|\w+\(\) )")
"""An assignment or the definition of a function is no command."""
_STACKS = re.compile(r"^(?:\$B|\$API|http://127\.0\.0\.1:\d+)(?=/)")


def commands(text: str) -> Iterator[list[str]]:
    """Every command of a block, as words. The content of `X=$(…)` is a command; that of a here-document is none."""
    whole = re.sub(r"\\\n\s*", " ", _HEREDOC.sub("\n", text))
    for line in filter(None, map(str.strip, re.split(r"\n(?=\S)", whole))):
        inner = _ASSIGNED.match(line)
        if inner or not _PLAIN.match(line):
            words = shlex.split(inner[1] if inner else line, comments=True)
            yield from [words] if words else []


def inline(page: Page) -> list[list[str]]:
    """Commands in running text and tables that a reader could paste."""
    return [shlex.split(one) for _, line in page.prose for one in _INLINE.findall(line)]


def query(words: Sequence[str]) -> Any:
    """The compiled `--query` of a command, or None."""
    return jmespath.compile(words[words.index("--query") + 1]) if "--query" in words else None


def is_unchecked(words: Sequence[str]) -> bool:
    """Whether it is one of `UNCHECKED`."""
    return any(
        words[0] == known[0] and all(any(w.startswith(part) for w in words[1:]) for part in known[1:])
        for known in UNCHECKED
    )


def understood_by_make(words: list[str]) -> None:
    """The Makefile has the target."""
    run(["make", "-n", "-o", ".venv/.matches-lock", *words[1:]], ROOT, build_environment())


def understood_by_aws(words: list[str]) -> None:
    """The service has the operation and its options."""
    service, operation, *options = words[1:]
    query(words)
    members, required = _members(service, operation)
    valued, flags = _options(options)
    named = {_RENAMED.get((service, operation, name), name) for name in valued - _ALL_COMMANDS}
    assert named <= {name for name, kind in members.items() if kind != "boolean"}
    assert flags <= {name for name, kind in members.items() if kind == "boolean"}
    assert required <= named | flags


def _options(words: list[str]) -> tuple[set[str], set[str]]:
    """The options with a value, and the flags; `--no-x` is a flag of x."""
    valued: set[str] = set()
    flags: set[str] = set()
    remaining = list(words)
    while remaining:
        name = remaining.pop(0)
        assert name.startswith("--"), f"{name}: an option has one value or none"
        if remaining and not remaining[0].startswith("--"):
            remaining.pop(0)
            valued.add(name.removeprefix("--"))
        else:
            flags.add(name.removeprefix("--").removeprefix("no-"))
    return valued, flags


def _members(service: str, operation: str) -> tuple[dict[str, str], set[str]]:
    """The options of an operation with their types, and the required ones."""
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names, f"{service} has no {operation}"
    shape: Any = model.operation_model(names[operation]).input_shape
    if shape is None:
        return {}, set()
    kinds = {xform_name(name, "-"): member.type_name for name, member in shape.members.items()}
    return kinds, {xform_name(name, "-") for name in shape.required_members}


def understood_by_the_api(words: list[str]) -> None:
    """The stack serves the route."""
    [url] = [word for word in words if _STACKS.match(word)]
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    routes = [(text(event, "Method"), text(event, "Path")) for _, event in events(read(), "HttpApi")]
    path = _STACKS.sub("", url).partition("?")[0]
    if not path.startswith(("/_local/", "/_control/")):  # those two: test_every_local_route_is_there
        assert [1 for m, p in routes if m == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path)]


def understood_by_git(words: list[str]) -> None:
    """The subcommand has the options."""
    helped = subprocess.run(["git", words[1], "-h"], capture_output=True, text=True, timeout=300, check=False)
    assert all(re.search(rf"(^|\W){re.escape(word)}\b", helped.stdout) for word in words if word.startswith("-"))


def understood_by_python(words: list[str]) -> None:
    """The module exists, and its source names each option."""
    assert words[1] == "-m", "say python -m"
    place = ROOT.joinpath(*words[2].split("."))
    sources = [file for file in (place / "__main__.py", place.with_suffix(".py")) if file.exists()]
    if words[2] != "pytest":
        assert sources, f"there is no {words[2]}"
        source = sources[0].read_text(encoding="utf-8")
        assert [word for word in words[3:] if word.startswith("--") and f'"{word}"' not in source] == []


def understood_by_sam_local(words: list[str]) -> None:
    """`invoke <function> <event>`: the event is in the walk, for that function."""
    walk = json.loads((ROOT / "events" / "walk.json").read_text(encoding="utf-8"))
    assert (words[1], f"{words[2]}.json") in {(step["function"], step["event"]) for step in walk}


CHECKS: Mapping[str, Callable[[list[str]], None]] = {
    "make": understood_by_make,
    "aws": understood_by_aws,
    "curl": understood_by_the_api,
    "git": understood_by_git,
    ".venv/bin/python": understood_by_python,
    "invoke": understood_by_sam_local,
}
