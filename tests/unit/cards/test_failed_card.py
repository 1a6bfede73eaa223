"""A card that cannot be fetched: how failures are counted, when they hold, and when a single message gives up."""

from datetime import timedelta

import pytest

from shared.cards.failures import (
    FAIL,
    GIVES_UP_AFTER,
    HOLD_AFTER,
    LONGEST_PAUSE,
    PASSING_GIVES_UP_AFTER,
    CardAction,
    CardPair,
    alone,
    in_a_list,
    not_this_one,
    pair_of,
)
from shared.messages.message import Chunk
from shared.messages.payload import Channel, Mode, Payload
from shared.messages.queue_message import QueueMessage
from tests.fakes.world import MORNING

MINUTE = timedelta(minutes=1)


CHUNK = Chunk(distribution_id="d", run=0, number=3)


def queue_message(card: str | None, chunk: Chunk | None = CHUNK) -> QueueMessage:
    payload = Payload(to="+221770008200", country="SN", mode=Mode.TEMPLATE, text="t", card_image=card)
    return QueueMessage(
        organisation="o",
        message_id="m",
        channel=Channel.WHATSAPP,
        person="p",
        slot_at=0,
        payload=payload,
        chunk=chunk,
    )


def test_failures_are_counted_for_a_distribution_and_a_host() -> None:
    web = pair_of(queue_message("https://cards.example.org:8443/a.png"))
    assert web == CardPair(organisation="o", distribution_id="d", host="cards.example.org:8443")
    bucket = pair_of(queue_message("s3://oomus-cards/o/a.png"))
    assert bucket == CardPair(organisation="o", distribution_id="d", host="s3://oomus-cards")


def test_a_message_without_a_card_or_a_list_has_no_pair() -> None:
    assert pair_of(queue_message(None)) is None
    assert pair_of(queue_message("https://cards.example.org/a.png", chunk=None)) is None


@pytest.mark.parametrize("again", [False, True])
def test_ten_failures_in_a_row_hold_and_no_row_fails(again: bool) -> None:
    decisions = [in_a_list(count, again=again, now=MORNING) for count in range(1, HOLD_AFTER + 3)]
    assert [one.action for one in decisions] == [CardAction.GIVE_BACK] * 9 + [CardAction.HOLD] * 3
    assert all(one.due_at is not None and one.due_at > MORNING for one in decisions)


def test_a_list_of_one_row_comes_to_its_hold_within_twenty_minutes() -> None:
    now, tries = MORNING, 0
    while True:
        tries += 1
        decision = in_a_list(tries, again=tries > 1, now=now)
        if decision.action is CardAction.HOLD or decision.due_at is None:
            break
        now = decision.due_at
    assert (tries, now) == (HOLD_AFTER, MORNING + 17 * MINUTE)


@pytest.mark.parametrize(
    ("passing", "minutes", "is_back", "action"),
    [
        (False, 1, False, CardAction.FAIL),
        (False, 1, True, CardAction.GIVE_BACK),
        (True, 1, False, CardAction.GIVE_BACK),
        (True, 15, False, CardAction.FAIL),
        (True, 15, True, CardAction.GIVE_BACK),
    ],
)
def test_a_row_fails_if_its_host_serves_another_card_but_not_this_one(
    passing: bool, minutes: int, is_back: bool, action: CardAction
) -> None:
    now = MORNING + minutes * MINUTE
    decision = not_this_one(MORNING, passing=passing, is_back=is_back, now=now)
    assert decision.action is action
    assert (decision.due_at is None) == (action is CardAction.FAIL)


@pytest.mark.parametrize("passing", [False, True])
def test_a_single_message_is_tried_again_with_growing_pauses_and_then_fails(passing: bool) -> None:
    now, pauses = MORNING, list[timedelta]()
    while (decision := alone(MORNING, passing=passing, now=now)).due_at is not None:
        pauses.append(decision.due_at - now)
        now = decision.due_at
    assert decision == FAIL
    assert pauses == sorted(pauses)
    assert pauses[:5] == [MINUTE, MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert pauses[-1] <= LONGEST_PAUSE
    limit = PASSING_GIVES_UP_AFTER if passing else GIVES_UP_AFTER
    assert limit <= now - MORNING <= limit + LONGEST_PAUSE
