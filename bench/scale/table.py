"""The model's result: every quota with the day's demand, the one that binds first on top."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.scale import figures
from bench.scale.day import SMS, WHATSAPP, Day, Limits, Second
from bench.scale.figures import EventSource, Measured, Quota
from bench.scale.receipts import receipts
from bench.scale.world import SEED, campaigns
from shared.campaigns.distribution import CHUNK_ROWS

LOOKED_AT = 12 * 3600
"""Noon UTC, when the last campaign has just begun."""
TICKS = 1 / 60
"""Invocations a second of the schedule that wakes the fan-out each minute. The other schedules fire once per campaign.
"""
KEPT = 300
"""The product keeps secrets (shared/storage/secrets.py) and SQS keeps data keys for this many seconds before asking KMS
again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One quota. `peak` is the day's demand if only the providers' rates limit it. The quota binds if share > 1."""

    quota: str
    limit: float
    peak: float
    share: float
    at: str
    """The time of the peak, in hours and minutes since midnight UTC."""
    raised_by: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a day went. `all_sent` is None if the model ended before."""

    limits: str
    sent_early: int
    """Messages sent by `LOOKED_AT`."""
    booked_again: int
    """Queue messages that came more than 5 s late by `LOOKED_AT` and got a new send slot."""
    whatsapp_sent: str
    """When the last WhatsApp message left."""
    all_sent: str | None
    most_per_second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What `python -m bench.scale` prints."""

    rows: Sequence[Row]
    days: Sequence[Course]
    measured: Mapping[str, float]
    """The fields of `Measured` that `make bench` had measured; the rest are defaults."""


def table(organisations: int = 50, messages: int = 10_000_000, seed: int = SEED) -> Paper:
    """Compute the result. The same arguments always give the same result."""
    reported, limits = figures.measured(), template_limits()
    asked = Day(campaigns(organisations, messages, seed), reported, limits.unbound())
    asked.run()
    kept = Day(campaigns(organisations, messages, seed), reported, limits)
    kept.run()
    rows = sorted(_rows(asked, organisations, reported, limits), key=lambda row: -row.share)
    days = (_course("the template's", kept, messages), _course("the providers' alone", asked, messages))
    return Paper(rows=rows, days=days, measured=figures.figures_of())


def template_limits() -> Limits:
    """Return how much template.yaml lets run at once."""
    senders = {
        WHATSAPP: figures.event_source("SendWhatsAppFunction", "WhatsAppQueue"),
        SMS: figures.event_source("SendSmsFunction", "SmsQueue"),
    }
    fanout = figures.event_source("BulkFanoutFunction", "FanoutQueue")
    return Limits(senders=senders, fanout=fanout.concurrency)


def _rows(day: Day, organisations: int, reported: Measured, limits: Limits) -> Iterable[Row]:
    status = figures.event_source("WebhookFunction", "StatusQueue")
    seconds = day.seconds
    received = receipts([{name: second.sent[name] for name in (WHATSAPP, SMS)} for second in seconds])
    seconds = [*seconds, *(Second() for _ in range(len(received) - len(seconds)))]
    senders = {name: [second.busy.get(name, 0) for second in seconds] for name in (WHATSAPP, SMS)}
    fanout = [second.busy.get("fanout", 0) for second in seconds]
    consumers = [reports / status.batch * reported.status_batch for reports in received]
    doors = [reports * reported.webhook for reports in received]
    together = [sum(each) for each in zip(*senders.values(), fanout, consumers, doors, strict=True)]
    batches = {name: limits.senders[name].batch for name in senders}
    in_flight = [max(senders[name][at] * batches[name] for name in senders) for at in range(len(seconds))]
    writes = [_writes(second, reports, reported) for second, reports in zip(seconds, received, strict=True)]
    called = [
        second.invocations + reports * (1 + 1 / status.batch) for second, reports in zip(seconds, received, strict=True)
    ]
    starts = _starts(day)
    release = Quota(
        name="ours: release of one distribution, rows/s",
        limit=CHUNK_ROWS / reported.chunk,
        raised_by="more chunks at once (CHUNKS_AT_ONCE in shared/campaigns/distribution.py)",
        source="Measured.chunk",
    )
    yield _mapping("WhatsApp sender", limits.senders[WHATSAPP], senders[WHATSAPP], "parameter WhatsAppConcurrency")
    yield _mapping("SMS sender", limits.senders[SMS], senders[SMS], "parameter SmsConcurrency")
    yield _mapping("status consumer", status, consumers)
    yield _mapping("fan-out", EventSource(concurrency=limits.fanout, batch=1), fanout)
    yield _row(release, [max(rate_limit.pace for rate_limit in day.rate_limits)])
    yield _row(figures.NEW_ACCOUNT, together)
    yield _row(figures.LAMBDA, together)
    yield _row(figures.IN_FLIGHT, in_flight)
    yield _row(figures.TABLE, writes)
    yield _row(figures.FIRST_PEAK, writes)
    yield _row(figures.RATE_LIMIT_ITEM, [second.hottest_rate_limit for second in seconds])
    yield _row(figures.INDEX_SHARD, [second.hottest_shard * reported.log_item_writes for second in seconds])
    yield _row(figures.EDGE, received)
    yield _row(figures.SCHEDULER, [TICKS + starts.get(at, 0) for at in range(len(seconds))])
    yield _row(figures.KMS, [busy * (organisations + figures.KEYS_OF_AN_ENVIRONMENT) / KEPT for busy in together])
    yield _row(figures.LOGS, called)


def _writes(second: Second, reports: float, reported: Measured) -> float:
    """Write units of the log table and its indexes.

    They count the row itself, each report, and the claim and the record of a send with the index entry of the
    provider's ID.
    """
    changes = 3 * second.sent.total() + reports
    return reported.log_item_writes * (second.logged * (1 + reported.indexes_of_a_row) + changes)


def _starts(day: Day) -> dict[int, int]:
    starts: dict[int, int] = {}
    for rate_limit in day.rate_limits:
        starts[rate_limit.campaign.starts] = starts.get(rate_limit.campaign.starts, 0) + 1
    return starts


def _mapping(name: str, its: EventSource, asked: Sequence[float], chosen: str = "ScalingConfig") -> Row:
    quota = Quota(
        name=f"MaximumConcurrency of the {name}",
        limit=its.concurrency,
        raised_by=f"{chosen} in template.yaml, 2 to 1,000",
        source="template.yaml",
    )
    return _row(quota, asked)


def _row(quota: Quota, asked: Sequence[float]) -> Row:
    peak = max(asked)
    return Row(
        quota=quota.name,
        limit=quota.limit,
        peak=round(peak, 2),
        share=round(peak / quota.limit, 4),
        at=clock(asked.index(peak)),
        raised_by=quota.raised_by,
        source=quota.source,
    )


def _course(limits: str, day: Day, messages: int) -> Course:
    sent = [second.sent.total() for second in day.seconds]
    return Course(
        limits=limits,
        sent_early=sum(sent[:LOOKED_AT]),
        booked_again=sum(second.rebooked for second in day.seconds[:LOOKED_AT]),
        whatsapp_sent=clock(max(at for at, second in enumerate(day.seconds) if second.sent[WHATSAPP])),
        all_sent=clock(len(sent)) if sum(sent) == messages else None,
        most_per_second=max(sent),
    )


def clock(second: int) -> str:
    """Hours and minutes since the first midnight; 31:05 is five past seven on the second day."""
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"


def text(paper: Paper) -> str:
    """Format the result for people."""
    lines = [f"{'quota':<72}{'limit':>9}{'peak':>12}{'share':>9}  at     raise by"]
    for row in paper.rows:
        peak = f"{row.peak:,.0f}" if row.peak >= 10 else f"{row.peak:.2f}"
        share = f"{row.share:.0%}" if row.share >= 0.01 else f"{row.share:.2%}"
        lines.append(f"{row.quota:<72}{row.limit:>9,.0f}{peak:>12}{share:>9}  {row.at}  {row.raised_by}")
    early = f"sent by {clock(LOOKED_AT)}"
    lines += ["", f"{'limits':<24}{early:>15}{'booked again':>14}{'most/s':>8}{'WhatsApp sent':>15}{'all sent':>10}"]
    for day in paper.days:
        ends = f"{day.whatsapp_sent:>15}{day.all_sent or '-':>10}"
        lines.append(f"{day.limits:<24}{day.sent_early:>15,}{day.booked_again:>14,}{day.most_per_second:>8,}{ends}")
    reported = ", ".join(f"{name} {value:g}" for name, value in paper.measured.items()) or "nothing yet"
    lines += ["", f"measured by make bench: {reported}; the rest are the defaults of bench/scale/figures.py"]
    return "\n".join(lines)
