"""Meta's daily limit: so many different people outside sessions in any 24 hours, for each business portfolio."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.instants import hour_of
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import DistributionStatus
from shared.holds.hold import DAILY_LIMIT
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.pacing.daily_limit import DailyLimit, NumberStatusUpdate, Remaining
from shared.sending.test_send import NewTestSend
from shared.texts.content import Content
from tests.fakes.office import DEMO, WHATSAPP, Office, recipient

TIERS = [250, 2_000, 10_000, 100_000, None]
HOUR = timedelta(hours=1)


@pytest.fixture
def office() -> Office:
    return Office()


def limit(office: Office, people: int | None) -> None:
    reported = NumberStatusUpdate(at=office.clock.now(), limit=DailyLimit(people=people), is_reading=True)
    office.run(office.number_statuses.tell(DEMO, WHATSAPP.phone_number_id, reported))
    office.meta.error = None


def counted(office: Office, people: int, *, ago: timedelta) -> None:
    """Counts so many people at that time."""
    hours = office.people_count.hours[DEMO, WHATSAPP.phone_number_id]
    hour = hour_of(office.clock.now() - ago)
    hours[hour] = hours.get(hour, 0) + people


def used(office: Office) -> int:
    return office.run(office.people_count.used(DEMO, WHATSAPP.phone_number_id, office.clock.now()))


@pytest.mark.parametrize("people", TIERS)
@pytest.mark.parametrize("before", [-1, 0])
def test_each_tier_at_its_edge(office: Office, people: int | None, before: int) -> None:
    """Below the limit the message leaves. At the limit it waits until the oldest hour leaves, and does not fail."""
    limit(office, people)
    counted(office, (people or 1_000_000) + before, ago=3 * HOUR)
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    row = office.row(message.message_id)
    if people is None or before < 0:
        assert row.status is Status.SENT
        return
    leaves = office.clock.now().replace(minute=0, second=0, microsecond=0) + 22 * HOUR
    assert (row.status, row.attempts) == (Status.PENDING, 0)
    office.clock.instant = leaves - timedelta(seconds=1)
    office.tick()
    assert office.row(message.message_id).held_by == str(DAILY_LIMIT)
    office.deliver(Channel.WHATSAPP)
    assert office.provider.calls == 0
    office.clock.instant = leaves + timedelta(minutes=1)
    office.tick()
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    assert office.row(message.message_id).status is Status.SENT


def test_without_a_limit_no_person_is_counted(office: Office) -> None:
    limit(office, None)
    office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    assert office.provider.calls == 1
    assert office.points.passed["people_count.take"] == 0


def test_an_unknown_limit_stops_no_message_but_people_are_counted(office: Office) -> None:
    office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    assert (office.provider.calls, used(office)) == (1, 1)


def test_sms_has_no_such_limit(office: Office) -> None:
    limit(office, 0)
    office.single()
    office.deliver()
    assert (office.provider.calls, used(office)) == (1, 0)


def test_a_person_counts_once_for_many_messages(office: Office) -> None:
    limit(office, 1)
    for number in range(3):
        office.clock.pass_by(hours=number * 5)
        message = office.single(channel=Channel.WHATSAPP, key=f"again-{number}")
        office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
        assert office.row(message.message_id).status is Status.SENT
    assert used(office) == 1
    other = office.single(8201, channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    assert office.row(other.message_id).status is Status.PENDING


@pytest.mark.parametrize("content", [Content(text="Bonjour"), Content(template="vaccination_card")])
def test_a_person_in_a_session_does_not_count(office: Office, content: Content) -> None:
    limit(office, 0)
    person = office.number_key.person(DEMO, str(recipient(8200)["phone"]))
    office.run(office.sessions.open(DEMO, WHATSAPP.phone_number_id, person, office.clock.now() + HOUR))
    office.single(channel=Channel.WHATSAPP, content=content)
    office.deliver(Channel.WHATSAPP)
    assert (office.provider.calls, used(office)) == (1, 0)


def test_the_limit_is_the_portfolios(office: Office) -> None:
    """Two numbers of one business account share it."""
    office.single(channel=Channel.WHATSAPP)
    office.integrations.kept[DEMO, "whatsapp"] = replace(WHATSAPP, business_account_id="77")
    office.deliver(Channel.WHATSAPP)
    assert list(office.people_count.hours) == [(DEMO, "77")]


@pytest.mark.parametrize(
    ("people", "goes"),
    [(None, 3), (1, 1), (100, 1), (101, 2), (0, 0)],
)
def test_a_chunk_goes_if_it_begins_below_the_limit(people: int | None, goes: int) -> None:
    assert Remaining(limit=DailyLimit(people=people)).chunks([100, 100, 40]) == goes
    assert Remaining().chunks([100, 100, 40]) == 3


def test_only_chunks_that_begin_below_the_limit_are_released(office: Office) -> None:
    limit(office, 250)
    rows = [recipient(number) for number in range(1, 801)]
    office.run(office.planning().create(office.new_distribution(rows, channel=Channel.WHATSAPP, confirm=True)))
    office.do_tasks()
    assert len(office.queue.waiting) == 300, "less than a chunk too many"


def test_release_books_no_more_than_the_limit_leaves(office: Office) -> None:
    """It shows why it waits, looks again, and goes on by itself when the oldest hour has left."""
    limit(office, 250)
    counted(office, 100, ago=2 * HOUR)
    rows = [recipient(number) for number in range(1, 451)]
    new = office.new_distribution(rows, channel=Channel.WHATSAPP, confirm=True)
    made = office.run(office.planning().create(new))
    office.do_tasks()
    assert len(office.queue.waiting) < 150 + 100, "less than a chunk too many"
    for _ in range(4):
        office.deliver(Channel.WHATSAPP, within=timedelta(minutes=1))
        office.tick()
    stored = office.distributions.items[DEMO, made.distribution_id]
    assert (stored.status, stored.status_reason) == (DistributionStatus.SENDING, "daily_limit")
    assert office.provider.calls == 150
    assert stored.due_at is not None
    assert stored.due_at - office.clock.now() <= timedelta(minutes=15)
    office.clock.pass_by(hours=23)
    for _ in range(6):
        limit(office, 250)
        office.tick()
        office.deliver(Channel.WHATSAPP, within=timedelta(minutes=1))
    assert office.provider.calls == 250, "the hundred of two hours before made room"
    office.clock.pass_by(hours=26)
    for _ in range(20):
        limit(office, None)
        office.tick()
        office.deliver(Channel.WHATSAPP, within=timedelta(minutes=1))
    stored = office.distributions.items[DEMO, made.distribution_id]
    assert (stored.status, stored.status_reason) == (DistributionStatus.COMPLETED, None)
    assert office.provider.calls == 450
    assert len({to for to, _ in office.provider.accepted}) == 450


def test_a_test_send_shows_that_the_limit_is_used_up(office: Office) -> None:
    limit(office, 0)
    settings = office.run(office.settings.read(DEMO, Channel.WHATSAPP))
    new = NewTestSend(to="+221770008200", language="fr", message_id="t-1")
    sending = office.send_test().send(office.step(Channel.WHATSAPP), settings, new)
    with pytest.raises(Refusal) as refused:
        office.run(sending)
    assert (refused.value.code, refused.value.facts["reason"]) == (ProblemCode.STATE_CONFLICT, "daily_limit")
    row = office.row("t-1")
    assert (row.status, row.reason, row.due_at) == (Status.FAILED, "expired", None)
