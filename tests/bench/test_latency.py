"""The time from a POST to its acceptance by the provider, on one clock."""

import pytest

from bench.latency import NotTakenError, Sent, latencies

SENT = [
    Sent(channel="sms", number="+221770008200", at=100.0, answered=0.03),
    Sent(channel="whatsapp", number="+221770008201", at=100.5, answered=0.03),
    Sent(channel="sms", number="+221770008202", at=101.0, answered=0.03),
]
AHEAD = 3600.0
TAKEN = {
    ("orange", "+221770008200"): 3700.25,
    ("meta", "+221770008201"): 3700.625,
    ("orange", "+221770008202"): 3701.125,
}


def test_the_offset_between_the_two_clocks_is_subtracted() -> None:
    assert latencies(SENT, TAKEN, AHEAD) == {"sms": [0.25, 0.125], "whatsapp": [0.125]}


def test_a_message_that_never_arrived_gives_no_latency() -> None:
    """An SMS to the same number does not count as the WhatsApp message."""
    lost = {**TAKEN, ("orange", "+221770008201"): 3700.7}
    del lost["meta", "+221770008201"]
    with pytest.raises(NotTakenError, match="1 of 3"):
        latencies(SENT, lost, AHEAD)
