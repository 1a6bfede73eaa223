"""The model of docs/scale.md, on a small day: it loses no message, keeps to rates and quiet hours, and reads the
template."""

import json
import math
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import override

import pytest

from bench.__main__ import Row, results
from bench.inputs import of_a_row, of_sender
from bench.scale.day import Day, Limits, Second
from bench.scale.figures import EventSource, Measured, event_source, measured
from bench.scale.rate_limit import Parcel, RateLimit
from bench.scale.receipts import SPREADS, receipts
from bench.scale.table import table, template_limits
from bench.scale.world import MIDNIGHT, Campaign, campaigns
from shared.messages.payload import Channel
from shared.policy.hours import QUIET_HOURS, next_open
from shared.recipients.countries import COVERED
from tests.template.deploy_guide import section
from tests.template.reading import at, concurrency, events, read

MESSAGES = 60_000
EVENING = 20 * 3600 + 3000


class Observed(Day):
    """Remembers the send slots: (rate limit, second) → messages."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]  # handed through
        self.send_slots: Counter[tuple[int, int]] = Counter()

    @override
    def leave_in_slot(self, parcel: Parcel, taken: int, now: Second) -> None:
        super().leave_in_slot(parcel, taken, now)
        number = self.rate_limits.index(parcel.rate_limit)
        for message in range(taken):
            self.send_slots[number, math.floor(parcel.at + message / parcel.rate_limit.pace)] += 1


def day(day_campaigns: list[Campaign], limits: Limits) -> Observed:
    made = Observed(day_campaigns, Measured(), limits)
    made.run()
    return made


def two() -> list[Campaign]:
    """Two campaigns of one organisation, one on each channel."""
    made = [("whatsapp", 80, 3000), ("sms", 5, 1000)]
    return [
        Campaign(organisation=0, channel=channel, country="SN", rate=rate, rows=rows, starts=8 * 3600)
        for channel, rate, rows in made
    ]


def scarce() -> Limits:
    """So few places that queue messages come too late for their send slots."""
    return Limits(senders={name: EventSource(concurrency=2, batch=10) for name in ("whatsapp", "sms")}, fanout=3)


def test_every_message_is_sent_once_with_high_and_with_low_limits() -> None:
    sent = two()
    plenty, little = day(sent, scarce().unbound()), day(sent, scarce())
    assert sum(second.rebooked for second in little.seconds) > 0
    for one in (plenty, little):
        assert [rate_limit.sent for rate_limit in one.rate_limits] == [campaign.rows for campaign in sent]
        assert all(rate_limit.unreleased == rate_limit.queued == 0 for rate_limit in one.rate_limits)
        assert one.send_slots.total() == sum(second.sent.total() for second in one.seconds) == 4000


def test_an_unsent_message_is_queued_or_unreleased() -> None:
    cut = Day(campaigns(organisations=9, messages=MESSAGES), Measured(), scarce())
    cut.run(8 * 3600)
    assert 0 < sum(rate_limit.sent for rate_limit in cut.rate_limits) < MESSAGES
    assert all(
        rate_limit.sent + rate_limit.queued + rate_limit.unreleased == rate_limit.campaign.rows
        for rate_limit in cut.rate_limits
    )


def test_no_rate_limit_has_more_send_slots_than_its_rate() -> None:
    sent = day(list(campaigns(organisations=9, messages=MESSAGES)), scarce().unbound())
    most: Counter[int] = Counter()
    for (rate_limit, _), count in sent.send_slots.items():
        most[rate_limit] = max(most[rate_limit], count)
    assert all(most[number] <= rate_limit.campaign.rate for number, rate_limit in enumerate(sent.rate_limits))


def test_no_sms_leaves_in_quiet_hours() -> None:
    """The campaigns begin late in the evening, so that every country's night comes before they end."""
    evening = [
        Campaign(organisation=n, channel="sms", country=country, rate=5, rows=10_000, starts=EVENING)
        for n, country in enumerate(COVERED)
    ]
    sent = day(evening, scarce().unbound())
    nights = Counter[int]()
    for rate_limit, second in sent.send_slots:
        instant = MIDNIGHT + timedelta(seconds=second)
        assert next_open(instant, COVERED[sent.rate_limits[rate_limit].campaign.country].zone, QUIET_HOURS) == instant
        nights[rate_limit] += second > 86_400
    assert all(nights[rate_limit] for rate_limit in range(len(evening)))


def test_a_rate_limit_books_no_slot_twice() -> None:
    rate_limit = RateLimit(Campaign(organisation=0, channel="whatsapp", country="SN", rate=80, rows=1000, starts=0))
    first, second = list(rate_limit.book(100, 10.0)), list(rate_limit.book(100, 10.0))
    assert [sum(parcel.count for parcel in parcels) for parcels in (first, second)] == [100, 100]
    assert first[-1].last_of(first[-1].count) < second[0].at


def test_every_report_comes_once() -> None:
    received = receipts([{"whatsapp": 1000, "sms": 0}, {"whatsapp": 0, "sms": 500}])
    shares = {channel: sum(spread.share for spread in spreads) for channel, spreads in SPREADS.items()}
    assert math.isclose(sum(received), 1000 * shares["whatsapp"] + 500 * shares["sms"], rel_tol=1e-6)


def test_the_concurrency_is_read_from_the_template() -> None:
    reported = {str(at(its, "Queue")): its for _, its in events(read(), "SQS")}
    its = reported[str({"Fn::GetAtt": "WhatsAppQueue.Arn"})]
    found = event_source("SendWhatsAppFunction", "WhatsAppQueue")
    assert (found.concurrency, found.batch) == (concurrency(read(), its), its["BatchSize"])
    assert template_limits().senders["whatsapp"] == found


LOADS = re.findall(r"\| ([\d,]+) \w+ at ([\d,]+) a second \| `(WhatsApp|Sms)Concurrency` \| (\d+) \|", section(4).text)


def test_the_places_in_the_guide_are_those_of_the_model() -> None:
    """The model, with the last measured inputs, must agree within a tenth."""
    assert len(LOADS) == 7
    for numbers, rate, channel, places in LOADS:
        asked = [int(one.replace(",", "")) for one in (numbers, rate)]
        found = _places(channel.lower(), *asked)
        assert abs(found - int(places)) <= max(1, found // 10), (numbers, rate, channel, found)


def _places(channel: str, rate_limits: int, rate: int) -> int:
    """The most environments at once without a limit of the template: two minutes of sending on each rate limit, all
    started within seconds of each other."""
    sent = [
        Campaign(organisation=one, channel=channel, country="SN", rate=rate, rows=120 * rate, starts=36_000 + one)
        for one in range(rate_limits)
    ]
    made = Day(sent, measured(), template_limits().unbound())
    made.run()
    return max(second.busy.get(channel, 0) for second in made.seconds)


def test_measured_inputs_replace_the_defaults(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    assert measured(results) == Measured()
    results.write_text('{"scale_inputs": {"chunk": 0.5, "unheard_of": 1}}')
    assert measured(results) == Measured(chunk=0.5)


def test_the_model_reads_what_make_bench_writes(tmp_path: Path) -> None:
    row = Row(name="n", value=1.0, target=2.0, unit="US$", better="less", scale_inputs={**of_a_row(), "webhook": 0.25})
    written = tmp_path / "results.json"
    written.write_text(json.dumps(results([row])))
    assert measured(written) == Measured(webhook=0.25, log_item_writes=1.0, indexes_of_a_row=4.0)


@pytest.mark.parametrize(("per_second", "call"), [(100.0, 0.28), (50.0, 0.28 + 0.1 * 1769 / 512)])
def test_a_sender_with_part_of_a_processor_takes_longer_in_proportion(per_second: float, call: float) -> None:
    found = of_sender(Channel.WHATSAPP, {"ours_per_second": per_second}, 10)
    assert found == {"whatsapp_call": pytest.approx(call, abs=0.001)}


def test_the_same_seed_gives_the_same_table_and_the_tightest_quota_is_first() -> None:
    one, two = (table(organisations=9, messages=MESSAGES) for _ in range(2))
    assert one == two
    assert [row.share for row in one.rows] == sorted((row.share for row in one.rows), reverse=True)
    assert all(math.isclose(row.share, row.peak / row.limit, abs_tol=0.01) for row in one.rows)
