"""Free texts on WhatsApp: inside the session, with the card as a message of its own, and as a template after the
session."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.refusal import Refusal
from shared.messages.errors import Kind, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import MAX_CAPTION, MAX_SESSION_TEXT, Channel, Mode
from shared.messages.status_writer import StillUnderWayError
from shared.texts.content import Content
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.office import DEMO, WHATSAPP, Office, recipient

SHORT = Content(text="Bonjour {first_name}, votre carte est prête.")
LONG = Content(text="Bonjour {first_name}. " + "é" * MAX_CAPTION)
CLOSED = SendError(Kind.RECIPIENT, "131047", "template_required")
UNKNOWN = SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown")
HOUR = timedelta(hours=1)


@pytest.fixture
def office() -> Office:
    return Office()


def wrote(office: Office, number: int = 8200, *, ends_in: timedelta = 24 * HOUR) -> None:
    """The person's session ends after that time."""
    person = office.number_key.person(DEMO, str(recipient(number)["phone"]))
    office.run(office.sessions.open(DEMO, WHATSAPP.phone_number_id, person, office.clock.now() + ends_in))


def text(office: Office, content: Content = SHORT) -> Message:
    """A text to a person in a session. It waits for its send slot."""
    return office.single(channel=Channel.WHATSAPP, content=content)


def reported(
    message: Message,
    status: Status,
    at: datetime,
    *,
    attempt: int = 1,
    card: bool = False,
    error: SendError | None = None,
) -> StatusReport:
    key = Attempt(message_id=message.message_id, number=attempt, card_half=card)
    return StatusReport(attempt=key, provider_message_id="wamid.x", status=status, at=at, error=error)


def without_default_template(office: Office) -> None:
    office.integrations.kept[DEMO, "whatsapp"] = replace(WHATSAPP, default_template=None)


def settle(office: Office) -> None:
    """An hour of ticks, with workers for the due messages."""
    for _ in range(12):
        office.clock.pass_by(minutes=5)
        office.tick()
        office.deliver(Channel.WHATSAPP)


def modes(office: Office) -> list[Mode]:
    return [payload.mode for payload in office.provider.payloads]


def test_inside_the_session_a_text_is_its_cards_caption(office: Office) -> None:
    wrote(office)
    message = text(office)
    office.deliver(Channel.WHATSAPP)
    assert office.row(message.message_id).status is Status.SENT
    [payload] = office.provider.payloads
    assert (payload.mode, payload.text) == (Mode.SESSION, "Bonjour Aminata, votre carte est prête.")
    assert payload.card_image


@pytest.mark.parametrize("ends_in", [None, timedelta(0), -HOUR])
def test_outside_a_session_a_text_is_refused(office: Office, ends_in: timedelta | None) -> None:
    """Even if a template is ready: a person can still choose another content."""
    if ends_in is not None:
        wrote(office, ends_in=ends_in)
    with pytest.raises(Refusal) as refused:
        text(office)
    assert [(field_error.field, field_error.code) for field_error in refused.value.field_errors] == [
        ("content.text", "template_required")
    ]


def test_a_text_for_later_needs_a_session_that_is_open_then(office: Office) -> None:
    wrote(office, ends_in=2 * HOUR)
    at = office.clock.now() + 2 * HOUR
    with pytest.raises(Refusal):
        office.single(channel=Channel.WHATSAPP, content=SHORT, send_at=at)
    office.single(channel=Channel.WHATSAPP, content=SHORT, send_at=at - timedelta(seconds=1))


@pytest.mark.parametrize(("length", "code"), [(MAX_SESSION_TEXT, None), (MAX_SESSION_TEXT + 1, "text_too_long")])
def test_the_longest_text(office: Office, length: int, code: str | None) -> None:
    wrote(office)
    content = Content(text="x" * length)
    if code is None:
        text(office, content)
        return
    with pytest.raises(Refusal) as refused:
        text(office, content)
    assert [field_error.code for field_error in refused.value.field_errors] == [code]


def test_a_card_is_needed_in_a_session_too(office: Office) -> None:
    wrote(office)
    rows = [recipient(8200, card_image=None)]
    new = replace(office.new_distribution(rows, channel=Channel.WHATSAPP))
    new = replace(new, order=replace(new.order, content=SHORT))
    made = office.run(office.planning().create(new))
    assert made.planned.rejected == 1
    [field_error] = (
        office.run(office.plans.read_field_errors(DEMO, made.distribution_id, made.planned.attempt, 0)) or ()
    )
    assert field_error.code == "card_missing"


@pytest.mark.parametrize(
    ("remaining", "mode"),
    [(timedelta(seconds=1), Mode.SESSION), (timedelta(0), Mode.TEMPLATE), (-HOUR, Mode.TEMPLATE)],
)
def test_the_session_is_checked_again_just_before_the_call(office: Office, remaining: timedelta, mode: Mode) -> None:
    """The session's last instant is outside. If it is closed by then, the default template is sent with this person's
    values."""
    slot = office.clock.now() + HOUR
    wrote(office, ends_in=HOUR + timedelta(minutes=2))
    message = office.single(channel=Channel.WHATSAPP, content=SHORT, send_at=slot)
    office.clock.instant = slot + timedelta(minutes=2) - remaining - timedelta(seconds=1)
    office.tick()
    [queue_message] = office.queue.take()
    office.clock.instant = slot + timedelta(minutes=2) - remaining
    office.run(office.step(Channel.WHATSAPP).send_all([queue_message.with_slot(queue_message.slot_at)]))
    assert office.row(message.message_id).status is Status.SENT
    [payload] = office.provider.payloads
    assert payload.mode is mode
    assert (payload.template is not None) == (mode is Mode.TEMPLATE)
    if payload.template is not None:
        assert payload.template.name == "vaccination_card"
        assert ("first_name", "Aminata") in payload.template.parameters


def test_without_a_template_a_closed_session_ends_the_message(office: Office) -> None:
    without_default_template(office)
    wrote(office, ends_in=timedelta(seconds=30))
    message = text(office)
    office.clock.pass_by(seconds=30)
    office.deliver(Channel.WHATSAPP)
    row = office.row(message.message_id)
    assert (row.status, row.reason, office.provider.calls) == (Status.FAILED, "template_required", 0)


def test_if_meta_says_that_the_session_has_closed_the_template_is_sent(office: Office) -> None:
    """131047 in the answer: the same message is sent as the template, with its next attempt."""
    wrote(office)
    office.provider.answers = [CLOSED]
    message = text(office)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    row = office.row(message.message_id)
    assert (row.status, row.attempts, row.due_at, row.retrying) == (Status.SENT, 2, None, False)
    assert (modes(office), office.provider.calls) == ([Mode.TEMPLATE], 2)


def test_the_template_is_sent_although_its_queue_message_was_lost(office: Office) -> None:
    wrote(office)
    office.provider.answers = [CLOSED]
    message = text(office)
    office.run(office.step(Channel.WHATSAPP).send_all(office.queue.take()))
    office.queue.take()
    settle(office)
    assert office.row(message.message_id).status is Status.SENT
    assert modes(office) == [Mode.TEMPLATE]


@pytest.mark.parametrize("card", [False, True])
def test_a_webhook_about_a_closed_session_causes_the_template(office: Office, card: bool) -> None:
    """The usual case: Meta takes the message, and reports `failed` later. The status stays `sent`, because it never
    goes back."""
    wrote(office)
    message = text(office, LONG if card else SHORT)
    office.deliver(Channel.WHATSAPP)
    failed = reported(message, Status.FAILED, office.clock.now(), card=card, error=CLOSED)
    refused = office.row(message.message_id).provider_message_id
    office.reported(failed)
    assert office.row(message.message_id).status is Status.SENT
    late = reported(message, Status.SENT, office.clock.now())
    office.reported(failed, late, failed)
    assert office.row(message.message_id).due_at is not None
    settle(office)
    office.reported(late)
    row = office.row(message.message_id)
    assert (row.status, row.attempts, row.due_at) == (Status.SENT, 2, None)
    assert row.provider_message_id not in (None, refused, late.provider_message_id), "what is shown is the template's"
    assert modes(office)[-1] is Mode.TEMPLATE
    assert modes(office).count(Mode.TEMPLATE) == 1
    office.reported(failed)
    assert office.row(message.message_id).status is Status.SENT
    office.reported(reported(message, Status.DELIVERED, office.clock.now(), attempt=2))
    assert office.row(message.message_id).status is Status.DELIVERED


def test_the_template_is_sent_once(office: Office) -> None:
    wrote(office)
    message = text(office)
    office.deliver(Channel.WHATSAPP)
    office.reported(reported(message, Status.FAILED, office.clock.now(), error=CLOSED))
    settle(office)
    office.reported(reported(message, Status.FAILED, office.clock.now(), attempt=2, error=CLOSED))
    row = office.row(message.message_id)
    assert (row.status, row.reason) == (Status.FAILED, "template_required")
    settle(office)
    assert office.provider.calls == 2


def test_without_a_template_131047_fails_the_message(office: Office) -> None:
    without_default_template(office)
    wrote(office)
    office.provider.answers = [CLOSED]
    message = text(office)
    office.deliver(Channel.WHATSAPP)
    assert office.row(message.message_id).reason == "template_required"


def test_a_webhook_before_the_sends_answer_is_handled_later(office: Office) -> None:
    wrote(office)
    message = text(office)
    [queue_message] = office.queue.take()
    assert office.killed(office.step(Channel.WHATSAPP).send_all([queue_message]), ("provider.answer", 1))
    failed = reported(message, Status.FAILED, office.clock.now(), error=CLOSED)
    with pytest.raises(StillUnderWayError):
        office.reported(failed)
    office.clock.pass_by(seconds=91)
    office.reported(failed)
    settle(office)
    assert office.row(message.message_id).status is Status.SENT
    assert modes(office) == [Mode.SESSION, Mode.TEMPLATE]


def test_the_template_is_sent_although_its_distribution_is_completed(office: Office) -> None:
    wrote(office, 1)
    new = office.new_distribution([recipient(1)], channel=Channel.WHATSAPP, confirm=True)
    office.run(office.planning().create(replace(new, order=replace(new.order, content=SHORT))))
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    settle(office)
    [distribution] = office.distributions.items.values()
    assert distribution.status == "completed"
    [message] = office.log.rows.values()
    office.reported(reported(message, Status.FAILED, office.clock.now(), error=CLOSED))
    settle(office)
    row = office.row(message.message_id)
    assert (row.status, row.attempts, row.due_at) == (Status.SENT, 2, None)
    [counts] = office.distributions.chunks.values()
    assert counts.by_status == {Status.SENT: 1}


# --------------------------------------------------------------------------------------------------------------- halves

HALVES = (
    "provider.prepare",
    "log.claim",
    "provider.send",
    "provider.answer",
    "log.note_card",
    "log.move",
)


def halves(office: Office) -> tuple[int, int]:
    """How often the card was taken, and how often the text."""
    keys = [key for _, key in office.provider.accepted]
    return sum(key.endswith(".card") for key in keys), sum(not key.endswith(".card") for key in keys)


def test_a_long_text_follows_its_card(office: Office) -> None:
    wrote(office)
    message = text(office, LONG)
    office.deliver(Channel.WHATSAPP)
    assert [key for _, key in office.provider.accepted] == [f"{message.message_id}.1.card", f"{message.message_id}.1"]
    card, words = office.provider.payloads
    assert (card.text, bool(card.card_image), words.card_image, len(words.text)) == ("", True, None, MAX_CAPTION + 17)
    row = office.row(message.message_id)
    assert (row.status, row.card_attempt, row.provider_message_id) == (Status.SENT, 1, "provider-2")


@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize("point", HALVES)
def test_a_worker_killed_anywhere_repeats_neither_part(office: Office, point: str, time: int) -> None:
    wrote(office, ends_in=48 * HOUR)
    text(office, LONG)
    [queue_message] = office.queue.take()
    office.killed(office.step(Channel.WHATSAPP).send_all([queue_message]), (point, time))
    for _ in range(3):
        office.clock.pass_by(seconds=360)
        office.run(office.step(Channel.WHATSAPP).send_all([queue_message]))
        office.tick()
        office.deliver(Channel.WHATSAPP)
    office.clock.pass_by(hours=25)
    office.tick()
    assert max(halves(office)) <= 1


@pytest.mark.parametrize(
    "error",
    [
        SendError(Kind.RETRY, "131016"),
        SendError(Kind.THROTTLED, "130429", retry_after=2),
        SendError(Kind.THROTTLED, "131056", retry_after=1, person_only=True),
    ],
    ids=str,
)
def test_only_the_part_that_failed_is_sent_again(office: Office, error: SendError) -> None:
    wrote(office)
    office.provider.answers = [None, error, error]
    message = text(office, LONG)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=30))
    settle(office)
    assert office.row(message.message_id).status is Status.SENT
    assert halves(office) == (1, 1)


def test_after_a_refused_card_the_text_is_not_sent(office: Office) -> None:
    wrote(office)
    office.provider.answers = [SendError(Kind.RECIPIENT, "131026", "not_on_whatsapp")]
    message = text(office, LONG)
    office.deliver(Channel.WHATSAPP)
    assert office.row(message.message_id).reason == "not_on_whatsapp"
    assert office.provider.calls == 1


def test_the_cards_arrival_does_not_count_as_the_messages(office: Office) -> None:
    wrote(office)
    message = text(office, LONG)
    office.deliver(Channel.WHATSAPP)
    now = office.clock.now()
    office.reported(
        *(reported(message, status, now, card=True) for status in (Status.SENT, Status.DELIVERED, Status.READ))
    )
    row = office.row(message.message_id)
    assert (row.status, row.delivered_at, row.read_at) == (Status.SENT, None, None)
    office.reported(
        reported(message, Status.FAILED, now, card=True, error=SendError(Kind.RECIPIENT, "131026", "undeliverable"))
    )
    assert office.row(message.message_id).reason == "undeliverable"


def test_a_card_that_fails_after_a_retried_text_still_counts(office: Office) -> None:
    wrote(office)
    office.provider.answers = [None, SendError(Kind.RETRY, "131016")]
    message = text(office, LONG)
    office.deliver(Channel.WHATSAPP)
    settle(office)
    assert office.row(message.message_id).attempts == 2
    failed = SendError(Kind.RECIPIENT, "131026", "undeliverable")
    office.reported(reported(message, Status.FAILED, office.clock.now(), attempt=1, error=failed))
    assert office.row(message.message_id).status is Status.SENT
    office.reported(reported(message, Status.FAILED, office.clock.now(), attempt=1, card=True, error=failed))
    assert office.row(message.message_id).status is Status.FAILED


def test_a_status_proves_a_card_with_an_unknown_outcome_and_the_text_follows(office: Office) -> None:
    wrote(office)
    office.provider.answers = [UNKNOWN]
    message = text(office, LONG)
    office.deliver(Channel.WHATSAPP)
    assert office.row(message.message_id).unknown_since is not None
    office.reported(reported(message, Status.DELIVERED, office.clock.now(), card=True))
    settle(office)
    assert office.row(message.message_id).status is Status.SENT
    assert halves(office) == (1, 1)


REPORTED = st.tuples(st.sampled_from([Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED]), st.booleans())


@given(st.sets(REPORTED, min_size=1), st.data())
def test_statuses_of_both_parts_in_any_order_give_the_same_result(
    statuses: set[tuple[Status, bool]], data: st.DataObject
) -> None:
    """Every failure here means that the session has closed."""
    ends = set()
    again = data.draw(st.lists(st.sampled_from(sorted(statuses))))
    for order in (sorted(statuses), data.draw(st.permutations([*statuses, *again]))):
        office = Office()
        wrote(office)
        message = text(office, LONG)
        office.deliver(Channel.WHATSAPP)
        for status, card in order:
            error = CLOSED if status is Status.FAILED else None
            office.reported(reported(message, status, office.clock.now(), card=card, error=error))
        row = office.row(message.message_id)
        ends.add((row.status, row.reason, row.retrying, row.sent_at, row.delivered_at, row.read_at, row.failed_at))
    assert len(ends) == 1
