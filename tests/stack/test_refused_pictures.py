"""Meta refuses a picture, at once or in a webhook: the card is uploaded once more, and never again."""

from datetime import timedelta

import pytest

from tests.stack.programme import Json, Programme
from tests.waiting import until

TEMPLATE = {"template": {"name": "vaccination_card", "language": "fr"}}
REFUSED, FAILED = 1053, 9053
REFUSED_ONCE, FAILED_ONCE = 1153, 9153


def uploads(programme: Programme, number: int) -> list[tuple[Json, Json]]:
    """The media ID and the picture of each message that Meta accepted for the number."""
    entries = [one for one in programme.ledger("meta") if one["recipient"] == f"+22177000{number}"]
    return [(one["media_id"], one["media_sha256"]) for one in entries]


def pass_ticks_until_sent_again(programme: Programme, number: int) -> None:
    """Where Meta refuses the picture in a webhook, a tick sends the message again: move the clock from tick to tick."""

    def accepted_a_minute_later() -> int:
        programme.move_to(programme.stack.now() + timedelta(minutes=1))
        return len(uploads(programme, number))

    if number in (FAILED, FAILED_ONCE):
        until(lambda: len(uploads(programme, number)), lambda count: count > 0)
        until(accepted_a_minute_later, lambda count: count == 2)


@pytest.mark.parametrize(("number", "accepted"), [(REFUSED_ONCE, 1), (FAILED_ONCE, 2)])
def test_a_refused_picture_is_uploaded_once_more(programme: Programme, number: int, accepted: int) -> None:
    sent = programme.ok(programme.send(programme.recipient(number), channel="whatsapp", content=TEMPLATE))
    pass_ticks_until_sent_again(programme, number)
    message = programme.settled(sent["message_id"], "read")
    assert (message["attempts"], message["reason"], message["failed_at"]) == (2, None, None)
    used = uploads(programme, number)
    assert len({media_id for media_id, _ in used}) == len(used) == accepted
    assert len({sha256 for _, sha256 in used}) == 1


@pytest.mark.parametrize(("number", "accepted"), [(REFUSED, 0), (FAILED, 2)])
def test_a_picture_that_is_refused_again_fails_its_message(programme: Programme, number: int, accepted: int) -> None:
    sent = programme.ok(programme.send(programme.recipient(number), channel="whatsapp", content=TEMPLATE))
    pass_ticks_until_sent_again(programme, number)
    message = programme.settled(sent["message_id"], "failed")
    assert (message["attempts"], message["reason"]) == (2, "card_not_a_picture")
    assert len(set(uploads(programme, number))) == accepted


def test_a_card_of_many_that_is_refused_for_one_person_reaches_all(programme: Programme) -> None:
    """One picture for twelve people. Meta refuses it later in one message, which is sent again with a new upload.

    The number of uploads depends on how many environments send at once: each may upload the card once.
    `tests/unit/providers/test_whatsapp_client.py` counts them in one environment.
    """
    card = f"{programme.stack.simulators_url}/cards/POSTER.png"
    numbers = [FAILED_ONCE, *range(9200, 9211)]
    recipients = [programme.recipient(number, card_image=card) for number in numbers]
    made = programme.ok(programme.distribute(channel="whatsapp", content=TEMPLATE, recipients=recipients, confirm=True))
    logged = until(lambda: programme.messages(distribution_id=made["distribution_id"]), lambda rows: len(rows) == 12)
    pass_ticks_until_sent_again(programme, FAILED_ONCE)
    for row in logged:
        programme.settled(row["message_id"], "read")
    refused, taken = (media_id for media_id, _ in uploads(programme, FAILED_ONCE))
    assert refused != taken
    assert [len(uploads(programme, number)) for number in numbers[1:]] == [1] * 11
