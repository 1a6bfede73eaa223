"""A provider that answers late has taken the message all the same: the log says `sent`, not that nobody knows."""

from collections.abc import Iterator

import pytest

from tests.stack.programme import DELIVERED, Programme

SECONDS = 8.0
"""Longer than the general time-out of 5, and far from the 21 that a send has: a busy machine adds some of its own."""


@pytest.fixture
def slow(programme: Programme) -> Iterator[Programme]:
    programme.stack.set_simulators(answer_seconds=SECONDS, receipts=False)
    yield programme
    programme.stack.set_simulators(answer_seconds=0.0, receipts=True)


def test_what_is_answered_after_eight_seconds_is_sent(slow: Programme) -> None:
    template = {"template": {"name": "vaccination_card"}}
    made = {
        channel: slow.ok(slow.send(slow.recipient(DELIVERED), channel=channel, content=template))["message_id"]
        for channel in ("sms", "whatsapp")
    }
    for channel, identity in made.items():
        message = slow.settled(identity, "sent")
        assert message["attempts"] == 1, channel
        assert message["provider_message_id"], channel
