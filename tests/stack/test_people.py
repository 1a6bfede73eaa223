"""One person: look-up by number, resend, erasure."""

import json
from datetime import timedelta

import pytest

from shared.base.instants import format_instant
from tests.stack.programme import DELIVERED, Json, Programme
from tests.waiting import until

PHONE = f"+22177000{DELIVERED}"
UNDELIVERABLE = 610
"""docs/simulators.md: Orange takes the message and reports DeliveryImpossible."""


def looked_up(programme: Programme, phone: str, **query: str) -> list[Json]:
    found: list[Json] = programme.ok(programme.api.post("/v1/messages/lookup", params=query, json={"phone": phone}))[
        "items"
    ]
    return found


def test_a_persons_messages_are_found_by_number_newest_first(programme: Programme) -> None:
    sent = [programme.ok(programme.send(programme.recipient(DELIVERED)))["message_id"] for _ in range(3)]
    programme.ok(programme.send(programme.recipient(DELIVERED + 1)))
    for phone in (PHONE, "77 000 82 00", "00221770008200"):
        assert [one["message_id"] for one in looked_up(programme, phone)] == sent[::-1]
    first = programme.ok(programme.api.post("/v1/messages/lookup?limit=2", json={"phone": PHONE}))
    rest = {"limit": "2", "cursor": first["next_cursor"]}
    assert [one["message_id"] for one in [*first["items"], *looked_up(programme, PHONE, **rest)]] == sent[::-1]
    assert PHONE not in first["next_cursor"]
    others = programme.api.post("/v1/messages/lookup", params=rest, json={"phone": f"+22177000{DELIVERED + 1}"})
    assert (others.status_code, others.json()["errors"][0]["field"]) == (400, "cursor")
    table = programme.api.post("/v1/messages/lookup", headers={"accept": "text/csv"}, json={"phone": PHONE})
    assert table.headers["content-type"] == "application/json"
    assert len(table.json()["items"]) == 3
    assert looked_up(programme, "+221770009999") == []
    for phone in ("", "N/A", "12"):
        refused = programme.api.post("/v1/messages/lookup", json={"phone": phone})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "phone")


def test_a_failed_message_is_sent_again_once(programme: Programme) -> None:
    sent = programme.ok(programme.send(programme.recipient(UNDELIVERABLE), campaign_id="again"))
    early = programme.api.post(f"/v1/messages/{sent['message_id']}/resend")
    assert (early.status_code, early.json()["code"]) == (409, "state_conflict")
    programme.settled(sent["message_id"], "failed")
    answers = [programme.api.post(f"/v1/messages/{sent['message_id']}/resend") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    [successor] = {json.dumps(answer.json(), sort_keys=True) for answer in answers}
    again = json.loads(successor)
    assert (set(again), again["status"]) == ({"message_id", "status", "scheduled_for"}, "pending")
    found = programme.settled(again["message_id"], "failed")
    assert (found["parent_message_id"], found["campaign_id"]) == (sent["message_id"], "again")
    assert len(programme.ledger("orange")) == 2
    with programme.stack.api("another-organisation") as stranger:
        assert stranger.post(f"/v1/messages/{sent['message_id']}/resend").status_code == 404


def test_a_person_is_erased_and_the_others_get_their_cards(programme: Programme) -> None:
    delivered = programme.ok(programme.send(programme.recipient(DELIVERED)))["message_id"]
    programme.settled(delivered, "delivered")
    later = format_instant(programme.stack.now() + timedelta(hours=6))
    waiting = programme.ok(programme.send(programme.recipient(DELIVERED), send_at=later))["message_id"]
    rows = [programme.recipient(DELIVERED + number) for number in range(30)]
    planned = programme.distribute(recipients=rows).json()
    answer = programme.api.post("/v1/erasures", json={"phone": PHONE})
    assert (answer.status_code, answer.content) == (202, b"")
    assert programme.api.post("/v1/erasures", json={"phone": "77 000 82 00"}).status_code == 202
    until(lambda: looked_up(programme, PHONE), lambda found: found == [])
    ended = programme.message(waiting)
    assert (ended["status"], ended["reason"], ended["recipient"]) == ("failed", "erased", "+22177***8200")
    assert programme.message(delivered)["status"] == "delivered"
    until(lambda: _stored_content(programme), lambda texts: PHONE not in texts)
    statement = programme.ok(programme.api.post("/v1/consents/lookup", json={"phone": PHONE}))
    assert (statement["state"], statement["source"]) == ("revoked", "erasure")
    assert programme.send(programme.recipient(DELIVERED)).json()["errors"][0]["code"] == "opted_out"
    gone = programme.api.post(f"/v1/messages/{waiting}/resend")
    assert (gone.status_code, gone.json()["code"]) == (409, "state_conflict")
    assert programme.act(planned, "confirm").status_code == 200
    done = until(
        lambda: programme.distribution(planned["distribution_id"]),
        lambda found: found["counts"]["delivered"] == 29,
    )
    assert done["counts"] == {"pending": 0, "sent": 0, "delivered": 29, "read": 0, "failed": 1}
    assert done["by_reason"] == {"erased": 1}
    assert len([entry for entry in programme.ledger("orange") if entry["recipient"] == PHONE]) == 1


def _stored_content(programme: Programme) -> str:
    """Every version of every object of the organisation, without uploaded files."""
    s3, bucket = programme.stack.aws("s3"), programme.stack.output("PayloadBucketName")
    texts = []
    for prefix in ("plans", "messages"):
        found = s3.list_object_versions(Bucket=bucket, Prefix=f"{prefix}/{programme.organisation}/")
        texts += [
            s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read().decode()
            for one in found.get("Versions", ())
        ]
    return "\n".join(texts)


@pytest.mark.parametrize("scopes", [["messaging.read", "messaging.send"], ["messaging.read"]])
def test_only_an_administrator_erases(programme: Programme, scopes: list[str]) -> None:
    with programme.stack.api(programme.organisation, scopes) as officer:
        assert officer.post("/v1/erasures", json={"phone": PHONE}).status_code == 403
    assert programme.ok(programme.api.post("/v1/consents/lookup", json={"phone": PHONE}))["state"] == "unknown"
