"""The parts of docs/deploy.md beside its commands: parameters, the quota, the trigger of the tokens. tests/documents
checks the commands."""

import re
from typing import Any

import pytest

from tests.template.deploy_guide import GUIDE, section
from tests.template.reading import concurrency, events, mapping, read
from tests.unit.api.events import request


def test_every_parameter_of_the_template_is_explained() -> None:
    explained = set(re.findall(r"`([A-Z]\w+)`", section(4).text))
    assert set(mapping(read(), "Parameters")) <= explained


def test_the_quota_in_the_guide_is_what_the_queues_take() -> None:
    template = read()
    at_once = [concurrency(template, its) for _, its in events(template, "SQS")]
    [quota] = [item for item in section(2).text.split("\n- ") if "L-B99A9384)" in item]
    assert f"{sum(at_once)} for the six queues ({' + '.join(map(str, at_once))})" in " ".join(quota.split())


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
