"""From template.yaml to what moto can deploy: the SAM transform, and what is changed before and after it."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-west-1"
# The stack's output that carries the HTTP API's OpenAPI document with every reference resolved.
HTTP_API_OUTPUT = "LocalHttpApi"
# Rises when this module makes something else of the same template.
_REVISION = 4
# Without a name of their own these get a random one: nobody could write down where to look, nor an env file.
_NAMED_BY = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::IAM::Role": "RoleName",
}

type Document = dict[str, Any]


def translate(template: Path, cache: Path) -> Document:
    """Give the CloudFormation document of a SAM template; SAM's two seconds are spent once per content."""
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
    from samtranslator.parser.parser import Parser  # noqa: PLC0415 - a second, and only without the cache
    from samtranslator.translator.translator import Translator  # noqa: PLC0415
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415

    document = yaml_parse(source)
    document.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # SAM takes a local CodeUri only packaged; the code runs in the stack's process, not in moto.
            resource["Properties"].pop("CodeUri", None)
            resource["Properties"]["InlineCode"] = "# runs in the local stack's own process"
    # No map of managed policies: every role of the template is written out.
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
        known_as = logical_id.lower() if name == "BucketName" else logical_id  # no capitals in a bucket's name
        resource.setdefault("Properties", {}).setdefault(name, {"Fn::Sub": f"${{AWS::StackName}}-{known_as}"})


def module_of(handler: str) -> str:
    return handler.replace("/", ".").rpartition(".")[0]


def handler_modules(document: Document) -> list[str]:
    """Where the functions' handlers live."""
    functions = (r["Properties"] for r in document["Resources"].values() if r["Type"] == "AWS::Lambda::Function")
    return [module_of(properties["Handler"]) for properties in functions]


def parameters(document: Document, chosen: dict[str, str]) -> list[dict[str, str]]:
    """Give every parameter a value: moto does not split the default of a CommaDelimitedList."""
    known = document.get("Parameters", {})
    if unknown := chosen.keys() - known.keys():
        raise ValueError(f"template.yaml has no parameters {sorted(unknown)}")
    values = {name: chosen.get(name, settings.get("Default")) for name, settings in known.items()}
    if missing := [name for name, value in values.items() if value is None]:
        raise ValueError(f"template.yaml's parameters {missing} have neither a default nor a local value")
    return [{"ParameterKey": name, "ParameterValue": str(value)} for name, value in values.items()]


def unconditional(document: Document) -> Iterable[str]:
    """Logical ids that every deployment has."""
    return (name for name, resource in document["Resources"].items() if "Condition" not in resource)
