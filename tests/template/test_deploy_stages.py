"""Each stage of samconfig.toml: linted, parsed by SAM, and sent to CloudFormation (moto) as a change set.

Each run of a linter takes 4 to 5 s, most of it imports and the translation. The change set is made in this process.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.template import REGION, Document, parameters, translate
from tests.documents.commands import commands, query
from tests.template import sam
from tests.template.deploy_guide import GUIDE, sections
from tests.template.reading import FUNCTION_FOLDERS, ROOT, read

STAGES = ("dev", "staging", "prod")
ASK_FIRST = {"staging", "prod"}
SECRET = re.compile(r"secret|token|password|\bkey\b|BEGIN |AKIA[0-9A-Z]{16}|[A-Za-z0-9+/]{40}", re.IGNORECASE)


def config() -> dict[str, Any]:
    return tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


def overrides(stage: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in config()[stage]["deploy"]["parameters"]["parameter_overrides"])


# ── samconfig.toml ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_stage_says_how_to_build_and_validate() -> None:
    """SAM looks only in the named stage. Without `build_in_source` a build takes the virtual environments along."""
    whole = config()
    assert set(whole) == {"version", "default", *STAGES}
    for stage in STAGES:
        for command in ("build", "validate", "global"):
            assert whole[stage][command] == whole["default"][command], (stage, command)
        assert whole[stage]["validate"]["parameters"]["lint"] is True


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_deploys_itself_and_prod_asks_first(stage: str) -> None:
    deploy = config()[stage]["deploy"]["parameters"]
    assert deploy["stack_name"] == f"oomus-messaging-{stage}"
    assert deploy["resolve_s3"] is True
    assert deploy["capabilities"] == ["CAPABILITY_IAM"]
    assert deploy.get("confirm_changeset", False) is (stage in ASK_FIRST)
    assert not deploy.get("disable_rollback", False)


def test_samconfig_holds_no_secret() -> None:
    for stage in STAGES:
        assert not {line for line in overrides(stage).items() if SECRET.search("=".join(line))}


def test_sam_reads_samconfig_as_we_do() -> None:
    asked = [[command, "--config-env", stage] for command in ("deploy", "validate", "build") for stage in STAGES]
    for (command, _, stage), options in zip(asked, sam.parse(asked), strict=True):
        match command:
            case "deploy":
                assert options["parameter_overrides"] == overrides(stage)
                assert options["resolve_s3"] is True
            case "validate":
                assert options["lint"] is True
            case "build":
                assert options["build_in_source"] is True


# ── Linters ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stage", STAGES)
def test_cfn_lint_has_nothing_to_say_with_the_stages_parameters(stage: str) -> None:
    """cfn-lint translates the SAM template by itself. SAM's own lint takes no parameters; `make validate` runs it."""
    chosen = [f"{name}={value}" for name, value in overrides(stage).items()]
    assert sam.tool("cfn-lint", "template.yaml", "--parameters", *chosen) == ""


# ── A change set that is not executed ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return translate(ROOT / "template.yaml", tmp_path_factory.mktemp("translated"))


@pytest.fixture
def cloudformation() -> Iterator[Any]:
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name=REGION)
        yield session.client("cloudformation")


def propose(cloudformation: Any, document: Document, stage: str, chosen: dict[str, str]) -> Any:
    """The resources that the stage's first deployment would add."""
    names = {"StackName": f"oomus-messaging-{stage}", "ChangeSetName": "first"}
    cloudformation.create_change_set(
        **names,
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(document),
        Parameters=parameters(document, chosen),
        Capabilities=config()[stage]["deploy"]["parameters"]["capabilities"],
    )
    return cloudformation.describe_change_set(**names)


@pytest.mark.parametrize("stage", STAGES)
def test_a_change_set_of_each_stage_adds_every_resource_and_knows_every_parameter(
    cloudformation: Any, document: Document, stage: str
) -> None:
    chosen = overrides(stage)
    proposed = propose(cloudformation, document, stage, chosen)
    assert (proposed["Status"], proposed["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    added = {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in proposed["Changes"]}
    assert {change["Action"] for change in added.values()} == {"Add"}
    assert {name: its["ResourceType"] for name, its in added.items()} == {
        name: its["Type"] for name, its in document["Resources"].items()
    }
    given = {entry["ParameterKey"]: entry["ParameterValue"] for entry in proposed["Parameters"]}
    assert set(given) == set(document["Parameters"])
    assert chosen.items() <= given.items()
    for name, value in given.items():
        _fits(document["Parameters"][name], value)
    [stack] = cloudformation.describe_stacks(StackName=f"oomus-messaging-{stage}")["Stacks"]
    assert stack["StackStatus"] == "REVIEW_IN_PROGRESS"


def _fits(parameter: dict[str, Any], value: str) -> None:
    """CloudFormation refuses a value that the parameter does not allow; moto does not check."""
    assert value in map(str, parameter.get("AllowedValues", [value])), (parameter, value)
    if parameter["Type"] == "Number":
        assert float(value) >= parameter.get("MinValue", float("-inf")), (parameter, value)


def test_an_unknown_parameter_is_refused(cloudformation: Any, document: Document) -> None:
    with pytest.raises(ValueError, match="Stag"):
        propose(cloudformation, document, "dev", overrides("dev") | {"Stag": "dev"})


CONDITIONS = {"HasFrontEnd": "FrontEndOrigins", "HasCardBuckets": "CardBuckets", "HasAlarmTopic": "AlarmTopicArn"}


def test_every_condition_can_be_decided_from_one_parameter(document: Document) -> None:
    """A stage's own parameters decide every condition: none depends on something that exists only on AWS."""
    assert set(document["Conditions"]) == set(CONDITIONS)
    for condition, parameter in CONDITIONS.items():
        assert set(_references(document["Conditions"][condition])) == {parameter}
    asked = set(_conditions(document["Resources"]))
    assert asked <= set(CONDITIONS)


def _references(node: Any) -> Iterator[str]:
    match node:
        case {"Ref": str(name)}:
            yield name
        case dict():
            for inner in node.values():
                yield from _references(inner)
        case list():
            for inner in node:
                yield from _references(inner)


def _conditions(node: Any) -> Iterator[str]:
    match node:
        case {"Fn::If": [str(name), *branches]}:
            yield name
            yield from _conditions(branches)
        case dict():
            yield from (node["Condition"] for _ in [0] if isinstance(node.get("Condition"), str))
            for inner in node.values():
                yield from _conditions(inner)
        case list():
            for inner in node:
                yield from _conditions(inner)


def test_the_guides_queries_find_what_they_look_for(document: Document) -> None:
    """On answers of describe-stacks and describe-stack-events in the shape that botocore documents."""
    template: Any = read()
    outputs = [{"OutputKey": name, "OutputValue": f"value of {name}"} for name in template["Outputs"]]
    failed = {"LogicalResourceId": "HttpApi", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "issuer"}
    rolled_back = {"LogicalResourceId": "DataKey", "ResourceStatus": "DELETE_COMPLETE"}
    answers = {
        "describe-stacks": ({"Stacks": [{"Outputs": outputs}]}, ["value of ApiUrl"]),
        "describe-stack-events": ({"StackEvents": [rolled_back, failed]}, [["HttpApi", "issuer"]]),
    }
    for operation, (answer, wanted) in answers.items():
        blocks = [block for section in sections() for block in section.blocks("sh")]
        [words] = [one for block in blocks for one in commands(block) if one[2:3] == [operation]]
        assert query(words).search(answer) == wanted


def test_the_log_groups_in_the_guide_exist() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert all(f"`{folder}`" in text for folder in FUNCTION_FOLDERS.values())
    assert 'STAGE=dev; STACK=oomus-messaging-$STAGE\n.venv-sam/bin/sam logs --cw-log-group "/$STACK/webhook"' in text
