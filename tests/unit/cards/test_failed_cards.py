"""A card that cannot be fetched: one bad card fails its row, but a host that serves no card fails no row."""

from collections import Counter
from datetime import datetime, timedelta
from typing import override

import pytest

from shared.campaigns.create import NewDistribution
from shared.campaigns.distribution import Action, Distribution, DistributionStatus, Order
from shared.cards.failures import CardPair
from shared.messages.errors import Kind, Scope, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.texts.content import Content, FallbackOrder
from tests.fakes.cards import FakeCardFailures
from tests.fakes.office import DEMO, Office, recipient

GONE = SendError(Kind.RECIPIENT, "card HTTP 404", "card_unreachable", scope=Scope.CARDS)
DOWN = SendError(Kind.RETRY, "ConnectError", "card_unreachable", scope=Scope.CARDS)
HOST = "cards.example.org"
WISH = FallbackOrder(content=Content(text="SMS pour {first_name}"), after_minutes=90)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def office() -> Office:
    return Office()


def url(number: int) -> str:
    return f"https://{HOST}/CARD-{number}.png"


def distribute(office: Office, rows: int) -> Distribution:
    """A confirmed WhatsApp campaign with a fallback."""
    new = NewDistribution(
        **{
            **{
                name: getattr(office.new_distribution([], channel=Channel.WHATSAPP, confirm=True), name)
                for name in NewDistribution.__slots__
            },
            "order": Order(content=Content(template="vaccination_card"), defaults={}, fallback=WISH),
            "recipients": [recipient(number) for number in range(1, rows + 1)],
        }
    )
    made = office.run(office.planning().create(new))
    office.do_tasks()
    office.cards.fetched.clear()  # removes the fetches of planning
    return made


def rows(office: Office) -> list[Message]:
    return sorted((row for row in office.log.rows.values()), key=lambda row: row.payload.row or 0)


def outcomes(office: Office) -> Counter[tuple[Status, str | None]]:
    return Counter((row.status, row.reason) for row in rows(office))


def fallbacks(office: Office) -> list[Message]:
    return [row for row in rows(office) if row.channel is Channel.SMS]


def pass_by(office: Office, minutes: int, *, workers: bool = True) -> None:
    for _ in range(minutes):
        office.tick()
        office.deliver(Channel.WHATSAPP, within=MINUTE if workers else timedelta(0))


def count(office: Office, made: Distribution) -> int:
    pair = CardPair(organisation=DEMO, distribution_id=made.distribution_id, host=HOST)
    return office.card_failures.in_a_row[pair]


@pytest.mark.parametrize("error", [GONE, DOWN])
def test_a_host_that_serves_no_card_fails_no_row_and_starts_no_fallback(office: Office, error: SendError) -> None:
    office.cards.broken["*"] = error
    made = distribute(office, 30)
    pass_by(office, 30)
    assert outcomes(office) == {(Status.PENDING, None): 30}
    assert fallbacks(office) == []
    assert office.provider.calls == 0
    assert count(office, made) >= 10
    assert all(row.lease_until is None for row in rows(office))
    held = office.distributions.items[DEMO, made.distribution_id]
    assert (held.status, held.status_reason) == (DistributionStatus.PAUSED, "cards_unavailable")
    assert len(office.cards.fetched) <= 10 + 10 + 30  # a batch, and then one message in a minute or two


class UncountedFailures(FakeCardFailures):
    """DynamoDB does not answer the first time."""

    answers = False

    @override
    async def failed(self, pair: CardPair, now: datetime) -> int:
        if not self.answers:
            self.answers = True
            raise ConnectionError("throttled")
        return await super().failed(pair, now)


def test_a_failure_that_cannot_be_counted_gives_the_claim_back(office: Office) -> None:
    """There was no call. A claim that stayed would end as an unknown outcome."""
    office.card_failures = UncountedFailures(office.points)
    office.cards.broken["*"] = DOWN
    distribute(office, 1)
    office.clock.pass_by(seconds=2)
    [queue_message] = office.queue.take()
    assert office.run(office.step(Channel.WHATSAPP).send_all([queue_message])) == [False]
    assert [row.lease_until for row in rows(office)] == [None]
    office.cards.broken.clear()
    assert office.run(office.step(Channel.WHATSAPP).send_all([queue_message])) == [True]
    assert outcomes(office) == {(Status.SENT, None): 1}


def test_everything_is_sent_once_when_the_host_is_back(office: Office) -> None:
    office.cards.broken["*"] = DOWN
    made = distribute(office, 30)
    pass_by(office, 10)
    office.cards.broken.clear()
    pass_by(office, 5)
    assert outcomes(office) == {(Status.SENT, None): 30}
    assert set(Counter(number for number, _ in office.provider.accepted).values()) == {1}
    assert count(office, made) == 0


@pytest.mark.parametrize("bad", [1, 5, 12])
def test_one_bad_card_among_good_ones_fails_after_its_second_try(office: Office, bad: int) -> None:
    """Also for the last row of the list: no later row shows that the host works."""
    office.cards.broken[url(bad)] = GONE
    made = distribute(office, 12)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    assert outcomes(office) == {(Status.SENT, None): 11, (Status.PENDING, None): 1}
    pass_by(office, 4)
    found = {row.payload.row: row for row in rows(office) if row.channel is Channel.WHATSAPP}
    assert (found[bad].status, found[bad].reason) == (Status.FAILED, "card_unreachable")
    assert office.cards.fetched.count(url(bad)) == 3  # twice, and once more after its host served another card
    assert len(fallbacks(office)) == 1  # this person's card is really missing
    assert count(office, made) == 0


def test_a_host_that_recovers_between_two_requests_does_not_fail_the_row(office: Office) -> None:
    """The second try fails while the host is down. When the worker fetches another card, the host works again."""
    office.cards.broken[url(2)] = GONE
    distribute(office, 4)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    fetch = office.cards.fetch

    async def back_after_the_first(reference: str, organisation: str) -> bytes:
        try:
            return await fetch(reference, organisation)
        finally:
            office.cards.broken.clear()

    office.cards.fetch = back_after_the_first  # type: ignore[method-assign]
    pass_by(office, 4)
    assert outcomes(office) == {(Status.SENT, None): 4}


def test_a_card_with_a_temporary_error_has_a_quarter_of_an_hour(office: Office) -> None:
    office.cards.broken[url(2)] = DOWN
    distribute(office, 4)
    pass_by(office, 12)
    assert outcomes(office) == {(Status.SENT, None): 3, (Status.PENDING, None): 1}
    pass_by(office, 6)
    assert outcomes(office)[Status.FAILED, "card_unreachable"] == 1


def test_a_second_failure_proves_nothing_while_the_host_serves_no_other_card(office: Office) -> None:
    """The good rows left before the host failed. A worker that remembers one of their cards fetches it again."""
    office.cards.broken[url(3)] = GONE
    distribute(office, 3)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    office.cards.broken["*"] = DOWN
    pass_by(office, 12)
    assert outcomes(office) == {(Status.SENT, None): 2, (Status.PENDING, None): 1}
    del office.cards.broken["*"]
    pass_by(office, 4)
    assert outcomes(office)[Status.FAILED, "card_unreachable"] == 1


def test_a_card_that_is_served_at_the_second_try_is_sent(office: Office) -> None:
    office.cards.broken[url(2)] = GONE
    distribute(office, 4)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    office.cards.broken.clear()
    pass_by(office, 3)
    assert outcomes(office) == {(Status.SENT, None): 4}


def test_a_list_with_one_card_for_all_rows_has_no_card_to_compare_with(office: Office) -> None:
    office.cards.broken["https://cards.example.org/all.png"] = GONE
    shared_card = [recipient(number, card_image="https://cards.example.org/all.png") for number in (1, 2, 3)]
    new = office.new_distribution(shared_card, channel=Channel.WHATSAPP, confirm=True)
    made = office.run(office.planning().create(new))
    office.do_tasks()
    pass_by(office, 12)
    assert outcomes(office) == {(Status.PENDING, None): 3}
    assert count(office, made) >= 10


@pytest.mark.parametrize("point", ["cards.failed", "log.give_back"])
def test_a_row_whose_worker_was_killed_before_the_record_does_not_fail_at_once(office: Office, point: str) -> None:
    """A killed worker's claim expires. Without a call the row waits for WhatsApp's reports and does not fail at
    once."""
    office.cards.broken["*"] = DOWN
    distribute(office, 1)
    office.clock.pass_by(seconds=2)
    [queue_message] = office.queue.take()
    assert office.killed(office.step(Channel.WHATSAPP).send_one(queue_message), (point, 1))
    office.run(office.step(Channel.WHATSAPP).send_one(queue_message))
    assert outcomes(office) == {(Status.PENDING, None): 1}


def test_a_served_card_causes_a_write_only_after_a_failure(office: Office) -> None:
    distribute(office, 20)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    assert outcomes(office) == {(Status.SENT, None): 20}
    assert (office.points.passed["cards.failed"], office.points.passed["cards.served"]) == (0, 0)


def test_a_failure_causes_one_write_and_the_next_served_card_another(office: Office) -> None:
    office.cards.broken[url(2)] = GONE
    distribute(office, 30)
    step = office.step(Channel.WHATSAPP)
    while office.queue.waiting:
        office.clock.pass_by(seconds=1)
        office.run(step.send_all(office.queue.take(most=10)))
    assert (office.points.passed["cards.failed"], office.points.passed["cards.served"]) == (1, 1)


def test_a_cancel_ends_a_row_that_waits_for_its_second_try(office: Office) -> None:
    office.cards.broken["*"] = DOWN
    made = distribute(office, 3)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    pass_by(office, 3)
    assert outcomes(office) == {(Status.FAILED, "cancelled"): 3}


@pytest.mark.parametrize(("error", "minutes"), [(GONE, 16), (DOWN, 24 * 60)])
def test_a_single_message_is_tried_again_before_it_fails(office: Office, error: SendError, minutes: int) -> None:
    office.cards.broken["*"] = error
    made = office.single(channel=Channel.WHATSAPP, fallback=WISH)
    office.deliver(Channel.WHATSAPP, within=MINUTE)
    began = office.clock.now()
    while office.row(made.message_id).status is Status.PENDING:
        assert fallbacks(office) == []
        office.clock.instant = max(office.clock.now(), office.row(made.message_id).due_at or office.clock.now())
        office.tick()
        office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    row = office.row(made.message_id)
    assert (row.status, row.reason) == (Status.FAILED, "card_unreachable")
    assert minutes * MINUTE - 2 * MINUTE <= office.clock.now() - began <= minutes * MINUTE + timedelta(hours=2)
    assert office.cards.fetched.count(url(8200)) >= 6
    office.tick()
    assert len(fallbacks(office)) == 1


def test_another_kind_of_failure_clears_the_first_one(office: Office) -> None:
    office.cards.broken["*"] = GONE
    made = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=MINUTE)
    assert office.row(made.message_id).card_failed_at is not None
    office.cards.broken.clear()
    office.provider.answers = [SendError(Kind.RETRY, "503")]
    office.tick()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=30))
    assert (office.row(made.message_id).status, office.row(made.message_id).card_failed_at) == (Status.PENDING, None)
