"""What one message adds to the counts, and where it is counted: by its chunk, or by a key of its own.

All of it follows from the log's row, so running counts can be compared with the log. Delivery times are kept in
buckets, because medians cannot be added: whole seconds up to a minute, then steps of 5 %. So a median is exact to half
a second below a minute and to 2.5 % above.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.base.instants import from_milliseconds, hour_of, milliseconds
from shared.campaigns.distribution import Counts, Distribution, DistributionStatus
from shared.messages.message import ARRIVED, Chunk, Message, Status
from shared.messages.payload import Channel

COUNTS_WITHIN = timedelta(hours=24)
"""Cards should reach people within this time after they were generated (product.md)."""

AT_REST_AFTER = timedelta(hours=72)
"""Receipts come for two days at most. After that the counts are compared with the log once more."""

RECEIPT_MISSING_AFTER = timedelta(hours=48)
"""Orange reports within 24 h, Meta as soon as it knows. After two days no report is expected (api.md, reasons)."""

RECEIPT_MISSING = "receipt_missing"

NOT_TRIED = ("cancelled", "erased", "experiment_withheld")
"""Reasons of messages that were never tried."""

MILLIONTHS = 1_000_000

_EXACT = 60

_STEP = math.log(1.05)

_HOUR = 3_600_000

_MINUTE = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Singles:
    """The messages without a distribution, of one campaign (None: without a campaign), channel and country. They are
    counted by the clock hour of acceptance."""

    campaign_id: str | None
    channel: Channel
    country: str

    def __str__(self) -> str:
        return f"singles#{self.channel}#{self.country}#{self.campaign_id or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallbacks:
    """The fallbacks of a distribution's messages. They are counted by the chunk of the message that each replaces, and
    also as `Singles`."""

    distribution_id: str

    def __str__(self) -> str:
        return f"fallbacks#{self.distribution_id}"


type Group = str | Singles | Fallbacks
"""What is counted together. A string is a distribution's ID: the group of its rows."""


def parse_group(text: str) -> Group:
    """The group from the text that `str` made. No ID contains a #."""
    match text.split("#"):
        case ["fallbacks", distribution_id]:
            return Fallbacks(distribution_id=distribution_id)
        case ["singles", channel, country, campaign_id]:
            return Singles(campaign_id=campaign_id or None, channel=Channel(channel), country=country)
        case _:
            return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A unit of counting besides the chunks. `number`: for singles the hour since 1970; for fallbacks the chunk's
    number, in the run `run`."""

    group: Singles | Fallbacks
    number: int
    run: int = 0


type Place = Chunk | Part
"""Where a message is counted."""


def group_of(place: Place) -> Group:
    """The group that the place belongs to."""
    return place.distribution_id if isinstance(place, Chunk) else place.group


def distribution_of(group: Group) -> str | None:
    """The ID of the distribution that the group's messages belong to; None: no distribution."""
    return group if isinstance(group, str) else group.distribution_id if isinstance(group, Fallbacks) else None


def place_in(group: Group, run: int, number: int) -> Place:
    """A group's place."""
    if isinstance(group, str):
        return Chunk(distribution_id=group, run=run, number=number)
    return Part(group=group, run=run, number=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A chunk's counts, when it was logged, and how many rows go to each country.

    `accepted_at` is None until the chunk is logged.
    """

    counts: Counts = field(default_factory=Counts)
    accepted_at: datetime | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    recount_at: datetime | None = None
    """When it is to be compared with the log; None: no recount was asked for."""
    last_at: datetime | None = None
    """Of messages without a distribution: when the latest was accepted. Then `accepted_at` is that of the first."""
    wishes: int = 0
    """How often a recount was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What the tick is to take up."""

    organisation: str
    group: Group
    recount: bool = False
    """Only some of its places are to be compared with the log."""


def counted(message: Message) -> Counts:
    """What a message adds. A pending one adds nothing: pending is the rest of the accepted messages."""
    if message.status is Status.PENDING:
        return Counts()
    reason = message.reason if message.status is Status.FAILED else None
    went_out = message.status is not Status.FAILED or message.sent_at is not None
    price = message.price if went_out else None
    millionths = int(price.amount * MILLIONTHS) if price else 0
    return Counts(
        by_status={message.status: 1},
        by_reason={reason: 1} if reason else {},
        segments={message.country: message.segments} if went_out and message.segments else {},
        amounts={(message.country, price.currency): millionths} if price and millionths else {},
        delays=_delay(message),
        awaiting=_awaiting(message),
        cards=int(message.card_at is not None and reason not in NOT_TRIED),
        cards_within_24h=_arrived_within_24h(message),
        reached=int(message.chunk is not None and (message.reached or message.status in ARRIVED)),
    )


def misses_receipt(message: Message, now: datetime) -> bool:
    """Whether no report is expected any more for a sent message. Compared by whole minutes, so that the log's rows and
    the counts agree."""
    return any(minute <= _last_minute(now) for minute in _awaiting(message))


def shown_reason(message: Message, now: datetime) -> str | None:
    """The reason that people see. A missing receipt is found when the message is read."""
    return RECEIPT_MISSING if misses_receipt(message, now) else message.reason


def with_missing_receipts(counts: Counts, now: datetime) -> Counts:
    """The counts with `receipt_missing` for messages without a report; their status stays `sent`."""
    missing = sum(count for minute, count in counts.awaiting.items() if minute <= _last_minute(now))
    return replace(counts, by_reason={**counts.by_reason, RECEIPT_MISSING: missing}) if missing > 0 else counts


def not_below_zero(counts: Counts) -> Counts:
    """The counts as they are shown. A status may be counted out before the batch that counted it in has written."""
    return Counts(
        by_status=_positive(counts.by_status),
        by_reason=_positive(counts.by_reason),
        segments=_positive(counts.segments),
        amounts=_positive(counts.amounts),
        delays=_positive(counts.delays),
        awaiting=_positive(counts.awaiting),
        cards=max(counts.cards, 0),
        cards_within_24h=max(counts.cards_within_24h, 0),
        reached=max(counts.reached, 0),
    )


def counted_open(message: Message) -> Counts:
    """What a message adds where pending ones count too, because no plan has their number: fallbacks, and messages
    without a distribution."""
    return Counts(by_status={Status.PENDING: 1}) if message.status is Status.PENDING else counted(message)


def counting_at(place: Place) -> Callable[[Message], Counts]:
    """How messages are counted there."""
    return counted if isinstance(place, Chunk) else counted_open


def unlisted(distribution: Distribution, rows: int) -> Counts:
    """The counts of rows that are not in the log. They are pending. A cancel logs them, except rows that had expired
    (the distribution was paused for longer than stored content is kept): those are only counted, as cancelled."""
    is_over = distribution.status is DistributionStatus.CANCELLED and distribution.swept
    return Counts(by_status={Status.FAILED: rows}, by_reason={"cancelled": rows}) if is_over and rows else Counts()


def bucket_of(delay: timedelta) -> int:
    """The bucket of a delivery time. Clocks differ: an arrival before the sending counts as zero."""
    seconds = max(delay.total_seconds(), 0)
    if seconds < _EXACT:
        return round(seconds)
    return _EXACT + round(math.log(seconds / _EXACT) / _STEP)


def seconds_of(bucket: int) -> int:
    """The time of a bucket, in seconds."""
    return bucket if bucket <= _EXACT else round(_EXACT * math.exp((bucket - _EXACT) * _STEP))


def median_of(delays: Mapping[int, int]) -> int | None:
    """The median delivery time in seconds; of an even number, the mean of the two in the middle. None if there are
    none."""
    total = sum(delays.values())
    if total <= 0:
        return None
    return round((_nth(delays, (total + 1) // 2) + _nth(delays, total // 2 + 1)) / 2)


def place_of(message: Message) -> Place:
    """Where a message is counted: in its chunk; without a distribution, by campaign, channel, country and hour of
    acceptance.

    An hour's item takes one write for each batch: 300 writes a second for 1,000 messages a second in batches of ten.
    """
    if message.chunk is not None:
        return message.chunk
    singles = Singles(campaign_id=message.campaign_id, channel=message.channel, country=message.country)
    return Part(group=singles, number=hour_of(message.accepted_at))


def fallbacks_of(chunk: Chunk) -> Part:
    """Where the fallbacks of a chunk's messages are counted in addition."""
    return Part(group=Fallbacks(distribution_id=chunk.distribution_id), run=chunk.run, number=chunk.number)


def hour_bounds(hour: int) -> tuple[datetime, datetime]:
    """The hour's beginning and end."""
    return from_milliseconds(hour * _HOUR), from_milliseconds((hour + 1) * _HOUR)


def _delay(message: Message) -> dict[int, int]:
    if message.status not in ARRIVED or message.sent_at is None or message.delivered_at is None:
        return {}
    return {bucket_of(message.delivered_at - message.sent_at): 1}


def _awaiting(message: Message) -> dict[int, int]:
    """The minute in which it was sent, if its status is `sent`."""
    if message.status is not Status.SENT or message.sent_at is None:
        return {}
    return {milliseconds(message.sent_at) // _MINUTE: 1}


def _last_minute(now: datetime) -> int:
    """Messages sent in this minute or before are too old: the minute ended 48 hours ago."""
    return milliseconds(now - RECEIPT_MISSING_AFTER) // _MINUTE - 1


def _positive[K](sums: Mapping[K, int]) -> dict[K, int]:
    return {key: count for key, count in sums.items() if count > 0}


def _arrived_within_24h(message: Message) -> int:
    arrived = message.delivered_at or message.read_at
    if message.status not in ARRIVED or message.card_at is None or arrived is None:
        return 0
    return int(arrived - message.card_at <= COUNTS_WITHIN)


def _nth(delays: Mapping[int, int], place: int) -> int:
    """The time of the message at that place, counted from 1."""
    passed = 0
    for bucket, count in sorted(delays.items()):
        passed += count
        if passed >= place:
            return seconds_of(bucket)
    raise ValueError(f"there are {passed} delays, none at {place}")
