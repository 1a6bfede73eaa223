import pytest

from shared.domain.dhis2 import fields_of
from shared.domain.integration import Dhis2Integration
from shared.domain.json import JsonObject, JsonValue

PHONE, NAME, CODE = "aPhone00001", "aName000001", "aCode000001"
PROGRAMME, OTHER = "pVaccinat01", "pNutritio01"
MAPPING = Dhis2Integration(
    organisation="demo", attributes={"phone": PHONE, "first_name": NAME, "card_code": CODE}, program=None, version=1
)
IN_PROGRAMME = Dhis2Integration(organisation="demo", attributes=MAPPING.attributes, program=PROGRAMME, version=1)


def attributes(**values: JsonValue) -> list[JsonValue]:
    uids = {"phone": PHONE, "name": NAME, "code": CODE}
    return [{"attribute": uids[name], "valueType": "TEXT", "value": value} for name, value in values.items()]


def enrollment(uid: str, **its: JsonValue) -> JsonObject:
    base: JsonObject = {
        "enrollment": uid, "trackedEntity": "tEntity0001", "program": PROGRAMME, "status": "ACTIVE",
        "enrolledAt": "2026-03-01T08:00:00.000", "deleted": False, "attributes": [],
    }  # fmt: skip
    return base | its


def entity(*enrollments: JsonValue, **its: JsonValue) -> JsonObject:
    base: JsonObject = {
        "trackedEntity": "tEntity0001",
        "attributes": attributes(phone="77 000 00 01", name="Aminata"),
        "enrollments": list(enrollments),
    }
    return base | its


def test_an_entity_without_enrollments() -> None:
    bare = entity()
    assert fields_of(bare, MAPPING) == {"phone": "77 000 00 01", "first_name": "Aminata"}
    del bare["enrollments"]
    assert fields_of(bare, MAPPING) == {"phone": "77 000 00 01", "first_name": "Aminata"}


def test_an_entity_with_its_enrollment() -> None:
    """The programme's attributes win over what all programmes share."""
    one = enrollment("eFirst00001", attributes=attributes(code="DKR-VAC-9XQ7LM2A", name="Awa"))
    assert fields_of(entity(one), MAPPING) == {
        "phone": "77 000 00 01", "first_name": "Awa", "card_code": "DKR-VAC-9XQ7LM2A", "enrollment_id": "eFirst00001",
    }  # fmt: skip


def test_an_enrollment_by_itself() -> None:
    one = enrollment("eFirst00001", attributes=attributes(phone="77 000 00 02"), status="COMPLETED")
    assert fields_of(one, MAPPING) == {"phone": "77 000 00 02", "enrollment_id": "eFirst00001"}


OLD = enrollment("eOld0000001", enrolledAt="2024-03-01T08:00:00.000")
NEW = enrollment("eNew0000001", enrolledAt="2026-03-01T08:00:00.000")
NEWER_DONE = enrollment("eDone000001", enrolledAt="2026-06-01T08:00:00.000", status="COMPLETED")
NEWER_GONE = enrollment("eGone000001", enrolledAt="2026-06-01T08:00:00.000", deleted=True)
NEWER_ELSEWHERE = enrollment("eElse000001", enrolledAt="2026-06-01T08:00:00.000", program=OTHER)


@pytest.mark.parametrize(
    ("enrollments", "integration", "chosen"),
    [
        ([OLD, NEW], MAPPING, "eNew0000001"),
        ([NEW, OLD], MAPPING, "eNew0000001"),
        ([NEW, NEWER_DONE], MAPPING, "eNew0000001"),
        ([NEWER_GONE, NEW], MAPPING, "eNew0000001"),
        ([NEW, NEWER_ELSEWHERE], MAPPING, "eElse000001"),
        ([NEW, NEWER_ELSEWHERE], IN_PROGRAMME, "eNew0000001"),
        ([NEWER_ELSEWHERE], IN_PROGRAMME, None),
        ([NEWER_DONE], MAPPING, None),
        (["nonsense", None, NEW], MAPPING, "eNew0000001"),
    ],
)
def test_the_newest_active_enrollment_of_the_programme(
    enrollments: list[JsonValue], integration: Dhis2Integration, chosen: str | None
) -> None:
    assert fields_of(entity(*enrollments), integration).get("enrollment_id") == chosen


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_attribute_without_a_value_fills_no_field(value: JsonValue) -> None:
    assert fields_of(entity(attributes=attributes(phone=value, name="Aminata")), MAPPING) == {"first_name": "Aminata"}


@pytest.mark.parametrize("broken", ["text", {"attribute": PHONE}, ["text", 1, {"value": "x"}, {"attribute": 1}]])
def test_broken_attributes_are_none(broken: JsonValue) -> None:
    assert fields_of(entity(attributes=broken), MAPPING) == {}
