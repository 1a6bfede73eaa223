"""The time-outs of a send fit together: wait + call + record < function < lease < visibility."""

import pytest

from shared.app.container.sending import QUEUED_CHAIN, TEST_CHAIN, Chain
from shared.cards.failures import ASKS_FOR_SECONDS
from shared.pacing.slots import QUEUED, TEST_SEND
from shared.providers.http import QUEUED_SENDS, TEST_SENDS, TIMEOUT_SECONDS, WHOLE_CALL_SECONDS
from shared.sending.send import LEASE, STALE
from shared.storage.aws import CLAIM_SECONDS, READ_SECONDS
from tests.template.reading import Node, number, properties

SENDERS = {"SendWhatsAppFunction": "WhatsAppQueue", "SendSmsFunction": "SmsQueue"}
SLOW_ANSWER = 20.0
"""If a provider answers only after so many seconds, it has taken the message, and the log must say so."""
GATEWAY = 30


def taken_to_recorded(chain: Chain) -> float:
    """Seconds from the receipt of a queue message until its outcome is in the log. The sender makes no call that would
    begin after `call_within`, which includes the wait for the slot, the card, the gate check and the claim."""
    return chain.waits.call_within + chain.times.whole + READ_SECONDS


@pytest.mark.parametrize(("function", "queue"), SENDERS.items())
def test_a_batch_is_recorded_before_its_time_is_up(template: Node, function: str, queue: str) -> None:
    time_out = number(properties(template, function), "Timeout")
    visibility = number(properties(template, queue), "VisibilityTimeout")
    assert taken_to_recorded(QUEUED_CHAIN) < time_out < LEASE.total_seconds() < visibility


def test_a_test_send_is_recorded_before_the_gateway_gives_up(template: Node) -> None:
    time_out = number(properties(template, "ApiFunction"), "Timeout")
    assert taken_to_recorded(TEST_CHAIN) < time_out < GATEWAY
    assert time_out < LEASE.total_seconds()
    assert time_out > WHOLE_CALL_SECONDS + READ_SECONDS, "a card or a token that takes its time"


def test_the_steps_before_a_call_fit_in_their_time() -> None:
    """Otherwise queue messages would come again and again without a call."""
    claim = 3 * CLAIM_SECONDS
    assert QUEUED.longest + STALE.total_seconds() + claim < QUEUED.call_within
    assert claim < STALE.total_seconds()
    assert TEST_SEND.longest < TEST_SEND.call_within


def test_a_slow_answer_is_waited_for() -> None:
    assert QUEUED_SENDS.read > SLOW_ANSWER
    for times in (QUEUED_SENDS, TEST_SENDS):
        assert TIMEOUT_SECONDS < times.read < times.whole


def test_the_probe_of_another_card_fits_in_the_time_of_the_call() -> None:
    for times in (QUEUED_SENDS, TEST_SENDS):
        assert times.whole > ASKS_FOR_SECONDS
