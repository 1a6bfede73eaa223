"""A message as people see it: what its row says, and what its distribution says for all rows."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from shared.api import documents
from shared.api.texts.sentences import TextKind, text
from shared.base.ids import SYSTEM, fallback_id
from shared.campaigns.distribution import Action
from shared.campaigns.reading import MessageView
from shared.holds.hold import ACCOUNT
from shared.messages.errors import Kind, SendError
from shared.messages.message import DeadLetter, DeadReason, Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import LogQuery, Move
from shared.sending.test_send import NewTestSend
from shared.texts.content import Content, FallbackOrder
from tests.fakes.office import DEMO, OFFICER, Office, recipient

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


def view(office: Office, message_id: str) -> MessageView:
    return office.run(office.browse.message(DEMO, message_id))


def shown(office: Office, message: Message, language: Literal["fr", "en"] = "fr") -> dict[str, Any]:
    """Its document."""
    return documents.message(view(office, message.message_id), office.clock.now(), language)


def test_a_row_shows_its_distributions_template_and_its_own_language(office: Office) -> None:
    for channel in Channel:
        office.run(
            office.planning().create(
                office.new_distribution([recipient(1)], channel=channel, key=channel, confirm=True)
            )
        )
    office.do_tasks()
    for row in office.log.rows.values():
        document = shown(office, row)
        assert (document["template"], document["language"], document["country"]) == ("vaccination_card", "fr", "SN")


@pytest.mark.parametrize("channel", Channel)
def test_a_single_message_and_its_resend_show_the_template(office: Office, channel: Channel) -> None:
    made = office.single(channel=channel)
    office.run(
        office.log.move(DEMO, made.message_id, Move(status=Status.FAILED, at=office.clock.now(), reason="expired"))
    )
    again = office.run(office.resends().resend(DEMO, made.message_id))
    for one in (made, again):
        document = shown(office, one)
        assert (document["template"], document["language"]) == ("vaccination_card", "fr")


@pytest.mark.parametrize("channel", Channel)
def test_the_resend_of_a_row_is_listed_in_its_distribution_and_shows_its_template(
    office: Office, channel: Channel
) -> None:
    made = office.distribute(1, channel=channel)
    office.do_tasks()
    [row] = office.log.rows.values()
    office.run(
        office.log.move(DEMO, row.message_id, Move(status=Status.FAILED, at=office.clock.now(), reason="expired"))
    )
    again = office.run(office.resends().resend(DEMO, row.message_id, COLLEAGUE))
    document = shown(office, again)
    assert (document["template"], document["distribution_id"], document["via"], document["created_by"]) == (
        "vaccination_card",
        made.distribution_id,
        "resend",
        COLLEAGUE,
    )
    twice = office.log.rows[DEMO, again.message_id]
    assert (twice.chunk, twice.parent_chunk, twice.distribution_id) == (None, None, None)
    query = LogQuery(organisation=DEMO, distribution_id=made.distribution_id)
    page = office.run(office.browse.messages(query, None, 10))
    assert {one.message_id for one in page.items} == {row.message_id, again.message_id}


def test_a_text_of_ones_own_has_no_template(office: Office) -> None:
    document = shown(office, office.single(content=Content(text="Bonjour {first_name}")))
    assert (document["template"], document["language"]) == (None, None)


def test_a_text_that_went_as_its_template_shows_that_one(office: Office) -> None:
    made = office.single(channel=Channel.WHATSAPP)
    row = replace(office.row(made.message_id), template=None, fallback_template="nutrition_card/en", language="fr")
    for as_template, seen in ((False, (None, "fr")), (True, ("nutrition_card", "en"))):
        office.log.rows[DEMO, made.message_id] = replace(row, as_template=as_template)
        document = shown(office, made)
        assert (document["template"], document["language"]) == seen


@pytest.mark.parametrize(
    ("content", "template"), [(Content(template="nutrition_card"), "nutrition_card"), (Content(text="SMS"), None)]
)
def test_a_fallback_shows_the_template_of_its_own_text(office: Office, content: Content, template: str | None) -> None:
    office.provider.answers = [SendError(Kind.RECIPIENT, "131026", "not_on_whatsapp")]
    parent = office.single(channel=Channel.WHATSAPP, fallback=FallbackOrder(content=content, after_minutes=90))
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    office.do_tasks()
    document = shown(office, office.row(fallback_id(parent.message_id)))
    assert (document["template"], document["language"], document["via"]) == (template, "fr", "fallback")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_reason_has_its_text_beside_it(office: Office, language: Literal["fr", "en"]) -> None:
    made = office.single()
    document = shown(office, made, language)
    assert (document["reason"], document["reason_text"]) == (None, None)
    at = office.clock.now()
    office.run(office.log.move(DEMO, made.message_id, Move(status=Status.SENT, at=at)))
    office.clock.pass_by(hours=50)
    document = shown(office, made, language)
    assert (document["status"], document["reason"]) == (Status.SENT, "receipt_missing")
    assert document["reason_text"] == text(TextKind.REASON, "receipt_missing", language)
    office.run(office.log.move(DEMO, made.message_id, Move(status=Status.FAILED, at=at, reason="undeliverable")))
    assert shown(office, made, language)["reason_text"] == text(TextKind.REASON, "undeliverable", language)


def test_the_next_attempt_is_shown_while_nothing_else_keeps_the_message(office: Office) -> None:
    at = office.clock.now() + timedelta(hours=3)
    made = office.single(send_at=at)
    assert view(office, made.message_id).next_attempt_at == at
    office.run(office.holding.hold(office.run(office.holding.get(DEMO, Channel.SMS)), ACCOUNT, "token_invalid"))
    document = shown(office, made, "en")
    assert document["next_attempt_at"] is None
    assert document["hold"] == {
        "scope": "account",
        "key": None,
        "reason": "token_invalid",
        "reason_text": text(TextKind.STATUS_REASON, "token_invalid", "en"),
    }


def test_a_row_of_a_paused_distribution_has_no_next_attempt(office: Office) -> None:
    made = office.distribute(1)
    office.do_tasks()
    [row] = office.log.rows.values()
    office.run(office.log.postpone(DEMO, row.message_id, due_at=office.clock.now() + timedelta(hours=1)))
    assert view(office, row.message_id).next_attempt_at is not None
    office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    assert view(office, row.message_id).next_attempt_at is None
    paused = office.run(office.browse.distribution(DEMO, made.distribution_id))
    document = documents.distribution(paused, "fr")
    assert document["status_reason_text"] == text(TextKind.STATUS_REASON, "paused_by_user", "fr")


def test_the_reason_of_a_dead_letter_has_its_text(office: Office) -> None:
    made = office.single()
    letter = DeadLetter(received_at=office.clock.now(), reason=DeadReason.COPY_UNREADABLE, attempts=12)
    document = documents.dead_letter(made, letter, "fr")
    assert document["reason_text"] == text(TextKind.DEAD_LETTER, "copy_unreadable", "fr")
