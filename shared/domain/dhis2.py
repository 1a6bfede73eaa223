"""A tracked entity or an enrollment of DHIS2's tracker API, read as a recipient's fields (reference/dhis2.md)."""

from collections.abc import Iterable

from shared.domain.integration import Dhis2Integration
from shared.domain.json import JsonObject, JsonValue


def fields_of(entity: JsonObject, integration: Dhis2Integration) -> JsonObject:
    """The mapped attributes as recipient fields, and the enrollment's UID as `enrollment_id`.

    Of several enrollments the newest ACTIVE one of the mapped programme counts; its attributes win over the entity's
    own, which hold what all programmes share.
    """
    enrollment = entity if "enrollment" in entity else _chosen_enrollment(entity, integration.program)
    values = _attributes(entity) | (_attributes(enrollment) if enrollment else {})
    fields: JsonObject = {name: values[uid] for name, uid in integration.attributes.items() if _filled(values.get(uid))}
    if enrollment and isinstance(enrollment.get("enrollment"), str):
        fields["enrollment_id"] = enrollment["enrollment"]
    return fields


def _filled(value: JsonValue) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _attributes(holder: JsonObject) -> JsonObject:
    attributes: JsonObject = {}
    for attribute in _objects(holder.get("attributes")):
        uid = attribute.get("attribute")
        if isinstance(uid, str):
            attributes[uid] = attribute.get("value")
    return attributes


def _chosen_enrollment(entity: JsonObject, program: str | None) -> JsonObject | None:
    candidates = [
        enrollment
        for enrollment in _objects(entity.get("enrollments"))
        if enrollment.get("deleted") is not True
        and enrollment.get("status") == "ACTIVE"
        and (program is None or enrollment.get("program") == program)
    ]
    return max(candidates, key=lambda enrollment: str(enrollment.get("enrolledAt", "")), default=None)


def _objects(value: JsonValue) -> Iterable[JsonObject]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
