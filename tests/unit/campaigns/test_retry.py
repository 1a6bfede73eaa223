"""Retry: the failed rows of a distribution go out again as a new one, each at most once, at any point where a worker
may be killed."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.base.ids import resend_id, retry_id, row_message_id
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.campaigns.create import NewRetry
from shared.campaigns.distribution import Action, Distribution, DistributionStatus, Schedule, ScheduleMode
from shared.holds.hold import ACCOUNT
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.texts.content import Content, FallbackOrder
from tests.fakes.consents import revoked
from tests.fakes.office import DEMO, Office, recipient

REASONS = ("undeliverable", "provider_rejected", "outcome_unknown", "already_sent", "opted_out", "cancelled", "erased")


@pytest.fixture
def office() -> Office:
    return Office()


def fail(office: Office, message_id: str, reason: str = "undeliverable") -> None:
    """The message fails as a provider's report makes it fail, with its count."""
    writer = office.status_writer()
    office.run(writer.move(DEMO, message_id, Move(status=Status.FAILED, at=office.clock.now(), reason=reason)))
    office.run(writer.flush())


def arrive(office: Office, message_id: str) -> None:
    office.run(office.log.move(DEMO, message_id, Move(status=Status.DELIVERED, at=office.clock.now())))


def failed_list(office: Office, *reasons: str, channel: Channel = Channel.SMS, key: str = "d") -> Distribution:
    """A confirmed distribution of which the first rows failed, one for each reason; one more row was sent."""
    rows = [recipient(number) for number in range(1, len(reasons) + 2)]
    new = office.new_distribution(rows, channel=channel, key=key, confirm=True)
    made = office.run(office.planning().create(replace(new, name="Cards of May")))
    office.do_tasks()
    office.deliver(channel, within=timedelta(minutes=1))
    for row, reason in enumerate(reasons, start=1):
        fail(office, row_message_id(made.distribution_id, row), reason)
    office.provider.accepted.clear()
    return made


def asked(source: Distribution, key: str = "r", **changes: Any) -> NewRetry:
    new = NewRetry(
        organisation=DEMO,
        key=key,
        request_hash="r",
        source=source.distribution_id,
        reasons=None,
        confirm=True,
        created_by="officer-7",
    )
    return replace(new, **changes)


def retried(office: Office, source: Distribution, key: str = "r", **changes: Any) -> Distribution:
    """The retry, planned and, if that was asked for, logged and released."""
    made = office.run(office.planning().retry(asked(source, key, **changes)))
    assert made.status is DistributionStatus.PLANNING
    office.do_tasks()  # plans it
    office.do_tasks()  # logs and releases it
    return stored(office, made)


def refusal(office: Office, source: Distribution, **changes: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        office.run(office.planning().retry(asked(source, **changes)))
    return refused.value


def stored(office: Office, made: Distribution) -> Distribution:
    return office.distributions.items[DEMO, made.distribution_id]


def row(office: Office, made: Distribution, number: int) -> Message:
    return office.row(row_message_id(made.distribution_id, number))


def rows_of(office: Office, made: Distribution) -> dict[int, Message]:
    found = {number: row_message_id(made.distribution_id, number) for number in range(1, 20)}
    return {number: office.log.rows[DEMO, one] for number, one in found.items() if (DEMO, one) in office.log.rows}


def sent_to(office: Office) -> Counter[str]:
    return Counter(number for number, _ in office.provider.accepted)


def errors_of(office: Office, made: Distribution) -> list[tuple[int | None, str]]:
    found, _ = office.run(office.browse.field_errors(DEMO, made.distribution_id, 0, 0, 50))
    return [(one.row, one.code) for one in found]


@pytest.mark.parametrize("channel", Channel)
def test_a_retry_sends_the_failed_rows_again_under_their_numbers(office: Office, channel: Channel) -> None:
    source = failed_list(office, "undeliverable", "provider_rejected", channel=channel)
    made = retried(office, source)
    office.deliver(channel, within=timedelta(minutes=1))
    assert (made.campaign_id, made.channel, made.name) == (source.campaign_id, channel, "Cards of May")
    assert (made.created_by, made.confirmed_by) == ("officer-7", "officer-7")
    assert made.planned.accepted == 2
    assert set(rows_of(office, made)) == {1, 2}
    for number, message in rows_of(office, made).items():
        parent = row(office, source, number)
        assert (message.status, message.parent_message_id) == (Status.SENT, parent.message_id)
        assert (parent.status, parent.successor_message_id) == (Status.FAILED, message.message_id)
        kept = ("recipient", "person", "country", "enrollment_id", "segments", "price", "language", "card_at")
        assert [getattr(message, name) for name in kept] == [getattr(parent, name) for name in kept]
    assert sent_to(office) == {"+221770000001": 1, "+221770000002": 1}


def test_without_reasons_unknown_outcomes_and_final_ones_stay_out(office: Office) -> None:
    made = retried(office, failed_list(office, *REASONS))
    assert set(rows_of(office, made)) == {1, 2}


@pytest.mark.parametrize("reason", REASONS[:-1])
def test_a_named_reason_is_retried_alone(office: Office, reason: str) -> None:
    made = retried(office, failed_list(office, *REASONS), reasons=(reason,))
    assert set(rows_of(office, made)) == {REASONS.index(reason) + 1}


def test_the_key_answers_the_same_and_another_request_is_refused(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    made = retried(office, source)
    assert made.distribution_id == retry_id(DEMO, "r") != source.distribution_id
    again = office.run(office.planning().retry(asked(source)))
    assert again.distribution_id == made.distribution_id
    assert office.tasks.tasks == []
    assert refusal(office, source, request_hash="other").code is ProblemCode.IDEMPOTENCY_KEY_REUSED


def test_a_key_of_the_other_route_is_another_key(office: Office) -> None:
    source = failed_list(office, "undeliverable", key="same")
    assert retried(office, source, key="same").distribution_id != source.distribution_id


def test_an_unknown_or_foreign_distribution_is_not_found(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    assert refusal(office, replace(source, distribution_id="unknown")).code is ProblemCode.NOT_FOUND
    assert refusal(office, source, organisation="other").code is ProblemCode.NOT_FOUND


def why(refused: Refusal) -> tuple[ProblemCode, str | None]:
    return refused.code, refused.facts.get("retry") or refused.facts.get("gone")


def test_what_has_not_been_confirmed_has_nothing_to_retry(office: Office) -> None:
    made = office.run(office.planning().create(office.new_distribution([recipient(1)])))
    assert why(refusal(office, made)) == (ProblemCode.STATE_CONFLICT, "not_sent")
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    assert why(refusal(office, made)) == (ProblemCode.STATE_CONFLICT, "not_sent")


def test_a_list_without_such_failures_is_refused(office: Office) -> None:
    assert why(refusal(office, failed_list(office))) == (ProblemCode.STATE_CONFLICT, "none")
    source = failed_list(office, "outcome_unknown", key="second")
    assert why(refusal(office, source)) == (ProblemCode.STATE_CONFLICT, "none")
    assert why(refusal(office, source, reasons=("undeliverable",))) == (ProblemCode.STATE_CONFLICT, "none")


@pytest.mark.parametrize("action", [None, Action.PAUSE, Action.CANCEL])
def test_rows_are_retried_while_it_sends_is_paused_or_is_cancelled(office: Office, action: Action | None) -> None:
    source = failed_list(office, "undeliverable")
    if action is not None:
        office.run(office.control.act(DEMO, source.distribution_id, action))
    if action is Action.CANCEL:
        assert why(refusal(office, source)) == (ProblemCode.STATE_CONFLICT, "ending")
        office.do_tasks()
    made = retried(office, source)
    office.deliver(within=timedelta(minutes=1))
    assert row(office, made, 1).status is Status.SENT


def test_a_second_retry_finds_nothing_more(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    retried(office, source)
    assert why(refusal(office, source, key="second")) == (ProblemCode.STATE_CONFLICT, "replaced")


def test_of_two_retries_at_once_one_sends(office: Office) -> None:
    source = failed_list(office, "undeliverable", "undeliverable")
    first, second = retried(office, source, confirm=False), retried(office, source, key="second", confirm=False)
    for one in (second, first):
        office.run(office.control.act(DEMO, one.distribution_id, Action.CONFIRM))
    office.finish()
    assert sent_to(office) == {"+221770000001": 1, "+221770000002": 1}
    outcomes = Counter((one.status, one.reason) for made in (first, second) for one in rows_of(office, made).values())
    assert outcomes == {(Status.SENT, None): 2, (Status.FAILED, "already_sent"): 2}
    assert {stored(office, one).status for one in (first, second)} == {DistributionStatus.COMPLETED}
    for one in (first, second):
        counts = office.run(office.browse.distribution(DEMO, one.distribution_id)).counts
        assert sum(counts.by_status.values()) == 2


def test_a_planned_retry_yields_to_a_resend(office: Office) -> None:
    source = failed_list(office, "undeliverable", "undeliverable")
    made = retried(office, source, confirm=False)
    parent = row(office, source, 1)
    resent = office.run(office.resends().resend(DEMO, parent.message_id))
    office.queue.waiting.clear()
    office.run(office.control.act(DEMO, made.distribution_id, Action.CONFIRM))
    office.do_tasks()
    assert [one.message_id for one in office.queue.waiting] == [row(office, made, 2).message_id]
    office.clock.pass_by(minutes=2)  # the agenda brings the resend back
    office.finish()
    assert row(office, source, 1).successor_message_id == resent.message_id == resend_id(parent.message_id)
    assert (row(office, made, 1).reason, row(office, made, 2).status) == ("already_sent", Status.SENT)
    assert sent_to(office) == {"+221770000001": 1, "+221770000002": 1}


def test_a_row_of_a_retry_that_goes_is_not_resent(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    made = retried(office, source)
    parent = row(office, source, 1)
    with pytest.raises(Refusal) as refused:
        office.run(office.resends().resend(DEMO, parent.message_id))
    assert refused.value.code is ProblemCode.STATE_CONFLICT
    assert refused.value.facts["successor"] == row(office, made, 1).message_id


def test_a_resend_that_loses_its_place_after_it_was_logged_ends_as_already_sent(office: Office) -> None:
    """A row of a retry takes the place between the resend's two writes."""
    source = failed_list(office, "undeliverable")
    parent = row(office, source, 1)
    assert office.killed(office.resends().resend(DEMO, parent.message_id), ("log.note_successor", 1))
    retried(office, source)
    office.finish()
    resent = office.row(resend_id(parent.message_id))
    assert (resent.status, resent.reason) == (Status.FAILED, "already_sent")
    assert sent_to(office) == {"+221770000001": 1}


def test_a_killed_resend_takes_its_place_at_the_next_tick(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    parent = row(office, source, 1)
    assert office.killed(office.resends().resend(DEMO, parent.message_id), ("log.note_successor", 1))
    office.clock.pass_by(seconds=61)
    office.finish()
    assert office.row(resend_id(parent.message_id)).status is Status.SENT
    assert row(office, source, 1).successor_message_id == resend_id(parent.message_id)


def test_a_killed_resend_takes_its_place_before_it_waits_for_a_hold(office: Office) -> None:
    """The message that probes the hold is enqueued without the agenda, and the gate would end it."""
    parent = row(office, failed_list(office, "undeliverable"), 1)
    assert office.killed(office.resends().resend(DEMO, parent.message_id), ("log.note_successor", 1))
    known = office.run(office.holding.get(DEMO, Channel.SMS))
    assert office.run(office.holding.hold(known, ACCOUNT, "token_invalid"))
    office.clock.pass_by(seconds=61)
    office.tick()
    assert office.row(parent.message_id).successor_message_id == resend_id(parent.message_id)
    office.finish()
    assert office.row(resend_id(parent.message_id)).status is Status.SENT


def test_a_row_that_has_lost_its_place_to_no_other_takes_it_again(office: Office) -> None:
    """An older row of the failed message was put back."""
    source = failed_list(office, "undeliverable")
    parent = row(office, source, 1)
    made = retried(office, source)
    office.log.rows[DEMO, parent.message_id] = parent
    office.deliver(within=timedelta(minutes=1))
    assert (row(office, made, 1).status, office.provider.accepted) == (Status.PENDING, [])
    office.clock.pass_by(minutes=1)
    office.finish()
    assert (row(office, made, 1).status, sent_to(office)) == (Status.SENT, {"+221770000001": 1})


@pytest.mark.parametrize("when", ["planned", "released"])
def test_a_row_that_arrived_after_all_is_not_sent_again(office: Office, when: str) -> None:
    """`failed` gives way to a later `delivered`."""
    source = failed_list(office, "undeliverable", "undeliverable")
    made = retried(office, source, confirm=when == "released")
    arrive(office, row(office, source, 1).message_id)
    if when == "planned":
        office.run(office.control.act(DEMO, made.distribution_id, Action.CONFIRM))
    office.finish()
    assert (row(office, made, 1).status, row(office, made, 1).reason) == (Status.FAILED, "already_sent")
    assert sent_to(office) == {"+221770000002": 1}


def test_a_retry_of_a_retry_looks_at_the_first_message_too(office: Office) -> None:
    source = failed_list(office, "undeliverable", "undeliverable")
    second = retried(office, source)
    office.queue.waiting.clear()
    for number in (1, 2):
        fail(office, row(office, second, number).message_id)
    third = retried(office, second, key="third", confirm=False)
    assert third.planned.accepted == 2
    arrive(office, row(office, source, 1).message_id)
    office.run(office.control.act(DEMO, third.distribution_id, Action.CONFIRM))
    office.finish()
    assert (row(office, third, 1).reason, row(office, third, 2).status) == ("already_sent", Status.SENT)
    assert sent_to(office) == {"+221770000002": 1}


def test_a_cancelled_retry_keeps_the_place_and_is_retried_by_name(office: Office) -> None:
    """Its rows were never sent. They have the places of the failed ones, so nothing goes twice."""
    source = failed_list(office, *["undeliverable"] * 2)
    cancelled = retried(office, source, confirm=False)
    office.run(office.control.act(DEMO, cancelled.distribution_id, Action.CONFIRM))
    office.run(office.control.act(DEMO, cancelled.distribution_id, Action.CANCEL))
    office.do_tasks()
    assert {one.reason for one in rows_of(office, cancelled).values()} == {"cancelled"}
    assert why(refusal(office, source, key="again")) == (ProblemCode.STATE_CONFLICT, "replaced")
    again = retried(office, cancelled, key="named", reasons=("cancelled",))
    office.finish()
    assert {one.status for one in rows_of(office, again).values()} == {Status.SENT}
    assert sent_to(office) == {"+221770000001": 1, "+221770000002": 1}


def with_fallback(office: Office) -> Distribution:
    new = office.new_distribution([recipient(1), recipient(2)], channel=Channel.WHATSAPP, confirm=True)
    fallback = FallbackOrder(content=Content(template="vaccination_card"), after_minutes=60)
    source = office.run(office.planning().create(replace(new, order=replace(new.order, fallback=fallback))))
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=timedelta(minutes=1))
    office.provider.accepted.clear()
    return source


def test_a_row_whose_fallback_is_due_or_has_begun_stays_out(office: Office) -> None:
    source = with_fallback(office)
    fail(office, row(office, source, 1).message_id, "cancelled")  # starts no fallback
    office.log.rows[DEMO, row(office, source, 2).message_id] = replace(
        row(office, source, 2), status=Status.FAILED, reason="undeliverable", fell_back=True, due_at=None
    )
    made = retried(office, source, reasons=("cancelled", "undeliverable"))
    assert set(rows_of(office, made)) == {1}
    assert row(office, made, 1).fallback_minutes == 60


def test_a_row_whose_fallback_is_due_is_not_retried(office: Office) -> None:
    source = with_fallback(office)
    for number in (1, 2):
        found = row(office, source, number)
        office.log.rows[DEMO, found.message_id] = replace(
            found, status=Status.FAILED, reason="provider_rejected", due_at=office.clock.now()
        )
    fail(office, row(office, source, 1).message_id, "provider_rejected")
    assert row(office, source, 1).awaits_fallback
    assert refusal(office, source).code is ProblemCode.STATE_CONFLICT


def test_a_revoked_consent_is_a_rejected_row(office: Office) -> None:
    source = failed_list(office, *["undeliverable"] * 3)
    office.run(office.people.record(DEMO, row(office, source, 2).person, [revoked(office.clock.now())]))
    made = retried(office, source)
    assert (made.planned.accepted, errors_of(office, made)) == (2, [(2, "opted_out")])


def test_an_erased_row_is_rejected_by_its_number(office: Office) -> None:
    source = failed_list(office, "undeliverable", "undeliverable")
    erased = row(office, source, 2)
    office.run(office.plans.erase_payload(erased.payload))
    office.run(office.log.unlink(DEMO, erased.message_id))
    made = retried(office, source)
    assert (made.planned.accepted, made.planned.rejected, errors_of(office, made)) == (1, 1, [(2, "row_unreadable")])


def test_a_list_whose_content_has_expired_is_refused(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    for key in [key for key in office.plans.objects if key.startswith(f"{DEMO}/{source.distribution_id}/")]:
        del office.plans.objects[key]
    assert why(refusal(office, source)) == (ProblemCode.STATE_CONFLICT, "expired")


def test_content_that_expires_before_planning_makes_rejected_rows(office: Office) -> None:
    source = failed_list(office, "undeliverable", "undeliverable")
    office.run(office.planning().retry(asked(source)))
    for key in [key for key in office.plans.objects if key.startswith(f"{DEMO}/{source.distribution_id}/")]:
        del office.plans.objects[key]
    office.do_tasks()
    made = office.distributions.items[DEMO, retry_id(DEMO, "r")]
    assert (made.status, made.planned.rejected) == (DistributionStatus.REJECTED, 2)
    assert errors_of(office, made) == [(None, "row_unreadable")] * 2


def test_rows_that_are_replaced_before_planning_make_a_rejected_retry_that_says_so(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    office.run(office.planning().retry(asked(source)))
    office.run(office.resends().resend(DEMO, row(office, source, 1).message_id))
    office.do_tasks()
    made = office.distributions.items[DEMO, retry_id(DEMO, "r")]
    assert (made.status, made.status_reason) == (DistributionStatus.REJECTED, None)
    assert made.file_errors == (FieldError(field="reasons", code="field_invalid", facts={"retry": "replaced"}),)


def test_a_start_that_is_past_becomes_auto_and_other_schedules_stay(office: Office) -> None:
    new = office.new_distribution([recipient(1)], confirm=True)
    at = Schedule(mode=ScheduleMode.AT, at=office.clock.now() + timedelta(minutes=1))
    source = office.run(office.planning().create(replace(new, schedule=at)))
    office.finish()
    fail(office, row(office, source, 1).message_id)
    assert retried(office, source).schedule == Schedule()
    off_peak = office.new_distribution([recipient(2)], key="peak", confirm=True)
    second = office.run(office.planning().create(replace(off_peak, schedule=Schedule(mode=ScheduleMode.OFF_PEAK))))
    office.finish()
    fail(office, row(office, second, 1).message_id)
    assert retried(office, second, key="second").schedule.mode is ScheduleMode.OFF_PEAK


def test_what_meta_withheld_rests_until_its_day_is_over(office: Office) -> None:
    source = failed_list(office, "experiment_withheld", channel=Channel.WHATSAPP)
    rests_until = office.clock.now() + timedelta(hours=24)
    found = row(office, source, 1)
    office.log.rows[DEMO, found.message_id] = replace(found, rests_until=rests_until)
    made = retried(office, source)
    office.deliver(Channel.WHATSAPP, within=timedelta(minutes=1))
    assert row(office, made, 1).scheduled_for == rests_until
    assert office.provider.accepted == []
    office.clock.instant = rests_until
    office.finish(Channel.WHATSAPP)
    assert row(office, made, 1).status is Status.SENT


def test_siblings_with_codes_of_their_own_stay_two_messages(office: Office) -> None:
    """The chunks hold no card code. One phone, one enrolment and one text are two cards in the first list."""
    rows = [recipient(1, card_code=code, enrollment_id="ENR00000001") for code in ("A-1", "A-2")]
    new = office.new_distribution(rows, confirm=True)
    source = office.run(office.planning().create(new))
    office.do_tasks()
    office.deliver(within=timedelta(minutes=1))
    for number in (1, 2):
        fail(office, row(office, source, number).message_id)
    made = retried(office, source)
    assert (made.planned.accepted, made.planned.duplicates) == (2, 0)


def test_a_later_list_that_skips_what_was_sent_knows_the_rows_of_a_retry(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    retried(office, source)
    office.finish()
    new = office.new_distribution([recipient(1), recipient(2), recipient(3)], key="third")
    later = office.run(office.planning().create(replace(new, order=replace(new.order, skip_already_sent=True))))
    assert (later.planned.accepted, later.planned.duplicates) == (1, 2)


def test_a_retry_of_a_list_that_skips_what_was_sent_skips_too(office: Office) -> None:
    new = office.new_distribution([recipient(1), recipient(2)], confirm=True)
    source = office.run(office.planning().create(replace(new, order=replace(new.order, skip_already_sent=True))))
    office.do_tasks()
    office.deliver(within=timedelta(minutes=1))
    for number in (1, 2):
        fail(office, row(office, source, number).message_id)
    office.run(office.planning().create(office.new_distribution([recipient(1)], key="mended", confirm=True)))
    office.finish()
    made = retried(office, source)
    assert (made.planned.accepted, made.planned.duplicates) == (1, 1)


POINTS = (
    "distributions.get",
    "distributions.counts",
    "plans.read_chunk",
    "log.get_many",
    "plans.read_order",
    "plans.write_order",
    "distributions.create",
    "tasks.put",
)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [1, 2])
def test_a_killed_request_that_is_repeated_makes_one_retry(office: Office, point: str, nth: int) -> None:
    source = failed_list(office, "undeliverable", "undeliverable")
    office.killed(office.planning().retry(asked(source)), (point, nth))
    made = office.run(office.planning().retry(asked(source)))
    office.clock.pass_by(minutes=2)
    office.finish()
    assert sent_to(office) == {"+221770000001": 1, "+221770000002": 1}
    assert stored(office, made).status is DistributionStatus.COMPLETED


FANOUT_POINTS = (
    "distributions.get",
    "plans.read_order",
    "plans.read_chunk",
    "plans.read_dedupe_index",
    "plans.write_chunk",
    "plans.write_dedupe_index",
    "log.get_many",
    "log.add",
    "log.note_successor",
    "distributions.save",
    "queue.put",
    "log.move",
)


@pytest.mark.parametrize("point", FANOUT_POINTS)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_fan_out_killed_anywhere_loses_and_doubles_no_row(office: Office, point: str, nth: int) -> None:
    """One row has been resent, so its row of the retry loses."""
    source = failed_list(office, *["undeliverable"] * 3)
    made = office.run(office.planning().retry(asked(source)))
    task = office.tasks.tasks.pop()
    office.killed(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), (point, nth))
    if row(office, source, 1).may_be_sent_again:
        office.run(office.resends().resend(DEMO, row(office, source, 1).message_id))
    office.clock.pass_by(minutes=17)
    office.finish()
    office.finish()
    assert sent_to(office) == {f"+22177000000{number}": 1 for number in (1, 2, 3)}
    assert stored(office, made).status is DistributionStatus.COMPLETED


def test_a_plan_has_three_attempts(office: Office) -> None:
    source = failed_list(office, "undeliverable")
    made = office.run(office.planning().retry(asked(source)))
    office.tasks.tasks.clear()
    for _ in range(3):
        assert office.killed(office.planning().plan_stored(DEMO, made.distribution_id), ("plans.write_chunk", 1))
        office.clock.pass_by(minutes=17)
    office.run(office.planning().plan_stored(DEMO, made.distribution_id))
    last = stored(office, made)
    assert last.status is DistributionStatus.REJECTED
    assert [one.facts["unread"] for one in last.file_errors] == ["tries"]
