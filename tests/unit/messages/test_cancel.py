"""POST /v1/messages/{message_id}/cancel: it ends what no sender has claimed, once, and counts it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import override

import pytest

from shared.base.ids import fallback_id
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import Action, Distribution, DistributionStatus
from shared.holds.hold import ACCOUNT
from shared.messages.errors import Kind, SendError
from shared.messages.message import DeadLetter, DeadReason, Message, Status, dead_letter_id
from shared.messages.payload import Channel
from shared.messages.ports import Move, Moved
from shared.texts.content import Content, FallbackOrder
from tests.fakes.log import FakeLog
from tests.fakes.office import DEMO, Office

TOMORROW = timedelta(days=1)
WISH = FallbackOrder(content=Content(text="SMS"), after_minutes=90)
POINTS = ("log.get", "log.move", "distributions.count")


@pytest.fixture
def office() -> Office:
    return Office()


def cancelled(office: Office, message: Message) -> Message:
    office.run(office.worker().message_cancels.cancel(DEMO, message.message_id))
    return office.row(message.message_id)


def refusal(office: Office, message: Message) -> Refusal:
    rows = dict(office.log.rows)
    with pytest.raises(Refusal) as refused:
        cancelled(office, message)
    assert office.log.rows == rows
    return refused.value


def queued(office: Office) -> Message:
    return office.single()


def scheduled(office: Office) -> Message:
    return office.single(send_at=office.clock.now() + TOMORROW)


def held(office: Office) -> Message:
    """It waits for the end of a hold; no queue message is left."""
    made = office.single()
    office.run(office.holding.hold(office.run(office.holding.get(DEMO, Channel.SMS)), ACCOUNT, "token_invalid"))
    office.queue.waiting.clear()
    assert made.due_at is not None
    assert office.run(office.log.park(DEMO, made.message_id, channel=Channel.SMS, seen=made.due_at, scope=ACCOUNT))
    assert office.row(made.message_id).held_by is not None
    return made


def dead(office: Office) -> Message:
    made = office.single()
    office.queue.waiting.clear()
    letter = DeadLetter(received_at=office.clock.now(), reason=DeadReason.HANDLING_FAILED, attempts=12)
    assert office.run(office.log.mark_dead(DEMO, made.message_id, letter))
    return made


def given_back(office: Office) -> Message:
    """Its first attempt was certainly not sent; the agenda tries it again."""
    office.provider.answers = [SendError(Kind.RETRY, "503")]
    made = office.single()
    office.deliver(within=timedelta(seconds=5))
    assert (office.row(made.message_id).attempts, office.row(made.message_id).lease_until) == (1, None)
    return made


def row_of_a_distribution(office: Office) -> Message:
    office.distribute(3)
    office.do_tasks()
    return min(office.log.rows.values(), key=lambda row: row.payload.row or 0)


def row_of_a_paused_distribution(office: Office) -> Message:
    row = row_of_a_distribution(office)
    office.run(office.control.act(DEMO, row.distribution_id or "", Action.PAUSE))
    return row


WAITING: dict[str, Callable[[Office], Message]] = {
    "queued": queued,
    "scheduled": scheduled,
    "held": held,
    "dead": dead,
    "given back": given_back,
    "row": row_of_a_distribution,
    "row of a paused distribution": row_of_a_paused_distribution,
}


@pytest.mark.parametrize("case", WAITING)
def test_a_message_that_no_sender_has_claimed_ends_and_is_never_sent(office: Office, case: str) -> None:
    made = WAITING[case](office)
    calls = [to for to, _ in office.provider.accepted]
    row = cancelled(office, made)
    assert (row.status, row.reason, row.failed_at) == (Status.FAILED, "cancelled", office.clock.now())
    assert (row.due_at, row.dead, row.held_by, row.lease_until) == (None, None, None, None)
    assert cancelled(office, made) == row, "a repeated request"
    if row.chunk is not None:
        office.run(office.control.act(DEMO, row.chunk.distribution_id, Action.RESUME))
    office.run(office.holding.end(DEMO, Channel.SMS, [ACCOUNT]))
    office.finish()
    assert office.row(made.message_id) == row
    number = "+221770008200" if row.chunk is None else "+221770000001"
    assert number not in [to for to, _ in office.provider.accepted][len(calls) :]


def test_a_dead_letter_that_was_cancelled_is_not_redriven(office: Office) -> None:
    made = dead(office)
    letter = office.row(made.message_id).dead
    assert letter is not None
    cancelled(office, made)
    identity = dead_letter_id(made.message_id, letter.received_at)
    assert office.run(office.redrives().some(DEMO, [identity])) == 0


@pytest.mark.parametrize("fallback", [None, WISH])
@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED])
def test_every_other_status_is_a_conflict(office: Office, status: Status, fallback: FallbackOrder | None) -> None:
    made = office.single(channel=Channel.WHATSAPP, fallback=fallback)
    office.run(office.log.move(DEMO, made.message_id, Move(status=status, at=office.clock.now(), reason="expired")))
    refused = refusal(office, made)
    assert (refused.code, refused.facts["status"]) == (ProblemCode.STATE_CONFLICT, status)


def claim(office: Office, message: Message) -> None:
    now = office.clock.now()
    lease = now + timedelta(seconds=90)
    office.run(office.log.claim(DEMO, message.message_id, token="t", now=now, lease_until=lease))


def test_a_claimed_message_and_one_with_an_unknown_outcome_are_conflicts(office: Office) -> None:
    claimed, lapsed, unknown = office.single(8201), office.single(8202), office.single(8203)
    for one in (lapsed, unknown):
        claim(office, one)
    now = office.clock.now()
    due_at = now + TOMORROW
    assert office.run(office.log.mark_unknown(DEMO, unknown.message_id, token="t", now=now, due_at=due_at))
    office.clock.pass_by(minutes=5)
    claim(office, claimed)
    for one, why in ((claimed, "claimed"), (lapsed, "claimed"), (unknown, "unknown")):
        refused = refusal(office, one)
        assert (refused.code, refused.facts["too_late"]) == (ProblemCode.STATE_CONFLICT, why)


def test_a_message_that_was_sent_and_goes_once_more_is_a_conflict(office: Office) -> None:
    made = office.single(channel=Channel.WHATSAPP)
    office.log.rows[DEMO, made.message_id] = replace(office.row(made.message_id), status=Status.SENT, retrying=True)
    assert refusal(office, made).code is ProblemCode.STATE_CONFLICT


def test_a_message_of_another_organisation_is_not_found(office: Office) -> None:
    made = office.single()
    with pytest.raises(Refusal) as refused:
        office.run(office.worker().message_cancels.cancel("stranger", made.message_id))
    assert refused.value.code is ProblemCode.NOT_FOUND


class Overtaken(FakeLog):
    """A sender claims the message between the cancel's read and its write."""

    @override
    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        lease = move.at + timedelta(seconds=90)
        await self.claim(organisation, message_id, token="t", now=move.at, lease_until=lease)
        return await super().move(organisation, message_id, move)


def test_a_claim_that_comes_in_between_wins(office: Office) -> None:
    office.log = Overtaken(office.points)
    office.put_together()
    made = office.single()
    with pytest.raises(Refusal) as refused:
        cancelled(office, made)
    assert refused.value.code is ProblemCode.STATE_CONFLICT
    assert (office.row(made.message_id).status, office.row(made.message_id).claim_token) == (Status.PENDING, "t")


def test_no_fallback_follows(office: Office) -> None:
    made = office.single(channel=Channel.WHATSAPP, fallback=WISH)
    cancelled(office, made)
    office.clock.pass_by(hours=25)
    office.finish(Channel.WHATSAPP)
    office.finish()
    assert (DEMO, fallback_id(made.message_id)) not in office.log.rows
    assert office.provider.calls == 0


def counts(office: Office, distribution: Distribution) -> dict[str, int]:
    view = office.run(office.browse.distribution(DEMO, distribution.distribution_id))
    return {str(status): view.counts.of(status) for status in Status if view.counts.of(status)} | dict(
        view.counts.by_reason
    )


@pytest.mark.parametrize("point", POINTS)
def test_a_request_that_dies_anywhere_is_repeated_and_counted_once(office: Office, point: str) -> None:
    made = office.distribute(3)
    office.do_tasks()
    row = min(office.log.rows.values(), key=lambda one: one.payload.row or 0)
    assert office.killed(office.worker().message_cancels.cancel(DEMO, row.message_id), (point, 1))
    for _ in range(2):
        cancelled(office, row)
    office.finish()
    assert counts(office, made) == {"sent": 2, "failed": 1, "cancelled": 1}


def test_a_distribution_whose_last_row_is_cancelled_is_completed(office: Office) -> None:
    made = office.distribute(1)
    office.do_tasks()
    [row] = office.log.rows.values()
    cancelled(office, row)
    office.finish()
    stored = office.distributions.items[DEMO, made.distribution_id]
    assert (stored.status, counts(office, made)) == (DistributionStatus.COMPLETED, {"failed": 1, "cancelled": 1})


def test_a_cancelled_message_may_be_sent_again(office: Office) -> None:
    made = office.single()
    cancelled(office, made)
    again = office.run(office.resends().resend(DEMO, made.message_id))
    office.deliver(within=timedelta(seconds=5))
    assert office.row(again.message_id).status is Status.SENT
