"""Input from clients, over HTTP: missing settings, unusable numbers and templates, references, and rows of each format.

The tests have a stack of their own, whose clock is in Dakar's morning peak.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.sample.expected import RowDecision
from local.sample.tracker import MAPPING, whatsapp_campaign
from shared.base.instants import format_instant
from tests.stack.programme import DELIVERED, Json, Programme, organisation_of
from tests.stack.running import RunningStack, started
from tests.waiting import until

PEAK = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
"""In Dakar, where it is UTC all year: inside the default peak hours."""
DEFAULT_PEAK_HOURS = [["08:00", "10:00"], ["17:00", "21:00"]]
"""api.md, Settings > Integrations."""
FRENCH = "+33612345678"
"""A country that SMS does not cover."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with started(tmp_path_factory.mktemp("input") / "log", NOW=PEAK.isoformat()) as stack:
        yield stack


@pytest.fixture
def programme(running: RunningStack, request: pytest.FixtureRequest) -> Iterator[Programme]:
    with Programme(running, organisation_of(request.node.nodeid)) as made:
        yield made


def errors(answer: Json) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in answer.get("errors", [])]


# ---------------------------------------------------------------------------------------------------------- Peak hours


def test_off_peak_waits_for_the_end_of_the_default_peak_hours(programme: Programme) -> None:
    """`peak_hours` was never set here."""
    assert programme.ok(programme.api.get("/v1/integrations/sms"))["peak_hours"] == DEFAULT_PEAK_HOURS
    made = programme.ok(
        programme.distribute(recipients=[programme.recipient(DELIVERED)], schedule={"mode": "off_peak"}, confirm=True)
    )
    assert (made["status"], made["starts_at"]) == ("scheduled", "2026-11-24T10:00:00Z")


def test_an_empty_list_means_no_peak_hours(programme: Programme) -> None:
    assert programme.put_sms(peak_hours=[])["peak_hours"] == []
    made = programme.ok(
        programme.distribute(recipients=[programme.recipient(DELIVERED)], schedule={"mode": "off_peak"})
    )
    assert made["starts_at"] < "2026-11-24T09:00:00Z"
    programme.put_sms()
    assert programme.ok(programme.api.get("/v1/integrations/sms"))["peak_hours"] == DEFAULT_PEAK_HOURS


# -------------------------------------------------------------------------------------------------- Changing settings


def test_a_patch_changes_what_it_names(programme: Programme) -> None:
    before = programme.ok(programme.api.get("/v1/integrations/sms"))
    patch = {"unit_prices": {"SN": {"amount": "13"}}, "senders": {"EG": None}, "sender_name": "PEV-SN"}
    answer = programme.api.patch(
        "/v1/integrations/sms", content=json.dumps(patch), headers={"Content-Type": "application/merge-patch+json"}
    )
    assert [one["code"] for one in programme.ok(answer)["warnings"]] == ["sender_name_narrow"]
    changed = {
        "sender_name": "PEV-SN",
        "senders": {},
        "unit_prices": {"SN": {"amount": "13", "currency": "XOF"}},
        "warnings": answer.json()["warnings"],
    }
    assert answer.json() == before | changed
    refused = programme.api.patch("/v1/integrations/sms", json={"unit_prices": {"ML": {"amount": "1"}}})
    assert (refused.status_code, errors(refused.json())) == (422, [("unit_prices.ML", "field_invalid")])
    assert programme.ok(programme.api.get("/v1/integrations/sms")) == answer.json()
    nothing = programme.api.patch("/v1/integrations/dhis2", json={"program": None})
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not_found")


def test_patches_at_once_lose_nothing(programme: Programme) -> None:
    countries = ("CI", "ML", "BF", "GN", "CM", "MG")

    def name_sender(country: str) -> int:
        sender = {"senders": {country: "tel:+2210000"}}
        return programme.api.patch("/v1/integrations/sms", json=sender).status_code

    with ThreadPoolExecutor(len(countries)) as officers:
        assert set(officers.map(name_sender, countries)) == {200}
    assert programme.ok(programme.api.get("/v1/integrations/sms"))["senders"].keys() == {"EG", *countries}


# ---------------------------------------------------------------------------------------------------------- Test sends


@pytest.mark.parametrize(
    ("to", "code"),
    [
        (FRENCH, "country_not_covered"),
        ("+22790123456", "country_not_covered"),
        ("07 07 07 07", "phone_invalid"),
        ("+22507070707", "phone_obsolete"),
        ("+221338001234", "phone_not_mobile"),
    ],
)
def test_our_own_refusal_of_an_sms_test_calls_no_provider(programme: Programme, to: str, code: str) -> None:
    answer = programme.api.post("/v1/integrations/sms/test", json={"to": to})
    assert (answer.status_code, answer.json()["code"]) == (422, "unprocessable")
    assert errors(answer.json()) == [("to", code)]
    assert programme.messages() == []
    assert programme.ledger("orange") == []


def test_a_template_that_was_never_submitted_is_refused(programme: Programme) -> None:
    """In the test send, a distribution, a single message and the preview."""
    programme.put_whatsapp(business_account_id=f"9{programme.phone_number_id}")
    content = {"template": {"name": "vaccination_card"}}
    recipient = programme.recipient(DELIVERED)
    test = programme.api.post("/v1/integrations/whatsapp/test", json={"to": "+221770008200"})
    assert (test.status_code, errors(test.json())) == (422, [("default_template", "template_not_submitted")])
    preview = {"channel": "whatsapp", "content": content, "recipients": [recipient]}
    for answer in (
        programme.distribute(channel="whatsapp", content=content, recipients=[recipient]),
        programme.send(recipient, channel="whatsapp", content=content),
        programme.api.post("/v1/preview", json=preview, headers={"Accept-Language": "fr"}),
    ):
        assert answer.status_code == 422
        assert errors(answer.json()) == [("content.template.name", "template_not_submitted")]
    assert "jamais été soumis" in answer.json()["errors"][0]["message"]
    assert programme.ledger("meta") == []


# ---------------------------------------------------------------------------------------------------- Rows and requests


def planned(programme: Programme, file: str, form: str, **changes: Any) -> Json:
    answer = programme.ok(programme.distribute(upload_id=programme.upload(file.encode(), form), **changes))
    identity = answer["distribution_id"]
    return until(lambda: programme.distribution(identity), lambda found: found["status"] != "planning")


def places(made: Json) -> list[tuple[int, int | None, str]]:
    return [(error["row"], error.get("line"), error["code"]) for error in made["errors"]]


TEXT: Json = {"content": {"text": "Bonjour {first_name}"}}


def test_row_numbers_are_the_file_s_own(programme: Programme) -> None:
    """Blank lines above the header, between rows, and inside a cell."""
    table = '\n\nphone,first_name\n\n+221770008200,Awa\n,\n"N/A","Ba\nDiallo"\n\n+221770008201,Awa\n+221770008202,\n'
    csv = planned(programme, table, "csv", **TEXT)
    assert (csv["accepted"], csv["rejected"], csv["duplicates"]) == (2, 2, 0)
    assert places(csv) == [(4, 7, "phone_missing"), (7, 11, "variable_missing")]
    lines = ['{"phone": "+221770008200", "first_name": "Awa"}', "", "[]", " ", '{"phone": "x1", "first_name": "Ba"}']
    ndjson = planned(programme, "\n".join(lines), "ndjson", **TEXT)
    assert (ndjson["accepted"], ndjson["rejected"]) == (1, 2)
    assert places(ndjson) == [(3, 3, "row_unreadable"), (5, 5, "phone_invalid")]
    listed = programme.ok(programme.api.get(f"/v1/distributions/{csv['distribution_id']}/errors"))["items"]
    assert [(one["row"], one["line"]) for one in listed] == [(4, 7), (7, 11)]
    inline = programme.ok(programme.distribute(recipients=[{}, {"phone": "x1"}], **TEXT))
    assert [error["row"] for error in inline["errors"] if error["field"] == "phone"] == [1, 2]
    assert all("line" not in error for error in inline["errors"])


def test_excel_s_french_booleans_are_read(programme: Programme) -> None:
    table = "phone;first_name;last_name;card_code;consent\n" + "".join(
        f"+22177000{DELIVERED + place};Awa;Ba;A-{place};{word}\n"
        for place, word in enumerate(["VRAI", "FAUX", "peut-être"])
    )
    card = {
        "card_image": f"{programme.stack.simulators_url}/cards/{{card_code}}.png",
        "programme_name": "PNV",
        "issue_date": "2026-11-24",
    }
    made = planned(
        programme, table, "csv", channel="whatsapp", content={"template": {"name": "vaccination_card"}},
        defaults=card | {"language": None, "verification_url": "https://v.example.org/{card_code}"},
    )  # fmt: skip
    codes = {(error["row"], error["field"], error["code"]) for error in made["errors"]}
    assert made["accepted"] == 1
    assert codes == {(2, "consent", "consent_missing"), (3, "consent", "field_invalid")}


def test_null_equals_a_missing_field(programme: Programme) -> None:
    """In settings, single messages, distributions, previews, consents and test sends."""
    nulls = {"peak_hours": None, "receipt_addresses": None, "rate_per_second": None}
    assert programme.put_sms(**nulls)["peak_hours"] == DEFAULT_PEAK_HOURS
    assert programme.ok(programme.api.get("/v1/integrations/sms"))["rate_per_second"] == 5
    recipient = programme.recipient(DELIVERED, dhis2=None, enrollment_id=None)
    content = {"text": "Bonjour {first_name}", "template": None, "sms_encoding": None}
    sent = programme.send(recipient, key="k", content=content, send_at=None, fallback=None)
    assert programme.ok(sent)["scheduled_for"] is None
    bare = {"text": "Bonjour {first_name}"}
    again = programme.send(programme.recipient(DELIVERED), key="k", content=bare)
    assert programme.ok(again) == sent.json()
    made = programme.distribute(
        recipients=[recipient], upload_id=None, content=content, defaults=None, schedule=None, fallback=None,
        confirm=None, skip_already_sent=None,
    )  # fmt: skip
    assert (programme.ok(made)["accepted"], made.json()["status"]) == (1, "planned")
    preview = {"channel": "sms", "content": content, "recipients": [recipient], "defaults": None}
    assert programme.ok(programme.api.post("/v1/preview", json=preview))["items"][0]["valid"] is True
    consent = {"phone": "+221770008200", "granted": True, "source": "form", "recorded_at": None}
    assert programme.api.post("/v1/consents", json={"items": [consent]}).status_code == 204
    test = programme.api.post("/v1/integrations/sms/test", json={"to": "+221770008200", "language": None})
    assert programme.ok(test)["status"] == "sent"
    needed = programme.send(recipient, content=None)
    assert (needed.status_code, errors(needed.json())) == (400, [("content", "field_invalid")])
    unknown = programme.send(recipient | {"surname": None})
    assert (unknown.status_code, errors(unknown.json())) == (400, [("recipient.surname", "field_unknown")])


def test_a_brace_without_a_variable_is_sent_unchanged(programme: Programme) -> None:
    text = "Prix {5 000 F} {} :-{ } {first_name}"
    sent = programme.ok(programme.send(programme.recipient(DELIVERED), content={"text": text}))
    programme.settled(sent["message_id"], "delivered")
    assert [entry["text"] for entry in programme.ledger("orange")] == ["Prix {5 000 F} {} :-{ } Aminata"]
    for name in ("prenom", "first name", "1", "first_name:"):
        refused = programme.send(programme.recipient(DELIVERED), content={"text": f"Bonjour {{{name}}}"})
        assert errors(refused.json()) == [("content.text", "variable_unknown")]
        assert f"{{{name}}}" in refused.json()["errors"][0]["message"]


def test_a_start_of_the_last_minute_means_now(programme: Programme) -> None:
    """The clocks of clients differ."""
    now = programme.stack.now()
    recipient = programme.recipient(DELIVERED)
    sent = programme.ok(programme.send(recipient, send_at=format_instant(now - timedelta(seconds=30))))
    assert sent["scheduled_for"] is None
    programme.settled(sent["message_id"], "delivered")
    schedule = {"mode": "at", "at": format_instant(now - timedelta(seconds=30))}
    made = programme.ok(
        programme.distribute(recipients=[programme.recipient(DELIVERED + 1)], schedule=schedule, confirm=True)
    )
    assert made["status"] == "sending"
    until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["counts"]["delivered"] == 1)
    long_ago = format_instant(now - timedelta(seconds=61))
    for refused, field in (
        (programme.send(recipient, send_at=long_ago), "send_at"),
        (programme.distribute(recipients=[recipient], schedule={"mode": "at", "at": long_ago}), "schedule.at"),
    ):
        assert (refused.status_code, errors(refused.json())) == (422, [(field, "send_at_past")])
    late = programme.send(recipient, send_at=format_instant(now + timedelta(days=28, seconds=30)))
    assert programme.ok(late)["scheduled_for"] is not None


# --------------------------------------------------------------------------------------------------------------- DHIS2

PROGRAM, OTHER_PROGRAM = "pVaccin0001", "pNutrit0001"
MAPPED: Json = {"attributes": {"phone": "aPhone00001", "first_name": "aFirst00001"}, "program": PROGRAM}


def values(number: int) -> list[Json]:
    """The tracked entity's own attributes. The name comes from the programme."""
    return [{"attribute": "aPhone00001", "value": f"+22177000{number:04d}"}]


def enrolment(uid: str, **its: Any) -> Json:
    named = [{"attribute": "aFirst00001", "value": "Awa"}]
    base = {"enrollment": uid, "program": PROGRAM, "status": "ACTIVE", "enrolledAt": "2026-03-01T08:00:00.000"}
    return base | {"deleted": False, "attributes": named} | its


def entity(number: int, *enrolments: Json, **its: Any) -> Json:
    base = {"trackedEntity": "tEntity0001", "deleted": False, "inactive": False}
    return base | {"attributes": values(number), "enrollments": list(enrolments)} | its


def bare(number: int, **its: Any) -> Json:
    own = enrolment("eBare000001")
    return own | {"attributes": own["attributes"] + values(number)} | its


OMITTED = [
    (entity(8200, enrolment("eOne0000001"), deleted=True), "supprimé"),
    (entity(8200, enrolment("eOne0000001"), inactive=True), "inactif"),
    (entity(8200, enrolment("eOne0000001", status="CANCELLED")), "annulé"),
    (entity(8200, enrolment("eOne0000001", deleted=True)), "supprimé"),
    (entity(8200, enrolment("eOne0000001", program=OTHER_PROGRAM)), OTHER_PROGRAM),
    (bare(8200, status="CANCELLED"), "annulé"),
    (bare(8200, deleted=True), "supprimé"),
    (bare(8200, program=OTHER_PROGRAM), OTHER_PROGRAM),
]
TAKEN = [
    entity(8201, enrolment("eDone000001", status="COMPLETED"), enrolment("eGone000001", status="CANCELLED")),
    bare(8202, status="COMPLETED"),
    entity(8203, enrolment("eOld0000001"), enrolment("eDone000001", status="COMPLETED", enrolledAt="2026-06-01")),
]


def test_inactive_dhis2_records_are_reported_and_get_no_message(programme: Programme) -> None:
    """Inline, as an upload in either envelope, in the preview, and as a single message."""
    programme.ok(programme.api.put("/v1/integrations/dhis2", json=MAPPED))
    rows = [{"dhis2": record} for record, _ in OMITTED] + [{"dhis2": record} for record in TAKEN]
    inline = programme.ok(programme.distribute(recipients=rows, confirm=True, **TEXT))
    assert (inline["accepted"], inline["rejected"], inline["duplicates"]) == (3, len(OMITTED), 0)
    assert [(error["row"], error["field"], error["code"]) for error in inline["errors"]] == [
        (row, "dhis2", "dhis2_not_active") for row in range(1, len(OMITTED) + 1)
    ]
    assert [error.get("enrollment_id") for error in inline["errors"]] == [None] * 5 + ["eBare000001"] * 3
    done = until(
        lambda: programme.distribution(inline["distribution_id"]), lambda found: found["counts"]["delivered"] == 3
    )
    assert done["status"] in ("sending", "completed")
    sent = {entry["recipient"]: entry["text"] for entry in programme.ledger("orange")}
    assert sent == {f"+22177000{number}": "Bonjour Awa" for number in (8201, 8202, 8203)}
    logged = {row["enrollment_id"] for row in programme.messages(distribution_id=inline["distribution_id"])}
    assert logged == {"eDone000001", "eBare000001", "eOld0000001"}

    for name, records in (
        ("trackedEntities", [row["dhis2"] for row in rows if "enrollment" not in row["dhis2"]]),
        ("enrollments", [row["dhis2"] for row in rows if "enrollment" in row["dhis2"]]),
    ):
        made = planned(programme, json.dumps({name: records}), "dhis2", **TEXT)
        omitted = [error["row"] for error in made["errors"] if error["code"] == "dhis2_not_active"]
        assert (made["rejected"], omitted) == (len(omitted), list(range(1, len(omitted) + 1)))
        assert made["accepted"] + made["rejected"] == len(records)

    french = {"Accept-Language": "fr"}
    for record, reported in OMITTED:
        row = {"dhis2": record, "phone": "+221770008204"}
        order = {"channel": "sms", "recipients": [row], **TEXT}
        [item] = programme.ok(programme.api.post("/v1/preview", json=order, headers=french))["items"]
        assert [(error["field"], error["code"]) for error in item["errors"]] == [("dhis2", "dhis2_not_active")]
        assert reported in item["errors"][0]["message"]
        single = programme.send(row, **TEXT)
        assert (single.status_code, errors(single.json())) == (422, [("dhis2", "dhis2_not_active")])


def test_the_sample_export_is_accepted_or_rejected_row_by_row(programme: Programme) -> None:
    """The demo's export has such records too."""
    programme.ok(programme.api.put("/v1/integrations/dhis2", json=MAPPING))
    campaign = whatsapp_campaign(f"{programme.stack.simulators_url}/cards")
    made = planned(
        programme, campaign.upload.decode(), "dhis2", channel="whatsapp", content=campaign.content,
        defaults=campaign.defaults,
    )  # fmt: skip
    found = {error["row"]: error["code"] for error in made["errors"]}
    assert found == {each.row: each.reason for each in campaign.expected if each.decision is RowDecision.REJECTED}


# ---------------------------------------------------------------------------------------------------------- References

HIDING = ["p221771234567", "x-74073231", "p-77-123-45-67", "awa771234567b"]
PLAIN = [
    "aPhoneAttr1",
    "5f0c2b1e-0000-5000-8000-000000000001",
    "vaccination-2026-11-23",
    "CARD-2026-000123",
    "2026-11-23",
]


@pytest.mark.parametrize("reference", HIDING)
def test_a_reference_that_hides_a_number_is_refused_everywhere(programme: Programme, reference: str) -> None:
    """In bodies, queries, paths, and rows of each format."""
    programme.ok(programme.api.put("/v1/integrations/dhis2", json=MAPPED))
    recipient = programme.recipient(DELIVERED, enrollment_id=reference)
    for answer, field in (
        (programme.send(programme.recipient(DELIVERED), campaign_id=reference), "campaign_id"),
        (programme.distribute(recipients=[programme.recipient(DELIVERED)], campaign_id=reference), "campaign_id"),
        (programme.send(recipient), "recipient.enrollment_id"),
    ):
        assert (answer.status_code, errors(answer.json())) == (422, [(field, "field_invalid")])
        assert "phone number" in answer.json()["errors"][0]["message"]
    for path in ("/v1/messages", "/v1/distributions"):
        assert programme.api.get(path, params={"campaign_id": reference}).status_code == 400
    assert programme.api.get("/v1/messages", params={"enrollment_id": reference}).status_code == 400
    for rest in ("messages", "statistics"):
        assert programme.api.get(f"/v1/campaigns/{reference}/{rest}").status_code == 400

    record = bare(8200, enrollment=reference)
    phone = "+221770008200"
    order = {"channel": "sms", "recipients": [recipient], **TEXT}
    made = [
        programme.ok(programme.distribute(recipients=[recipient, {"dhis2": record}], **TEXT)),
        planned(programme, f"phone,first_name,enrollment_id\n{phone},Awa,{reference}\n", "csv", **TEXT),
        planned(
            programme, json.dumps({"phone": phone, "first_name": "Awa", "enrollment_id": reference}), "ndjson", **TEXT
        ),
        planned(programme, json.dumps({"enrollments": [record]}), "dhis2", **TEXT),
        programme.ok(programme.api.post("/v1/preview", json=order))["items"][0],
    ]
    for one in made:
        assert set(errors(one)) == {("enrollment_id", "field_invalid")}
        assert all("phone number" in error["message"] for error in one["errors"])
        assert reference not in json.dumps(one)


def test_references_of_other_systems_are_accepted(programme: Programme) -> None:
    """No UID, UUID, date or counter counts as a number."""
    for place, reference in enumerate(PLAIN):
        recipient = programme.recipient(DELIVERED + place, enrollment_id=reference)
        sent = programme.ok(programme.send(recipient, campaign_id=reference))
        assert programme.message(sent["message_id"])["enrollment_id"] == reference
        [listed] = programme.ok(programme.api.get(f"/v1/campaigns/{reference}/messages"))["items"]
        assert listed["campaign_id"] == reference
