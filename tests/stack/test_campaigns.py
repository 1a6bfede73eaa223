"""POST /v1/distributions: inline and by upload, planned, confirmed, sent, and shown."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest

from local.sample.tracker import MAPPING, whatsapp_campaign
from shared.base.instants import format_instant
from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import RunningStack
from tests.waiting import until


def ended(programme: Programme, distribution: Json) -> Json:
    """The distribution, once no message is on its way. On WhatsApp every recipient of these tests reads."""

    def is_over(found: Json) -> bool:
        counts = found["counts"]
        moving = counts["pending"] + counts["sent"] + (counts["delivered"] if found["channel"] == "whatsapp" else 0)
        return bool(found["status"] != "planning" and moving == 0)

    return until(lambda: programme.distribution(distribution["distribution_id"]), is_over)


@pytest.mark.parametrize(("channel", "end", "count"), [("sms", "delivered", 120), ("whatsapp", "read", 40)])
def test_a_campaign_is_planned_confirmed_and_arrives(programme: Programme, channel: str, end: str, count: int) -> None:
    good = [programme.recipient(DELIVERED + number) for number in range(count)]
    bad = [programme.recipient(1, phone="N/A"), programme.recipient(1, phone="33 821 00 00")]
    rows = [*good, *bad, good[0]]
    content = {"template": {"name": "vaccination_card"}}
    made = programme.distribute(channel=channel, content=content, recipients=rows, key="one")
    assert made.status_code == 201, made.text
    plan = made.json()
    assert (plan["status"], plan["accepted"], plan["rejected"], plan["duplicates"]) == ("planned", count, 2, 1)
    assert [error["row"] for error in plan["errors"]] == [count + 1, count + 2]
    assert sum(plan["counts"].values()) == 0
    assert programme.ledger("orange") == programme.ledger("meta") == []
    confirmed = programme.act(plan, "confirm").json()
    assert sum(confirmed["counts"].values()) == count
    assert programme.act(plan, "confirm").status_code == 200
    again = programme.distribute(channel=channel, content=content, recipients=rows, key="one")
    assert (again.status_code, again.json()["distribution_id"]) == (201, plan["distribution_id"])
    assert ended(programme, plan)["counts"][end] == count
    ledger = programme.ledger("orange" if channel == "sms" else "meta")
    assert sorted(entry["recipient"] for entry in ledger) == sorted(one["phone"] for one in good)
    history = programme.messages(distribution_id=plan["distribution_id"])
    assert len({message["message_id"] for message in history}) == count


def test_a_registers_csv_file(programme: Programme) -> None:
    csv = (
        "\ufeffPHONE;First_Name;remarque\r\n77 000 20 01;Awa;x\r\n00221770002002;Béa;\r\n"
        "+22507070020;Old;\r\n+225 07 07 00 20;Old;\r\n"
        "N/A;Nobody;\r\n+227 90 00 00 01;Niger;\r\n770002001;Awa;\r\n"
    ).encode()
    upload = programme.upload(csv, "csv")
    made = programme.distribute(upload_id=upload, content={"text": "Bonjour {first_name}"}, confirm=True)
    assert (made.status_code, made.json()["status"]) == (202, "planning")
    done = ended(programme, made.json())
    assert (done["accepted"], done["rejected"], done["duplicates"]) == (2, 4, 1)
    assert [warning["code"] for warning in done["warnings"]] == ["unknown_columns"]
    errors = f"/v1/distributions/{done['distribution_id']}/errors"
    listed = programme.ok(programme.api.get(errors))["items"]
    assert {error["code"] for error in listed} >= {"phone_obsolete", "phone_missing", "country_not_covered"}
    french = programme.api.get(errors, headers={"Accept": "text/csv", "Accept-Language": "fr"})
    assert french.json()["items"][0].keys() >= {"row", "field", "code", "message"}
    assert "Niger" not in french.text
    assert "Côte d’Ivoire" in french.text


def test_a_distribution_has_a_name_and_says_who_did_what(programme: Programme, stack: RunningStack) -> None:
    people = [programme.recipient(DELIVERED + number) for number in range(3)]
    later = {"mode": "at", "at": format_instant(stack.now() + timedelta(days=1))}
    made = programme.ok(programme.distribute(recipients=people, name="  Deuxième tour – 30/11/2026 ", schedule=later))
    who = ("name", "created_by", "confirmed_by", "controlled_by")
    assert [made[one] for one in who] == ["Deuxième tour – 30/11/2026", "an-officer", None, None]
    with stack.api(programme.organisation, subject="a-colleague") as colleague:
        for action, controlled_by in (("confirm", None), ("pause", "a-colleague")):
            found = programme.ok(colleague.post(f"/v1/distributions/{made['distribution_id']}/{action}"))
            assert (found["confirmed_by"], found["controlled_by"]) == ("a-colleague", controlled_by)
    assert programme.ok(programme.act(made, "cancel"))["controlled_by"] == "an-officer"
    [listed] = programme.ok(programme.api.get("/v1/distributions"))["items"]
    assert [listed[one] for one in who] == ["Deuxième tour – 30/11/2026", "an-officer", "a-colleague", "an-officer"]
    refused = programme.distribute(recipients=people, name="Awa 77 000 00 01")
    assert (refused.status_code, refused.json()["code"]) == (422, "unprocessable")
    [error] = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("name", "field_invalid")
    assert "phone number" in error["message"]
    assert "77 000" not in refused.text


def test_the_list_is_filtered_by_channel_and_time(programme: Programme) -> None:
    template = {"template": {"name": "vaccination_card"}}
    made = [
        programme.ok(programme.distribute(channel=channel, content=template, recipients=[programme.recipient(1)]))
        for channel in ("sms", "whatsapp", "sms")
    ]
    identities = [one["distribution_id"] for one in made]

    def listed(**query: str) -> list[int]:
        found = programme.ok(programme.api.get("/v1/distributions", params=query))
        assert found["next_cursor"] is None
        return [identities.index(one["distribution_id"]) for one in found["items"]]

    second = made[1]["created_at"]
    assert listed(channel="sms") == [2, 0]
    assert listed(channel="whatsapp", status="planned", campaign_id="campaign") == [1]
    assert listed(**{"from": second}) == [2, 1]
    assert listed(to=second) == [0]
    assert listed(**{"from": second, "to": second}) == []
    refused = programme.api.get("/v1/distributions", params={"channel": "email", "from": "hier"})
    assert refused.status_code == 400
    assert sorted(error["field"] for error in refused.json()["errors"]) == ["channel", "from"]


UNDELIVERABLE, REFUSED, RESET = 610, 4002, 402
"""docs/simulators.md: DeliveryImpossible; 400 SVC0002; the connection breaks before Orange takes the message."""


@pytest.fixture
def failed_list(programme: Programme) -> Iterator[Json]:
    """A list with four rows: three have failed, each for another reason. Afterwards the numbers are no longer special,
    so that a message to them arrives."""
    rows = [programme.recipient(number) for number in (UNDELIVERABLE, REFUSED, RESET, DELIVERED)]
    made = programme.ok(programme.distribute(recipients=rows, confirm=True))
    ended(programme, made)
    failed = until(lambda: programme.distribution(made["distribution_id"]), lambda one: one["counts"]["failed"] == 3)
    programme.stack.set_simulators(special_numbers=False)
    try:
        yield failed
    finally:
        programme.stack.set_simulators(special_numbers=True)


def rows_of(programme: Programme, made: Json) -> list[Json]:
    return sorted(programme.messages(distribution_id=made["distribution_id"]), key=lambda one: str(one["recipient"]))


def planned(programme: Programme, answer: httpx2.Response) -> Json:
    assert (answer.status_code, answer.json()["status"]) == (202, "planning"), answer.text
    identity = answer.json()["distribution_id"]
    return until(lambda: programme.distribution(identity), lambda one: one["status"] != "planning")


def test_the_failed_rows_of_a_list_are_retried_and_arrive(programme: Programme, failed_list: Json) -> None:
    assert set(failed_list["by_reason"]) == {"undeliverable", "phone_invalid", "outcome_unknown"}
    retry = planned(programme, programme.retry(failed_list, key="one"))
    assert (retry["status"], retry["accepted"], retry["rejected"], retry["duplicates"]) == ("planned", 2, 0, 0)
    kept = ("campaign_id", "channel")
    assert [retry[name] for name in kept] == [failed_list[name] for name in kept]
    assert programme.retry(failed_list, key="one").json()["distribution_id"] == retry["distribution_id"]
    other = programme.retry(failed_list, key="one", confirm=True)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    programme.ok(programme.act(retry, "confirm"))
    assert ended(programme, retry)["counts"]["delivered"] == 2
    parents = {one["message_id"]: one for one in rows_of(programme, failed_list)}
    for row in rows_of(programme, retry):
        assert row["via"] == "distribution"
        assert parents[row["parent_message_id"]]["successor_message_id"] == row["message_id"]
    again = programme.retry(failed_list, key="two")
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")
    by_hand = planned(programme, programme.retry(failed_list, reasons=["outcome_unknown"], confirm=True))
    assert ended(programme, by_hand)["counts"]["delivered"] == 1
    sent = Counter(one["recipient"] for one in programme.ledger("orange"))
    assert sent == {"+221770000610": 2, "+221770004002": 1, "+221770000402": 1, f"+22177000{DELIVERED}": 1}


def test_two_retries_and_a_resend_at_once_send_each_row_once(programme: Programme, failed_list: Json) -> None:
    """Both retries are planned while nothing has taken the rows' places."""
    one, two = (planned(programme, programme.retry(failed_list, key=key)) for key in ("one", "two"))
    parent = next(row for row in rows_of(programme, failed_list) if row["reason"] == "undeliverable")
    with ThreadPoolExecutor(3) as pool:
        confirmed = [pool.submit(programme.act, retry, "confirm") for retry in (one, two)]
        resent = pool.submit(programme.api.post, f"/v1/messages/{parent['message_id']}/resend").result()
    assert [answer.result().status_code for answer in confirmed] == [200, 200]
    assert resent.status_code in (202, 409)
    found = [row for retry in (one, two) if ended(programme, retry) for row in rows_of(programme, retry)]
    lost = [row["reason"] for row in found if row["status"] == "failed"]
    wins = False
    if resent.status_code == 202:
        identity = resent.json()["message_id"]
        by_hand = until(lambda: programme.message(identity), lambda one: one["status"] in ("delivered", "failed"))
        wins = by_hand["reason"] is None
    assert lost == ["already_sent"] * (3 if wins else 2)
    sent = Counter(one["recipient"] for one in programme.ledger("orange"))
    assert sent == {"+221770000610": 2, "+221770004002": 1, f"+22177000{DELIVERED}": 1}


def test_a_retry_that_names_no_such_failure_is_refused(programme: Programme, failed_list: Json) -> None:
    refused: list[tuple[Json, int, str]] = [
        ({"reasons": []}, 422, "unprocessable"),
        ({"reasons": ["erased"]}, 422, "unprocessable"),
        ({"reasons": ["undeliverable", "receipt_missing"]}, 422, "unprocessable"),
        ({"reasons": ["lost"]}, 422, "unprocessable"),
        ({"reasons": "undeliverable"}, 400, "bad_request"),
        ({"reasons": ["opted_out"]}, 409, "state_conflict"),
    ]
    for body, status, code in refused:
        answer = programme.retry(failed_list, **body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert status == 409 or answer.json()["errors"][0]["field"].startswith("reasons"), body
    with programme.stack.api("another-organisation") as stranger:
        url = f"/v1/distributions/{failed_list['distribution_id']}/retry"
        assert stranger.post(url, headers={"Idempotency-Key": "x"}, json={}).status_code == 404


def samples(programme: Programme, made: Json) -> list[Json]:
    found: list[Json] = programme.ok(programme.api.get(f"/v1/distributions/{made['distribution_id']}/samples"))["items"]
    return found


def test_the_samples_of_a_file_show_what_the_phones_will_show(programme: Programme) -> None:
    """Row 150 has the longest text, row 201 is the only English one, row 202 the only Ivorian one."""
    rows = [f"+22177001{number:04d};Awa;fr;C{number}" for number in range(200)]
    rows[149] = "+221770010149;Mame Diarra Bousso;fr;C149"
    rows += ["+221770010200;Ama;en;C200", "+2250700000201;Yao;fr;C201", "N/A;Idi;fr;C202"]
    upload = programme.upload("\n".join(["phone;first_name;language;card_code", *rows]).encode(), "csv")
    at = (programme.stack.now() + timedelta(days=1)).strftime("%Y-%m-%dT12:00:00Z")
    content = {"template": {"name": "vaccination_card"}}
    defaults = {"verification_url": "https://v.example.org/{card_code}"}
    schedule = {"mode": "at", "at": at}
    made = programme.distribute(upload_id=upload, content=content, defaults=defaults, schedule=schedule).json()
    assert until(lambda: programme.distribution(made["distribution_id"]), lambda one: one["accepted"])["rejected"] == 1
    found = samples(programme, made)
    assert [(one["row"], one["language"]) for one in found] == [
        (1, "fr"), (2, "fr"), (3, "fr"), (150, "fr"), (201, "en"), (202, "fr"),
    ]  # fmt: skip
    assert found[0] == {
        "row": 1,
        "recipient": "+22177***0000",
        "mode": "sms",
        "text": found[0]["text"],
        "language": "fr",
        "segments": 1,
        "card_image": None,
        "scheduled_for": at,
    }
    assert "Awa" in found[0]["text"]
    assert "https://v.example.org/C0" in found[0]["text"]
    assert "Mame Diarra Bousso" in found[3]["text"]
    programme.ok(programme.act(made, "cancel"))
    assert [one["scheduled_for"] for one in samples(programme, made)] == [None] * 6


def test_an_erased_person_is_in_no_sample_and_expired_samples_are_not_found(programme: Programme) -> None:
    """`vaccination_card` of WhatsApp shows the card."""
    people = [programme.recipient(DELIVERED + number) for number in range(2)]
    content = {"template": {"name": "vaccination_card"}}
    made = programme.ok(programme.distribute(channel="whatsapp", content=content, recipients=people))
    [first, second] = samples(programme, made)
    assert (first["mode"], first["segments"], first["recipient"]) == ("template", None, f"+22177***{DELIVERED}")
    assert first["card_image"].endswith(f"/cards/{people[0]['card_code']}.png")
    assert programme.api.post("/v1/erasures", json={"phone": people[0]["phone"]}).status_code == 202
    assert until(lambda: samples(programme, made), lambda found: len(found) == 1) == [second]
    s3, bucket = programme.stack.aws("s3"), programme.stack.output("PayloadBucketName")
    prefix = f"plans/{programme.organisation}/{made['distribution_id']}/"
    for one in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=one["Key"])  # as the bucket's lifecycle rule does after 40 days
    gone = programme.api.get(f"/v1/distributions/{made['distribution_id']}/samples")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


MIXED = ("+221770000301", "+2250700000302", "+22370000303", "+2250700000304")
"""Of these countries only Senegal has a price in the settings (`Programme.put_sms`)."""

DEFAULTS = ("card_image", "consent", "programme_name", "verification_url")


def price_missing(document: Json) -> list[Json]:
    return [warning for warning in document["warnings"] if warning["code"] == "units_missing"]


def test_a_price_that_is_not_set_is_said_beside_the_null(programme: Programme) -> None:
    text = {"text": "Bonjour {first_name}"}
    people = [programme.recipient(number, phone=phone) for number, phone in enumerate(MIXED)]
    order = {"channel": "sms", "content": text, "recipients": people[:2]}
    [priced, unpriced] = programme.ok(programme.api.post("/v1/preview", json=order))["items"]
    assert (priced["price"], price_missing(priced)) == ({"amount": "12", "currency": "XOF"}, [])
    assert unpriced["price"] is None
    [said] = price_missing(unpriced)
    assert "No price is set for: Côte d'Ivoire." in said["message"]
    inline = programme.ok(programme.distribute(content=text, recipients=people))
    lines = "\n".join(
        ["phone,first_name,last_name,card_code", *(f"{phone},Awa,Essai,C{phone[-3:]}" for phone in MIXED)]
    )
    uploaded = programme.ok(
        programme.distribute(
            channel="whatsapp",
            upload_id=programme.upload(lines.encode(), "csv"),
            content={"template": {"name": "vaccination_card"}},
            defaults={name: people[0][name] for name in DEFAULTS},
            fallback={"channel": "sms", "after_minutes": 60, "content": text},
        )
    )
    until(lambda: programme.distribution(uploaded["distribution_id"]), lambda found: found["status"] != "planning")
    programme.api.headers["accept-language"] = "fr"
    for made in (inline, uploaded):
        found = programme.distribution(made["distribution_id"])
        cost = found["fallback"] or found
        assert (found["accepted"], cost["segments"]) == (4, 4)
        assert [(one["country"], one["amount"], one["segments"]) for one in cost["prices"]] == [
            ("CI", None, 2), ("ML", None, 1), ("SN", "12", 1),
        ]  # fmt: skip
        [said] = price_missing(found)
        assert said["count"] == 3
        assert "Aucun prix n’est saisi pour : Côte d’Ivoire, Mali." in said["message"]
        assert "Paramètres > Intégrations > SMS" in said["message"]


def test_dhis2_tracker_json_by_upload(programme: Programme) -> None:
    programme.ok(programme.api.put("/v1/integrations/dhis2", json=MAPPING))
    campaign = whatsapp_campaign(f"{programme.stack.simulators_url}/cards")
    entities = json.loads(campaign.upload)["trackedEntities"][:8]
    upload = programme.upload(json.dumps({"pager": {"page": 1}, "instances": entities}).encode(), "dhis2")
    made = programme.distribute(
        channel="whatsapp", upload_id=upload, content=campaign.content, defaults=campaign.defaults, confirm=True
    )
    done = ended(programme, made.json())
    assert done["accepted"] == 8, done
    enrollment = programme.messages(distribution_id=done["distribution_id"])[0]["enrollment_id"]
    assert len(programme.messages(enrollment_id=enrollment)) == 1


def test_an_unreadable_file_is_rejected_with_a_reason(programme: Programme) -> None:
    upload = programme.upload(b"name,age\nx,1\n", "csv")
    made = programme.distribute(upload_id=upload)
    done = until(lambda: programme.distribution(made.json()["distribution_id"]), lambda d: d["status"] != "planning")
    assert (done["status"], done["status_reason"]) == ("rejected", "file_unreadable")


def test_an_expired_token_pauses_the_campaign_and_fails_no_row(programme: Programme) -> None:
    programme.put_whatsapp(access_token="expired-token")
    rows = [programme.recipient(DELIVERED + number) for number in range(30)]
    content = {"template": {"name": "nutrition_card"}}
    made = programme.distribute(channel="whatsapp", content=content, recipients=rows, confirm=True).json()
    paused = until(lambda: programme.distribution(made["distribution_id"]), lambda d: d["status"] == "paused")
    assert paused["status_reason"] == "token_invalid"
    assert paused["counts"] == {"pending": 30, "sent": 0, "delivered": 0, "read": 0, "failed": 0}
    programme.put_whatsapp()
    assert programme.act(made, "resume").json()["status"] == "sending"
    assert ended(programme, made)["counts"]["read"] == 30
    assert len(programme.ledger("meta")) == 30


def test_pause_resume_and_cancel_while_it_is_under_way(programme: Programme) -> None:
    programme.put_sms(rate_per_second=10)
    rows = [programme.recipient(DELIVERED + number) for number in range(150)]
    with programme.stack.taking_up("SmsQueue", 60):
        made = programme.distribute(recipients=rows, confirm=True).json()
        until(lambda: programme.ledger("orange"), lambda ledger: len(ledger) >= 10)
        assert programme.act(made, "pause").json()["status"] == "paused"
    before, _ = until(
        lambda: (len(programme.ledger("orange")), programme.distribution(made["distribution_id"])["counts"]),
        lambda seen: seen[1]["delivered"] == seen[0],
    )
    assert before < 150
    # the queue messages from before the pause
    until(lambda: programme.stack.on_queue("SmsQueue"), lambda found: found == 0)
    with programme.stack.taking_up("SmsQueue", len(rows) - before - 10):
        assert programme.act(made, "resume").json()["status"] == "sending"
        until(lambda: programme.ledger("orange"), lambda ledger: len(ledger) >= before + 10)
        assert programme.act(made, "cancel").json()["status"] == "cancelled"
    done = ended(programme, made)
    assert done["counts"]["delivered"] + done["counts"]["failed"] == 150
    assert done["by_reason"] == {"cancelled": done["counts"]["failed"]}
    ledger = [entry["recipient"] for entry in programme.ledger("orange")]
    assert len(ledger) == len(set(ledger)) == done["counts"]["delivered"]
    assert programme.act(made, "resume").status_code == 409


def test_organisations_do_not_see_one_another(programme: Programme, stack: RunningStack) -> None:
    made = programme.distribute(recipients=[programme.recipient(DELIVERED)]).json()
    sent = programme.ok(programme.send(programme.recipient(DELIVERED)))
    with stack.api("a-stranger") as stranger:
        identity = made["distribution_id"]
        answers: list[httpx2.Response] = [
            stranger.get(f"/v1/distributions/{identity}"),
            stranger.get(f"/v1/distributions/{identity}/samples"),
            stranger.get(f"/v1/distributions/{identity}/errors"),
            stranger.get(f"/v1/distributions/{identity}/duplicates"),
            stranger.post(f"/v1/distributions/{identity}/confirm"),
            stranger.get(f"/v1/messages/{sent['message_id']}"),
            stranger.get("/v1/integrations/sms"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 7
        assert stranger.get("/v1/messages").json()["items"] == []
        assert stranger.get("/v1/campaigns/campaign/messages").json()["items"] == []
        assert stranger.get("/v1/distributions").json()["items"] == []
    with stack.api(programme.organisation, scopes=["messaging.read"]) as reader:
        assert reader.get(f"/v1/distributions/{identity}").status_code == 200
        assert reader.post(f"/v1/distributions/{identity}/confirm").status_code == 403
        assert reader.get("/v1/integrations/sms").status_code == 403
    with stack.api(None) as without_organisation:
        assert without_organisation.get("/v1/messages").status_code == 403
