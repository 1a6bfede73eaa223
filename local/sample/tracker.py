"""The WhatsApp campaign: a tracker export of DHIS2 as reference/dhis2.md describes it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from local.sample.expected import Campaign, Expected, RowDecision
from local.sample.people import PLACES, Person, person, uid

PROGRAMME = uid("program/vaccination")
_OTHER_PROGRAMME = uid("program/nutrition")
_TYPES = {
    "phone": "PHONE_NUMBER",
    "first_name": "TEXT",
    "last_name": "TEXT",
    "card_code": "TEXT",
    "issue_date": "DATE",
    "card_image": "URL",
    "consent": "BOOLEAN",
    "language": "TEXT",
}
MAPPING: Mapping[str, object] = {
    "attributes": {name: uid(f"attribute/{name}") for name in _TYPES},
    "program": PROGRAMME,
}
"""The body of PUT /v1/integrations/dhis2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row: the person, what differs from a plain row, and its expected end.

    `changes` replaces attribute values; an empty value leaves the attribute out. `record` replaces fields of the
    tracked entity. `record_status` is the status of its enrolment. ELSEWHERE means an active enrolment in another
    programme, DELETED a deleted one.
    """

    person: Person
    changes: Mapping[str, str]
    record: Mapping[str, bool] = field(default_factory=dict)
    record_status: str = "ACTIVE"
    decision: RowDecision = RowDecision.ACCEPTED
    status: str | None = "read"
    reason: str | None = None


def _rejected(one: Person, reason: str, **changes: str) -> Case:
    return Case(person=one, changes=changes, decision=RowDecision.REJECTED, status=None, reason=reason)


def _cases(cards_url: str) -> Iterator[Case]:
    for tail in ("2101", "2102", "2103"):
        for country in PLACES:
            yield Case(person=person(country, tail), changes={})
    for country, tail in (
        ("CI", "0404"),
        ("ML", "0429"),
        ("GN", "0604"),
        ("CM", "0605"),
        ("MG", "0606"),
        ("TN", "0607"),
    ):
        yield Case(person=person(country, tail), changes={})
    yield Case(person=person("SN", "0601"), changes={}, status="delivered")
    yield Case(person=person("SN", "1026"), changes={}, status="failed", reason="not_on_whatsapp")
    yield Case(person=person("EG", "9026"), changes={}, status="failed", reason="not_on_whatsapp")
    broken = {"card_image": f"{cards_url}/broken.png"}
    yield Case(person=person("BF", "2104"), changes=broken, status="failed", reason="card_not_a_picture")
    yield _rejected(person("SN", "2104"), "consent_missing", consent="false")
    yield _rejected(person("CI", "2104"), "dhis2_attribute_missing", phone="")
    yield _rejected(person("ML", "2104"), "phone_missing", phone="N/A")
    yield Case(person=person("SN", "2105"), changes={}, record_status="COMPLETED")
    for tail, record, record_status in (
        ("2106", {"deleted": True}, "ACTIVE"),
        ("2107", {"inactive": True}, "ACTIVE"),
        ("2108", {}, "CANCELLED"),
        ("2109", {}, "DELETED"),
        ("2110", {}, "ELSEWHERE"),
    ):
        gone = _rejected(person("SN", tail), "dhis2_not_active")
        yield replace(gone, record=record, record_status=record_status)


def _typed(one: Person, place: int) -> str:
    """Write a number in one of three forms in which people type it into DHIS2."""
    digits = one.number.removeprefix("+")
    spaced = f"+{digits[:3]} {digits[3:5]} {digits[5:]}"
    return (one.number, f"00{digits}", spaced)[place % 3]


def _entity(place: int, case: Case) -> dict[str, object]:
    one = case.person
    values = {
        "phone": _typed(one, place),
        "first_name": one.first_name,
        "last_name": one.last_name,
        "card_code": one.card_code,
        "issue_date": f"2026-11-{1 + place % 22:02}",
        "consent": "true",
        "language": "en" if one.country == "EG" else "fr",
        **case.changes,
    }
    entity, unit = uid(f"entity/{one.number}"), uid(f"unit/{one.country}")
    # If the only enrolment is completed, the code of the card is on the enrolment and not on the person.
    own = {name: value for name, value in values.items() if name == "card_code" and case.record_status == "COMPLETED"}
    return {
        "trackedEntity": entity,
        "trackedEntityType": uid("type/person"),
        "orgUnit": unit,
        "createdAt": "2026-11-02T08:30:00.000",
        "updatedAt": "2026-11-20T14:05:10.250",
        "inactive": False,
        "deleted": False,
        "potentialDuplicate": False,
        "attributes": _attributes({name: value for name, value in values.items() if name not in own}),
        "enrollments": _enrollments(one, several=place % 4 == 0)
        if case.record_status == "ACTIVE"
        else [_only(one, case.record_status) | {"attributes": _attributes(own)}],
        **case.record,
    }


def _attributes(values: Mapping[str, str]) -> list[dict[str, object]]:
    return [
        {"attribute": uid(f"attribute/{name}"), "displayName": name, "valueType": _TYPES[name], "value": value}
        for name, value in values.items()
        if value
    ]


def _only(one: Person, record_status: str) -> dict[str, object]:
    """The only enrolment of a person who has no active enrolment in the programme."""
    at = "2026-11-02T08:30:00.000"
    program = _OTHER_PROGRAMME if record_status == "ELSEWHERE" else PROGRAMME
    status = record_status if record_status in ("COMPLETED", "CANCELLED") else "ACTIVE"
    made = _enrollment(one, program, status, at)
    return made | {"enrollment": _enrollment_id(one), "deleted": record_status == "DELETED"}


def _enrollments(one: Person, *, several: bool) -> list[dict[str, object]]:
    """The enrolment that counts. With `several`, also an older one and a newer one in another programme."""
    active = _enrollment(one, PROGRAMME, "ACTIVE", "2026-11-02T08:30:00.000")
    past = _enrollment(one, PROGRAMME, "COMPLETED", "2025-03-11T09:00:00.000")
    elsewhere = _enrollment(one, _OTHER_PROGRAMME, "ACTIVE", "2026-11-20T14:05:10.250")
    return [past, active, elsewhere] if several else [active]


def _enrollment(one: Person, program: str, status: str, at: str) -> dict[str, object]:
    return {
        "enrollment": _enrollment_id(one) if status == "ACTIVE" and program == PROGRAMME else uid(f"{at}{one.number}"),
        "trackedEntity": uid(f"entity/{one.number}"),
        "program": program,
        "status": status,
        "orgUnit": uid(f"unit/{one.country}"),
        "enrolledAt": at,
        "occurredAt": at,
        "deleted": False,
        "attributes": [],
    }


def _enrollment_id(one: Person) -> str:
    return uid(f"enrollment/{one.number}")


def whatsapp_campaign(cards_url: str) -> Campaign:
    """Return the campaign. `cards_url` is the address of the cards, without a slash at the end."""
    cases = list(_cases(cards_url))
    entities = [_entity(place, case) for place, case in enumerate(cases)]
    export = {"pager": {"page": 1, "pageSize": len(entities)}, "trackedEntities": entities}
    expected = tuple(
        Expected(
            row=row,
            decision=case.decision,
            enrollment_id=_enrollment_id(case.person),
            status=case.status,
            reason=case.reason,
            number=case.person.number if case.decision is RowDecision.ACCEPTED else None,
        )
        for row, case in enumerate(cases, start=1)
    )
    return Campaign(
        campaign_id="PEV-2026-11-cartes",
        channel="whatsapp",
        form="dhis2",
        upload=json.dumps(export, ensure_ascii=False, indent=1).encode(),
        content={"template": {"name": "vaccination_card"}},
        defaults={
            "programme_name": "Vaccination – Élargie",
            "verification_url": "https://v.oomus.health/c/{card_code}",
            "card_image": f"{cards_url}/{{card_code}}.png",
        },
        expected=expected,
    )
