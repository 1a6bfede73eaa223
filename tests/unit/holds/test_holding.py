"""What a stop error holds, what goes on, and what ends the hold: the use cases together, on fakes."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.instants import milliseconds
from shared.base.json import JsonObject
from shared.campaigns.distribution import Action, Distribution, DistributionStatus
from shared.holds.hold import ACCOUNT, DAILY_LIMIT, PROBE_LASTS, country_scope
from shared.integrations.balances import Balance
from shared.messages.errors import Kind, Scope, SendError
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.pacing.daily_limit import DailyLimit, NumberFacts
from shared.texts.content import Content, FallbackOrder
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.office import DEMO, SMS, WHATSAPP, Office, recipient

MADAGASCAR = country_scope("MG")
NO_UNITS = SendError(Kind.STOP, "POL0001", "balance_empty", scope=Scope.COUNTRY)
NOT_NAMED = SendError(Kind.STOP, "404/60", "sender_name_not_approved", scope=Scope.COUNTRY)
BAD_TOKEN = SendError(Kind.STOP, "401/41", "token_invalid", scope=Scope.ACCOUNT)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def office() -> Office:
    office = Office()
    office.balances.answer = [Balance(country="SN", units=1000), Balance(country="MG", units=0)]
    return office


def people(senegal: int, madagascar: int = 1) -> list[JsonObject]:
    """The rows of Madagascar come first."""
    foreign = [recipient(number, phone=f"+26132000{number:04d}") for number in range(1, madagascar + 1)]
    return [*foreign, *(recipient(number) for number in range(1, senegal + 1))]


def sending(office: Office, rows: list[JsonObject], key: str = "d", channel: Channel = Channel.SMS) -> Distribution:
    new = office.new_distribution(rows, key=key, channel=channel, confirm=True)
    made = office.run(office.planning().create(new))
    office.do_tasks()
    return made


def minutes(office: Office, count: int, channel: Channel = Channel.SMS) -> None:
    """Ticks, with workers that take the queue messages as they become visible."""
    for _ in range(count):
        office.tick()
        office.do_tasks()
        office.deliver(channel, within=MINUTE)


def now(office: Office, made: Distribution) -> Distribution:
    return office.distributions.items[DEMO, made.distribution_id]


def statuses(office: Office) -> Counter[str]:
    return Counter(str(row.status) for row in office.log.rows.values())


def test_a_held_country_holds_no_other_and_goes_on_when_there_are_units(office: Office) -> None:
    office.provider.refuses["MG"] = NO_UNITS
    made = sending(office, people(30))
    office.deliver(within=MINUTE)
    assert statuses(office) == {"sent": 30, "pending": 1}
    minutes(office, 3)
    assert (now(office, made).status, now(office, made).status_reason) == (DistributionStatus.PAUSED, "balance_empty")
    view = office.run(office.browse.view(now(office, made)))
    assert [(hold.scope, rows) for hold, rows in view.held.items()] == [(MADAGASCAR, 1)]
    office.provider.refuses.clear()
    office.balances.answer = [Balance(country="MG", units=5)]
    minutes(office, 2)
    assert statuses(office) == {"sent": 31}
    assert office.provider.calls_to["SN"] == 30


def test_many_rows_of_a_held_country_cost_no_call_each(office: Office) -> None:
    """After the first refusals one message a minute probes the hold, and later fewer."""
    office.provider.refuses["MG"] = NOT_NAMED
    sending(office, people(0, 200))
    office.deliver(within=MINUTE)
    first = office.provider.calls_to["MG"]
    assert first <= 10, "those that were on their way together"
    minutes(office, 60)
    assert office.provider.calls_to["MG"] - first <= 8
    assert statuses(office) == {"pending": 200}
    office.provider.refuses.clear()
    minutes(office, 60)
    assert statuses(office) == {"sent": 200}


def test_an_answer_from_before_the_end_sets_no_new_hold(office: Office) -> None:
    """The call was made during the hold. Its refusal comes after the end of the hold."""
    office.provider.refuses["MG"] = NO_UNITS
    sending(office, people(1, 3))
    known = office.run(office.holding.get(DEMO, Channel.SMS))
    assert office.run(office.holding.hold(known, MADAGASCAR, "balance_empty"))
    assert not office.run(office.holding.hold(known, MADAGASCAR, "balance_empty")), "it is held already"
    assert office.run(office.holding.end(DEMO, Channel.SMS, [MADAGASCAR]))
    assert not office.run(office.holding.hold(known, MADAGASCAR, "balance_empty")), "that was before"
    assert office.holds.items[DEMO, Channel.SMS].held_scopes() == []
    office.clock.pass_by(seconds=1)
    since = office.run(office.holding.get(DEMO, Channel.SMS))
    late = office.clock.now() - timedelta(seconds=30)
    assert not office.run(office.holding.hold(since, MADAGASCAR, "balance_empty", claimed_at=late))
    assert office.run(office.holding.hold(since, MADAGASCAR, "balance_empty", claimed_at=office.clock.now()))


@pytest.mark.parametrize("first", ["pause", "end"])
def test_the_end_of_a_hold_never_ends_a_person_s_pause(office: Office, first: str) -> None:
    office.provider.refuses["MG"] = NO_UNITS
    made = sending(office, people(0, 2))
    office.deliver(within=MINUTE)
    minutes(office, 1)
    assert now(office, made).is_held
    if first == "pause":
        office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    office.provider.refuses.clear()
    office.balances.answer = [Balance(country="MG", units=5)]
    if first == "end":
        office.tick()
        office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    minutes(office, 5)
    assert (now(office, made).status, now(office, made).status_reason) == (DistributionStatus.PAUSED, "paused_by_user")
    assert statuses(office)["sent"] == 0
    office.run(office.control.act(DEMO, made.distribution_id, Action.RESUME))
    minutes(office, 2)
    assert statuses(office) == {"sent": 2}


def test_a_resume_probes_held_scopes_at_once_and_shows_sending_meanwhile(office: Office) -> None:
    office.provider.refuses["MG"] = NOT_NAMED
    made = sending(office, people(0, 3))
    office.deliver(within=MINUTE)
    minutes(office, 30)
    calls = office.provider.calls_to["MG"]
    resumed = office.run(office.control.act(DEMO, made.distribution_id, Action.RESUME))
    assert (resumed.status, resumed.status_reason) == (DistributionStatus.SENDING, None)
    office.do_tasks()
    office.do_tasks()
    office.deliver(within=timedelta(seconds=10))
    assert office.provider.calls_to["MG"] == calls + 1, "one message tries it"
    assert now(office, made).is_held, "and it is still so"


def test_a_cancel_while_held_ends_every_row(office: Office) -> None:
    office.provider.refuses["MG"] = NO_UNITS
    made = sending(office, people(2, 3))
    office.deliver(within=MINUTE)
    minutes(office, 2)
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    minutes(office, 10)
    assert statuses(office) == {"sent": 2, "failed": 3}
    view = office.run(office.browse.view(now(office, made)))
    assert view.counts.by_reason == {"cancelled": 3}


def test_a_bad_token_holds_the_account_and_saved_settings_probe_it_at_once(office: Office) -> None:
    office.provider.refuses |= {"MG": BAD_TOKEN, "SN": BAD_TOKEN}
    office.balances.answer = BAD_TOKEN
    made = sending(office, people(5, 1))
    other = sending(office, people(2, 0), key="other")
    office.deliver(within=MINUTE)
    minutes(office, 5)
    assert office.holds.items[DEMO, Channel.SMS].held_scopes() == [ACCOUNT]
    assert now(office, made).is_held
    assert now(office, other).is_held
    office.provider.refuses.clear()
    office.run(office.holding.try_now(DEMO, Channel.SMS))
    office.do_tasks()
    office.deliver(within=timedelta(seconds=15))
    assert statuses(office)["sent"] == 1, "one tries it"
    minutes(office, 2)
    assert statuses(office) == {"sent": 8}


def test_credentials_entered_after_the_stop_are_checked_at_once(office: Office) -> None:
    """Credentials from before the stop are not: the provider's own answers may disagree for a moment."""
    office.provider.refuses["SN"] = BAD_TOKEN
    sending(office, people(5, 0))
    office.deliver(within=timedelta(seconds=3))
    office.provider.refuses.clear()
    for saved in (False, True):
        if saved:
            office.integrations.kept[DEMO, "sms"] = replace(SMS, version=milliseconds(office.clock.now()))
        office.run(office.hold_work().work(DEMO, Channel.SMS))
        assert office.holds.items[DEMO, Channel.SMS].held_scopes() == ([] if saved else [ACCOUNT])
    minutes(office, 2)
    assert statuses(office) == {"sent": 5}


def test_a_probe_does_not_queue_behind_the_list_that_it_frees(office: Office) -> None:
    """The list was booked before the stop, minutes ahead, at one message a second."""
    office.provider.refuses["SN"] = NOT_NAMED
    office.integrations.kept[DEMO, "sms"] = replace(SMS, rate_per_second=1)
    sending(office, people(100, 0))
    office.deliver(within=timedelta(seconds=3))
    office.provider.refuses.clear()
    office.run(office.holding.try_now(DEMO, Channel.SMS))
    office.do_tasks()
    office.deliver(within=timedelta(seconds=12))
    assert office.holds.items[DEMO, Channel.SMS].held_scopes() == []


def test_a_probe_that_is_lost_is_followed_by_another(office: Office) -> None:
    office.provider.refuses["MG"] = NOT_NAMED
    sending(office, people(0, 2))
    office.deliver(within=MINUTE)
    office.provider.refuses.clear()
    office.clock.pass_by(minutes=1)
    office.tick()
    assert [queue_message.probe for queue_message in office.queue.take()] == [str(MADAGASCAR)], (
        "taken off the queue, and never handled"
    )
    office.clock.pass_by(seconds=PROBE_LASTS.total_seconds())
    minutes(office, 4)
    assert statuses(office) == {"sent": 2}


@pytest.mark.parametrize(
    "point",
    ["log.give_back", "holds.get", "holds.save", "distributions.get", "distributions.counts", "distributions.save"],
)
def test_a_worker_killed_while_it_sets_a_hold_loses_no_message(office: Office, point: str) -> None:
    office.provider.refuses["MG"] = NO_UNITS
    sending(office, people(0, 1))
    office.clock.pass_by(seconds=3)
    queue_messages = office.queue.take()
    assert office.killed(office.step(Channel.SMS).send_all(queue_messages), (point, 1))
    office.provider.refuses.clear()
    office.balances.answer = [Balance(country="MG", units=5)]
    minutes(office, 30)
    ended = statuses(office)
    if point == "log.give_back":  # its claim stays: no later worker can know whether there was a call
        assert ended == {"failed": 1}
    else:
        assert ended == {"sent": 1}


@pytest.mark.parametrize(
    "point", ["holds.save", "queue.put", "tasks.put", "distributions.page", "rate_limits.book", "log.get_many"]
)
def test_the_next_tick_completes_work_on_holds_that_was_killed(office: Office, point: str) -> None:
    office.provider.refuses["MG"] = NOT_NAMED
    made = sending(office, people(0, 2))
    office.deliver(within=MINUTE)
    office.provider.refuses.clear()
    office.clock.pass_by(minutes=1)
    assert office.killed(office.hold_work().work(DEMO, Channel.SMS), (point, 1))
    minutes(office, 10)
    assert statuses(office) == {"sent": 2}
    minutes(office, 2)
    assert now(office, made).status is DistributionStatus.COMPLETED


def test_a_reached_limit_holds_all_messages_at_once(office: Office) -> None:
    office.meta.facts = NumberFacts(limit=DailyLimit(people=10))
    office.run(office.number.read(WHATSAPP))
    made = sending(office, people(30, 0), channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=MINUTE)
    assert statuses(office) == {"sent": 10, "pending": 20}
    assert all(row.due_at is None for row in office.log.rows.values()), "no write for each row that waits"
    minutes(office, 1, Channel.WHATSAPP)
    assert (now(office, made).status, now(office, made).status_reason) == (DistributionStatus.SENDING, "daily_limit")
    view = office.run(office.browse.view(now(office, made)))
    assert [(hold.scope, rows) for hold, rows in view.held.items()] == [(DAILY_LIMIT, 20)]
    office.meta.facts = NumberFacts(limit=DailyLimit(people=1000))
    minutes(office, 2, Channel.WHATSAPP)
    assert statuses(office) == {"sent": 30}


def test_no_fallback_starts_while_its_message_is_held(office: Office) -> None:
    """Meta takes the message and refuses it later, for the account. No SMS takes its place."""
    order = FallbackOrder(content=Content(template="vaccination_card"), after_minutes=5)
    new = office.new_distribution(people(3, 0), channel=Channel.WHATSAPP, confirm=True)
    office.run(office.planning().create(replace(new, order=replace(new.order, fallback=order))))
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=MINUTE)
    error = SendError(Kind.STOP, "131042", "payment_required", scope=Scope.ACCOUNT)
    for message_id in [row.message_id for row in office.log.rows.values()]:
        attempt = Attempt(message_id=message_id, number=1)
        at = office.clock.now()
        report = StatusReport(attempt=attempt, provider_message_id="wamid.x", status=Status.FAILED, at=at, error=error)
        office.reported(report, report)
    office.provider.answers = [error] * 40
    for _ in range(20):
        office.tick()
        office.do_tasks()
        office.deliver(Channel.WHATSAPP, within=MINUTE)
    assert {row.channel for row in office.log.rows.values()} == {Channel.WHATSAPP}
    assert all(row.status is Status.SENT and row.is_open for row in office.log.rows.values())


def test_a_fallback_by_time_waits_for_the_end_of_a_hold(office: Office) -> None:
    """Of three messages the last one arrives, one is refused later for the account, and one has no report."""
    order = FallbackOrder(content=Content(template="vaccination_card"), after_minutes=5)
    new = office.new_distribution(people(3, 0), channel=Channel.WHATSAPP, confirm=True)
    office.run(office.planning().create(replace(new, order=replace(new.order, fallback=order))))
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=MINUTE)
    _, stopped, arrived = sorted(office.log.rows.values(), key=lambda row: row.sent_at or office.clock.now())
    office.clock.pass_by(minutes=6)
    error = SendError(Kind.STOP, "131042", "payment_required", scope=Scope.ACCOUNT)
    for row, status, why in ((arrived, Status.DELIVERED, None), (stopped, Status.FAILED, error)):
        attempt, at = Attempt(message_id=row.message_id, number=1), office.clock.now()
        office.reported(StatusReport(attempt=attempt, provider_message_id="wamid.x", status=status, at=at, error=why))
    office.provider.answers = [error] * 40
    minutes(office, 20, Channel.WHATSAPP)
    assert {row.channel for row in office.log.rows.values()} == {Channel.WHATSAPP}
    office.provider.answers = []
    office.run(office.holding.end(DEMO, Channel.WHATSAPP, [ACCOUNT]))
    minutes(office, 3, Channel.WHATSAPP)
    assert Counter(row.channel for row in office.log.rows.values()) == {Channel.WHATSAPP: 3, Channel.SMS: 1}


@pytest.mark.parametrize("queue_message_is_lost", [False, True])
def test_a_message_stopped_later_is_sent_after_a_throttle(office: Office, queue_message_is_lost: bool) -> None:
    """Its row is `sent` until it is sent once more. No run releases it, so it needs a next check."""
    sending(office, [recipient(1)], channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=MINUTE)
    [row] = office.log.rows.values()
    error = SendError(Kind.STOP, "131042", "payment_required", scope=Scope.ACCOUNT)
    attempt = Attempt(message_id=row.message_id, number=row.attempts)
    report = StatusReport(
        attempt=attempt, provider_message_id="wamid.x", status=Status.FAILED, at=office.clock.now(), error=error
    )
    office.reported(report)
    office.provider.answers = [SendError(Kind.THROTTLED, "130429", retry_after=1)]
    calls = office.provider.calls
    while office.provider.calls == calls:
        minutes(office, 1, Channel.WHATSAPP)
    if queue_message_is_lost:
        office.queue.waiting.clear()
    minutes(office, 10, Channel.WHATSAPP)
    [row] = office.log.rows.values()
    assert (row.status, row.retrying, row.attempts) == (Status.SENT, False, 2)
