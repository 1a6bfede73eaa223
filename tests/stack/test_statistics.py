"""The figures of a campaign and of the organisation, and `skip_already_sent`, over HTTP, compared with the log."""

from collections import Counter
from datetime import datetime
from statistics import median

import pytest

from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import RunningStack
from tests.waiting import until

FIELDS = {
    "from",
    "to",
    "counts",
    "by_channel",
    "by_reason",
    "by_country",
    "delivery_rate",
    "read_rate",
    "median_delivery_seconds",
    "cards_within_24h",
    "segments",
    "prices",
}
NOTHING = {"pending": 0, "sent": 0, "delivered": 0, "read": 0, "failed": 0}
UNDELIVERABLE = 610
"""docs/simulators.md: Orange reports DeliveryImpossible."""


def figures(programme: Programme, campaign: str | None = None, **query: str) -> Json:
    path = f"/v1/campaigns/{campaign}/statistics" if campaign else "/v1/statistics"
    return programme.ok(programme.api.get(path, params=query))


def part(found: Json) -> Json:
    """What each channel and country has too."""
    return {name: found[name] for name in ("counts", "delivery_rate", "read_rate", "segments", "prices")}


def at_rest(programme: Programme, campaign: str, total: int) -> Json:
    def settled(found: Json) -> bool:
        counts = found["counts"]
        return bool(counts["pending"] + counts["sent"] == 0 and sum(counts.values()) == total)

    return until(lambda: figures(programme, campaign), settled)


def seconds_to_delivery(messages: list[Json]) -> list[float]:
    both = [one for one in messages if one["sent_at"] and one["delivered_at"]]
    times = [(datetime.fromisoformat(one["sent_at"]), datetime.fromisoformat(one["delivered_at"])) for one in both]
    return [max((delivered - sent).total_seconds(), 0) for sent, delivered in times]


def test_single_messages(programme: Programme, stack: RunningStack) -> None:
    generated = stack.now().isoformat()
    people = [
        programme.recipient(DELIVERED, card_generated_at=generated),
        programme.recipient(DELIVERED + 1, card_generated_at="2020-01-01T00:00:00Z"),
        programme.recipient(UNDELIVERABLE),
    ]
    for person in people:
        programme.ok(programme.send(person))
    found = at_rest(programme, "single", 3)
    assert set(found) == FIELDS
    assert found["counts"] == NOTHING | {"delivered": 2, "failed": 1}
    assert (found["by_channel"], found["by_country"]) == ({"sms": part(found)}, {"SN": part(found)})
    assert found["by_reason"] == {"undeliverable": 1}
    assert (found["delivery_rate"], found["read_rate"], found["cards_within_24h"]) == (
        0.6667,
        None,
        {"within": 1, "of": 2},
    )
    log = programme.messages(campaign_id="single")
    assert found["median_delivery_seconds"] == pytest.approx(median(seconds_to_delivery(log)), abs=1)
    segments = sum(one["segments"] for one in log)
    price = {"country": "SN", "currency": "XOF", "amount": str(12 * segments), "segments": segments}
    assert (found["segments"], found["prices"]) == (segments, [price])
    first = min(one["timestamp"] for one in log)
    within_the_hour = figures(programme, **{"from": first})
    assert sum(within_the_hour["counts"].values()) == 3
    assert (within_the_hour["from"], within_the_hour["to"]) == (f"{first[:13]}:00:00Z", None)
    assert figures(programme, to=f"{first[:13]}:00:00Z")["counts"] == NOTHING


def test_a_campaign_on_both_channels(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number) for number in range(120)]
    content = {"template": {"name": "vaccination_card"}}
    for channel, count in (("sms", 120), ("whatsapp", 30)):
        programme.distribute(channel=channel, recipients=people[:count], content=content, confirm=True)
    planned = figures(programme, "campaign")
    assert sum(planned["counts"].values()) == sum(planned["by_country"]["SN"]["counts"].values()) == 150
    found = until(
        lambda: figures(programme, "campaign"),
        lambda one: one["counts"] == NOTHING | {"delivered": 120, "read": 30},
    )
    by_channel = {channel: one["counts"] for channel, one in found["by_channel"].items()}
    assert by_channel == {"sms": NOTHING | {"delivered": 120}, "whatsapp": NOTHING | {"read": 30}}
    assert (found["delivery_rate"], found["read_rate"]) == (1.0, 1.0)
    [day] = figures(programme, "campaign", group="day")["series"]
    assert (day["counts"], day["day"]) == (
        found["counts"],
        programme.messages(campaign_id="campaign")[0]["timestamp"][:10],
    )
    log = programme.messages(campaign_id="campaign")
    assert Counter(one["status"] for one in log) == {"delivered": 120, "read": 30}
    assert found["median_delivery_seconds"] == pytest.approx(median(seconds_to_delivery(log)), abs=1)
    assert found["segments"] == sum(one["segments"] or 0 for one in log)
    assert figures(programme) == found


def test_campaigns_with_their_sums(programme: Programme) -> None:
    programme.distribute(
        campaign_id="first", name="Round one", recipients=[programme.recipient(DELIVERED)], confirm=True
    )
    programme.ok(programme.send(programme.recipient(DELIVERED + 1)))
    programme.ok(programme.send(programme.recipient(DELIVERED + 2)))

    def campaigns() -> list[Json]:
        pages = [programme.ok(programme.api.get("/v1/campaigns", params={"limit": 1}))]
        while cursor := pages[-1]["next_cursor"]:
            pages.append(programme.ok(programme.api.get("/v1/campaigns", params={"limit": 1, "cursor": cursor})))
        return [one for page in pages for one in page["items"]]

    found = until(campaigns, lambda some: [one["counts"]["delivered"] for one in some] == [2, 1])
    assert [one["campaign_id"] for one in found] == ["single", "first"]
    assert [(one["name"], one["distributions"]) for one in found] == [(None, 0), ("Round one", 1)]
    [single, first] = [programme.messages(campaign_id=one["campaign_id"]) for one in found]
    accepted = sorted(one["timestamp"] for one in single)
    assert (found[0]["first_at"], found[0]["last_at"]) == (accepted[0], accepted[-1])
    assert [one["segments"] for one in found] == [sum(row["segments"] for row in rows) for rows in (single, first)]
    for one in found:
        same = figures(programme, one["campaign_id"])
        assert {name: same[name] for name in ("counts", "segments", "prices")} == {
            name: one[name] for name in ("counts", "segments", "prices")
        }


def test_an_empty_campaign_and_another_organisations_campaign_have_zeroes(
    programme: Programme, stack: RunningStack
) -> None:
    programme.ok(programme.send(programme.recipient(DELIVERED)))
    with stack.api("a-stranger") as stranger:
        paths = ("/v1/campaigns/single/statistics", "/v1/campaigns/no-such/statistics", "/v1/statistics")
        for path in paths:
            found = programme.ok(stranger.get(path))
            assert (found["counts"], found["delivery_rate"]) == (NOTHING, None)
            assert found["median_delivery_seconds"] is None
            assert (found["by_channel"], found["prices"]) == ({}, [])
    with stack.api(programme.organisation, scopes=["messaging.send"]) as sender:
        assert sender.get("/v1/statistics").status_code == 403
    assert programme.api.get("/v1/statistics", params={"from": "yesterday"}).status_code == 400
    assert programme.api.get("/v1/campaigns/221770000001/statistics").status_code == 400


def test_a_person_with_the_card_is_skipped(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number) for number in range(5)]
    failing = programme.recipient(UNDELIVERABLE)
    programme.ok(programme.distribute(recipients=[*people[:3], failing], confirm=True))
    programme.ok(programme.send(people[3], campaign_id="campaign"))
    at_rest(programme, "campaign", 5)
    again = programme.distribute(recipients=[*people, failing], skip_already_sent=True, confirm=True)
    assert (again.status_code, again.json()["accepted"], again.json()["duplicates"]) == (201, 2, 4)
    at_rest(programme, "campaign", 7)
    sent = Counter(entry["recipient"] for entry in programme.ledger("orange"))
    assert sent == {person["phone"]: 1 for person in people} | {failing["phone"]: 2}
    lines = ["phone,first_name,card_code", *(f"{one['phone']},A,{one['card_code']}" for one in people)]
    upload = programme.upload("\n".join(lines).encode(), "csv")
    content = {"text": "Bonjour {first_name}"}
    made = programme.distribute(upload_id=upload, content=content, skip_already_sent=True).json()
    done = until(lambda: programme.distribution(made["distribution_id"]), lambda one: one["status"] != "planning")
    assert (done["status"], done["accepted"], done["duplicates"]) == ("rejected", 0, 5)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/campaigns/single/messages"])
def test_every_list_of_messages_is_json_whatever_is_asked_for(programme: Programme, path: str) -> None:
    sent = programme.ok(programme.send(programme.recipient(DELIVERED)))
    answer = programme.api.get(path, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "application/json"
    assert [one["message_id"] for one in answer.json()["items"]] == [sent["message_id"]]
