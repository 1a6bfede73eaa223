"""A tracked entity or an enrollment of DHIS2's tracker API, read as a recipient's fields (reference/dhis2.md)."""

import re
from collections.abc import Iterator, Mapping

from shared.base.json import JsonObject, JsonValue
from shared.integrations.integration import Dhis2Integration

_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")

_COUNTED = ("ACTIVE", "COMPLETED")
"""Statuses of an enrollment that counts, the better one first. A CANCELLED one never does."""


class NotActiveError(ValueError):
    """DHIS2 says that this record is not to be used any more, or it is another programme's.

    `facts`: `record` is its UID, `state` why it does not count, `program` the UID of the other programme; each only
    where it is known. They hold no personal data.
    """

    def __init__(self, record: JsonObject, **facts: JsonValue) -> None:
        super().__init__("dhis2_not_active")
        reported = {"record": record.get("enrollment") or record.get("trackedEntity"), **facts}
        self.facts: Mapping[str, str] = {
            name: str(value) for name, value in reported.items() if _is_reported(name, value)
        }
        enrollment = record.get("enrollment")
        self.enrollment_id = enrollment if isinstance(enrollment, str) else None


def fields_of(record: JsonObject, integration: Dhis2Integration) -> JsonObject:
    """The mapped attributes as recipient fields, and the enrollment's UID as `enrollment_id`.

    Of several enrollments the newest ACTIVE one of the mapped programme counts, else its newest COMPLETED one. Its
    attributes win over the entity's own, which hold what all programmes share. Raises NotActiveError.
    """
    _refuse_gone(record)
    if "enrollment" in record:
        enrollment: JsonObject | None = _counted([record], integration.program, record)
    else:
        listed = list(_objects(record.get("enrollments")))
        # None at all: they were not asked for, or the entity stands for itself. DHIS2 2.40 writes an empty list then.
        enrollment = _counted(listed, integration.program, record) if listed else None
    values = _attributes(record) | (_attributes(enrollment) if enrollment else {})
    fields: JsonObject = {name: values[uid] for name, uid in integration.attributes.items() if uid in values}
    if enrollment and isinstance(enrollment.get("enrollment"), str):
        fields["enrollment_id"] = enrollment["enrollment"]
    return fields


def _refuse_gone(record: JsonObject) -> None:
    for flag in ("deleted", "inactive"):
        if record.get(flag) is True:
            raise NotActiveError(record, state=flag)


def _counted(enrollments: list[JsonObject], program: str | None, record: JsonObject) -> JsonObject:
    """The enrollment that counts. A field that an export left out (`status`, `program`) is no reason to refuse."""
    ours = [one for one in enrollments if program is None or one.get("program") in (None, program)]
    if not ours:
        raise NotActiveError(record, program=max(enrollments, key=_age).get("program"))
    active = [one for one in ours if one.get("deleted") is not True]
    for status in _COUNTED:
        if of_status := [one for one in active if _status(one) == status]:
            return max(of_status, key=_age)
    raise NotActiveError(record, state=_status(max(active, key=_age)).lower() if active else "deleted")


def _status(enrollment: JsonObject) -> str:
    status = enrollment.get("status")
    return status if isinstance(status, str) else _COUNTED[0]


def _age(enrollment: JsonObject) -> tuple[str, str]:
    """Sorts the newest last: DHIS2's times are all in its server's zone and of one form."""
    return _text(enrollment.get("enrolledAt")), _text(enrollment.get("createdAt"))


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _is_reported(name: str, value: JsonValue) -> bool:
    """A state is a word of ours or of DHIS2; UIDs have one form. Nothing else of the record is repeated."""
    if not isinstance(value, str):
        return False
    return value in {"deleted", "inactive", "cancelled"} if name == "state" else _UID.fullmatch(value) is not None


def _filled(value: JsonValue) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _attributes(holder: JsonObject) -> JsonObject:
    """The values that there are, by the attribute's UID."""
    attributes: JsonObject = {}
    for attribute in _objects(holder.get("attributes")):
        uid = attribute.get("attribute")
        if isinstance(uid, str) and _filled(attribute.get("value")):
            attributes[uid] = attribute.get("value")
    return attributes


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
