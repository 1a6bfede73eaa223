"""Each special number behaves as the table in the documentation says."""

import asyncio
from collections.abc import Mapping

import httpx2
import pytest

from local.simulators.json_body import as_list, as_object
from local.simulators.outcomes import META, ORANGE, Cut, Outcome
from tests.simulators.world import World, play, sms, template

HTML = {Cut.HTML_500: 500, Cut.HTML_502: 502}


def names(table: Mapping[str, Outcome]) -> list[str]:
    return [f"{digits}: {outcome.summary}" for digits, outcome in table.items()]


async def tried(world: World, digits: str, channel: str) -> httpx2.Response | None:
    """The answer to one message, in virtual time; None if the connection was reset."""
    if channel == "meta":
        call = world.message(template(to=f"+22177000{digits}", media=await world.media_id()))
    else:
        call = world.text(sms(f"tel:+22177000{digits}"), token=await world.token())
    task = asyncio.ensure_future(call)
    while not task.done():
        await world.clock.settle()
    await world.clock.settle()
    try:
        return await task
    except ConnectionResetError:
        return None


def expected_status(outcome: Outcome, success: int) -> int | None:
    match outcome.cut:
        case None | Cut.GARBLED:
            return success
        case Cut.HANG | Cut.RESET:
            return None
    return HTML[outcome.cut]


def expected_receipts(outcome: Outcome) -> list[str]:
    return [each for each in outcome.receipts for _ in range(outcome.times)]


@pytest.mark.parametrize(("digits", "outcome"), META.items(), ids=names(META))
def test_meta(digits: str, outcome: Outcome) -> None:
    async def scene(world: World) -> None:
        answer = await tried(world, digits, "meta")
        if outcome.refusal:
            assert answer is not None
            assert answer.json()["error"]["code"] == (130429 if outcome.refusal == "429" else int(outcome.refusal))
            assert (answer.status_code == 429) == (outcome.refusal == "429")
            assert await world.ledger() == []
            if not outcome.once:
                return
            answer = await tried(world, digits, "meta")
        assert (None if answer is None else answer.status_code) == expected_status(outcome, 200)
        assert len(await world.ledger()) == (1 if outcome.accepted else 0)
        assert world.product.reported() == expected_receipts(outcome)
        for value in world.product.values:
            _check_value(value, outcome)

    play(scene)


def _check_value(value: dict[str, object], outcome: Outcome) -> None:
    statuses = as_list(value["statuses"])
    assert statuses is not None
    status = as_object(statuses[0])
    assert status is not None
    assert status["biz_opaque_callback_data"] == "key.1"
    assert str(status["recipient_id"]).startswith("22177000")
    assert "conversation" not in status
    assert ("contacts" in value) == (status["status"] != "failed")
    failures = [(as_object(each) or {})["code"] for each in as_list(status.get("errors")) or []]
    assert failures == ([outcome.failure] if status["status"] == "failed" else [])


@pytest.mark.parametrize(("digits", "outcome"), ORANGE.items(), ids=names(ORANGE))
def test_orange(digits: str, outcome: Outcome) -> None:
    async def scene(world: World) -> None:
        answer = await tried(world, digits, "orange")
        if outcome.refusal:
            assert answer is not None
            assert answer.status_code >= 400
            status, _, code = outcome.refusal.partition("/")
            if code:
                assert (answer.status_code, answer.json()["code"]) == (int(status), int(code))
            else:
                assert outcome.refusal in answer.text
            assert await world.ledger() == []
            if not outcome.once:
                return
            answer = await tried(world, digits, "orange")
        assert (None if answer is None else answer.status_code) == expected_status(outcome, 201)
        assert len(await world.ledger()) == (1 if outcome.accepted else 0)
        assert [status for _, status in world.product.receipts] == expected_receipts(outcome)

    play(scene)


def test_an_early_receipt_comes_before_the_answer() -> None:
    async def scene(world: World) -> None:
        await world.message(template(to="+221770000606", media=await world.media_id()))
        assert world.product.reported() == ["sent", "delivered", "read"]
        await world.text(sms("tel:+221770000606"), token=await world.token())
        assert [status for _, status in world.product.receipts] == ["DeliveredToTerminal"]

    play(scene)


def test_special_numbers_can_be_switched_off() -> None:
    async def scene(world: World) -> None:
        await world.control("settings", special_numbers=False)
        answer = await world.message(template(to="+221770001026", media=await world.media_id()))
        assert answer.status_code == 200

    play(scene)
