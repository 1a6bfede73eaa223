"""The members of a provider account's rate limit: which call proves membership, from when on, and with killed
workers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched, pairwise
from typing import Any

import pytest

from shared.base.instants import from_microseconds
from shared.base.json import JsonObject
from shared.integrations.administration import Administration, AdministrationDeps
from shared.integrations.balances import Balance
from shared.integrations.integration import SmsIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Channel
from shared.messages.queue_message import QueueMessage
from shared.pacing.members import ProvingBalances, ProvingNumbers
from shared.recipients.number_key import NumberKey
from shared.sending.send import SendStep
from tests.fakes.account import FakeMeta
from tests.fakes.office import DEMO, SMS, WHATSAPP, Office, recipient
from tests.fakes.orange import FakeBalances, FakeTokenStore
from tests.fakes.virtual import OrderedOffice
from tests.fakes.world import KilledError

BODY: JsonObject = {"client_id": "c", "client_secret": "s", "sender_name": "PNV", "default_country": "SN"}
REFUSED = SendError(Kind.STOP, "401/42", "token_invalid")


@pytest.fixture
def office() -> Office:
    """No organisation has proved an account yet."""
    office = Office()
    office.rate_limits.members.clear()
    return office


def rate(office: Office, rate_limit_of: SmsIntegration = SMS) -> int | None:
    return office.rate_limits.stored(rate_limit_of.rate_limit).shared_rate


# ------------------------------------------------------------------------------------------------------ what proves it


def test_an_accepted_message_makes_a_member(office: Office) -> None:
    first, second = office.single(), office.single(8201)
    assert rate(office) is None
    office.run(office.step(Channel.SMS).send_all(office.queue.take()))
    assert {office.row(one.message_id).status for one in (first, second)} == {"sent"}
    assert rate(office) == SMS.rate_per_second


@pytest.mark.parametrize("kind", list(Kind))
def test_a_message_that_was_not_accepted_proves_nothing(office: Office, kind: Kind) -> None:
    office.single()
    office.provider.answers = [SendError(kind, "some code", "token_invalid")]
    office.run(office.step(Channel.SMS).send_all(office.queue.take()))
    assert rate(office) is None


def test_a_worker_that_dies_before_the_membership_is_stored_has_sent_the_message(office: Office) -> None:
    message = office.single()
    assert office.killed(office.step(Channel.SMS).send_all(office.queue.take()), ("rate_limits.join", 1))
    assert (office.row(message.message_id).status, rate(office)) == ("sent", None)
    office.single(8201)
    office.run(office.step(Channel.SMS).send_all(office.queue.take()))
    assert rate(office) == SMS.rate_per_second


def test_an_answer_about_contracts_or_a_number_proves_it_and_a_refusal_does_not(office: Office) -> None:
    balances = FakeBalances()
    proving = ProvingBalances(balances, office.members)
    balances.answer = REFUSED
    with pytest.raises(SendError):
        office.run(proving.of(SMS))
    assert rate(office) is None
    balances.answer = [Balance(country="SN", units=1)]
    assert office.run(proving.of(SMS)) == balances.answer
    assert rate(office) == SMS.rate_per_second
    assert office.rate_limits.stored(WHATSAPP.rate_limit).shared_rate is None
    office.run(ProvingNumbers(FakeMeta(), office.members).number(WHATSAPP))
    assert office.rate_limits.stored(WHATSAPP.rate_limit).shared_rate == WHATSAPP.rate_per_second


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
def test_a_list_begins_at_full_rate_although_no_call_was_made_yet(office: Office, channel: Channel) -> None:
    """Its credentials were replaced after planning, or it waited for more than a week."""
    office.distribute(40, channel=channel)
    office.rate_limits.members.clear()
    office.do_tasks()
    send_slots = sorted(one.slot_at for one in office.queue.waiting)
    assert len(send_slots) == 40
    assert send_slots[-1] - send_slots[0] < 10_000_000


def test_if_the_provider_does_not_answer_it_is_asked_once_a_minute_and_the_list_begins_slowly(office: Office) -> None:
    office.distribute(40)
    office.rate_limits.members.clear()
    office.balances.answer, asked = REFUSED, office.balances.asked
    office.do_tasks()
    send_slots = sorted(one.slot_at for one in office.queue.waiting)
    assert send_slots[-1] - send_slots[0] > 38_000_000
    assert office.balances.asked == asked + 1
    assert "account_not_proved" in office.telemetry.names()


def test_without_proof_it_sends_one_a_second_and_does_not_affect_members(office: Office) -> None:
    real = replace(SMS, organisation="real")
    office.run(office.rate_limits.join(real.rate_limit, 5, version=1))
    before = office.rate_limits.stored(real.rate_limit)
    office.provider.answers = [SendError(Kind.THROTTLED, "403/53", retry_after=600), REFUSED, REFUSED]
    for number in range(5):
        office.single(8200 + number)
    send_slots = sorted(one.slot_at for one in office.queue.waiting)
    assert all(later - earlier > 900_000 for earlier, later in pairwise(send_slots))
    for _ in range(3):
        office.run(office.step(Channel.SMS).send_all(office.queue.take(most=1)))
    assert office.rate_limits.stored(real.rate_limit) == before


# ---------------------------------------------------------------------------------------------- two on one account


def distribute(office: Office, integration: SmsIntegration, count: int) -> None:
    """A confirmed distribution of an organisation with a proven account, released as far as possible."""
    office.integrations.kept[integration.organisation, "sms"] = integration
    office.run(office.members.proved(integration))
    rows = [recipient(number) for number in range(1, count + 1)]
    new = replace(office.new_distribution(rows, confirm=True), organisation=integration.organisation)
    office.run(office.planning().create(new))
    office.do_tasks()


async def work(office: Office, step: SendStep[Any, str], queue_messages: Sequence[QueueMessage]) -> None:
    """One worker takes ten at a time, a second before the first send slot of the batch."""
    for batch in batched(queue_messages, 10, strict=False):
        first = from_microseconds(batch[0].slot_at) - timedelta(seconds=1)
        await office.clock.sleep((first - office.clock.now()).total_seconds())
        assert all(await step.send_all(batch))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_provider_counts_the_calls_of_both_organisations_together(workers: int) -> None:
    """With any number of workers, and any organisation for each."""
    office = OrderedOffice()
    office.rate_limits.members.clear()
    for number, rate in enumerate((5, 8)):
        distribute(office, replace(SMS, organisation=f"o-{number}", rate_per_second=rate), 60)
    calls: list[datetime] = []
    office.provider.called = lambda: calls.append(office.clock.now())
    queue_messages = office.queue.take()
    steps = [office.step(Channel.SMS) for _ in range(workers)]
    shared = [queue_messages[number::workers] for number in range(workers)]

    async def all_work() -> None:
        await asyncio.gather(*(work(office, *one) for one in zip(steps, shared, strict=True)))

    office.run(all_work())
    assert len(calls) == 120
    calls.sort()
    assert all(calls[nth + 5] - calls[nth] >= timedelta(seconds=1) for nth in range(115))


# --------------------------------------------------------------------------------------------------- settings that end


class AdapterRig:
    """The administrator's actions for a member organisation."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.administration = Administration(
            AdministrationDeps(
                integrations=office.integrations,
                templates=office.templates,
                tokens=FakeTokenStore(office.points),
                holding=office.holding,
                members=office.members,
                number_key=NumberKey(b"k" * 64),
                draw=lambda: "drawn",
                clock=office.clock,
            )
        )
        self.put()
        self.settings = self.kept()
        office.run(office.members.proved(self.settings))
        office.clock.pass_by(seconds=1)
        assert self.rate() == 5

    def kept(self) -> SmsIntegration:
        kept = self.office.integrations.kept[DEMO, "sms"]
        assert isinstance(kept, SmsIntegration)
        return kept

    def put(self, **changes: str | int) -> None:
        self.office.run(self.administration.put(DEMO, "sms", {**BODY, **changes}))

    def delete(self) -> None:
        self.office.run(self.administration.delete(DEMO, "sms"))

    def rate(self) -> int | None:
        """The shared rate of the first account."""
        return self.office.rate_limits.stored(self.settings.rate_limit).shared_rate


def test_an_account_has_the_same_key_in_every_organisation_and_shares_it_with_no_other(office: Office) -> None:
    key = NumberKey(b"k" * 64)
    assert AdapterRig(office).settings.account == key.account("orange", "c")
    names = {key.account("orange", "c"), key.account("meta", "c"), key.account("orange", "d"), key.person("", "c")}
    assert len(names) == 4
    assert NumberKey(b"j" * 64).account("sms", "c") not in names


def test_a_members_saved_rate_counts_at_once_and_a_new_secret_does_not_end_it(office: Office) -> None:
    adapter = AdapterRig(office)
    adapter.put(rate_per_second=2)
    assert adapter.rate() == 2
    office.clock.pass_by(seconds=1)
    adapter.put(rate_per_second=3, client_secret="another")
    assert adapter.rate() == 3


def test_deleted_settings_and_another_client_end_the_membership(office: Office) -> None:
    adapter = AdapterRig(office)
    adapter.delete()
    assert adapter.rate() is None
    adapter = AdapterRig(office)
    adapter.put(client_id="d")
    assert adapter.rate() is None
    moved = adapter.kept()
    assert rate(office, moved) is None
    office.run(office.members.proved(moved))
    assert rate(office, moved) == 5


def test_a_call_that_succeeds_while_the_settings_end_leaves_no_member_behind(office: Office) -> None:
    for end in (AdapterRig.delete, lambda adapter: adapter.put(client_id="d")):
        adapter = AdapterRig(office)
        end(adapter)
        office.run(office.members.proved(adapter.settings))
        assert adapter.rate() is None


def test_an_organisation_deleted_during_its_proof_is_no_member(office: Office) -> None:
    """It was no member when it was deleted, so there was nothing to remove. After it joins it checks once more."""
    stranger = replace(SMS, organisation="stranger")
    office.run(office.members.proved(stranger))
    assert rate(office, stranger) is None


@pytest.mark.parametrize("point", [("rate_limits.leave", 1), ("rate_limits.leave", 2)])
def test_an_administrators_next_request_completes_one_that_died(office: Office, point: tuple[str, int]) -> None:
    """Settings that still exist may join again; deleted settings have left before."""
    for end in (AdapterRig.delete, lambda adapter: adapter.put(client_id="d")):
        adapter = AdapterRig(office)
        office.points.kill_before = (point[0], office.points.passed[point[0]] + point[1])
        with pytest.raises(KilledError):
            end(adapter)
        office.points.kill_before = None
        still_there = (DEMO, "sms") in office.integrations.kept and adapter.kept() == adapter.settings
        office.clock.pass_by(seconds=1)
        office.run(office.members.proved(adapter.settings))
        assert (adapter.rate() is not None) == still_there
        end(adapter)
        assert adapter.rate() is None


def test_concurrent_saves_of_two_members_both_count(office: Office) -> None:
    rate_limits = office.rate_limits
    others = [replace(SMS, organisation=f"o-{number}") for number in range(3)]
    for one in others:
        office.integrations.kept[one.organisation, "sms"] = one
        office.run(office.members.proved(one))

    async def all_save() -> None:
        saved = (office.members.saved(replace(one, rate_per_second=2 + n, version=2)) for n, one in enumerate(others))
        await asyncio.gather(*saved)

    office.run(all_save())
    assert {rate_limits.stored(one.rate_limit).shared_rate for one in others} == {2}
