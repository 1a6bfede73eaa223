import pytest

from shared.base.json import JsonObject, JsonValue
from shared.integrations.integration import Dhis2Integration
from shared.recipients.recipient import NotActiveError, fields_of

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
    """The programme's attributes win over those that all programmes share."""
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
DONE = enrollment("eDone000002", enrolledAt="2025-06-01T08:00:00.000", status="COMPLETED")
CANCELLED = enrollment("eCancel0001", enrolledAt="2026-07-01T08:00:00.000", status="CANCELLED")
UNDATED = enrollment("eUndated001", enrolledAt=None)
SPARSE: JsonObject = {"enrollment": "eSparse0001", "attributes": attributes(phone="77 000 00 03")}
"""An export with `fields=enrollment,attributes`."""
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
        ([NEWER_DONE], MAPPING, "eDone000001"),
        ([DONE, NEWER_DONE, CANCELLED], MAPPING, "eDone000001"),
        ([NEWER_DONE, NEWER_ELSEWHERE], IN_PROGRAMME, "eDone000001"),
        ([UNDATED, OLD], MAPPING, "eOld0000001"),
        ([UNDATED], MAPPING, "eUndated001"),
        ([SPARSE], IN_PROGRAMME, "eSparse0001"),
        (["nonsense", None, NEW], MAPPING, "eNew0000001"),
        (["nonsense", None], IN_PROGRAMME, None),
        ([], IN_PROGRAMME, None),
    ],
)
def test_the_newest_active_enrollment_of_the_programme_else_the_newest_completed(
    enrollments: list[JsonValue], integration: Dhis2Integration, chosen: str | None
) -> None:
    assert fields_of(entity(*enrollments), integration).get("enrollment_id") == chosen
    assert fields_of(entity(*reversed(enrollments)), integration).get("enrollment_id") == chosen


def test_with_only_completed_enrollments_the_programmes_attributes_stay() -> None:
    done = DONE | {"attributes": attributes(code="DKR-VAC-9XQ7LM2A", phone="")}
    assert fields_of(entity(done), MAPPING) == {
        "phone": "77 000 00 01", "first_name": "Aminata", "card_code": "DKR-VAC-9XQ7LM2A",
        "enrollment_id": "eDone000002",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("record", "integration", "facts"),
    [
        (entity(NEW, deleted=True), MAPPING, {"record": "tEntity0001", "state": "deleted"}),
        (entity(NEW, inactive=True), MAPPING, {"record": "tEntity0001", "state": "inactive"}),
        (entity(deleted=True), MAPPING, {"record": "tEntity0001", "state": "deleted"}),
        (entity(CANCELLED), MAPPING, {"record": "tEntity0001", "state": "cancelled"}),
        (entity(NEWER_GONE), MAPPING, {"record": "tEntity0001", "state": "deleted"}),
        (entity(NEWER_ELSEWHERE), IN_PROGRAMME, {"record": "tEntity0001", "program": OTHER}),
        (entity(NEWER_ELSEWHERE, CANCELLED), IN_PROGRAMME, {"record": "tEntity0001", "state": "cancelled"}),
        (CANCELLED, MAPPING, {"record": "eCancel0001", "state": "cancelled"}),
        (NEWER_GONE, MAPPING, {"record": "eGone000001", "state": "deleted"}),
        (NEWER_ELSEWHERE, IN_PROGRAMME, {"record": "eElse000001", "program": OTHER}),
        (enrollment("eOther00001", status="UNHEARD OF"), MAPPING, {"record": "eOther00001"}),
        ({"trackedEntity": "+221770000001", "deleted": True}, MAPPING, {"state": "deleted"}),
    ],
)
def test_records_that_do_not_count(record: JsonObject, integration: Dhis2Integration, facts: dict[str, str]) -> None:
    with pytest.raises(NotActiveError) as caught:
        fields_of(record, integration)
    assert dict(caught.value.facts) == facts


@pytest.mark.parametrize("record", [NEWER_DONE, NEW, SPARSE, enrollment("eNull000001", status=None, deleted=None)])
def test_an_enrollment_by_itself_counts_while_it_is_not_cancelled(record: JsonObject) -> None:
    assert fields_of(record, IN_PROGRAMME)["enrollment_id"] == record["enrollment"]


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_attribute_without_a_value_fills_no_field(value: JsonValue) -> None:
    assert fields_of(entity(attributes=attributes(phone=value, name="Aminata")), MAPPING) == {"first_name": "Aminata"}


@pytest.mark.parametrize("broken", ["text", {"attribute": PHONE}, ["text", 1, {"value": "x"}, {"attribute": 1}]])
def test_broken_attributes_give_no_fields(broken: JsonValue) -> None:
    assert fields_of(entity(attributes=broken), MAPPING) == {}
