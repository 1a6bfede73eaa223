"""The counts of a distribution equal the log's rows, by status and by reason (api.md, A message)."""

import csv
import io
from collections import Counter
from datetime import datetime

import pytest

from tests.stack.programme import DELIVERED, Json, Programme
from tests.waiting import http, until

ROWS = 600
"""More than release logs ahead at one message a second."""


def listed(programme: Programme, made: Json) -> list[Json]:
    """The rows of the distribution, without its fallbacks and resends."""
    rows = programme.messages(distribution_id=made["distribution_id"], limit="200")
    return [row for row in rows if row["via"] == "distribution"]


def assert_counts_agree(found: Json, rows: list[Json]) -> None:
    assert {status: count for status, count in found["counts"].items() if count} == Counter(
        row["status"] for row in rows
    )
    assert found["by_reason"] == Counter(row["reason"] for row in rows if row["reason"])


def test_a_cancel_lists_the_unsent_rows_and_counts_them(programme: Programme) -> None:
    programme.put_sms(rate_per_second=1)
    people = [programme.recipient(DELIVERED + number) for number in range(ROWS)]
    made = programme.ok(programme.distribute(recipients=people, confirm=True))
    until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["counts"]["delivered"])
    assert len(listed(programme, made)) < ROWS
    programme.ok(programme.act(made, "cancel"))
    found = until(
        lambda: programme.distribution(made["distribution_id"]),
        lambda found: not found["counts"]["pending"] + found["counts"]["sent"],
    )
    rows = listed(programme, made)
    assert len(rows) == ROWS
    assert_counts_agree(found, rows)
    assert found["by_reason"] == {"cancelled": ROWS - found["counts"]["delivered"]}
    cancelled = [row for row in rows if row["reason"] == "cancelled"]
    assert {(row["attempts"], row["sent_at"], row["failed_at"] is None) for row in cancelled} == {(0, None, False)}
    assert {row["price"] and row["price"]["amount"] for row in cancelled} == {None}
    assert {row["price"] and row["price"]["amount"] for row in rows if row["status"] == "delivered"} == {"12"}
    statistics = programme.ok(programme.api.get("/v1/campaigns/campaign/statistics"))
    assert (statistics["counts"], statistics["by_reason"]) == (found["counts"], found["by_reason"])


def test_a_distribution_cancelled_before_its_confirmation_counts_nothing(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number) for number in range(3)]
    made = programme.ok(programme.distribute(recipients=people))
    cancelled = programme.ok(programme.act(made, "cancel"))
    for found in (cancelled, programme.distribution(made["distribution_id"])):
        assert (found["status"], found["accepted"]) == ("cancelled", 3)
        assert_counts_agree(found, [])
    assert listed(programme, made) == []


def codes(found: Json) -> set[str]:
    return {warning["code"] for warning in found["warnings"]}


def test_newly_bought_units_end_the_warning_of_a_plan(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number, phone=f"+22462000{DELIVERED + number}") for number in range(3)]
    programme.stack.set_simulators(units={"GN": 1})
    try:
        planned = programme.ok(programme.distribute(recipients=people))
        assert "units_insufficient" in codes(planned)
        assert "units_insufficient" in codes(programme.distribution(planned["distribution_id"]))
    finally:
        programme.stack.set_simulators(units={"GN": 1000})
    until(
        lambda: programme.distribution(planned["distribution_id"]),
        lambda found: "units_insufficient" not in codes(found),
    )
    [listed_one] = programme.ok(programme.api.get("/v1/distributions"))["items"]
    assert "units_insufficient" not in codes(listed_one)


def test_the_estimated_end_follows_a_pause_and_a_resume(programme: Programme) -> None:
    programme.put_sms(rate_per_second=1)
    people = [programme.recipient(DELIVERED + number) for number in range(ROWS)]
    made = programme.ok(programme.distribute(recipients=people, confirm=True))
    released = until(lambda: programme.distribution(made["distribution_id"]), lambda one: one["counts"]["delivered"])
    first = released["estimated_end"]
    paused = programme.ok(programme.act(made, "pause"))
    assert (paused["status"], paused["estimated_end"]) == ("paused", None)
    resumed = programme.ok(programme.act(made, "resume"))
    assert datetime.fromisoformat(resumed["estimated_end"]) > datetime.fromisoformat(first)
    over = programme.ok(programme.act(made, "cancel"))
    assert over["estimated_end"] is None


def sheet(text: str, separator: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator, strict=True))


def test_a_distribution_goes_out_whole(programme: Programme) -> None:
    """Its messages in both languages, its rejected rows and its duplicates, each as one file."""
    people = [programme.recipient(DELIVERED + number, enrollment_id=f"-e{number}") for number in range(250)]
    twice, wrong = people[0], programme.recipient(1, phone="N/A", enrollment_id="wrong")
    made = programme.ok(programme.distribute(recipients=[*people, twice, wrong], confirm=True))
    identity = made["distribution_id"]
    until(lambda: programme.distribution(identity), lambda found: found["counts"]["delivered"] == len(people))
    state, text = programme.export(kind="messages", distribution_id=identity, language="fr")
    rows, listed_rows = sheet(text, ";"), listed(programme, made)
    assert (state["rows"], len(rows)) == (len(people), len(people))
    assert [row["Identifiant du message"] for row in rows] == [row["message_id"] for row in listed_rows]
    assert {row["Statut"] for row in rows} == {"remis"}
    assert [row["Destinataire"] for row in rows] == [f"'{row['recipient']}" for row in listed_rows]
    assert {row["Identifiant de l’inscription"] for row in rows} == {f"'-e{number}" for number in range(len(people))}
    sent = datetime.fromisoformat(listed_rows[0]["sent_at"])
    assert rows[0]["Envoyé le (UTC)"] == f"{sent:%Y-%m-%d %H:%M:%S}"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    _, text = programme.export(kind="messages", campaign_id="campaign", status="failed", language="en")
    assert sheet(text, ",") == []
    assert text.startswith("\ufeffAccepted at (UTC),Recipient,")
    _, text = programme.export(kind="rejected_rows", distribution_id=identity, language="en")
    [row] = sheet(text, ",")
    assert (row["Row"], row["Enrolment ID"], row["Error code"]) == ("252", "wrong", "phone_missing")
    _, text = programme.export(kind="duplicates", distribution_id=identity, language="fr")
    [row] = sheet(text, ";")
    assert (row["Ligne de données"], row["Identique à la ligne de données"]) == ("251", "1")


def test_the_file_of_an_export_is_fetched_by_a_browser_under_its_name(programme: Programme) -> None:
    state, _ = programme.export(kind="messages", campaign_id="none-yet", language="en")
    origin = "http://localhost:5173"
    answer = http().get(state["url"], headers={"origin": origin})
    assert answer.headers["access-control-allow-origin"] in (origin, "*")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="messages-none-yet-2')
    assert "X-Amz-Expires=900" in state["url"]


@pytest.mark.parametrize(
    ("order", "status", "field"),
    [
        ({"kind": "rejected_rows"}, 400, "distribution_id"),
        ({"kind": "duplicates", "campaign_id": "c", "distribution_id": "d"}, 400, "campaign_id"),
        ({"kind": "messages", "campaign_id": "c", "distribution_id": "d"}, 400, "distribution_id"),
        ({"kind": "messages", "from": "2026-11-24T00:00:00Z", "to": "2026-11-23T00:00:00Z"}, 422, "to"),
        ({"kind": "everything"}, 422, "kind"),
    ],
)
def test_an_export_that_makes_no_sense_is_refused(programme: Programme, order: Json, status: int, field: str) -> None:
    answer = programme.api.post("/v1/exports", json=order, headers={"Accept-Language": "fr"})
    assert answer.status_code == status
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, "field_invalid")
    assert error["message"].startswith("La valeur est inutilisable. ")


def test_an_export_of_an_unknown_distribution_is_not_found(programme: Programme) -> None:
    for kind in ("messages", "rejected_rows", "duplicates"):
        answer = programme.api.post("/v1/exports", json={"kind": kind, "distribution_id": "unknown"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert programme.api.get("/v1/exports/unknown").status_code == 404
