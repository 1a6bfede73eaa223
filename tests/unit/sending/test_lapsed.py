"""A worker died with its claim, and the next queue message may not be sent any more: a step has to end the message.

Found by tests/unit/messages/test_model.py. Before the fix the claim stayed for ever if the gate had closed meanwhile.
"""

from datetime import UTC, datetime, timedelta

import pytest

from shared.campaigns.distribution import Action, DistributionStatus
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from tests.fakes.consents import revoked
from tests.fakes.office import DEMO, Office

BEFORE_NIGHT = datetime(2026, 11, 23, 20, 59, 50, tzinfo=UTC)
VISIBILITY = timedelta(seconds=360)


@pytest.fixture
def office() -> Office:
    return Office()


def killed_with_its_claim(office: Office, channel: Channel) -> Message:
    """One row of a distribution. Its queue message is on the queue again."""
    office.distribute(1, channel=channel)
    office.do_tasks()
    queue_messages = office.queue.take()
    assert office.killed(office.step(channel).send_all(queue_messages), ("provider.send", 1))
    office.clock.instant += VISIBILITY
    office.queue.waiting = queue_messages
    [message] = office.log.rows.values()
    assert message.lease_until is not None
    return message


def ends_unknown(office: Office, message: Message) -> None:
    for _ in range(60):
        office.clock.pass_by(minutes=30)
        office.tick()
        office.deliver(message.channel)
    row = office.row(message.message_id)
    assert (row.status, row.reason, row.due_at) == (Status.FAILED, "outcome_unknown", None)
    assert office.provider.accepted == []


def test_an_expired_claim_ends_after_the_night_has_begun(office: Office) -> None:
    office.clock.instant = BEFORE_NIGHT
    message = killed_with_its_claim(office, Channel.SMS)
    office.deliver()
    assert office.row(message.message_id).status is Status.FAILED
    ends_unknown(office, message)


@pytest.mark.parametrize("channel", Channel)
def test_an_expired_claim_ends_after_an_opt_out(office: Office, channel: Channel) -> None:
    message = killed_with_its_claim(office, channel)
    office.run(office.people.record(DEMO, message.person, [revoked(office.clock.now())]))
    office.deliver(channel)
    ends_unknown(office, message)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("queue_message_comes_again", [True, False])
def test_an_expired_claim_ends_after_a_cancel(
    office: Office, channel: Channel, queue_message_comes_again: bool
) -> None:
    message = killed_with_its_claim(office, channel)
    [distribution] = office.distributions.items.values()
    office.run(office.control.act(DEMO, distribution.distribution_id, Action.CANCEL))
    if queue_message_comes_again:
        office.deliver(channel)
    else:
        office.queue.waiting = []
    ends_unknown(office, message)
    [distribution] = office.distributions.items.values()
    assert (distribution.status, distribution.due_at) == (DistributionStatus.CANCELLED, None)
    view = office.run(office.browse.distribution(DEMO, distribution.distribution_id))
    assert view.counts.by_status == {Status.FAILED: 1}


def test_a_live_claim_is_left_to_its_worker(office: Office) -> None:
    office.clock.instant = BEFORE_NIGHT
    office.distribute(1)
    office.do_tasks()
    queue_messages = office.queue.take()
    assert office.killed(office.step(Channel.SMS).send_all(queue_messages), ("provider.send", 1))
    office.clock.pass_by(seconds=20)
    office.run(office.step(Channel.SMS).send_all(queue_messages))
    [row] = office.log.rows.values()
    assert (row.status, row.lease_until is not None) == (Status.PENDING, True)
