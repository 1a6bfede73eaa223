"""Two stages in one account and region share no resource name."""

from collections.abc import Iterator
from typing import Any

import pytest

from local import deployment
from local.processes import Child, free_port
from local.template import Document, translate
from tests.template.reading import ROOT
from tests.template.test_deploy_stages import overrides

STAGES = ("dev", "prod")
OF_THEIR_OWNER = {
    ("AWS::ApiGatewayV2::Stage", "StageName"),  # unique within its API
    ("AWS::CloudWatch::Alarm", "MetricName"),  # unique within its namespace
}
"""Properties that end in "Name" and do not name a resource of the account."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return translate(ROOT / "template.yaml", tmp_path_factory.mktemp("names"))


def _names_the_stack(node: Any, resources: Document) -> bool:
    """Whether the value contains the stack's name or refers to a resource of the stack."""
    match node:
        case {"Ref": str(name)}:
            return name == "AWS::StackName" or name in resources
        case {"Fn::GetAtt": _}:
            return True
        case {"Fn::Sub": str(text)}:
            return "${AWS::StackName}" in text
        case _:
            return False


def test_every_name_holds_the_stacks_name(document: Document) -> None:
    """This includes the names that SAM makes if the template gives none."""
    resources: Document = document["Resources"]
    names = {
        (logical_id, name): value
        for logical_id, its in resources.items()
        for name, value in its.get("Properties", {}).items()
        if name.endswith("Name") and (its["Type"], name) not in OF_THEIR_OWNER
    }
    assert ("BulkFanoutFunctionTick", "Name") in names
    assert {where: value for where, value in names.items() if not _names_the_stack(value, resources)} == {}


def test_every_schedule_is_in_the_stacks_own_group(document: Document) -> None:
    schedules = [one for one in document["Resources"].values() if one["Type"] == "AWS::Scheduler::Schedule"]
    assert schedules
    assert [one["Properties"].get("GroupName") for one in schedules] == [{"Ref": "Schedules"}] * len(schedules)


def test_no_output_is_exported_under_a_name(document: Document) -> None:
    assert [name for name, its in document["Outputs"].items() if "Export" in its] == []


@pytest.fixture(scope="module")
def aws_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    with (tmp_path_factory.mktemp("moto") / "log").open("w") as log:
        where = ["--host", "127.0.0.1", "--port", str(port), "--now", "2026-11-23T10:00:00Z"]
        child = Child("local.moto_server", where, log)
        try:
            child.wait_ready(120)
            yield f"http://127.0.0.1:{port}"
        finally:
            child.stop()


def test_a_second_stage_is_deployed_beside_the_first_and_shares_nothing(document: Document, aws_url: str) -> None:
    made = {stage: _deployed(document, stage, aws_url) for stage in STAGES}
    assert set(made["dev"].items()) & set(made["prod"].items()) == set()
    scheduler = deployment.client("scheduler", aws_url)
    ticks = {(one["GroupName"], one["Name"]) for one in scheduler.list_schedules()["Schedules"]}
    assert ticks == {(f"oomus-messaging-{stage}", f"oomus-messaging-{stage}-tick") for stage in STAGES}


def _deployed(document: Document, stage: str, aws_url: str) -> dict[str, str]:
    """Logical ID → physical ID."""
    name = f"oomus-messaging-{stage}"
    deployment.deploy(document, name, overrides(stage), aws_url)
    cloudformation = deployment.client("cloudformation", aws_url)
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources if "PhysicalResourceId" in one}
