"""The figures of a campaign are right for few and many messages, after killed workers, and for every period."""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

import pytest

from shared.campaigns.counts import AT_REST_AFTER, misses_receipt
from shared.campaigns.distribution import Action, CountryPrice, Counts
from shared.integrations.integration import UnitPrice
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.statistics.reading import Scope, Statistics
from tests.fakes.office import DEMO, SMS, Office, recipient

CAMPAIGN = Scope(organisation=DEMO, campaign_id="c")


@pytest.fixture
def office() -> Office:
    office = Office()
    prices = {"SN": UnitPrice(amount=Decimal("12.5"), currency="XOF")}
    office.integrations.kept[DEMO, "sms"] = replace(SMS, unit_prices=prices)
    return office


def read(office: Office, scope: Scope = CAMPAIGN, *, summed: bool = False) -> Statistics:
    """`summed`: from the sums alone; else most of it is what the sums lack."""
    if summed:
        office.sum_up()
    return office.run(office.worker().statistics.read(scope))


def move(office: Office, message: Message, status: Status, *, after: float = 0, reason: str | None = None) -> None:
    """A worker of its own gets the status `after` so many seconds, and then counts it."""
    at = office.clock.now() + timedelta(seconds=after)
    status_writer = office.status_writer()
    office.run(status_writer.move(DEMO, message.message_id, Move(status=status, at=at, reason=reason)))
    office.run(status_writer.flush())


def three(office: Office) -> list[Message]:
    """One delivered after four seconds, one failed, one pending."""
    singles = [office.single(8200 + number) for number in range(3)]
    for message in singles[:2]:
        move(office, message, Status.SENT)
    move(office, singles[0], Status.DELIVERED, after=4)
    move(office, singles[1], Status.FAILED, after=5, reason="undeliverable")
    return singles


def pumped(office: Office, seconds: int = 60) -> None:
    office.do_tasks()
    office.deliver(within=timedelta(seconds=seconds))
    office.tick()


def by_hand(office: Office, since: datetime | None = None, until: datetime | None = None) -> Counter[str]:
    """The counts of the log itself."""
    rows = [row for row in office.log.rows.values() if row.organisation == DEMO]
    inside = [one for one in rows if (not since or one.accepted_at >= since) and (not until or one.accepted_at < until)]
    return Counter(str(row.status) for row in inside)


def statuses(found: Statistics) -> Counter[str]:
    return Counter({str(status): count for status, count in found.total.counts.by_status.items()})


def channels(found: Statistics) -> dict[Channel, int]:
    return {channel: figures.counts.total for channel, figures in found.by_channel.items()}


def countries(found: Statistics) -> dict[str, int]:
    return {country: figures.counts.total for country, figures in found.by_country.items()}


@pytest.mark.parametrize("summed", [False, True], ids=["not summed yet", "summed"])
def test_three_messages(office: Office, summed: bool) -> None:
    three(office)
    found = read(office, summed=summed)
    assert found.total.counts.by_status == {Status.PENDING: 1, Status.DELIVERED: 1, Status.FAILED: 1}
    assert found.total.counts.by_reason == {"undeliverable": 1}
    assert (channels(found), countries(found)) == ({Channel.SMS: 3}, {"SN": 3})
    assert (found.total.delivery_rate, found.total.read_rate, found.median_delivery_seconds) == (0.5, None, 4)
    segments = sum(row.segments or 0 for row in office.log.rows.values() if row.sent_at)
    amount = Decimal("12.5") * segments
    assert found.total.segments == segments
    assert found.total.prices == (CountryPrice(country="SN", currency="XOF", amount=amount, segments=segments),)


@pytest.mark.parametrize("scope", [CAMPAIGN, Scope(organisation=DEMO), Scope(organisation="other")])
def test_an_empty_scope_has_empty_figures(office: Office, scope: Scope) -> None:
    three(office) if scope.organisation == "other" else None
    found = read(office, scope)
    assert (statuses(found), found.by_channel, found.by_country, found.total.prices) == (Counter(), {}, {}, ())
    assert (found.total.delivery_rate, found.total.read_rate, found.median_delivery_seconds) == (None, None, None)
    assert (found.total.segments, found.total.counts.cards_within_24h) == (0, 0)


def test_the_read_rate_counts_only_whatsapp(office: Office) -> None:
    sms, *_ = three(office)
    whatsapp = [office.single(8300 + number, Channel.WHATSAPP) for number in range(4)]
    for message in whatsapp[:3]:
        move(office, message, Status.DELIVERED)
    move(office, whatsapp[0], Status.READ)
    found = read(office)
    assert found.total.read_rate == round(1 / 3, 4)
    assert channels(found) == {Channel.SMS: 3, Channel.WHATSAPP: 4}
    assert office.row(sms.message_id).status is Status.DELIVERED


@pytest.mark.parametrize("order", list(itertools.permutations([Status.SENT, Status.DELIVERED, Status.READ])))
@pytest.mark.parametrize("summed", [False, True], ids=["not summed yet", "summed"])
def test_instants_count_in_any_order_of_reports(office: Office, order: tuple[Status, ...], summed: bool) -> None:
    message = office.single(8200, Channel.WHATSAPP)
    for status in (*order, *order):
        move(office, message, status, after={Status.SENT: 0, Status.DELIVERED: 9, Status.READ: 100}[status])
    found = read(office, summed=summed)
    assert (found.median_delivery_seconds, found.total.counts.delays) == (9, {9: 1})
    assert statuses(found) == Counter(read=1)


def test_a_distribution_from_its_confirmation_to_its_end(office: Office) -> None:
    made = office.distribute(250)
    assert statuses(read(office)) == Counter(pending=250)
    assert countries(read(office)) == {"SN": 250}
    pumped(office, 20)
    found = read(office)
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert found.total.counts.by_status == view.counts.by_status
    assert (found.total.counts.total, countries(found), channels(found)) == (250, {"SN": 250}, {Channel.SMS: 250})
    pumped(office)
    waits = [number % 50 for number in range(250)]
    for row, wait in zip(list(office.log.rows.values()), waits, strict=True):
        status_writer = office.status_writer()
        assert row.sent_at is not None
        at = row.sent_at + timedelta(seconds=wait)
        office.run(status_writer.move(DEMO, row.message_id, Move(status=Status.DELIVERED, at=at)))
        office.run(status_writer.flush())
    found = read(office)
    assert statuses(found) == by_hand(office) == Counter(delivered=250)
    assert (found.total.delivery_rate, found.median_delivery_seconds) == (1.0, round(median(waits)))
    assert found.total.segments == made.planned.segments


def test_an_unconfirmed_plan_does_not_count(office: Office) -> None:
    rows = [recipient(number) for number in range(5)]
    made = office.run(office.planning().create(office.new_distribution(rows)))
    assert statuses(read(office)) == Counter()
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    assert statuses(read(office)) == Counter()


def test_a_cancel_counts_unlogged_rows_as_failed_and_changes_no_rate(office: Office) -> None:
    office.integrations.kept[DEMO, "sms"] = replace(SMS, rate_per_second=1)
    made = office.distribute(1000)
    pumped(office, 30)
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    for _ in range(12):
        office.clock.pass_by(seconds=60)
        office.tick()
        office.deliver()
    found = read(office)
    sent = found.total.counts.of(Status.SENT)
    assert 0 < sent < 1000
    assert statuses(found) == Counter(sent=sent, failed=1000 - sent)
    assert found.total.counts.by_reason == {"cancelled": 1000 - sent}
    assert found.total.delivery_rate == 0.0
    assert countries(found) == {"SN": 1000}


@pytest.mark.parametrize("nth", [1, 3, 7])
def test_counts_of_a_killed_worker_are_corrected_before_completion(office: Office, nth: int) -> None:
    office.distribute(150)
    office.do_tasks()
    killed = False
    while office.queue.waiting:
        batch = office.queue.take(office.clock.pass_by(seconds=30), most=10)
        work = office.step(Channel.SMS).send_all(batch)
        if not killed:
            killed = office.killed(work, ("distributions.count", nth))
            nth -= 1
        else:
            office.run(work)
    for _ in range(4):
        office.clock.pass_by(seconds=61)
        office.tick()
        office.deliver()
    found = read(office)
    assert statuses(found) == by_hand(office)
    assert found.total.segments == sum(row.segments or 0 for row in office.log.rows.values() if row.sent_at)


def test_uncounted_receipts_are_found_by_the_last_recount(office: Office) -> None:
    office.distribute(20)
    for _ in range(3):
        pumped(office)
    row = next(iter(office.log.rows.values()))
    dying = office.status_writer()
    office.run(dying.move(DEMO, row.message_id, Move(status=Status.DELIVERED, at=office.clock.now())))
    assert statuses(read(office)) == Counter(sent=20)
    office.clock.pass_by(seconds=AT_REST_AFTER.total_seconds() + 60)
    office.tick()
    assert statuses(read(office)) == Counter(sent=19, delivered=1)
    [ended] = office.distributions.items.values()
    assert ended.due_at is None


def test_hourly_counts_are_recounted_at_rest_too(office: Office) -> None:
    delivered, *_ = three(office)
    dying = office.status_writer()
    office.run(dying.move(DEMO, delivered.message_id, Move(status=Status.READ, at=office.clock.now())))
    test_send = office.single(8900)
    move(office, test_send, Status.FAILED, reason="not_on_whatsapp")
    assert statuses(read(office, summed=True)) != by_hand(office)
    office.clock.pass_by(seconds=AT_REST_AFTER.total_seconds() + 60)
    assert office.killed(office.fanout().tick(), ("tasks.put", 1))
    assert office.distributions.recounts
    office.tick()
    assert not office.distributions.recounts
    assert statuses(read(office, summed=True)) == by_hand(office)


@pytest.mark.parametrize("summed", [False, True], ids=["not summed yet", "summed"])
def test_adjacent_periods_add_up_to_the_whole(office: Office, summed: bool) -> None:
    start = office.clock.now()
    three(office)
    office.clock.pass_by(hours=1, minutes=20)
    office.distribute(120)
    for _ in range(3):
        pumped(office)
    office.clock.pass_by(hours=1)
    office.single(8400)
    hour = start.replace(minute=0, second=0, microsecond=0)
    bounds = [None, *(hour + timedelta(hours=hours) for hours in (0, 1, 2, 3, 5)), None]
    parts = [
        statuses(read(office, replace(CAMPAIGN, since=since, until=until), summed=summed))
        for since, until in itertools.pairwise(bounds)
    ]
    assert sum(parts, Counter()) == statuses(read(office)) == by_hand(office)
    assert parts == [by_hand(office, since, until) for since, until in itertools.pairwise(bounds)]


def test_from_is_inclusive_and_to_exclusive(office: Office) -> None:
    at = office.single(8200).accepted_at
    hour = at.replace(minute=0, second=0, microsecond=0)
    later = hour + timedelta(hours=1)
    for since, until, count in ((hour, later, 1), (later, None, 0), (None, hour, 0), (hour, hour, 0)):
        assert read(office, replace(CAMPAIGN, since=since, until=until)).total.counts.total == count


@pytest.mark.parametrize("summed", [False, True], ids=["not summed yet", "summed"])
def test_a_bound_inside_an_hour_moves_outward(office: Office, summed: bool) -> None:
    """The message is accepted at a quarter past; all of its hour counts, and the answer names the hour."""
    hour = office.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    office.clock.pass_by(seconds=(hour + timedelta(minutes=15) - office.clock.now()).total_seconds())
    office.single(8200)
    whole = Scope(organisation=DEMO, campaign_id="c", since=hour, until=hour + timedelta(hours=1))
    for since, until in ((0, 60), (59, 60), (0, 1), (14, 16), (20, 20), (59.99, 0.01)):
        scope = replace(CAMPAIGN, since=hour + timedelta(minutes=since), until=hour + timedelta(minutes=until))
        found = read(office, scope, summed=summed)
        assert (found.scope, found.total.counts.total) == (whole, 1)
    assert read(office, replace(CAMPAIGN, until=hour), summed=summed).total.counts.total == 0


@pytest.mark.parametrize("summed", [False, True], ids=["not summed yet", "summed"])
def test_channels_countries_and_days_add_up(office: Office, summed: bool) -> None:
    rows = [recipient(number) for number in range(30)]
    rows += [recipient(number) | {"phone": f"+22462000{8200 + number}"} for number in range(20)]
    office.run(office.planning().create(office.new_distribution(rows, confirm=True)))
    for _ in range(3):
        pumped(office)
    on_whatsapp = [office.single(8300 + number, Channel.WHATSAPP) for number in range(3)]
    move(office, on_whatsapp[0], Status.DELIVERED)
    move(office, on_whatsapp[1], Status.READ)
    office.clock.pass_by(hours=24)
    failed = office.single(8400)
    move(office, failed, Status.FAILED, reason="not_on_whatsapp")
    found = read(office, summed=summed)
    assert channels(found) == {Channel.SMS: 51, Channel.WHATSAPP: 3}
    assert countries(found) == {"SN": 34, "GN": 20}
    for parts in (found.by_channel.values(), found.by_country.values()):
        whole = Counts().plus(Counts(by_status=found.total.counts.by_status))
        assert sum((Counter(one.counts.by_status) for one in parts), Counter()) == whole.by_status
        assert sum(one.segments for one in parts) == found.total.segments
        assert sorted(price for one in parts for price in map(str, one.prices)) == sorted(map(str, found.total.prices))
    senegal, whatsapp = found.by_country["SN"], found.by_channel[Channel.WHATSAPP]
    assert (senegal.read_rate, whatsapp.read_rate, found.by_channel[Channel.SMS].read_rate) == (0.5, 0.5, None)
    assert (found.by_country["GN"].delivery_rate, found.by_country["GN"].read_rate) == (0.0, None)
    assert whatsapp.delivery_rate == 1.0
    first, second = sorted(found.by_day)
    assert second - first == timedelta(days=1)
    assert (found.by_day[first].total, found.by_day[second].by_status) == (53, {Status.FAILED: 1})


@pytest.mark.parametrize("summed", [False, True], ids=["not summed yet", "summed"])
def test_a_million_messages_are_not_read_one_by_one(office: Office, summed: bool) -> None:
    """Neither the distributions nor their chunks are read, but for those that are not summed yet."""
    for key in ("one", "two"):
        rows = [recipient(number) for number in range(400)]
        office.run(office.planning().create(office.new_distribution(rows, key=key, confirm=True)))
    office.single(8200)
    for _ in range(3):
        pumped(office)
    if summed:
        office.sum_up()
    else:
        office.distribute(5)
        office.do_tasks()
    before = Counter(office.points.passed)
    since = office.clock.now() - timedelta(days=400)
    read(office, replace(CAMPAIGN, since=since, until=office.clock.now() + timedelta(days=31)))
    asked = {name: count - before[name] for name, count in office.points.passed.items() if count > before[name]}
    assert asked == {"sums.between": 3, "sums.unsummed": 1} | ({} if summed else {"distributions.get_many": 1})


def test_missing_receipts_are_counted_as_the_log_shows_them(office: Office) -> None:
    """For a distribution, for single messages, and for those read by the hour; no longer once a receipt has come."""
    made = office.distribute(6)
    single = office.single(7)
    pumped(office)
    office.clock.pass_by(hours=1)
    later = office.single(8)
    pumped(office)
    first, *_ = [row for row in office.log.rows.values() if row.distribution_id]
    status_writer = office.status_writer()
    office.run(status_writer.move(DEMO, first.message_id, Move(status=Status.DELIVERED, at=office.clock.now())))
    office.run(status_writer.flush())

    def shown() -> set[str]:
        now = office.clock.now()
        return {row.message_id for row in office.log.rows.values() if misses_receipt(row, now)}

    for hours, expected in ((46, 0), (1, 6), (1, 7)):
        office.clock.pass_by(hours=hours, seconds=61)
        assert len(shown()) == expected
        for summed in (False, True):
            found = read(office, summed=summed)
            assert found.total.counts.by_reason.get("receipt_missing", 0) == expected
            assert statuses(found) == Counter(sent=7, delivered=1)
    assert shown() >= {single.message_id, later.message_id}
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_reason == {"receipt_missing": 5}
    assert view.counts.of(Status.SENT) == 5


def test_rows_of_more_countries_than_runs_count_as_zz(office: Office) -> None:
    """A run without a country has the rows of several."""
    made = office.distribute(3)
    plan = replace(made.planned, runs=(replace(made.planned.runs[0], country=""),))
    office.distributions.items[DEMO, made.distribution_id] = replace(made, plan=plan)
    assert countries(read(office)) == {"ZZ": 3}
