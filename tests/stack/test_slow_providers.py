"""A provider that answers late has taken the message: the log says `sent`, and the outcome is not unknown."""

from collections.abc import Iterator

import pytest

from tests.stack.programme import DELIVERED, Programme

SECONDS = 8.0
"""Longer than the usual time-out of 5, and far below the 21 of a send, because a busy machine adds some seconds."""


@pytest.fixture
def slow(programme: Programme) -> Iterator[Programme]:
    programme.stack.set_simulators(answer_seconds=SECONDS, receipts=False)
    yield programme
    programme.stack.set_simulators(answer_seconds=0.0, receipts=True)


def test_an_answer_after_eight_seconds_counts_as_sent(slow: Programme) -> None:
    template = {"template": {"name": "vaccination_card"}}
    made = {
        channel: slow.ok(slow.send(slow.recipient(DELIVERED), channel=channel, content=template))["message_id"]
        for channel in ("sms", "whatsapp")
    }
    for channel, identity in made.items():
        message = slow.settled(identity, "sent")
        assert message["attempts"] == 1, channel
        assert message["provider_message_id"], channel
