"""The SMS in place of a WhatsApp message: at once or after its time, at most one, never after an arrival, with killed
workers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from shared.base.ids import fallback_id
from shared.base.refusal import ApiWarning, ProblemCode, Refusal
from shared.campaigns.counts import Part
from shared.campaigns.distribution import Action, Order
from shared.integrations.integration import UnitPrice
from shared.messages.errors import Kind, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.texts.content import Content, FallbackOrder
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.consents import revoked
from tests.fakes.office import DEMO, SMS, Office, recipient

WISH = FallbackOrder(content=Content(text="SMS pour {first_name}"), after_minutes=90)
GONE = SendError(Kind.RECIPIENT, "131026", "not_on_whatsapp")
SOON = timedelta(seconds=10)
POINTS = (
    "log.get",
    "plans.read_payload",
    "log.fall_back",
    "plans.write_payload",
    "log.add",
    "log.move_next_check",
    "people.consents",
    "rate_limits.book",
    "queue.put",
)


@pytest.fixture
def office() -> Office:
    return Office()


def sent(office: Office, *, answer: SendError | None = None, fallback: FallbackOrder | None = WISH) -> Message:
    """A single WhatsApp message with a fallback, after the provider's answer."""
    office.provider.answers = [answer]
    made = office.single(channel=Channel.WHATSAPP, fallback=fallback)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    return office.row(made.message_id)


def reported(office: Office, parent: Message, status: Status, error: SendError | None = None) -> None:
    attempt = Attempt(message_id=parent.message_id, number=parent.attempts)
    report = StatusReport(
        attempt=attempt, provider_message_id="wamid.x", status=status, at=office.clock.now(), error=error
    )
    office.reported(report)


def sms_of(office: Office, parent: Message) -> Message | None:
    return office.log.rows.get((DEMO, fallback_id(parent.message_id)))


def texts(office: Office) -> list[str]:
    return [payload.text for payload in office.provider.payloads if payload.mode == "sms"]


def work_off(office: Office, times: int = 3) -> None:
    for _ in range(times):
        office.tick()
        office.deliver(within=timedelta(seconds=61))


def test_a_failure_of_kind_recipient_starts_it_at_once_and_it_names_its_parent(office: Office) -> None:
    parent = sent(office, answer=GONE)
    assert parent.status is Status.FAILED
    office.do_tasks()  # no tick: the sender has queued the task
    office.deliver(within=SOON)
    sms = sms_of(office, parent)
    assert sms is not None
    assert (sms.channel, sms.status, sms.parent_message_id) == (Channel.SMS, Status.SENT, parent.message_id)
    kept = ("campaign_id", "enrollment_id", "recipient", "person", "country")
    assert [getattr(sms, name) for name in kept] == [getattr(parent, name) for name in kept]
    assert (sms.segments, sms.distribution_id) == (1, None)
    assert texts(office) == ["SMS pour Aminata"]
    assert office.row(parent.message_id).due_at is None


@pytest.mark.parametrize(
    ("error", "starts"),
    [
        (GONE, True),
        (SendError(Kind.RECIPIENT, "131049", "undeliverable"), True),
        (SendError(Kind.RECIPIENT, "130472", "experiment_withheld"), True),
        (SendError(Kind.RECIPIENT, "x", "card_unreachable"), True),
        (SendError(Kind.RECIPIENT, "131050", "opted_out"), False),
        (SendError(Kind.BUG, "100", "provider_rejected"), False),
        (SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown"), False),
        (SendError(Kind.STOP, "190", "token_invalid"), False),
        (SendError(Kind.RETRY, "131016"), False),
    ],
)
def test_which_answers_start_it(office: Office, error: SendError, starts: bool) -> None:
    parent = sent(office, answer=error)
    office.do_tasks()
    office.clock.pass_by(seconds=30)
    office.tick()
    assert (sms_of(office, parent) is not None) is starts


def test_a_sent_but_undelivered_message_falls_back_after_its_time(office: Office) -> None:
    parent = sent(office)
    reported(office, parent, Status.SENT)
    assert parent.sent_at is not None
    assert parent.due_at == parent.sent_at + timedelta(minutes=90)
    office.clock.instant = parent.due_at - timedelta(seconds=5)
    office.tick()
    assert sms_of(office, parent) is None
    office.clock.instant = parent.due_at
    work_off(office)
    assert texts(office) == ["SMS pour Aminata"]
    assert office.row(parent.message_id).status is Status.SENT


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.READ])
def test_a_delivered_message_never_falls_back(office: Office, status: Status) -> None:
    parent = sent(office)
    reported(office, parent, status)
    assert office.row(parent.message_id).due_at is None
    reported(office, parent, Status.SENT)  # late and repeated
    reported(office, parent, Status.FAILED, GONE)
    office.clock.pass_by(days=8)
    work_off(office)
    assert sms_of(office, parent) is None


def test_a_sent_message_with_another_kind_of_failure_falls_back_after_its_time(office: Office) -> None:
    parent = sent(office)
    reported(office, parent, Status.FAILED, SendError(Kind.BUG, "131053", "card_not_a_picture"))
    work_off(office)
    assert sms_of(office, parent) is None
    office.clock.pass_by(minutes=90)
    work_off(office)
    assert texts(office) == ["SMS pour Aminata"]


def test_a_message_with_an_unknown_outcome_neither_falls_back_nor_is_sent_twice(office: Office) -> None:
    parent = sent(office, answer=SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown"))
    calls = office.provider.calls
    other = office.single(8201, Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=SOON)
    reported(office, office.row(other.message_id), Status.SENT)  # Meta reports on it, and not on the first
    for _ in range(23):
        office.clock.pass_by(hours=1)
        office.tick()
        office.deliver(Channel.WHATSAPP, within=SOON)
    assert office.provider.calls == calls + 1
    assert sms_of(office, parent) is None
    office.clock.pass_by(hours=2)
    work_off(office)
    assert office.row(parent.message_id).reason == "outcome_unknown"
    assert texts(office) == ["SMS pour Aminata"]


def test_repeated_failures_start_one_fallback(office: Office) -> None:
    parent = sent(office)
    for _ in range(3):
        reported(office, parent, Status.FAILED, GONE)
        office.do_tasks()
        work_off(office, 1)
    office.clock.pass_by(days=8)
    work_off(office)
    assert texts(office) == ["SMS pour Aminata"]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [1, 2])
def test_one_fallback_is_sent_after_any_kill(office: Office, point: str, nth: int) -> None:
    parent = sent(office, answer=GONE)
    [task] = office.tasks.tasks
    office.tasks.tasks = []
    office.killed(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), (point, nth))
    for _ in range(4):
        office.clock.pass_by(seconds=60)
        work_off(office, 1)
    sms = sms_of(office, parent)
    assert sms is not None
    assert sms.status is Status.SENT
    assert texts(office) == ["SMS pour Aminata"]
    assert office.row(parent.message_id).due_at is None


@pytest.mark.parametrize("lost", ["task", "queue"])
def test_if_the_task_is_lost_the_agenda_starts_it(office: Office, lost: str) -> None:
    parent = sent(office, answer=GONE)
    office.tasks.tasks = []
    if lost == "queue":
        office.do_tasks()
    work_off(office)
    assert sms_of(office, parent) is not None
    assert texts(office) == ["SMS pour Aminata"]


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.READ])
def test_a_parent_that_arrives_before_the_sms_is_sent_ends_it(office: Office, status: Status) -> None:
    parent = sent(office, answer=GONE)
    office.do_tasks()
    assert office.queue.waiting
    reported(office, parent, status)
    office.deliver(within=SOON)
    sms = sms_of(office, parent)
    assert sms is not None
    assert (sms.status, sms.reason) == (Status.FAILED, "cancelled")
    assert texts(office) == []
    with pytest.raises(Refusal) as refused:
        office.run(office.resends().resend(DEMO, sms.message_id))
    assert refused.value.code is ProblemCode.STATE_CONFLICT


def test_a_fallback_at_night_waits_for_the_morning(office: Office) -> None:
    office.clock.instant = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    parent = sent(office, answer=GONE)
    office.do_tasks()
    seven = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    sms = sms_of(office, parent)
    assert sms is not None
    assert (sms.scheduled_for, sms.due_at) == (seven, seven)
    assert office.queue.waiting == []
    office.clock.instant = seven
    work_off(office)
    assert texts(office) == ["SMS pour Aminata"]


def test_a_person_who_opted_out_meanwhile_gets_no_fallback(office: Office) -> None:
    parent = sent(office, answer=GONE)
    office.run(office.people.record(DEMO, parent.person, [revoked(office.clock.now())]))
    office.do_tasks()
    work_off(office)
    sms = sms_of(office, parent)
    assert sms is not None
    assert (sms.status, sms.reason) == (Status.FAILED, "opted_out")
    assert texts(office) == []


@pytest.mark.parametrize("begun", [False, True])
def test_a_message_with_a_fallback_is_not_sent_again(office: Office, begun: bool) -> None:
    parent = sent(office, answer=GONE)
    if begun:
        work_off(office)
    with pytest.raises(Refusal) as refused:
        office.run(office.resends().resend(DEMO, parent.message_id))
    assert refused.value.code is ProblemCode.STATE_CONFLICT


def test_a_person_may_resend_a_message_whose_failure_starts_no_fallback(office: Office) -> None:
    parent = sent(office, answer=SendError(Kind.BUG, "100", "provider_rejected"))
    office.run(office.resends().resend(DEMO, parent.message_id))
    office.deliver(Channel.WHATSAPP, within=SOON)
    assert len(office.provider.accepted) == 1
    work_off(office)
    assert sms_of(office, parent) is None


def test_once_it_has_begun_a_closed_session_does_not_retry_the_parent(office: Office) -> None:
    parent = sent(office)
    office.log.rows[DEMO, parent.message_id] = replace(parent, fallback_template="vaccination_card/fr")
    reported(office, parent, Status.SENT)
    office.clock.pass_by(minutes=90)
    work_off(office)
    reported(office, parent, Status.FAILED, SendError(Kind.RECIPIENT, "131047", "template_required"))
    row = office.row(parent.message_id)
    assert (row.status, row.retrying) == (Status.FAILED, False)
    office.deliver(Channel.WHATSAPP, within=SOON)
    work_off(office)
    assert texts(office) == ["SMS pour Aminata"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_erased_person_gets_no_fallback(office: Office, moment: str) -> None:
    parent = sent(office)
    reported(office, parent, Status.SENT)
    office.clock.pass_by(minutes=90)
    if moment == "after":
        office.clock.instant = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
        office.tick()  # logged, and waiting for the morning
        assert sms_of(office, parent) is not None
    office.run(office.erasures().accept(DEMO, "+221770008200"))
    office.do_tasks()
    office.clock.pass_by(days=1)
    work_off(office)
    sms = sms_of(office, parent)
    assert texts(office) == []
    assert (sms.reason if sms else None) == ("erased" if moment == "after" else None)
    assert office.row(parent.message_id).due_at is None


def distributed(office: Office, count: int) -> str:
    """A confirmed WhatsApp distribution with a fallback, to people without WhatsApp."""
    office.provider.answers = [GONE] * count
    rows = [recipient(number) for number in range(1, count + 1)]
    new = office.new_distribution(rows, channel=Channel.WHATSAPP, confirm=True)
    order = Order(content=new.order.content, defaults={}, fallback=WISH)
    made = office.run(office.planning().create(replace(new, order=order)))
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=SOON)
    return made.distribution_id


def test_a_hundred_fallbacks_keep_to_the_rate_limit_and_the_counts_are_right(office: Office) -> None:
    identity = distributed(office, 120)
    office.do_tasks()
    send_slots = sorted(one.slot_at for one in office.queue.waiting if one.channel is Channel.SMS)
    assert len(send_slots) == len(set(send_slots)) == 120
    slots = [later - earlier for earlier, later in pairwise(send_slots)]
    assert min(slots) >= 1_000_000 // SMS.rate_per_second
    for _ in range(3):
        work_off(office, 1)
    assert len(texts(office)) == 120
    view = office.run(office.browse.distribution(DEMO, identity))
    assert (view.counts.of(Status.FAILED), view.counts.total) == (120, 120)
    assert (view.fallbacks.of(Status.SENT), view.fallbacks.total) == (120, 120)
    assert {row.distribution_id for row in office.log.rows.values()} == {identity}
    assert {row.chunk is None for row in office.log.rows.values() if row.channel is Channel.SMS} == {True}


def test_a_plan_shows_the_highest_cost_of_its_fallbacks(office: Office) -> None:
    prices = {"SN": UnitPrice(amount=Decimal(12), currency="XOF")}
    office.integrations.kept[DEMO, "sms"] = replace(SMS, unit_prices=prices)
    rows = [recipient(number) for number in range(3)] + [recipient(9, phone="+33612345678")]
    rows.append(recipient(4, first_name="Awa" * 60))
    new = office.new_distribution(rows, channel=Channel.WHATSAPP)
    order = Order(content=new.order.content, defaults={}, fallback=WISH)
    plan = office.run(office.planning().create(replace(new, order=order))).planned
    assert (plan.accepted, plan.segments, plan.prices) == (5, None, ())
    assert plan.fallback is not None
    assert plan.fallback.segments == 5, "only where an SMS can go"
    [line] = plan.fallback.prices
    assert (line.country, line.segments, line.currency, line.amount) == ("SN", 5, "XOF", Decimal(60))
    assert "units_missing" not in {warning.code for warning in plan.warnings}
    without = office.new_distribution(rows, channel=Channel.WHATSAPP, key="without")
    assert office.run(office.planning().create(without)).planned.fallback is None


def test_a_fallback_without_a_price_is_named_beside_those_that_have_one(office: Office) -> None:
    prices = {"SN": UnitPrice(amount=Decimal(12), currency="XOF")}
    office.integrations.kept[DEMO, "sms"] = replace(SMS, unit_prices=prices)
    phones = ("+221770000001", "+22370000002", "+2250700000003", "+2250700000004", "+33612345678")
    rows = [recipient(number, phone=phone) for number, phone in enumerate(phones)]
    new = office.new_distribution(rows, channel=Channel.WHATSAPP)
    order = Order(content=new.order.content, defaults={}, fallback=WISH)
    plan = office.run(office.planning().create(replace(new, order=order))).planned
    assert plan.fallback is not None
    lines = [(line.country, line.segments, line.currency, line.amount) for line in plan.fallback.prices]
    assert lines == [("CI", 2, None, None), ("ML", 1, None, None), ("SN", 1, "XOF", Decimal(12))]
    missing = ApiWarning(code="units_missing", count=3, facts={"unpriced": "CI, ML"})
    assert [warning for warning in plan.warnings if warning.code == "units_missing"] == [missing]


def test_its_fallbacks_are_counted_while_they_wait_and_as_they_end(office: Office) -> None:
    identity = distributed(office, 3)
    office.clock.instant = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    work_off(office, 1)
    view = office.run(office.browse.distribution(DEMO, identity))
    assert (view.fallbacks.of(Status.PENDING), view.fallbacks.total) == (3, 3)
    office.clock.instant = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    work_off(office)
    view = office.run(office.browse.distribution(DEMO, identity))
    assert view.fallbacks.by_status == {Status.SENT: 3}
    assert view.fallbacks.segments == {"SN": 3}


@pytest.mark.parametrize("point", ["log.add", "log.move_next_check", "distributions.count"])
def test_counts_of_fallbacks_are_corrected_after_any_kill(office: Office, point: str) -> None:
    identity = distributed(office, 2)
    waiting = office.tasks.tasks
    office.tasks.tasks = []
    for task in waiting:
        office.killed(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), (point, 1))
    work_off(office, 6)
    office.clock.pass_by(hours=73)
    work_off(office, 2)
    view = office.run(office.browse.distribution(DEMO, identity))
    assert view.fallbacks.by_status == {Status.SENT: 2}
    assert not [place for _, place in office.distributions.recounts if isinstance(place, Part)]


@pytest.mark.parametrize("begun", [False, True])
def test_fallbacks_wait_during_a_pause_and_end_with_a_cancel(office: Office, begun: bool) -> None:
    identity = distributed(office, 3)
    if begun:
        office.do_tasks()
    office.run(office.control.act(DEMO, identity, Action.PAUSE))
    office.clock.pass_by(seconds=2)
    for _ in range(3):
        office.deliver(within=SOON)
        office.clock.pass_by(minutes=6)
        office.tick()
    assert texts(office) == []
    assert office.queue.waiting == []
    office.run(office.control.act(DEMO, identity, Action.CANCEL))
    for _ in range(3):
        office.clock.pass_by(minutes=6)
        work_off(office, 1)
    assert texts(office) == []
    reasons = {row.reason for row in office.log.rows.values() if row.channel is Channel.SMS}
    assert reasons == ({"cancelled"} if begun else set())


def test_fallbacks_leave_after_a_resume(office: Office) -> None:
    identity = distributed(office, 3)
    office.run(office.control.act(DEMO, identity, Action.PAUSE))
    office.do_tasks()
    office.run(office.control.act(DEMO, identity, Action.RESUME))
    office.clock.pass_by(minutes=6)
    work_off(office)
    assert len(texts(office)) == 3


def refused(office: Office, **changes: object) -> Refusal:
    with pytest.raises(Refusal) as raised:
        office.single(**{"channel": Channel.WHATSAPP, "fallback": WISH} | changes)  # type: ignore[arg-type]
    assert office.log.rows == {}
    return raised.value


def codes(refusal: Refusal) -> list[tuple[str, str]]:
    return [(field_error.field, field_error.code) for field_error in refusal.field_errors]


def test_it_goes_from_whatsapp_to_sms_only(office: Office) -> None:
    assert codes(refused(office, channel=Channel.SMS)) == [("fallback", "fallback_invalid")]


def test_it_needs_sms_settings(office: Office) -> None:
    del office.integrations.kept[DEMO, "sms"]
    assert refused(office).code is ProblemCode.INTEGRATION_MISSING


@pytest.mark.parametrize(
    ("content", "field_error"),
    [
        (Content(text=" "), ("fallback.content.text", "text_empty")),
        (Content(text="{nobody}"), ("fallback.content.text", "variable_unknown")),
        (Content(template="nobody"), ("fallback.content.template.name", "template_unknown")),
        (Content(text="{issue_date}"), ("fallback.content", "variable_missing")),
    ],
)
def test_its_own_content_is_checked_like_any_sms(
    office: Office, content: Content, field_error: tuple[str, str]
) -> None:
    wish = FallbackOrder(content=content, after_minutes=5)
    assert codes(refused(office, fallback=wish)) == [field_error]


def test_a_row_whose_sms_cannot_be_composed_keeps_its_message(office: Office) -> None:
    rows = [recipient(1), recipient(2, issue_date="1 mai"), recipient(3, phone="+33612345678", issue_date="1 mai")]
    new = office.new_distribution(rows, channel=Channel.WHATSAPP, confirm=True)
    wish = FallbackOrder(content=Content(text="{issue_date}"), after_minutes=5)
    order = Order(content=new.order.content, defaults={}, fallback=wish)
    made = office.run(office.planning().create(replace(new, order=order)))
    assert (made.planned.accepted, made.planned.rejected) == (3, 0)
    assert {warning.code: warning.count for warning in made.planned.warnings}["fallback_invalid"] == 2
    office.do_tasks()
    assert [row.fallback_minutes for row in office.log.rows.values()] == [None, 5, None]
