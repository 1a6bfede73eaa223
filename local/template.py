"""Turns template.yaml into a document that moto can deploy: the SAM transform, and the changes before and after it."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-west-1"
# The stack's output that holds the HTTP API's OpenAPI document, with all references resolved.
HTTP_API_OUTPUT = "LocalHttpApi"
# Raise this number when this module makes another document of the same template: it is part of the cache's key.
_REVISION = 4
# CloudFormation draws a random name for these, and neither documents nor an env file could contain such a name.
_NAMED_BY = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::IAM::Role": "RoleName",
}

type Document = dict[str, Any]


def translate(template: Path, cache: Path) -> Document:
    """Return the CloudFormation document of a SAM template. The result is cached by content, because SAM needs two
    seconds.
    """
    source = template.read_text()
    digest = hashlib.sha256(f"{_REVISION}:{source}".encode()).hexdigest()[:16]
    cached = cache / f"template-{digest}.json"
    if cached.exists():
        document: Document = json.loads(cached.read_text())
        return document
    document = _prepared_for_moto(_transform(source))
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = cached.with_suffix(".part")
    unfinished.write_text(json.dumps(document))
    unfinished.replace(cached)
    return document


def _transform(source: str) -> Document:
    from samtranslator.parser.parser import Parser  # noqa: PLC0415 - takes a second, needed without the cache
    from samtranslator.translator.translator import Translator  # noqa: PLC0415
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415

    document = yaml_parse(source)
    document.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # SAM accepts a local CodeUri only after packaging. The code runs in the stack's process, not in moto.
            resource["Properties"].pop("CodeUri", None)
            resource["Properties"]["InlineCode"] = "# runs in the local stack's own process"
    # The map of managed policies is empty, because the template writes out every role.
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    translated: Document = translator.translate(document, {})
    return translated


def _prepared_for_moto(document: Document) -> Document:
    resources: dict[str, Document] = document["Resources"]
    for logical_id, resource in resources.items():
        _name(logical_id, resource)
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGatewayV2::Api":
            body = {"Fn::ToJsonString": resource["Properties"]["Body"]}
            document.setdefault("Outputs", {})[HTTP_API_OUTPUT] = {"Value": body}
    return document


def _name(logical_id: str, resource: Document) -> None:
    if (name := _NAMED_BY.get(resource["Type"])) is not None:
        known_as = logical_id.lower() if name == "BucketName" else logical_id  # a bucket's name has no capitals
        resource.setdefault("Properties", {}).setdefault(name, {"Fn::Sub": f"${{AWS::StackName}}-{known_as}"})


def module_of(handler: str) -> str:
    return handler.replace("/", ".").rpartition(".")[0]


def handler_modules(document: Document) -> list[str]:
    """The modules of the functions' handlers."""
    functions = (r["Properties"] for r in document["Resources"].values() if r["Type"] == "AWS::Lambda::Function")
    return [module_of(properties["Handler"]) for properties in functions]


def parameters(document: Document, chosen: dict[str, str]) -> list[dict[str, str]]:
    """Give every parameter a value, because moto does not split the default of a CommaDelimitedList.

    Raises ValueError for a name in `chosen` that the template does not have, and for a parameter without any value.
    """
    known = document.get("Parameters", {})
    if unknown := chosen.keys() - known.keys():
        raise ValueError(f"template.yaml does not have the parameters {sorted(unknown)}")
    values = {name: chosen.get(name, settings.get("Default")) for name, settings in known.items()}
    if missing := [name for name, value in values.items() if value is None]:
        raise ValueError(f"template.yaml's parameters {missing} have neither a default nor a local value")
    return [{"ParameterKey": name, "ParameterValue": str(value)} for name, value in values.items()]


def unconditional(document: Document) -> Iterable[str]:
    """The logical IDs that every deployment has."""
    return (name for name, resource in document["Resources"].items() if "Condition" not in resource)
