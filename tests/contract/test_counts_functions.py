"""Counts that come late or never, and what the API shows meanwhile.

The tests call webhook, fan-out and API as AWS does, on moto.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from shared.app.runtime import Loop
from shared.app.telemetry import InvocationFailedError
from shared.integrations.integration import UnitPrice
from shared.storage.aws import Aws
from tests.contract.test_fallback_functions import CLAIMS, Running, running
from tests.contract.test_person_functions import Invocation
from tests.fakes.office import SMS, recipient
from tests.unit.api.events import event

__all__ = ["running"]

CARD = "https://cards.example.org/1.png"
ADDS = "provide-client-params.dynamodb.UpdateItem"


def distributed(running: Running) -> dict[str, Any]:
    """Two rows. Their sender has sent and recorded them, and died before it counted them."""
    body = {
        "campaign_id": "c-1",
        "channel": "whatsapp",
        "recipients": [recipient(number, card_image=CARD) for number in (1, 2)],
        "content": {"template": {"name": "vaccination_card"}},
        "confirm": True,
    }
    asked = event("POST /v1/distributions", body=body, headers={"idempotency-key": "d"}, claims=CLAIMS)
    made = running.fanout(dict(asked), Invocation())
    assert made is not None
    assert made["statusCode"] == 201, made["body"]
    running.work()
    found: dict[str, Any] = json.loads(str(made["body"]))
    for row in listed(running, found):
        running.taken(row["message_id"])
    return found


def got(running: Running, route: str, **parts: Any) -> Any:
    answer = running.api(dict(event(route, claims=CLAIMS, **parts)), Invocation())
    assert answer is not None
    assert answer["statusCode"] == 200, answer
    return json.loads(str(answer["body"]))


def listed(running: Running, made: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = got(running, "GET /v1/messages", query=f"distribution_id={made['distribution_id']}")[
        "items"
    ]
    return rows


def assert_they_agree(running: Running, made: dict[str, Any], counts: dict[str, int]) -> None:
    found = got(running, "GET /v1/distributions/{distribution_id}", path={"distribution_id": made["distribution_id"]})
    assert {status: count for status, count in found["counts"].items() if count} == counts
    assert Counter(row["status"] for row in listed(running, made)) == counts


@contextmanager
def before_the_first_count(aws: Aws, act: Callable[[], None]) -> Iterator[list[str]]:
    """Calls `act` once, when a worker is about to add to the counts of a chunk."""
    seen: list[str] = []

    def look(params: dict[str, Any], **_: object) -> None:
        sort_key = params["Key"].get("sk", {}).get("S", "")
        if not seen and sort_key.startswith("counts#") and "ADD #" in params["UpdateExpression"]:
            seen.append(sort_key)
            act()

    aws.dynamodb.meta.events.register(ADDS, look)
    try:
        yield seen
    finally:
        aws.dynamodb.meta.events.unregister(ADDS, look)


def test_a_recount_between_a_workers_moves_and_its_count(running: Running, aws: Aws) -> None:
    """The consumer has moved a row. Before it counts the move, the clock jumps and a tick completes the
    distribution."""
    made = distributed(running)
    first, _ = listed(running, made)

    def tick() -> None:
        with closing(Loop(lambda error, _: None)) as own:
            replace(running, fanout=running.another_fanout(own)).tick()

    def complete() -> None:
        running.clock.pass_by(minutes=10)
        with ThreadPoolExecutor(1) as beside:  # this thread belongs to the consumer
            beside.submit(tick).result()

    with before_the_first_count(aws, complete) as seen:
        running.reported(first["message_id"], "delivered")
    assert seen
    found = got(running, "GET /v1/distributions/{distribution_id}", path={"distribution_id": made["distribution_id"]})
    assert found["status"] == "completed"
    assert_they_agree(running, made, {"sent": 1, "delivered": 1})
    running.clock.pass_by(minutes=1)
    running.tick()
    assert_they_agree(running, made, {"sent": 1, "delivered": 1})


def test_a_failed_count_is_corrected_when_the_task_is_repeated(running: Running, aws: Aws) -> None:
    """After the distribution has completed, no other step recounts it for three days."""
    made = distributed(running)
    first, _ = listed(running, made)
    running.clock.pass_by(minutes=10)
    running.tick()
    assert_they_agree(running, made, {"sent": 2})

    def fail() -> None:
        raise ConnectionError("the store is away")

    with before_the_first_count(aws, fail) as seen, pytest.raises(InvocationFailedError):
        running.reported(first["message_id"], "delivered")
    assert seen
    running.reported(first["message_id"], "delivered")
    running.clock.pass_by(minutes=1)
    running.tick()
    assert_they_agree(running, made, {"sent": 1, "delivered": 1})


def test_a_missing_receipt_is_counted_and_listed_alike(running: Running) -> None:
    made = distributed(running)
    running.clock.pass_by(minutes=10)
    running.tick()
    path, campaign = {"distribution_id": made["distribution_id"]}, {"campaign_id": "c-1"}

    def by_reason() -> list[dict[str, int]]:
        rows = Counter(row["reason"] for row in listed(running, made) if row["reason"])
        found = got(running, "GET /v1/distributions/{distribution_id}", path=path)
        figures = got(running, "GET /v1/campaigns/{campaign_id}/statistics", path=campaign)
        return [dict(rows), found["by_reason"], figures["by_reason"]]

    running.clock.pass_by(hours=47)
    assert by_reason() == [{}] * 3
    running.clock.pass_by(hours=1)
    assert by_reason() == [{"receipt_missing": 2}] * 3
    assert_they_agree(running, made, {"sent": 2})


def test_a_message_has_a_price_once_it_was_sent_to_a_provider(running: Running) -> None:
    price = UnitPrice(amount=Decimal(12), currency="XOF")
    asyncio.run(running.world.integrations.put(replace(SMS, unit_prices={"SN": price})))
    later = (running.clock.now() + timedelta(hours=2)).isoformat()
    body = {
        "channel": "sms",
        "campaign_id": "c-1",
        "recipient": recipient(7),
        "content": {"text": "Bonjour"},
        "send_at": later,
    }
    asked = event("POST /v1/messages", body=body, headers={"idempotency-key": "k"}, claims=CLAIMS)
    answer = running.api(dict(asked), Invocation())
    assert answer is not None
    made = json.loads(str(answer["body"]))
    shown = partial(got, running, "GET /v1/messages/{message_id}", path={"message_id": made["message_id"]})
    assert (shown()["status"], shown()["segments"], shown()["price"]) == ("pending", 1, None)
    running.taken(made["message_id"])
    assert (shown()["status"], shown()["price"]) == ("sent", {"amount": "12", "currency": "XOF"})
