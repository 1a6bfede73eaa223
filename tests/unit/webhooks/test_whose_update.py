"""Another account's webhooks: one Meta app has one address for all its accounts.

An update of another account or number is counted and changes nothing (issue 14, lines 1 and 2).
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.campaigns.ports import Task
from shared.holds.hold import ACCOUNT
from shared.holds.release import AGAIN_AFTER, MOST_TRIES
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Channel
from shared.pacing.daily_limit import NumberFacts, NumberStatus
from shared.policy.consent import ConsentState
from shared.texts.templates import Listing
from shared.webhooks.updates import (
    AccountUpdate,
    Acquaintance,
    Contact,
    Inbound,
    LimitUpdate,
    NumberUpdate,
    Preference,
    Source,
    Succession,
    TemplateStatus,
    TemplateUpdate,
    WebhookEvent,
)
from tests.fakes.office import DEMO, WHATSAPP, Office
from tests.fakes.world import MORNING

MINE = replace(WHATSAPP, business_account_id="900")
OURS = Source(account="900")
PHONE, USER_ID = "+221770000001", "SN.13491208655302741918"
HOUR = timedelta(hours=1)
OF_THE_ACCOUNT: list[TemplateUpdate | AccountUpdate | LimitUpdate | NumberUpdate] = [
    TemplateUpdate(name="vaccination_card", language="fr", status=TemplateStatus.PAUSED, at=MORNING),
    TemplateUpdate(name="vaccination_card", language="fr", status=TemplateStatus.APPROVED, at=MORNING),
    TemplateUpdate(name="vaccination_card", language="fr", category="MARKETING", at=MORNING),
    AccountUpdate(restricted=True, event="ACCOUNT_RESTRICTION", at=MORNING),
    AccountUpdate(restricted=None, event="ACCOUNT_VIOLATION", at=MORNING),
    LimitUpdate(limit=250, at=MORNING),
    NumberUpdate(event="FLAGGED", quality="RED", at=MORNING),
]
OF_PEOPLE: list[Inbound | Preference | Acquaintance | Succession] = [
    Inbound(contact=Contact(phone=PHONE), message_id="wamid.x", at=MORNING, words=("STOP",)),
    Preference(contact=Contact(phone=PHONE), stopped=True, at=MORNING),
    Acquaintance(phone=PHONE, user_id=USER_ID),
    Succession(previous=Contact(phone=PHONE), current=Contact(phone="+221770000002"), at=MORNING),
]
NUMBER = Source(account="900", phone_number_id=MINE.phone_number_id, shown_number="221770009999")
ANOTHERS_NUMBER = [replace(NUMBER, phone_number_id="another"), Source(account="900", shown_number="221770000000")]
ANOTHERS = [Source(account="901"), Source(), *ANOTHERS_NUMBER]


def office(integration: WhatsAppIntegration | None = MINE) -> Office:
    made = Office()
    made.integrations.kept = {(DEMO, "whatsapp"): integration} if integration is not None else {}
    return made


def known(office: Office) -> tuple[Listing, NumberStatus, list[object], list[Task]]:
    """Everything that an update of the account may change."""
    return (
        office.run(office.book.listing(DEMO, "900")),
        office.run(office.number_statuses.get(DEMO, MINE.phone_number_id)),
        list(office.run(office.holding.get(DEMO, Channel.WHATSAPP)).scopes.items()),
        list(office.tasks.tasks),
    )


def people(office: Office) -> tuple[object, ...]:
    """Everything that an event of a person may change."""
    return office.people.records.copy(), office.contacts.kept.copy(), office.sessions.ends.copy(), list(office.log.rows)


def receive(office: Office, webhook_event: WebhookEvent, source: Source) -> None:
    for listener in (office.account_listener(), office.inbound_adapter()):
        office.run(listener.receive(DEMO, replace(webhook_event, source=source)))


@pytest.mark.parametrize("webhook_event", OF_THE_ACCOUNT, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("source", ANOTHERS, ids=str)
def test_another_accounts_update_is_counted_and_changes_nothing(webhook_event: WebhookEvent, source: Source) -> None:
    made = office()
    before = known(made)
    receive(made, webhook_event, source)
    assert known(made) == before
    assert made.telemetry.names() == ["webhook_event_of_another_account"]
    receive(made, webhook_event, OURS)
    assert known(made) != before


@pytest.mark.parametrize("webhook_event", OF_THE_ACCOUNT, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("source", [OURS, NUMBER, *ANOTHERS], ids=str)
def test_without_an_account_in_the_settings_an_update_cannot_be_attributed(
    webhook_event: WebhookEvent, source: Source
) -> None:
    made = office(WHATSAPP)
    before = known(made)
    receive(made, webhook_event, source)
    assert known(made) == before
    [(name, reported)] = made.telemetry.events
    assert (name, reported["account_is_set"]) == ("webhook_event_of_another_account", False)


@pytest.mark.parametrize("webhook_event", OF_PEOPLE, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("source", [Source(account="901"), *ANOTHERS_NUMBER], ids=str)
def test_messages_to_another_account_or_number_change_nothing(webhook_event: WebhookEvent, source: Source) -> None:
    made = office()
    before = people(made)
    receive(made, webhook_event, source)
    assert people(made) == before
    assert made.telemetry.names() == ["inbound_to_another_number"]


@pytest.mark.parametrize("webhook_event", OF_PEOPLE, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("integration", [MINE, WHATSAPP], ids=["named", "unnamed"])
@pytest.mark.parametrize("source", [OURS, Source(), NUMBER, replace(NUMBER, account="901")], ids=str)
def test_messages_to_our_number_count(
    webhook_event: WebhookEvent, integration: WhatsAppIntegration, source: Source
) -> None:
    """A number belongs to one account. A STOP must not be lost because an account's ID has a typing error."""
    made = office(integration)
    before = people(made)
    receive(made, webhook_event, source)
    assert people(made) != before or isinstance(webhook_event, Succession)
    assert "inbound_to_another_number" not in made.telemetry.names()


def test_an_opt_out_counts_after_the_settings_are_gone() -> None:
    made = office(None)
    receive(made, Preference(contact=Contact(phone=PHONE), stopped=True, at=MORNING), Source(account="901"))
    [record] = made.people.records.values()
    assert record.latest is not None
    assert record.latest.state is ConsentState.REVOKED


# --------------------------------------------------------------------------------------- what stops, and what does not


def warning(made: Office, **changes: object) -> None:
    webhook_event = AccountUpdate(restricted=None, event="ACCOUNT_RESTRICTION", at=made.clock.now(), source=OURS)
    made.run(made.account_listener().receive(DEMO, replace(webhook_event, **changes)))  # type: ignore[arg-type]


def work_off(made: Office) -> None:
    tasks, made.tasks.tasks = made.tasks.tasks, []
    for task in tasks:
        if task.kind == "account":
            made.run(made.account_health().work(task))


def is_held(made: Office) -> bool:
    return made.run(made.holding.get(DEMO, Channel.WHATSAPP)).holding([ACCOUNT]) is not None


@pytest.mark.parametrize(
    ("can_send", "held"), [("AVAILABLE", False), ("LIMITED", False), (None, False), ("BLOCKED", True)]
)
def test_after_an_account_update_metas_own_answer_decides(can_send: str | None, held: bool) -> None:
    made = office()
    made.meta.facts = NumberFacts(can_send=can_send)
    for _ in range(2):
        warning(made, restriction="RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN")
    assert not is_held(made)
    assert made.telemetry.warning_events == ["account_warning", "account_warning"]
    work_off(made)
    assert is_held(made) is held


def test_meta_is_asked_again_until_it_answers() -> None:
    made = office()
    made.meta.error = SendError(Kind.RETRY, "ConnectError")
    warning(made)
    for _ in range(3):
        work_off(made)
        assert not is_held(made)
    assert [task.round for task in made.tasks.tasks] == [3]
    assert made.tasks.delays[-1] == AGAIN_AFTER.total_seconds()
    made.meta.error, made.meta.facts = None, NumberFacts(can_send="BLOCKED")
    work_off(made)
    assert is_held(made)


@pytest.mark.parametrize(
    ("error", "round_"),
    [(SendError(Kind.STOP, "190", "token_invalid"), 0), (SendError(Kind.RETRY, "ConnectError"), MOST_TRIES - 1)],
)
def test_meta_is_asked_a_limited_number_of_times(error: SendError, round_: int) -> None:
    made = office()
    made.meta.error = error
    made.tasks.tasks = [Task(kind="account", organisation=DEMO, round=round_)]
    work_off(made)
    assert made.tasks.tasks == []


def test_a_hold_that_ended_during_the_question_to_meta_stays_ended() -> None:
    """The answer is older than the change."""
    made = office()
    warning(made, restricted=True)
    assert is_held(made)
    warning(made)
    number = made.meta.number

    async def slowly(integration: WhatsAppIntegration) -> NumberFacts:
        await made.holding.end(DEMO, Channel.WHATSAPP, [ACCOUNT])
        await number(integration)
        return NumberFacts(can_send="BLOCKED")

    made.meta.number = slowly  # type: ignore[method-assign]
    work_off(made)
    assert not is_held(made)


@pytest.mark.parametrize(("ends", "held"), [(-HOUR, False), (timedelta(0), False), (HOUR, True), (None, True)])
def test_a_restriction_stops_until_it_ends(ends: timedelta | None, held: bool) -> None:
    """Webhooks are repeated for seven days."""
    made = office()
    until = made.clock.now() + ends if ends is not None else None
    warning(made, restricted=True, until=until, restriction="RESTRICTED_BIZ_INITIATED_MESSAGING")
    assert is_held(made) is held
    assert made.run(made.number_statuses.get(DEMO, MINE.phone_number_id)).restricted is held


def test_after_the_settings_are_deleted_meta_is_not_asked() -> None:
    made = office(None)
    made.tasks.tasks = [Task(kind="account", organisation=DEMO)]
    work_off(made)
    assert made.meta.calls == []
