"""One message for each card, over HTTP: siblings on one phone, and cards that a campaign has sent already."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.stack.programme import DELIVERED, Json, Programme
from tests.waiting import until

PHONE = f"+22177000{DELIVERED}"
TEXT = {"text": "Bonjour {first_name}, votre carte est prête."}
ATTRIBUTES = {"phone": "aPhone00001", "first_name": "aFirst00001", "card_code": "aCard000001"}
UNDELIVERABLE = 610
"""docs/simulators.md: Orange takes the message and reports DeliveryImpossible."""
SIBLINGS = [
    {"phone": PHONE, "first_name": "Awa", "enrollment_id": "E1"},
    {"phone": PHONE, "first_name": "Fatou", "enrollment_id": "E2"},
    {"phone": "77 000 82 00", "first_name": "Awa Marie", "enrollment_id": "E1"},
    {"phone": PHONE, "first_name": "Awa", "card_code": "C1", "enrollment_id": "E1"},
    {"phone": PHONE, "first_name": "Moussa", "card_code": "C2", "enrollment_id": "E1"},
    {"phone": PHONE, "first_name": "Khady", "enrollment_id": "E3"},
]
"""Rows 3 and 4 equal row 1, and row 1 gets the card code of row 4. So row 5 is another card."""


def planned(programme: Programme, **changes: Any) -> Json:
    made = programme.distribute(content=TEXT, **changes)
    assert made.status_code in (201, 202), made.text
    identity = made.json()["distribution_id"]
    return until(lambda: programme.distribution(identity), lambda found: found["status"] != "planning")


def ended(programme: Programme, *made: Json) -> list[Json]:
    def is_over(found: Json) -> bool:
        return bool(found["status"] != "planning" and found["counts"]["pending"] + found["counts"]["sent"] == 0)

    names = [one["distribution_id"] for one in made]
    return [until(lambda one=one: programme.distribution(one), is_over) for one in names]  # type: ignore[misc]


def duplicates(programme: Programme, made: Json, **query: str) -> Json:
    return programme.ok(programme.api.get(f"/v1/distributions/{made['distribution_id']}/duplicates", params=query))


def sent_to(programme: Programme) -> list[str]:
    return sorted(entry["recipient"] for entry in programme.ledger("orange"))


def as_csv(rows: list[dict[str, str]]) -> bytes:
    names = ("phone", "first_name", "card_code", "enrollment_id")
    lines = [";".join(names), *(";".join(row.get(name, "") for name in names) for row in rows)]
    return "\n".join(lines).encode()


def as_entity(row: dict[str, str]) -> Json:
    attributes = [
        {"attribute": ATTRIBUTES[name], "value": row[name]}
        for name in ("phone", "first_name", "card_code")
        if name in row
    ]
    enrollment = {"enrollment": row["enrollment_id"], "status": "ACTIVE"}
    return {"trackedEntity": "tEntity0001", "attributes": attributes, "enrollments": [enrollment]}


@pytest.mark.parametrize("form", ["inline", "csv", "ndjson", "dhis2"])
def test_siblings_on_one_phone_each_get_their_own_message(programme: Programme, form: str) -> None:
    programme.ok(programme.api.put("/v1/integrations/dhis2", json={"attributes": ATTRIBUTES}))
    files = {
        "csv": as_csv(SIBLINGS),
        "ndjson": "\n".join(map(json.dumps, SIBLINGS)).encode(),
        "dhis2": json.dumps({"trackedEntities": list(map(as_entity, SIBLINGS))}).encode(),
    }
    rows = {"upload_id": programme.upload(files[form], form)} if form in files else {"recipients": SIBLINGS}
    made = planned(programme, **rows)
    assert (made["accepted"], made["rejected"], made["duplicates"]) == (4, 0, 2)
    listed = duplicates(programme, made)
    assert listed["items"] == [
        {"row": row, "duplicate_of": 1, "recipient": "+22177***8200", "enrollment_id": "E1"} for row in (3, 4)
    ]
    first = duplicates(programme, made, limit="1")
    rest = duplicates(programme, made, limit="1", cursor=first["next_cursor"])
    assert [one["row"] for one in (*first["items"], *rest["items"])] == [3, 4]
    assert rest["next_cursor"] is None
    programme.ok(programme.act(made, "confirm"))
    [done] = ended(programme, made)
    assert done["counts"]["delivered"] == 4
    texts = sorted(entry["text"].split()[1].rstrip(",") for entry in programme.ledger("orange"))
    assert texts == ["Awa", "Fatou", "Khady", "Moussa"]
    # A later distribution compares in the same way with the sent messages.
    again = planned(programme, recipients=SIBLINGS, skip_already_sent=True)
    assert (again["status"], again["accepted"], again["duplicates"]) == ("rejected", 0, 6)
    assert {one["duplicate_of"] for one in duplicates(programme, again)["items"]} == {None}


def test_a_card_sent_between_plan_and_confirmation_is_not_sent_again(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number) for number in range(5)]
    first, second = (planned(programme, recipients=people, skip_already_sent=True) for _ in range(2))
    assert (first["accepted"], second["accepted"]) == (5, 5)
    programme.ok(programme.act(first, "confirm"))
    [done] = ended(programme, first)
    assert done["counts"]["delivered"] == 5
    programme.ok(programme.act(second, "confirm"))
    [nothing] = ended(programme, second)
    assert (nothing["counts"]["failed"], nothing["by_reason"]) == (5, {"already_sent": 5})
    rows = programme.messages(distribution_id=second["distribution_id"])
    assert {(row["status"], row["reason"], row["attempts"]) for row in rows} == {("failed", "already_sent", 0)}
    assert sent_to(programme) == sorted(one["phone"] for one in people)


def test_four_plans_that_confirm_at_once_send_one_message_each(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number) for number in range(60)]

    def ask(_: int) -> Json:
        return planned(programme, recipients=people, skip_already_sent=True, confirm=True)

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(ask, range(4)))
    done = ended(programme, *made)
    assert sum(one["counts"]["delivered"] for one in done) == 60
    assert sent_to(programme) == sorted(one["phone"] for one in people)
    for one in done:
        assert one["accepted"] + one["duplicates"] == 60
        assert set(one["by_reason"]) <= {"already_sent"}


def test_after_a_failure_or_cancel_a_later_distribution_sends_the_card(programme: Programme) -> None:
    arrives, fails = programme.recipient(DELIVERED), programme.recipient(UNDELIVERABLE)
    asked = {"recipients": [arrives, fails], "skip_already_sent": True}
    cancelled, first, second = (planned(programme, **asked) for _ in range(3))
    programme.ok(programme.act(cancelled, "confirm"))
    programme.ok(programme.act(cancelled, "cancel"))
    [gone] = ended(programme, cancelled)
    remaining = gone["counts"]["delivered"]
    programme.ok(programme.act(first, "confirm"))
    [done] = ended(programme, first)
    assert done["counts"]["delivered"] == 1 - remaining
    assert done["by_reason"].get("undeliverable", 0) + gone["by_reason"].get("undeliverable", 0) >= 1
    programme.ok(programme.act(second, "confirm"))
    [last] = ended(programme, second)
    assert last["by_reason"] == {"already_sent": 1, "undeliverable": 1}
    assert sent_to(programme).count(arrives["phone"]) == 1
