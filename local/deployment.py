"""Deploys the translated template on moto and reads back what the other parts of the stack need."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from local import template
from local.runtime import FunctionLimits
from local.template import REGION, Document

# These are no one's credentials. moto accepts any, but they must have about the length of AWS's.
CREDENTIALS = {"aws_access_key_id": "LOCALLOCALLOCALLOCAL", "aws_secret_access_key": "local"}
# AWS's service models are megabytes; most of the time to make a client goes into parsing them. All clients share these.
_MODELS = Loader()


class DeploymentError(Exception):
    """moto did not create what AWS would create from the template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One Lambda function of the stack.

    `module` holds the handler. `environment` has the template's variables, with their references resolved.
    `credentials` belong to a session of the function's role, under boto3's names.
    """

    limits: FunctionLimits
    module: str
    credentials: Mapping[str, str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMapping:
    """An event source mapping. `batching` is how long a batch may wait to fill."""

    function_name: str
    queue_arn: str
    queue_url: str
    batch_size: int
    batching: timedelta
    concurrency: int
    partial_failures: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The deployed stack. `functions` are by their names on AWS; `http_api` is the OpenAPI document, with its
    references resolved.
    """

    functions: Mapping[str, Function]
    mappings: tuple[QueueMapping, ...]
    http_api: Document
    outputs: Mapping[str, str]
    logical_ids: Mapping[str, str] = field(default_factory=dict)


def client(service: str, aws_url: str, credentials: Mapping[str, str] = CREDENTIALS, **settings: Any) -> Any:
    """Make a client for moto that does not retry.

    With the stack's own credentials the client may do everything; with a role's session it may do what the role may.
    """
    config = Config(**{"retries": {"mode": "standard", "total_max_attempts": 1}, **settings})
    session: Any = botocore.session.Session()
    session.register_component("data_loader", _MODELS)
    return session.create_client(service, region_name=REGION, endpoint_url=aws_url, config=config, **credentials)


def deploy(document: Document, stack_name: str, chosen: dict[str, str], aws_url: str) -> Deployment:
    """Create the stack. A DeploymentError names what moto skipped or could not resolve."""
    cloudformation = client("cloudformation", aws_url, read_timeout=120)
    cloudformation.create_stack(
        StackName=stack_name,
        TemplateBody=json.dumps(document),
        Parameters=template.parameters(document, chosen),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    [stack] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise DeploymentError(f"the stack is {stack['StackStatus']}")
    resources = cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
    made = {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in resources}
    if skipped := sorted(set(template.unconditional(document)) - made.keys()):
        raise DeploymentError(f"moto skipped {skipped}; add their types in local/moto_mends.py")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    types = {name: resource["Type"] for name, resource in document["Resources"].items()}
    names = {name: made[name] for name in made if types.get(name) == "AWS::Lambda::Function"}
    lambda_ = client("lambda", aws_url)
    return Deployment(
        functions={physical: _read_function(lambda_, physical, aws_url) for physical in names.values()},
        mappings=tuple(_read_mappings(lambda_, client("sqs", aws_url))),
        http_api=json.loads(outputs.pop(template.HTTP_API_OUTPUT, '{"paths": {}}')),
        outputs=outputs,
        logical_ids=names,
    )


def assume(role_arn: str, session_name: str, aws_url: str) -> Mapping[str, str]:
    """Return a session of a role, as Lambda gives it to a function. Here the session never expires."""
    given = client("sts", aws_url).assume_role(RoleArn=role_arn, RoleSessionName=session_name)["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def _read_function(lambda_: Any, name: str, aws_url: str) -> Function:
    settings = lambda_.get_function_configuration(FunctionName=name)
    given = settings.get("Environment", {}).get("Variables", {})
    environment = {variable: str(value) for variable, value in given.items()}  # AWS gives numbers as texts too
    environment |= {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_LAMBDA_FUNCTION_NAME": name}
    return Function(
        limits=FunctionLimits(
            name=name,
            arn=settings["FunctionArn"],
            timeout=timedelta(seconds=settings["Timeout"]),
            memory_mb=settings["MemorySize"],
        ),
        module=template.module_of(settings["Handler"]),
        credentials=assume(settings["Role"], name, aws_url),
        environment=environment,
    )


def _read_mappings(lambda_: Any, sqs: Any) -> list[QueueMapping]:
    mappings = lambda_.list_event_source_mappings()["EventSourceMappings"]
    return [_read_mapping(mapping, sqs) for mapping in mappings if mapping["State"] == "Enabled"]


def _read_mapping(mapping: Mapping[str, Any], sqs: Any) -> QueueMapping:
    if mapping.get("FilterCriteria"):
        raise DeploymentError("the local stack cannot poll an event source mapping with FilterCriteria")
    queue_arn = mapping["EventSourceArn"]
    return QueueMapping(
        function_name=mapping["FunctionArn"].rpartition(":")[2],
        queue_arn=queue_arn,
        queue_url=sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"],
        batch_size=mapping.get("BatchSize", 10),
        batching=timedelta(seconds=mapping.get("MaximumBatchingWindowInSeconds", 0)),
        concurrency=mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 5),
        partial_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
    )
