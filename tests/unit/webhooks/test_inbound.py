"""What people send to the organisation's number: sessions, STOP, preferences, and one person with several
identities."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.errors import Kind, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel, Mode
from shared.policy.consent import Consent, ConsentState
from shared.policy.opt_out import TEXTS, StopTexts, Tongue
from shared.texts.content import Content
from shared.webhooks.inbound import PREFERENCE, REFUSED, STOP
from shared.webhooks.updates import (
    AccountUpdate,
    Acquaintance,
    Attempt,
    Contact,
    Inbound,
    Preference,
    Source,
    StatusReport,
    Succession,
    WebhookEvent,
)
from tests.fakes.office import DEMO, WHATSAPP, Office
from tests.fakes.world import MORNING

PHONE, NEW_PHONE, USER_ID, NEW_USER_ID = "+221770000001", "+221770000002", "SN.123", "SN.456"
BY_PHONE, BY_USER_ID = Contact(phone=PHONE), Contact(user_id=USER_ID)
KNOWN = Acquaintance(phone=PHONE, user_id=USER_ID)
SECOND = timedelta(seconds=1)
DAY = timedelta(hours=24)


def said(*words: str, contact: Contact = BY_PHONE, at: datetime = MORNING, number: str = "1") -> Inbound:
    source = Source(phone_number_id=number)
    return Inbound(source=source, contact=contact, message_id=f"wamid.{at}", at=at, words=words)


def person(office: Office, name: str = PHONE) -> str:
    return office.number_key.person(DEMO, name)


type Said = tuple[ConsentState, datetime, str]


def statement(office: Office, name: str = PHONE) -> Said | None:
    known = office.people.records.get((DEMO, person(office, name)))
    latest = known.latest if known else None
    return (latest.state, latest.recorded_at, latest.source) if latest else None


def revoked(at: datetime = MORNING, source: str = STOP) -> Said:
    return ConsentState.REVOKED, at, source


def granted(at: datetime) -> Said:
    return ConsentState.GRANTED, at, "register"


def known(office: Office, said: Said) -> None:
    """A statement that was recorded at its own date."""
    state, at, source = said
    statement = Consent(state=state, recorded_at=at, received_at=at, source=source)
    office.run(office.people.record(DEMO, person(office), [statement]))


def answers(office: Office) -> list[Message]:
    return list(office.log.rows.values())


def session(office: Office, name: str = PHONE) -> datetime | None:
    return office.sessions.ends.get((DEMO, WHATSAPP.phone_number_id, person(office, name)))


def test_a_message_opens_a_session_of_24_hours() -> None:
    office = Office()
    office.receive(said("Bonjour", at=MORNING - SECOND))
    assert session(office) == MORNING - SECOND + DAY
    office.receive(said("Et encore", at=MORNING))
    office.receive(said("Bonjour", at=MORNING - SECOND))
    assert session(office) == MORNING + DAY
    assert (answers(office), statement(office)) == ([], None)


def test_a_message_from_the_future_counts_from_now_and_one_of_last_week_not_at_all() -> None:
    office = Office()
    office.receive(said("Bonjour", at=MORNING + timedelta(days=30)))
    assert session(office) == MORNING + DAY
    office = Office()
    office.receive(said("Bonjour", at=MORNING - timedelta(days=7)))
    assert session(office) is None


def test_a_message_to_another_number_is_only_counted() -> None:
    office = Office()
    office.receive(said("STOP", number="another"))
    assert (session(office), statement(office), answers(office)) == (None, None, [])
    assert office.telemetry.names() == ["inbound_to_another_number"]
    office.receive(said("STOP", number=""))
    assert statement(office) == revoked()


def test_without_an_integration_no_message_is_handled() -> None:
    office = Office()
    office.integrations.kept.clear()
    office.receive(said("STOP"), KNOWN)
    assert (statement(office), office.contacts.kept) == (None, {})


def test_stop_revokes_and_is_answered_inside_its_own_session() -> None:
    office = Office()
    office.receive(said("Stop !"))
    assert statement(office) == revoked()
    [answer] = answers(office)
    assert (answer.channel, answer.status, answer.campaign_id) == (Channel.WHATSAPP, Status.PENDING, None)
    assert (answer.recipient, answer.country, answer.person) == ("+22177***0001", "SN", person(office))
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    [(to, key)] = office.provider.accepted
    assert (to, key) == (PHONE, f"{answer.message_id}.1")
    assert office.row(answer.message_id).status is Status.SENT


@pytest.mark.parametrize(
    "words",
    [
        ("Se désabonner", "STOP"),
        ("STOP", "abc"),
        ("Arrêt",),
        ("Stop svp",),
        ("STOP PNV",),
        ("توقف",),
        ("Peut-être", "STOP"),
    ],
)
def test_a_stop_button_counts_by_its_words_or_its_payload(words: tuple[str, ...]) -> None:
    office = Office()
    office.receive(said(*words))
    assert statement(office) == revoked()


def test_a_repeated_stop_is_answered_once() -> None:
    office = Office()
    for at in (MORNING, MORNING, MORNING + SECOND, MORNING):
        office.receive(said("STOP", at=at))
        office.clock.pass_by(seconds=1)
    office.deliver(Channel.WHATSAPP, within=timedelta(minutes=5))
    office.tick()
    office.deliver(Channel.WHATSAPP, within=timedelta(minutes=5))
    assert len(answers(office)) == len(office.provider.accepted) == 1
    assert statement(office) == revoked(MORNING + SECOND)


def texts(office: Office) -> list[str]:
    payloads = [office.run(office.plans.read_payload(answer.payload)) for answer in answers(office)]
    return [payload.text for payload in payloads if payload is not None]


FRENCH, ENGLISH, ARABIC = (TEXTS[tongue] for tongue in (Tongue.FRENCH, Tongue.ENGLISH, Tongue.ARABIC))


@pytest.mark.parametrize(
    ("words", "expected"),
    [("STOP", FRENCH), ("Stop svp", FRENCH), ("unsubscribe", ENGLISH), ("Stop. Thank you", ENGLISH), ("إيقاف", ARABIC)],
)
def test_the_answer_is_in_the_language_of_the_words_else_of_the_country(words: str, expected: StopTexts) -> None:
    office = Office()
    office.receive(said(words))
    assert texts(office) == [expected.done]


@pytest.mark.parametrize(("language", "expected"), [("en", ENGLISH), ("fr", FRENCH)])
@pytest.mark.parametrize("channel", list(Channel))
def test_a_bare_stop_is_answered_in_the_language_of_our_last_message(
    language: str, expected: StopTexts, channel: Channel
) -> None:
    office = Office()
    for reported in ("fr", "en", language):
        content = Content(template="vaccination_card", language=reported)
        office.single(1, channel, content=content, key=f"{reported}-{office.clock.now()}")
        office.clock.pass_by(seconds=1)
    office.receive(said("STOP"))
    assert texts(office)[-1] == expected.done


def test_a_sentence_with_a_stop_word_gets_one_question_in_24_hours_and_revokes_nothing() -> None:
    office = Office()
    for minute in range(0, 24 * 60, 60):
        office.receive(said("Comment arrêter ?", at=MORNING + timedelta(minutes=minute)))
        office.deliver(Channel.WHATSAPP, within=timedelta(minutes=1))
        office.clock.instant = MORNING + timedelta(minutes=minute + 60)
    assert (statement(office), texts(office)) == (None, [FRENCH.question])
    office.receive(said("Comment arrêter ?", at=MORNING + DAY))
    assert texts(office) == [FRENCH.question] * 2


def test_the_question_has_a_button_that_revokes() -> None:
    office = Office()
    office.receive(said("how do I unsubscribe?"))
    [question] = answers(office)
    payload = office.run(office.plans.read_payload(question.payload))
    assert payload is not None
    assert (payload.text, payload.exempt, payload.mode) == (ENGLISH.question, True, Mode.SESSION)
    assert payload.button is not None
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    assert office.row(question.message_id).status is Status.SENT
    office.clock.pass_by(seconds=5)
    office.receive(said(payload.button.title, payload.button.id, at=office.clock.now()))
    assert statement(office) == revoked(office.clock.now())
    assert texts(office) == [ENGLISH.question, ENGLISH.done]
    office.clock.pass_by(hours=30)
    office.receive(said("how do I unsubscribe?", at=office.clock.now()))
    assert len(answers(office)) == 2  # a person who has opted out is not asked again


@pytest.mark.parametrize("words", ["bus stop", "non-stop", "ne pas arrêter", "Bonjour"])
def test_a_word_with_another_meaning_does_nothing(words: str) -> None:
    office = Office()
    office.receive(said(words))
    assert (statement(office), answers(office)) == (None, [])


@pytest.mark.parametrize(
    "point", ["people.consents", "log.get", "log.page", "plans.write_payload", "log.add", "queue.put"]
)
def test_a_worker_killed_anywhere_leaves_one_question(point: str) -> None:
    office = Office()
    question = said("Comment faire STOP ?")
    assert office.killed(office.inbound_adapter().receive(DEMO, question), (point, 1))
    office.clock.pass_by(seconds=90)
    office.receive(question, question)
    for _ in range(3):
        office.tick()
        office.deliver(Channel.WHATSAPP, within=timedelta(minutes=3))
    assert len(answers(office)) == len(office.provider.accepted) == 1
    assert statement(office) is None


def test_a_question_that_comes_too_late_is_not_asked() -> None:
    office = Office()
    office.receive(said("Comment arrêter ?", at=MORNING - 2 * DAY))
    assert answers(office) == []


@pytest.mark.parametrize("is_open", [True, False])
def test_an_edited_message_revokes_and_is_answered_only_in_an_open_session(is_open: bool) -> None:
    office = Office()
    if is_open:
        office.receive(said("Bonjour"))
    office.clock.pass_by(minutes=10)
    edit = replace(said("Stop svp", at=office.clock.now()), is_edit=True)
    office.receive(edit, edit)
    assert statement(office) == revoked(office.clock.now())
    assert session(office) == (MORNING + DAY if is_open else None)
    assert texts(office) == ([FRENCH.done] if is_open else [])


def test_a_person_who_agreed_again_is_answered_again() -> None:
    office = Office()
    office.receive(said("STOP"))
    known(office, granted(MORNING + SECOND))
    office.clock.pass_by(seconds=2)
    office.receive(said("STOP", at=MORNING + 2 * SECOND))
    assert len(answers(office)) == 2


@pytest.mark.parametrize(
    ("before", "at"),
    [
        (revoked(MORNING - SECOND, "register"), MORNING),
        (granted(MORNING + SECOND), MORNING),
        (None, MORNING - timedelta(days=7)),
    ],
    ids=["revoked before", "agreed later", "heard too late"],
)
def test_a_stop_that_changes_nothing_or_comes_too_late_is_not_answered(before: Said | None, at: datetime) -> None:
    office = Office()
    if before is not None:
        known(office, before)
    office.receive(said("STOP", at=at))
    assert answers(office) == []
    expected = before if before is not None and before[1] > at else revoked(at)
    assert statement(office) == expected


POINTS = [
    "sessions.open",
    "people.consents",
    "log.get",
    "plans.write_payload",
    "log.add",
    "people.record",
    "rate_limits.book",
    "queue.put",
]


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_anywhere_leaves_one_answer_and_the_opt_out(point: str) -> None:
    office = Office()
    assert office.killed(office.inbound_adapter().receive(DEMO, said("STOP")), (point, 1))
    office.clock.pass_by(seconds=90)
    office.receive(said("STOP"))
    assert statement(office) == revoked()
    for _ in range(3):
        office.tick()
        office.deliver(Channel.WHATSAPP, within=timedelta(minutes=3))
    assert len(answers(office)) == len(office.provider.accepted) == 1


def test_the_answer_needs_no_consent_when_the_agenda_sends_it() -> None:
    office = Office()
    office.killed(office.inbound_adapter().receive(DEMO, said("STOP")), ("queue.put", 1))
    office.clock.pass_by(seconds=90)
    office.tick()
    office.deliver(Channel.WHATSAPP, within=timedelta(minutes=3))
    [answer] = answers(office)
    assert (statement(office), answer.status) == (revoked(), Status.SENT)


def test_a_person_who_revoked_gets_no_other_message() -> None:
    office = Office()
    sent = office.single(1, Channel.WHATSAPP)
    office.receive(said("STOP"))
    office.deliver(Channel.WHATSAPP, within=timedelta(minutes=1))
    assert (office.row(sent.message_id).status, office.row(sent.message_id).reason) == (Status.FAILED, "opted_out")
    assert len(office.provider.accepted) == 1


def test_a_person_without_a_number_is_answered_by_user_id() -> None:
    office = Office()
    office.receive(said("STOP", contact=BY_USER_ID))
    [answer] = answers(office)
    payload = office.run(office.plans.read_payload(answer.payload))
    assert payload is not None
    assert (payload.to, payload.mode, payload.exempt) == (USER_ID, Mode.SESSION, True)
    assert (answer.recipient, answer.country, answer.person) == ("***", "SN", person(office, USER_ID))
    assert statement(office, USER_ID) == revoked()


OLD, NEW, OTHER = "+22505123458", "+2250505123458", "+2250705123458"


@pytest.mark.parametrize("wrote", [OLD, NEW])
def test_an_old_number_is_the_person_with_its_operators_new_form(wrote: str) -> None:
    office = Office()
    office.receive(said("STOP", contact=Contact(phone=wrote)))
    assert statement(office, OLD) == statement(office, NEW) == revoked()
    assert session(office, NEW) == MORNING + DAY
    assert (statement(office, OTHER), session(office, OTHER)) == (None, None)
    [answer] = answers(office)
    assert (answer.country, answer.person) == ("CI", person(office, NEW))
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    assert [to for to, _ in office.provider.accepted] == [NEW]
    office.receive(said("Stop", contact=Contact(phone=NEW if wrote == OLD else OLD), at=MORNING + SECOND))
    assert len(answers(office)) == 1


def test_an_old_number_without_a_rule_is_a_person_of_its_own() -> None:
    office = Office()
    office.receive(said("STOP", contact=Contact(phone="+22520123458")))
    assert statement(office, "+22520123458") == revoked()


def test_meta_s_own_opt_out_revokes_and_its_end_grants_nothing() -> None:
    office = Office()
    office.receive(Preference(contact=BY_PHONE, stopped=True, at=MORNING))
    assert statement(office) == revoked(MORNING, PREFERENCE)
    office.receive(Preference(contact=BY_PHONE, stopped=False, at=MORNING + SECOND))
    assert (statement(office), answers(office)) == (revoked(MORNING, PREFERENCE), [])


@pytest.mark.parametrize(
    ("reason", "statement_after"), [("opted_out", revoked(MORNING, REFUSED)), ("undeliverable", None)]
)
def test_a_failure_because_of_an_opt_out_revokes(reason: str, statement_after: Said | None) -> None:
    office = Office()
    sent = office.single(1, Channel.WHATSAPP)
    report = StatusReport(
        attempt=Attempt(message_id=sent.message_id, number=1),
        provider_message_id="wamid.x",
        status=Status.FAILED,
        at=MORNING,
        error=SendError(Kind.RECIPIENT, "131050", reason),
    )
    office.run(office.inbound_adapter().status_received(DEMO, report, sent))
    assert statement(office) == statement_after


def test_other_updates_cause_no_call() -> None:
    office = Office()
    office.run(office.inbound_adapter().receive(DEMO, AccountUpdate(restricted=True, event="x", at=MORNING)))
    assert office.points.passed.total() == 0


@pytest.mark.parametrize("order", list(permutations([said("STOP", contact=BY_USER_ID), KNOWN, KNOWN])))
def test_a_stop_under_a_user_id_counts_for_the_number_in_any_order(
    order: tuple[WebhookEvent, ...],
) -> None:
    office = Office()
    office.receive(*order)
    assert statement(office) == statement(office, USER_ID) == revoked()
    assert session(office) == MORNING + DAY
    assert len(answers(office)) == 1


@pytest.mark.parametrize(
    "point", ["contacts.identity_link", "sessions.open", "people.record", "contacts.identity_links"]
)
@pytest.mark.parametrize("nth", [1, 2])
def test_an_identity_link_killed_half_way_is_completed(point: str, nth: int) -> None:
    office = Office()
    office.receive(said("STOP", contact=BY_USER_ID))
    office.killed(office.inbound_adapter().receive(DEMO, KNOWN), (point, nth))
    office.receive(KNOWN)
    assert statement(office) == revoked()
    assert session(office) == MORNING + DAY


def test_a_known_identity_link_costs_one_read() -> None:
    office = Office()
    office.receive(KNOWN)
    before = office.points.passed.copy()
    office.receive(KNOWN, KNOWN)
    assert office.points.passed - before == {"contacts.joined_identities": 1}


NEW_NUMBER = Succession(previous=BY_PHONE, current=Contact(phone=NEW_PHONE), at=MORNING)


@pytest.mark.parametrize("stop_first", [True, False])
@pytest.mark.parametrize(("at", "goes_along"), [(MORNING - SECOND, True), (MORNING, True), (MORNING + SECOND, False)])
def test_an_opt_out_follows_to_a_new_number_but_not_the_next_owners_statements(
    stop_first: bool, at: datetime, goes_along: bool
) -> None:
    office = Office()
    office.clock.pass_by(seconds=1)
    stop = said("STOP", at=at)
    office.receive(*((stop, NEW_NUMBER) if stop_first else (NEW_NUMBER, stop)), NEW_NUMBER)
    assert statement(office, NEW_PHONE) == (revoked(at) if goes_along else None)
    assert session(office, NEW_PHONE) is None


def test_a_grant_does_not_follow_to_a_new_number() -> None:
    office = Office()
    known(office, granted(MORNING - SECOND))
    office.receive(NEW_NUMBER)
    assert statement(office, NEW_PHONE) is None


@pytest.mark.parametrize("stop_first", [True, False])
@pytest.mark.parametrize(
    "reported", [Contact(phone="+5215512345678"), Contact(user_id=USER_ID)], ids=["number", "user ID"]
)
def test_a_status_shows_metas_identity_for_the_person(stop_first: bool, reported: Contact) -> None:
    """Meta still has a 1 in Mexican numbers, which no longer have one. For people with usernames it gives no number."""
    office = Office()
    sent = replace(office.single(1, Channel.WHATSAPP), person=person(office, "+525512345678"))
    attempt = Attempt(message_id=sent.message_id, number=1)
    status = StatusReport(attempt=attempt, provider_message_id="", status=Status.SENT, at=MORNING, recipient=reported)
    for receives_stop in (stop_first, not stop_first):
        if receives_stop:
            office.receive(said("STOP", contact=reported))
        else:
            office.run(office.inbound_adapter().status_received(DEMO, status, sent))
    assert statement(office, "+525512345678") == revoked()
    assert session(office, "+525512345678") == MORNING + DAY


CHAIN: tuple[WebhookEvent, ...] = (
    said("STOP", contact=BY_USER_ID, at=MORNING - 10 * SECOND),
    Preference(contact=BY_PHONE, stopped=True, at=MORNING - 9 * SECOND),
    KNOWN,
    Succession(previous=BY_USER_ID, current=Contact(user_id=NEW_USER_ID), at=MORNING - 5 * SECOND),
    Acquaintance(phone=NEW_PHONE, user_id=NEW_USER_ID),
    said("Bonjour", contact=Contact(phone=NEW_PHONE, user_id=NEW_USER_ID), at=MORNING - 2 * SECOND),
)


@given(st.permutations(CHAIN), st.lists(st.sampled_from(CHAIN), max_size=4))
def test_any_order_and_repetition_gives_the_same_result(order: list[WebhookEvent], again: list[WebhookEvent]) -> None:
    office = Office()
    office.receive(*order, *again)
    last = revoked(MORNING - 9 * SECOND, PREFERENCE)
    assert statement(office) == statement(office, NEW_PHONE) == statement(office, NEW_USER_ID) == last
    assert session(office, NEW_PHONE) == MORNING - 2 * SECOND + DAY
    assert len(answers(office)) <= 1
