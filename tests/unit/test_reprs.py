"""Objects with a person's number, words or secrets do not show them: an exception or a log line may contain their
`repr`."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator

import shared

PERSONAL = frozenset(
    (
        *("phone", "to", "e164", "user_id", "address", "recipient", "recipients", "raw", "values", "defaults"),
        *(
            "text",
            "words",
            "document",
            "body",
            "suffix",
            "card_image",
            "another_card",
            "target",
            "url",
            "headers",
            "value",
            "parameters",
        ),
    )
)
INNOCENT = {
    **dict.fromkeys(
        (
            "Addressee.recipient",
            "DuplicateRow.recipient",
            "FieldError.recipient",
            "Message.recipient",
            "PlannedRow.recipient",
            "Rejected.recipient",
            "Stored.recipient",
        ),
        "masked",
    ),
    **dict.fromkeys(("Response.headers", "UploadTarget.headers"), "types and lengths"),
    "ClientParts.url": "where a provider answers",
    "Metric.value": "the name of a field",
    "Shape.body": "a template's, without a person's values",
    "Shape.parameters": "the names of variables",
    "StatusReport.recipient": "shows neither its number nor its user ID",
    "Update.values": "of the tables, which hold nothing personal",
    "_Condition.text": "of the tables, like its values",
    "_Condition.values": "of the tables, which hold nothing personal",
    "_Partition.value": "what a list is asked for by",
}


def _fields() -> Iterator[tuple[str, "dataclasses.Field[object]"]]:
    for module in pkgutil.walk_packages(shared.__path__, "shared."):
        for name, kind in vars(importlib.import_module(module.name)).items():
            if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == module.name:
                yield from ((f"{name}.{field.name}", field) for field in dataclasses.fields(kind))


FIELDS = dict(_fields())
HOLDING = sorted(
    name
    for name, field in FIELDS.items()
    if field.name in PERSONAL and not (isinstance(field.type, type) and dataclasses.is_dataclass(field.type))
)


def test_personal_values_are_not_shown() -> None:
    assert {name for name in HOLDING if FIELDS[name].repr} == INNOCENT.keys()
