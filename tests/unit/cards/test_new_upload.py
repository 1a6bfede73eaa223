"""Meta refuses a card's picture (131053), in the answer or in a webhook: the card is uploaded again and the message
sent once more, and never a third time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.messages.errors import SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.status_writer import StillUnderWayError
from shared.providers.meta.errors import CODES
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.office import Office

FEW = timedelta(seconds=10)


def refused() -> SendError:
    return CODES[131053].error("131053")


def reported(message: Message, status: Status, *, attempt: int = 1, card: bool = False) -> StatusReport:
    key = Attempt(message_id=message.message_id, number=attempt, card_half=card)
    error = refused() if status is Status.FAILED else None
    return StatusReport(attempt=key, provider_message_id="wamid.x", status=status, at=message.accepted_at, error=error)


@pytest.fixture
def office() -> Office:
    return Office()


def settle(office: Office) -> None:
    """A few minutes, each with its tick and its senders."""
    for _ in range(4):
        office.clock.pass_by(seconds=60)
        office.tick()
        office.do_tasks()
        office.deliver(Channel.WHATSAPP, within=timedelta(seconds=30))


def test_a_refusal_in_the_answer_causes_a_new_upload(office: Office) -> None:
    office.provider.answers = [refused()]
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=FEW)
    row = office.row(message.message_id)
    assert (row.status, row.attempts, row.due_at, row.retrying) == (Status.SENT, 2, None, False)
    [payload] = office.provider.payloads
    assert payload.card_after == row.card_after
    assert row.card_after is not None
    assert message.accepted_at <= row.card_after < office.clock.now()


def test_a_second_refusal_in_the_answer_fails_the_message(office: Office) -> None:
    office.provider.answers = [refused(), refused()]
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=FEW)
    settle(office)
    row = office.row(message.message_id)
    assert (row.status, row.reason, row.attempts) == (Status.FAILED, "card_not_a_picture", 2)
    assert office.provider.calls == 2


def test_the_new_upload_goes_also_if_its_queue_message_was_lost(office: Office) -> None:
    office.provider.answers = [refused()]
    message = office.single(channel=Channel.WHATSAPP)
    office.run(office.step(Channel.WHATSAPP).send_all(office.queue.take()))
    office.queue.take()
    settle(office)
    assert office.row(message.message_id).status is Status.SENT
    assert [payload.card_after for payload in office.provider.payloads] == [office.row(message.message_id).card_after]


def test_a_refusal_that_is_reported_later_causes_one_new_upload(office: Office) -> None:
    """Meta takes the message and reports `failed` later, several times. A report about the second attempt ends the
    message."""
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    claimed_at = office.row(message.message_id).claimed_at
    for _ in range(2):
        office.reported(reported(message, Status.FAILED))
        assert office.row(message.message_id).status is Status.SENT
    settle(office)
    office.reported(reported(message, Status.FAILED))
    row = office.row(message.message_id)
    assert (row.status, row.attempts, row.card_after) == (Status.SENT, 2, claimed_at)
    assert [payload.card_after for payload in office.provider.payloads] == [None, claimed_at]
    office.reported(reported(message, Status.FAILED, attempt=2))
    settle(office)
    row = office.row(message.message_id)
    assert (row.status, row.reason, row.attempts) == (Status.FAILED, "card_not_a_picture", 2)
    assert office.provider.calls == 2


def test_a_refusal_in_the_answer_and_a_later_one_count_as_two(office: Office) -> None:
    office.provider.answers = [refused()]
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=FEW)
    office.reported(reported(message, Status.FAILED, attempt=2))
    settle(office)
    row = office.row(message.message_id)
    assert (row.status, row.reason, office.provider.calls) == (Status.FAILED, "card_not_a_picture", 2)


def test_a_refusal_during_its_own_send_is_handled_later(office: Office) -> None:
    message = office.single(channel=Channel.WHATSAPP)
    [queue_message] = office.queue.take()
    assert office.killed(office.step(Channel.WHATSAPP).send_all([queue_message]), ("provider.answer", 1))
    with pytest.raises(StillUnderWayError):
        office.reported(reported(message, Status.FAILED))
    office.clock.pass_by(seconds=91)
    office.reported(reported(message, Status.FAILED))
    settle(office)
    row = office.row(message.message_id)
    assert (row.status, row.attempts) == (Status.SENT, 2)


def test_a_queue_message_from_before_the_refusal_does_not_show_the_refused_upload_again(office: Office) -> None:
    message = office.single(channel=Channel.WHATSAPP)
    [queue_message] = office.queue.take()
    office.run(office.step(Channel.WHATSAPP).send_all([queue_message]))
    office.reported(reported(message, Status.FAILED))
    office.run(office.step(Channel.WHATSAPP).send_all([queue_message]))
    assert office.provider.calls == 1
    settle(office)
    row = office.row(message.message_id)
    assert (row.status, row.attempts) == (Status.SENT, 2)
    assert [payload.card_after for payload in office.provider.payloads] == [None, row.card_after]


def test_no_fallback_starts_while_the_card_is_sent_once_more(office: Office) -> None:
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    row = office.row(message.message_id)
    office.log.rows[row.organisation, row.message_id] = replace(row, fallback_minutes=5)
    office.reported(reported(message, Status.FAILED))
    row = office.row(message.message_id)
    assert (row.awaits_fallback, row.fell_back, row.is_open) == (False, False, True)


def test_a_refused_card_ends_the_message_if_its_text_was_sent(office: Office) -> None:
    """The text must not come twice."""
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    row = office.row(message.message_id)
    office.log.rows[row.organisation, row.message_id] = replace(row, card_attempt=1)
    office.reported(reported(message, Status.FAILED, card=True))
    settle(office)
    row = office.row(message.message_id)
    assert (row.status, row.reason, office.provider.calls) == (Status.FAILED, "card_not_a_picture", 1)
