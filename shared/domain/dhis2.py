"""A tracked entity or an enrollment of DHIS2's tracker API, read as a recipient's fields (reference/dhis2.md)."""

from collections.abc import Iterable

from shared.domain.integration import Dhis2Integration
from shared.domain.json import JsonObject, JsonValue


class AttributeMissingError(Exception):
    """The attribute mapped to the phone has no value; `uid` is DHIS2's, which is no personal data."""

    def __init__(self, uid: str) -> None:
        super().__init__(uid)
        self.uid = uid


def fields_of(entity: JsonObject, integration: Dhis2Integration) -> JsonObject:
    """The mapped attributes as recipient fields, and the enrollment's UID as `enrollment_id`.

    Of several enrollments the newest ACTIVE one of the mapped programme counts; its attributes win over the entity's
    own, which hold what all programmes share. Raises `AttributeMissingError` where the phone has no value.
    """
    enrollment = entity if "enrollment" in entity else _chosen_enrollment(entity, integration.program)
    values = _attributes(entity) | (_attributes(enrollment) if enrollment else {})
    fields: JsonObject = {
        name: values[uid] for name, uid in integration.attributes.items() if values.get(uid) not in (None, "")
    }
    if enrollment and isinstance(enrollment.get("enrollment"), str):
        fields["enrollment_id"] = enrollment["enrollment"]
    phone = integration.attributes.get("phone")
    if phone is not None and "phone" not in fields:
        raise AttributeMissingError(phone)
    return fields


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
