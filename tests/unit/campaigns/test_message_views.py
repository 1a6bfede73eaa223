"""A message as people see it: what its row says, and what its distribution says for all rows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.ids import SYSTEM, fallback_id
from shared.messages.errors import Kind, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.sending.test_send import NewTestSend
from shared.texts.content import Content, FallbackOrder
from tests.fakes.office import DEMO, OFFICER, Office

COLLEAGUE = "officer-8"


@pytest.fixture
def office() -> Office:
    return Office()


def created_by(office: Office, *messages: Message) -> list[str | None]:
    return [view.created_by for view in office.run(office.browse.views(DEMO, messages))]


def test_a_message_names_who_asked_for_it(office: Office) -> None:
    single = office.single()
    office.run(office.log.move(DEMO, single.message_id, Move(status=Status.FAILED, at=office.clock.now(), reason="x")))
    resent = office.run(office.resends().resend(DEMO, single.message_id, COLLEAGUE))
    settings = office.run(office.settings.read(DEMO, Channel.SMS))
    new = NewTestSend(to="+221770008201", language="fr", message_id="t-1", created_by=COLLEAGUE)
    tested = office.run(office.send_test().send(office.step(Channel.SMS), settings, new))
    assert created_by(office, office.row(single.message_id), resent, tested) == [OFFICER, COLLEAGUE, COLLEAGUE]


def test_a_repeated_resend_keeps_the_name_of_the_first(office: Office) -> None:
    single = office.single()
    office.run(office.log.move(DEMO, single.message_id, Move(status=Status.FAILED, at=office.clock.now(), reason="x")))
    for name in (COLLEAGUE, OFFICER):
        assert office.run(office.resends().resend(DEMO, single.message_id, name)).created_by == COLLEAGUE


def test_what_the_product_sends_by_itself_is_the_systems(office: Office) -> None:
    office.provider.answers = [SendError(Kind.RECIPIENT, "131026", "not_on_whatsapp")]
    wish = FallbackOrder(content=Content(text="SMS"), after_minutes=90)
    parent = office.single(channel=Channel.WHATSAPP, fallback=wish)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    office.do_tasks()
    fallback = office.row(fallback_id(parent.message_id))
    assert created_by(office, fallback, office.row(parent.message_id)) == [SYSTEM, OFFICER]


def test_a_row_has_the_name_of_its_distribution_which_its_item_does_not_repeat(office: Office) -> None:
    made = office.distribute(2)
    office.do_tasks()
    rows = list(office.log.rows.values())
    assert len(rows) == 2
    assert {row.created_by for row in rows} == {None}
    assert created_by(office, *rows) == [OFFICER, OFFICER]
    unnamed = replace(office.distributions.items[DEMO, made.distribution_id], created_by=None)
    office.distributions.items[DEMO, made.distribution_id] = unnamed
    assert created_by(office, *rows) == [None, None]
