"""What a message adds to the figures, and the precision of a median from buckets."""

import statistics
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.campaigns.counts import bucket_of, counted, median_of, place_of, seconds_of
from shared.campaigns.distribution import Counts
from shared.messages.message import Chunk, Message, PayloadRef, Price, Status
from shared.messages.payload import Channel

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE_OF_NOW = (NOW - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(minutes=1)
MESSAGE = Message(
    organisation="demo",
    message_id="m",
    channel=Channel.SMS,
    accepted_at=NOW,
    recipient="+22177***0001",
    person="0" * 32,
    country="SN",
    payload=PayloadRef(object_key="k"),
    campaign_id="c-1",
    segments=2,
    price=Price(amount=Decimal("24.5"), currency="XOF"),
    card_at=NOW - timedelta(hours=23),
)
COST = Counts(segments={"SN": 2}, amounts={("SN", "XOF"): 24_500_000})
CARD = Counts(cards=1)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (MESSAGE, Counts()),
        (
            replace(MESSAGE, status=Status.SENT, sent_at=NOW),
            COST.plus(Counts(by_status={Status.SENT: 1}, awaiting={MINUTE_OF_NOW: 1})).plus(CARD),
        ),
        (
            replace(MESSAGE, status=Status.DELIVERED, sent_at=NOW, delivered_at=NOW + 7 * SECOND),
            COST.plus(Counts(by_status={Status.DELIVERED: 1}, delays={7: 1}, cards_within_24h=1)).plus(CARD),
        ),
        (
            replace(MESSAGE, status=Status.DELIVERED, sent_at=NOW, delivered_at=NOW + timedelta(hours=2)),
            COST.plus(Counts(by_status={Status.DELIVERED: 1}, delays={bucket_of(timedelta(hours=2)): 1})).plus(CARD),
        ),
        (
            replace(MESSAGE, status=Status.READ, read_at=NOW, card_at=None),
            COST.plus(Counts(by_status={Status.READ: 1})),
        ),
        (
            replace(MESSAGE, status=Status.FAILED, reason="cancelled"),
            Counts(by_status={Status.FAILED: 1}, by_reason={"cancelled": 1}),
        ),
        (
            replace(MESSAGE, status=Status.FAILED, reason="undeliverable", sent_at=NOW),
            COST.plus(Counts(by_status={Status.FAILED: 1}, by_reason={"undeliverable": 1})).plus(CARD),
        ),
    ],
    ids=["pending", "sent", "delivered", "after 25 hours", "read, delivery unknown", "never sent", "failed on its way"],
)
def test_the_figures_of_one_message(message: Message, expected: Counts) -> None:
    assert counted(message) == expected


@given(st.floats(0, 30 * 86_400))
def test_a_bucket_is_precise_to_half_a_second_or_two_and_a_half_percent(seconds: float) -> None:
    found = seconds_of(bucket_of(timedelta(seconds=seconds)))
    assert abs(found - seconds) <= max(0.51, seconds * 0.025 + 0.5)


def test_a_negative_delivery_time_counts_as_zero() -> None:
    assert bucket_of(timedelta(seconds=-2)) == 0


@given(st.lists(st.integers(0, 59), min_size=1, max_size=30))
def test_a_median_below_a_minute_is_the_median(seconds: list[int]) -> None:
    delays = Counter(bucket_of(timedelta(seconds=one)) for one in seconds)
    assert median_of(delays) == round(statistics.median(seconds))


def test_the_median_of_nothing_is_none() -> None:
    assert median_of({}) is None


def test_a_message_without_a_distribution_counts_by_campaign_channel_country_and_hour() -> None:
    chunk = Chunk(distribution_id="d", run=0, number=3)
    assert place_of(replace(MESSAGE, chunk=chunk)) == chunk
    same_hour = replace(MESSAGE, accepted_at=NOW + timedelta(minutes=59, seconds=59))
    assert place_of(same_hour) == place_of(MESSAGE)
    others = [
        replace(MESSAGE, accepted_at=NOW + timedelta(hours=1)),
        replace(MESSAGE, campaign_id="c-2"),
        replace(MESSAGE, campaign_id=None),
        replace(MESSAGE, channel=Channel.WHATSAPP),
        replace(MESSAGE, country="CI"),
    ]
    assert len({place_of(one) for one in (MESSAGE, *others)}) == 6
