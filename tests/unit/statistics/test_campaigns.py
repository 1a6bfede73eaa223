"""The list of campaigns: newest first, page by page, summed or not."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.campaigns.distribution import CountryPrice
from shared.integrations.integration import UnitPrice
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.messages.single import NewMessage
from shared.statistics.reading import Campaign
from shared.texts.content import Content
from tests.fakes.office import DEMO, SMS, Office, recipient


@pytest.fixture
def office() -> Office:
    office = Office()
    prices = {"SN": UnitPrice(amount=Decimal(12), currency="XOF")}
    office.integrations.kept[DEMO, "sms"] = replace(SMS, unit_prices=prices)
    return office


def listed(office: Office, limit: int = 50) -> list[Campaign]:
    """All pages."""
    found: list[Campaign] = []
    position: str | None = None
    while True:
        page, position = office.run(office.worker().campaigns.page(DEMO, position, limit))
        assert len(page) <= limit
        found += page
        if position is None:
            return found


def single(office: Office, campaign_id: str | None, number: int = 8200) -> None:
    new = NewMessage(
        organisation=DEMO,
        key=f"{campaign_id}-{number}",
        request_hash="h",
        channel=Channel.SMS,
        campaign_id=campaign_id or "",
        recipient=recipient(number),
        content=Content(template="vaccination_card"),
        send_at=None,
    )
    office.run(office.singles().create(new))


def distribute(office: Office, campaign_id: str, rows: int, *, name: str | None = None, confirm: bool = True) -> None:
    new = office.new_distribution([recipient(number) for number in range(rows)], key=f"{campaign_id}-{rows}")
    new = replace(new, campaign_id=campaign_id, name=name, confirm=confirm)
    office.run(office.planning().create(new))


@pytest.mark.parametrize("summed", [False, True], ids=["not summed yet", "summed"])
def test_a_campaign_is_the_sum_of_its_messages(office: Office, summed: bool) -> None:
    first = office.clock.now()
    distribute(office, "c-1", 30, name="First round")
    office.clock.pass_by(minutes=5)
    distribute(office, "c-1", 20, name="Second round", confirm=False)
    office.clock.pass_by(minutes=5)
    distribute(office, "c-1", 10)
    for _ in range(2):
        office.do_tasks()
        office.deliver(within=timedelta(seconds=60))
    last = office.clock.now()
    single(office, "c-1")
    if summed:
        office.sum_up()
    [found] = listed(office)
    assert (found.campaign_id, found.name, found.distributions) == ("c-1", "Second round", 3)
    assert (found.first_at, found.last_at) == (first, last)
    assert found.figures.counts.by_status == Counter(row.status for row in office.log.rows.values())
    assert found.figures.counts.by_status == {Status.SENT: 40, Status.PENDING: 1}
    segments = sum(row.segments or 0 for row in office.log.rows.values() if row.sent_at)
    price = CountryPrice(country="SN", currency="XOF", amount=Decimal(12 * segments), segments=segments)
    assert (found.figures.segments, found.figures.prices) == (segments, (price,))


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize("summed", range(6))
def test_pages_are_newest_first_also_while_some_are_not_summed(office: Office, limit: int, summed: int) -> None:
    for number in range(6):
        if number == summed:
            office.sum_up()
        single(office, f"c-{number}", 8200 + number)
        office.clock.pass_by(minutes=1)
    single(office, "c-2", 8300)
    assert [one.campaign_id for one in listed(office, limit)] == [f"c-{number}" for number in reversed(range(6))]
    counts = {one.campaign_id: one.figures.counts.total for one in listed(office, limit)}
    assert counts == {f"c-{number}": 1 + (number == 2) for number in range(6)}


def test_a_page_costs_the_same_for_many_messages_and_campaigns(office: Office) -> None:
    distribute(office, "large", 400)
    for number in range(60):
        single(office, f"c-{number}", 8200 + number)
    for _ in range(3):
        office.do_tasks()
        office.deliver(within=timedelta(seconds=60))
    office.sum_up()
    before = Counter(office.points.passed)
    office.run(office.worker().campaigns.page(DEMO, None, 50))
    asked = {name: count - before[name] for name, count in office.points.passed.items() if count > before[name]}
    assert asked == {"sums.campaigns": 1, "sums.unsummed": 1, "sums.read": 1}


def test_another_organisation_has_no_campaigns(office: Office) -> None:
    single(office, "c-1")
    office.sum_up()
    assert office.run(office.worker().campaigns.page("other", None, 50)) == ([], None)
