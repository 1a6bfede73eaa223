"""template.yaml as plain data: `!Ref X` reads as {"Ref": "X"}, `!GetAtt X.Y` as {"Fn::GetAtt": "X.Y"}."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import yaml

type Node = str | int | float | bool | list[Node] | dict[str, Node] | None

ROOT = Path(__file__).parents[2]
FUNCTION_FOLDERS = {
    "ApiFunction": "api",
    "BulkFanoutFunction": "bulk_fanout",
    "SendWhatsAppFunction": "send_whatsapp",
    "SendSmsFunction": "send_sms",
    "WebhookFunction": "webhook",
}
QUEUES = ("FanoutQueue", "WhatsAppQueue", "SmsQueue", "StatusQueue")


class _Loader(yaml.SafeLoader):
    pass


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Node]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: str(loader.construct_scalar(node))}
    if isinstance(node, yaml.SequenceNode):
        return {name: cast(Node, loader.construct_sequence(node, deep=True))}
    assert isinstance(node, yaml.MappingNode)
    return {name: cast(Node, loader.construct_mapping(node, deep=True))}


_Loader.add_multi_constructor("!", _intrinsic)


def read(path: Path = ROOT / "template.yaml") -> Node:
    with path.open(encoding="utf-8") as file:
        return cast(Node, yaml.load(file, _Loader))


def at(node: Node, *path: str | int) -> Node:
    for step in path:
        match node, step:
            case dict(), str():
                node = node[step]
            case list(), int():
                node = node[step]
            case _:
                pytest.fail(f"no {step!r} in {node!r}")
    return node


def mapping(node: Node, *path: str | int) -> dict[str, Node]:
    found = at(node, *path)
    assert isinstance(found, dict), found
    return found


def number(node: Node, *path: str | int) -> int:
    found = at(node, *path)
    assert isinstance(found, int), found
    return found


def default_of(template: Node, node: Node) -> Node:
    """A value, or the default of the parameter that it refers to."""
    match node:
        case {"Ref": str(name)}:
            return at(template, "Parameters", name, "Default")
        case _:
            return node


def concurrency(template: Node, event: Node) -> int:
    """How many batches of an event source mapping may run at once, by default."""
    return number(default_of(template, at(event, "ScalingConfig", "MaximumConcurrency")))


def text(node: Node, *path: str | int) -> str:
    found = at(node, *path)
    assert isinstance(found, str), found
    return found


def listed(node: Node) -> list[Node]:
    """A list. IAM allows one value in place of a list of one."""
    return node if isinstance(node, list) else [node]


def properties(template: Node, logical_id: str) -> dict[str, Node]:
    return mapping(template, "Resources", logical_id, "Properties")


def of_type(template: Node, type_: str) -> dict[str, dict[str, Node]]:
    """Logical ID → properties."""
    resources = mapping(template, "Resources")
    return {name: properties(template, name) for name in resources if at(template, "Resources", name, "Type") == type_}


def events(template: Node, type_: str) -> Iterator[tuple[str, dict[str, Node]]]:
    """(function, the event's properties), of every function."""
    for function, its in of_type(template, "AWS::Serverless::Function").items():
        for event in mapping(its, "Events").values():
            if at(event, "Type") == type_:
                yield function, mapping(event, "Properties")
