"""Every command of docs/deploy.md and docs/runbook.md is checked. A command that this file cannot check fails.

| program | checked against |
|---|---|
| make | the Makefile: `make -n` finds the target |
| sam | SAM's own parser, samconfig.toml included |
| aws | botocore's description of the service: operation, options, required ones; queries are compiled |
| curl | the routes of template.yaml; those of step 6 also run (tests/stack/test_deploy_guide.py) |
| git | its own short help: the options exist |
| the shell's own | bash reads each block without running it |
"""

import re
import subprocess
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from tests.artefacts.building import build_environment, run
from tests.template import sam
from tests.template.deploy_guide import GUIDE, commands, query, section, sections
from tests.template.reading import ROOT, concurrency, events, mapping, read, text
from tests.unit.api.events import request

SHELLS_OWN = {"export", "read", "cat", "rm", "echo"}
# The CLI's own commands, which botocore does not know, and calls to other services: no check is possible here.
UNCHECKED = (["aws", "configure", "sso"], ["aws", "sso", "login"], ["curl", "https://graph.facebook.com"])
# Options of every aws command, and whether a value follows.
ALL_COMMANDS = {"query", "output", "profile", "region"}
# The CLI's own name for a member of the service.
RENAMED = {("sns", "subscribe", "notification-endpoint"): "endpoint"}


def understood_by_make(words: list[str]) -> None:
    run(["make", "-n", *words[1:]], ROOT, build_environment())


def understood_by_aws(words: list[str]) -> None:
    service, operation, *options = words[1:]
    query(words)
    members, required = _members(service, operation)
    valued, flags = _options(options)
    named = {RENAMED.get((service, operation, name), name) for name in valued - ALL_COMMANDS}
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
    [url] = [word for word in words if word.startswith("$API/")]
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    routes = [(text(event, "Method"), text(event, "Path")) for _, event in events(read(), "HttpApi")]
    path = url.removeprefix("$API").partition("?")[0]
    assert [1 for m, p in routes if m == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path)]


def understood_by_git(words: list[str]) -> None:
    helped = subprocess.run(["git", words[1], "-h"], capture_output=True, text=True, timeout=300, check=False)
    assert all(re.search(rf"(^|\W){re.escape(word)}\b", helped.stdout) for word in words if word.startswith("-"))


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "make": understood_by_make,
    "aws": understood_by_aws,
    "curl": understood_by_the_api,
    "git": understood_by_git,
}
SAM = ".venv-sam/bin/sam"
RUNBOOK = ROOT / "docs" / "runbook.md"
ALL = [words for page in (GUIDE, RUNBOOK) for words in commands(page.read_text(encoding="utf-8"))]


def is_unchecked(words: list[str]) -> bool:
    return any(
        words[0] == known[0] and all(any(w.startswith(part) for w in words[1:]) for part in known[1:])
        for known in UNCHECKED
    )


CHECKED_ONE_BY_ONE = [
    words for words in ALL if words[0] not in SHELLS_OWN and words[0] != SAM and not is_unchecked(words)
]


def test_the_guide_has_commands_of_each_kind() -> None:
    assert {words[0] for words in ALL} == {SAM, *CHECKS, *SHELLS_OWN}
    assert all(any(is_unchecked(words) for words in ALL if words[0] == known[0]) for known in UNCHECKED)


@pytest.mark.parametrize("words", CHECKED_ONE_BY_ONE, ids=" ".join)
def test_each_command_is_understood(words: list[str]) -> None:
    assert words[0] in CHECKS, f"say in CHECKS how {words[0]} is checked"
    CHECKS[words[0]](words)


def test_sam_understands_its_commands_and_finds_the_stage_in_samconfig() -> None:
    ours = [words[1:] for words in ALL if words[0] == SAM]
    for words, options in zip(ours, sam.parse(ours), strict=True):
        assert "error" not in options, (words, options)
        if "--config-env" in words:
            assert options["stack_name"] == f"oomus-messaging-{options['config_env']}"


@pytest.mark.parametrize(
    "block", [block for page in (GUIDE, RUNBOOK) for one in sections(page) for block in one.blocks("sh")]
)
def test_bash_can_read_each_block(block: str) -> None:
    subprocess.run(["bash", "-n"], input=block, text=True, timeout=300, check=True)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (["aws", "lambda", "get-functoin"], AssertionError),
        (["aws", "lamdba", "get-function"], UnknownServiceError),
        (["aws", "cloudformation", "describe-stacks", "--stack", "x"], AssertionError),
        (["aws", "service-quotas", "get-service-quota", "--service-code", "lambda"], AssertionError),
        (["aws", "lambda", "update-event-source-mapping", "--uuid", "x", "--no-enable"], AssertionError),
        (["aws", "lambda", "update-event-source-mapping", "--uuid", "--enabled"], AssertionError),
        (["make", "biuld"], AssertionError),
        (["curl", "$API/v1/integration/sms"], AssertionError),
        (["curl", "-X", "POST", "$API/health"], AssertionError),
        (["git", "switch", "--detatch"], AssertionError),
    ],
)
def test_a_mistake_in_a_command_is_found(wrong: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        CHECKS[wrong[0]](wrong)


def test_commands_without_a_check_are_listed_in_unverified() -> None:
    unverified = (ROOT / "docs" / "unverified.md").read_text(encoding="utf-8")
    assert all(" ".join(known[:3]) in unverified for known in UNCHECKED if known[0] == "aws")
    assert "subscribed_apps" in unverified


# ── The parts that are not commands ──────────────────────────────────────────────────────────────────────────────────


def test_every_parameter_of_the_template_is_explained() -> None:
    explained = set(re.findall(r"`([A-Z]\w+)`", section(4).text))
    assert set(mapping(read(), "Parameters")) <= explained


def test_the_quota_in_the_guide_is_what_the_queues_take() -> None:
    template = read()
    at_once = [concurrency(template, its) for _, its in events(template, "SQS")]
    [row] = [line for line in section(2).text.splitlines() if "L-B99A9384)" in line]
    assert f"{sum(at_once)} for the six queues ({' + '.join(map(str, at_once))})" in row


def _token_claims(*groups: str) -> dict[str, str]:
    """The claims that API Gateway would pass on from a token that Cognito made with the guide's trigger."""
    [source] = section(3).blocks("python")
    module: dict[str, Any] = {}
    exec(compile(source, str(GUIDE), "exec"), module)
    asked = {"request": {"groupConfiguration": {"groupsToOverride": list(groups)}}, "response": {}}
    answer = module["handler"](asked, None)["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]
    scope = ["aws.cognito.signin.user.admin", *answer["scopesToAdd"]]
    return {**answer["claimsToAddOrOverride"], "scope": " ".join(scope)}


def test_the_triggers_token_is_one_that_the_api_takes() -> None:
    caller = request(claims=_token_claims("organisation:demo", "messaging.read", "messaging.send", "other")).caller
    assert caller is not None
    assert caller.organisation == "demo"
    assert {"messaging.read", "messaging.send"} <= caller.scopes
    assert not {"messaging.admin", "other"} & caller.scopes


@pytest.mark.parametrize("groups", [["messaging.read"], ["organisation:one", "organisation:two"]])
def test_the_trigger_gives_no_token_without_exactly_one_organisation(groups: list[str]) -> None:
    with pytest.raises(ValueError, match="unpack"):
        _token_claims(*groups)
