"""The sample programme has the agreed size and shape, and all of it is invented."""

import csv
import io
import json

import phonenumbers
import pytest

from local.sample.expected import Campaign, RowDecision
from local.sample.people import PLACES
from local.sample.register import sms_campaign
from local.sample.tracker import MAPPING, whatsapp_campaign
from local.simulators.outcomes import META, ORANGE

CARDS = "http://127.0.0.1:9100/cards"
CAMPAIGNS = [whatsapp_campaign(CARDS), sms_campaign()]


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.channel)
def test_every_number_is_a_valid_mobile_number_of_a_covered_country(campaign: Campaign) -> None:
    countries = set()
    for each in campaign.expected:
        if each.number is not None:
            parsed = phonenumbers.parse(each.number)
            assert phonenumbers.is_valid_number(parsed), each.row
            assert phonenumbers.number_type(parsed) in {
                phonenumbers.PhoneNumberType.MOBILE,
                phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
            }
            assert "000" in each.number
            countries.add(phonenumbers.region_code_for_number(parsed))
    assert countries == set(PLACES)


def test_sixty_recipients_thirty_of_them_by_whatsapp() -> None:
    assert len(CAMPAIGNS[0].expected) >= 30
    assert sum(len(each.expected) for each in CAMPAIGNS) >= 60


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.channel)
def test_accepted_rows_differ_and_state_their_end(campaign: Campaign) -> None:
    accepted = [each for each in campaign.expected if each.decision is RowDecision.ACCEPTED]
    assert len({each.number for each in accepted}) == len(accepted)
    assert len({each.enrollment_id for each in accepted}) == len(accepted)
    assert all((each.status == "failed") == (each.reason is not None) for each in accepted)
    plain = {"read"} if campaign.channel == "whatsapp" else {"delivered"}
    table = META if campaign.channel == "whatsapp" else ORANGE
    for each in accepted:
        if (each.number or "")[-4:] not in table and each.reason != "card_not_a_picture":
            assert {each.status} == plain


def test_the_sample_never_changes() -> None:
    assert whatsapp_campaign(CARDS) == CAMPAIGNS[0]
    assert sms_campaign() == CAMPAIGNS[1]


def test_the_export_is_a_tracker_export() -> None:
    entities = json.loads(CAMPAIGNS[0].upload)["trackedEntities"]
    uids = set(MAPPING["attributes"].values())  # type: ignore[attr-defined]  # a body of JSON
    expected = CAMPAIGNS[0].expected
    assert len(entities) == len(expected)
    for entity, each in zip(entities, expected, strict=True):
        assert {attribute["attribute"] for attribute in entity["attributes"]} <= uids
        ours = [item for item in entity["enrollments"] if item["program"] == MAPPING["program"]]
        active = [item["enrollment"] for item in ours if item["status"] == "ACTIVE" and not item["deleted"]]
        if each.reason == "dhis2_not_active":
            assert active == [] or entity["deleted"] or entity["inactive"]
        elif active:
            assert active == [each.enrollment_id]
        else:
            assert [(item["enrollment"], item["status"]) for item in ours] == [(each.enrollment_id, "COMPLETED")]
    assert [each.reason for each in expected].count("dhis2_not_active") == 5


def test_the_register_is_a_csv_for_excel() -> None:
    text = CAMPAIGNS[1].upload.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    filled = [number for number, row in enumerate(rows, start=1) if any(row.values())]
    assert filled == [each.row for each in CAMPAIGNS[1].expected]
    assert len(filled) == len(rows) - 2, "blank rows that count"
    assert CAMPAIGNS[1].upload.startswith(b"\xef\xbb\xbf")
    assert any(" " in row["phone"] for row in rows)
    assert any(row["phone"].startswith("00") for row in rows)
