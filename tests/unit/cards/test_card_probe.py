"""Planning fetches a few cards as a test. It warns soon if they cannot be fetched, and it never fails."""

import asyncio
from dataclasses import replace

import pytest

from shared.base.refusal import ApiWarning
from shared.campaigns.distribution import Distribution, DistributionStatus
from shared.cards.probe import WITHIN_SECONDS, CardProbe
from shared.cards.references import sample_picture
from shared.messages.errors import Kind, Scope, SendError
from shared.messages.payload import Channel
from tests.fakes.office import CARD, DEMO, Office, recipient
from tests.fakes.virtual import VirtualLoop
from tests.fakes.world import FakeClock

GONE = SendError(Kind.RECIPIENT, "card HTTP 404", "card_unreachable", scope=Scope.CARDS)


@pytest.fixture
def office() -> Office:
    return Office()


def plan(office: Office, rows: int, channel: Channel = Channel.WHATSAPP) -> Distribution:
    recipients = [recipient(number) for number in range(1, rows + 1)]
    return office.run(office.planning().create(office.new_distribution(recipients, channel=channel)))


def warned(made: Distribution) -> list[ApiWarning]:
    assert made.status is DistributionStatus.PLANNED
    return [warning for warning in made.planned.warnings if warning.code == "cards_unreachable"]


def test_a_few_cards_are_fetched_and_available_ones_cause_no_warning(office: Office) -> None:
    assert warned(plan(office, 300)) == []
    assert 3 <= len(set(office.cards.fetched)) <= 5


@pytest.mark.parametrize(("broken", "count"), [(["*"], 5), (["https://cards.example.org/CARD-2.png"], 1)])
def test_unavailable_cards_are_counted_without_their_urls(office: Office, broken: list[str], count: int) -> None:
    office.cards.broken = dict.fromkeys(broken, GONE)
    [warning] = warned(plan(office, 5))
    assert (warning.count, warning.facts) == (count, {"tried": "5"})


def test_sms_have_no_cards_to_try(office: Office) -> None:
    office.cards.broken["*"] = GONE
    assert warned(plan(office, 5, Channel.SMS)) == []
    assert office.cards.fetched == []


def test_cards_of_an_upload_are_fetched_too(office: Office) -> None:
    office.cards.broken["*"] = GONE
    header = "phone,first_name,last_name,programme_name,card_code,verification_url,card_image,consent"
    lines = [f"+2217700{n:05d},A,B,PNV,CARD-{n},https://v.example.org/c,{CARD},true" for n in range(1, 31)]
    office.uploads.put(DEMO, "u-1", "csv", "\n".join([header, *lines]).encode())
    order = office.new_distribution([], channel=Channel.WHATSAPP)
    made = office.run(office.planning().create(replace(order, recipients=None, upload_id="u-1")))
    office.do_tasks()
    assert len(warned(office.distributions.items[DEMO, made.distribution_id])) == 1


class Pictures:
    """Answers each request after so many seconds of the loop's time."""

    def __init__(self, seconds: float, content: bytes) -> None:
        self.seconds = seconds
        self.content = content
        self.ended = 0

    async def fetch(self, reference: str, organisation: str) -> bytes:
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.ended += 1
        return self.content


@pytest.mark.parametrize(
    ("seconds", "content", "missing"),
    [
        (WITHIN_SECONDS - 1, sample_picture(), 0),
        (WITHIN_SECONDS + 1, sample_picture(), 3),
        (3600, sample_picture(), 3),
        (0, b"<html>", 3),
    ],
)
def test_the_probe_ends_in_time_and_leaves_no_request_under_way(seconds: float, content: bytes, missing: int) -> None:
    clock = FakeClock()
    began = clock.now()
    cards = Pictures(seconds, content)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        warnings = runner.run(CardProbe(cards).warnings(["a", "b", "c"], DEMO))
    assert [warning.count for warning in warnings] == ([missing] if missing else [])
    assert (clock.now() - began).total_seconds() <= WITHIN_SECONDS + 0.01
    assert cards.ended == 3
