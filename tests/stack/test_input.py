"""What people send us, over HTTP: settings that are left out, numbers and templates that cannot be used, references,
rows of each format. One stack of its own whose clock stands in Dakar's morning peak."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import RunningStack, started

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
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)[:60]
    with Programme(running, name) as made:
        yield made


def errors(answer: Json) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in answer.get("errors", [])]


# ---------------------------------------------------------------------------------------------------------- Peak hours


def test_off_peak_waits_for_the_end_of_the_default_peak_hours(programme: Programme) -> None:
    """Line 17: nobody has ever set `peak_hours` here."""
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
def test_an_sms_test_that_no_provider_was_asked_about_is_our_own_refusal(
    programme: Programme, to: str, code: str
) -> None:
    """Line 18."""
    answer = programme.api.post("/v1/integrations/sms/test", json={"to": to})
    assert (answer.status_code, answer.json()["code"]) == (422, "unprocessable")
    assert errors(answer.json()) == [("to", code)]
    assert programme.messages() == []
    assert programme.ledger("orange") == []


def test_a_template_that_was_never_submitted_is_not_one_to_wait_for(programme: Programme) -> None:
    """Line 18: in the test send, a distribution, a single message and the preview."""
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
