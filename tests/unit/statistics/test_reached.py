"""`reached`: the rows whose message, fallback or resend arrived. Each row counts once, in any order, with killed
workers and after recounts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.base.ids import fallback_id, resend_id
from shared.campaigns.counts import AT_REST_AFTER
from shared.campaigns.distribution import Distribution
from shared.messages.errors import Kind, SendError
from shared.messages.message import ARRIVED, Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.texts.content import Content, FallbackOrder
from tests.fakes.office import DEMO, Office, recipient

GONE = SendError(Kind.RECIPIENT, "131026", "not_on_whatsapp")
WISH = FallbackOrder(content=Content(text="SMS pour {first_name}"), after_minutes=90)


def failed(office: Office, rows: int, *, fallback: bool) -> tuple[Distribution, list[Message]]:
    """A WhatsApp distribution whose messages have all failed, with its fallbacks sent."""
    office.provider.answers = [GONE] * rows
    new = office.new_distribution([recipient(number) for number in range(rows)], channel=Channel.WHATSAPP, confirm=True)
    order = replace(new.order, fallback=WISH) if fallback else new.order
    made = office.run(office.planning().create(replace(new, order=order)))
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=30))
    office.do_tasks()
    office.deliver(within=timedelta(seconds=30))
    return made, [row for row in office.log.rows.values() if row.chunk is not None]


def report(office: Office, message_id: str, status: Status, kill: tuple[str, int] | None = None) -> None:
    """The worker that takes a report; the same report comes again if it dies."""

    async def take() -> None:
        status_writer = office.status_writer()
        await status_writer.move(DEMO, message_id, Move(status=status, at=office.clock.now()))
        await status_writer.flush()

    if (kill is not None and office.killed(take(), kill)) or kill is None:
        office.run(take())


def reached(office: Office, made: Distribution) -> int:
    return office.run(office.browse.distribution(DEMO, made.distribution_id)).counts.reached


def by_hand(office: Office, rows: Iterable[Message]) -> int:
    """Over each row and what stands for it."""

    def arrived(message_id: str) -> bool:
        row = office.log.rows.get((DEMO, message_id))
        if row is None:
            return False
        return row.status in ARRIVED or arrived(fallback_id(message_id)) or arrived(resend_id(message_id))

    return sum(arrived(row.message_id) for row in rows)


def settled(office: Office) -> None:
    """The requested recounts are done."""
    for _ in range(2):
        office.clock.pass_by(seconds=61)
        office.tick()


def test_a_fallback_that_arrives_reaches_its_row(office: Office) -> None:
    made, rows = failed(office, 3, fallback=True)
    assert reached(office, made) == 0
    report(office, fallback_id(rows[0].message_id), Status.DELIVERED)
    assert reached(office, made) == 1
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.fallbacks.by_status == {Status.SENT: 2, Status.DELIVERED: 1}
    assert view.counts.by_status == {Status.FAILED: 3}


@pytest.mark.parametrize("first", [True, False], ids=["the fallback first", "the message first"])
def test_a_row_counts_once_though_both_arrive(office: Office, first: bool) -> None:
    """Meta may report late that the message has arrived after all."""
    made, rows = failed(office, 2, fallback=True)
    one = rows[0].message_id
    for message_id in (fallback_id(one), one) if first else (one, fallback_id(one)):
        for status in (Status.DELIVERED, Status.DELIVERED):
            report(office, message_id, status)
            assert reached(office, made) == 1
    settled(office)
    assert reached(office, made) == 1


def test_a_resend_and_its_resend_reach_their_row(office: Office) -> None:
    made, rows = failed(office, 2, fallback=False)
    first = office.run(office.resends().resend(DEMO, rows[0].message_id))
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=30))
    assert reached(office, made) == 0
    status_writer = office.status_writer()
    again = Move(status=Status.FAILED, at=office.clock.now(), reason="not_on_whatsapp")
    office.run(status_writer.move(DEMO, first.message_id, again))
    office.run(status_writer.flush())
    second = office.run(office.resends().resend(DEMO, first.message_id))
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=30))
    report(office, second.message_id, Status.READ)
    assert reached(office, made) == by_hand(office, rows) == 1
    report(office, first.message_id, Status.DELIVERED)
    assert reached(office, made) == 1


@pytest.mark.parametrize("point", ["log.note_reached", "distributions.count", "distributions.want_recount"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_worker_that_dies_loses_no_row(office: Office, point: str, nth: int) -> None:
    made, rows = failed(office, 3, fallback=True)
    for row in rows:
        report(office, fallback_id(row.message_id), Status.DELIVERED, (point, nth))
    settled(office)
    assert reached(office, made) == by_hand(office, rows)
    office.clock.pass_by(seconds=AT_REST_AFTER.total_seconds() + 60)
    settled(office)
    assert reached(office, made) == by_hand(office, rows)


REPORTS = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from([Status.SENT, Status.DELIVERED, Status.READ])),
    max_size=12,
)


@given(REPORTS)
@settings(max_examples=30, deadline=None)
def test_reached_equals_a_count_of_the_rows(reports: list[tuple[int, bool, Status]]) -> None:
    office = Office()
    made, rows = failed(office, 4, fallback=True)
    for number, of_fallback, status in reports:
        identity = rows[number].message_id
        report(office, fallback_id(identity) if of_fallback else identity, status)
        assert reached(office, made) == by_hand(office, rows)
    settled(office)
    assert reached(office, made) == by_hand(office, rows)


def test_a_distribution_without_fallback_reaches_what_arrived(office: Office) -> None:
    made = office.distribute(5)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=30))
    rows = list(office.log.rows.values())
    for row in rows[:2]:
        report(office, row.message_id, Status.DELIVERED)
    assert reached(office, made) == by_hand(office, rows) == 2


@pytest.fixture
def office() -> Office:
    return Office()
