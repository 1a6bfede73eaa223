"""Each command that a document names and no test runs is checked. A command without a check fails."""

import json
import re
import subprocess

import pytest
from botocore.exceptions import UnknownServiceError

from local.processes import PROJECT_ROOT
from tests.documents.commands import CHECKS, SAM, SHELLS_OWN, UNCHECKED, commands, inline, is_unchecked
from tests.documents.pages import Block, pages
from tests.template import sam

PAGES = pages(PROJECT_ROOT)
NOT_RUN = [block for page in PAGES for block in page.blocks if block.mark in {"account", "docker"}]
ALL = [words for block in NOT_RUN for words in commands(block.text)]
NAMED = [words for page in PAGES for words in inline(page)]
CHECKED_ONE_BY_ONE = [
    words for words in [*ALL, *NAMED] if words[0] not in SHELLS_OWN and words[0] != SAM and not is_unchecked(words)
]


def test_there_are_commands_of_each_kind() -> None:
    assert {words[0] for words in [*ALL, *NAMED]} <= {SAM, *CHECKS, *SHELLS_OWN}
    assert set(CHECKS) <= {words[0] for words in [*ALL, *NAMED]}
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


@pytest.mark.parametrize("block", NOT_RUN, ids=str)
def test_bash_can_read_each_block(block: Block) -> None:
    subprocess.run(["bash", "-n"], input=block.text, text=True, timeout=300, check=True)


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
        ([".venv/bin/python", "-m", "tests.simulatoin"], AssertionError),
        ([".venv/bin/python", "-m", "tests.simulation", "--seed", "1"], AssertionError),
        (["invoke", "ApiFunction", "send_sms"], AssertionError),
    ],
)
def test_a_mistake_in_a_command_is_found(wrong: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        CHECKS[wrong[0]](wrong)


def test_commands_without_a_check_are_listed_in_unverified() -> None:
    unverified = (PROJECT_ROOT / "docs" / "unverified.md").read_text(encoding="utf-8")
    assert all(" ".join(known[:3]) in unverified for known in UNCHECKED if known[0] == "aws")
    assert "subscribed_apps" in unverified


def test_the_page_invokes_its_events_in_the_order_of_the_tests() -> None:
    walk = json.loads((PROJECT_ROOT / "events" / "walk.json").read_text(encoding="utf-8"))
    order = [step["event"].removesuffix(".json") for step in walk]
    places = [order.index(words[2]) for words in ALL if words[0] == "invoke"]
    assert len(places) > 15
    assert places == sorted(places)


def test_every_local_route_that_a_document_names_is_served() -> None:
    sources = [PROJECT_ROOT / "local" / name for name in ("gateway.py", "simulators/control.py", "stack.py")]
    served = "".join(file.read_text(encoding="utf-8") for file in sources)
    named = {route for page in PAGES for route in re.findall(r"/_(?:local|control)/\w+", page.text)}
    assert {route for route in named if f'"{route}"' not in served} == set()
