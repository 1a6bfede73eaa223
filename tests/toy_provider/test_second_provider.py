"""A second SMS provider is one folder and one row; the rest of the product does not change. (The webhook gets the row's
receipts separately, because its artefact has no HTTP client.)

The test passes the row to the office of tests/fakes. Kite's account has the same name as Orange's, and its first
reference is one that Orange has given too: no step may confuse the two.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, override

import httpx2
import pytest

from shared.app.providers import PROVIDERS, ProviderRow
from shared.app.receipts import RECEIPTS
from shared.holds.hold import ACCOUNT, ScopeKey, country_scope
from shared.integrations.integration import SmsIntegration
from shared.messages.errors import Kind, Scope
from shared.messages.message import Message, Status
from shared.messages.payload import ORANGE, Channel, Provider
from shared.pacing.rate_limit import Member
from shared.providers.http import ClientParts, SendTimes, client
from shared.sending.channel import CardSource, ChannelSender
from shared.webhooks.unmatched_receipts import LOOK_AGAIN_AFTER
from tests.fakes.office import DEMO, SMS
from tests.fakes.orange import FakeTokenStore
from tests.fakes.rest import FakeMedia
from tests.fakes.virtual import OrderedOffice
from tests.template.reading import ROOT
from tests.toy_provider.kite.client import URL, error_from
from tests.toy_provider.kite.codes import FAULTS
from tests.toy_provider.kite.receipts import FORMAT
from tests.toy_provider.row import KITE
from tests.toy_provider.server import KiteServer, field_error, reported

FORMATS = {**RECEIPTS, KITE.name: FORMAT}
RATE = 3
SECOND = timedelta(seconds=1)


class KiteOffice(OrderedOffice):
    """The organisation has Kite in its settings. Some of its messages went out by Orange before."""

    def __init__(self) -> None:
        super().__init__()
        self.kite = KiteServer(self.clock.now)
        self.providers = (*PROVIDERS, KITE)
        self.at_kite = self.settings_at(KITE.name)
        self.at_orange = self.settings_at(ORANGE)
        self.integrations.kept[DEMO, "sms"] = self.at_kite

    def settings_at(self, provider: Provider) -> SmsIntegration:
        """The same account name at either provider; the account is proven at both."""
        account = self.number_key.account(provider, SMS.client_id)
        self.rate_limits.members[account] = {DEMO: Member(rate=1000, proved_at=self.clock.now(), version=0)}
        return replace(SMS, provider=provider, rate_per_second=RATE, account=account)

    @override
    def sender(self, row: ProviderRow, times: SendTimes, cards: CardSource | None) -> ChannelSender[Any, Any]:
        if row is not KITE:
            return super().sender(row, times, cards)
        parts = ClientParts(
            http=client(httpx2.MockTransport(self.kite.answer)),
            url="",
            times=times,
            clock=self.clock,
            media=FakeMedia(self.clock),
            tokens=FakeTokenStore(self.points),
        )
        return row.sender(parts)

    def called(self, provider: Provider, body: bytes, token: str = SMS.receipt_token.value) -> bool:
        """A provider calls the secret path; the queued receipts are handled at once. Says whether the webhook accepted
        the call."""
        taken = self.run(self.worker().ingress(FORMATS).take_receipts(provider, DEMO, token, body, "192.0.2.1"))
        self.work_off()
        return taken

    def work_off(self) -> None:
        reports, self.status_queue.reports = self.status_queue.reports, []
        receiver = self.worker().receiver(FORMATS)
        assert self.run(receiver.receive_all(reports)) == [True] * len(reports)

    def look_again(self) -> None:
        """Moves the clock on until the unmatched receipts come back, and handles them."""
        self.clock.instant += LOOK_AGAIN_AFTER
        self.status_queue.reports, self.status_queue.delayed = [one for _, one in self.status_queue.delayed], []
        self.work_off()

    def sent_by_orange(self, reference: str) -> Message:
        """A message from before the organisation changed its provider."""
        self.integrations.kept[DEMO, "sms"] = self.at_orange
        message = self.single(8300)
        self.deliver(within=timedelta(seconds=5))
        self.run(self.receipts.name(DEMO, ORANGE, reference, message.message_id))
        self.integrations.kept[DEMO, "sms"] = self.at_kite
        return message


@pytest.fixture
def office() -> KiteOffice:
    return KiteOffice()


def test_a_campaign_goes_out_and_arrives(office: KiteOffice) -> None:
    """The product's own steps plan, release, check, claim, send and update the messages."""
    made = office.distribute(2)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=10))
    rows = [row for row in office.log.rows.values() if row.distribution_id == made.distribution_id]
    assert {(row.status, row.provider) for row in rows} == {(Status.SENT, KITE.name)}
    assert {row.provider_message_id for row in rows} == {"ref-1", "ref-2"}
    assert office.provider.calls == 0, "Orange was asked nothing"
    [(_, request), _] = office.kite.calls
    assert (str(request.url), request.headers["x-api-key"]) == (URL, SMS.client_secret.value)
    assert office.kite.bodies()[0]["account"] == SMS.client_id
    assert office.called(KITE.name, reported(("ref-1", "ARRIVED"), ("ref-2", "LOST")))
    by_reference = {row.provider_message_id: office.row(row.message_id) for row in rows}
    assert by_reference["ref-1"].status is Status.DELIVERED
    assert (by_reference["ref-2"].status, by_reference["ref-2"].reason) == (Status.FAILED, "undeliverable")


@pytest.mark.parametrize(
    ("number", "kind", "scope"),
    [
        (3, Kind.RECIPIENT, Scope.ACCOUNT),
        (4, Kind.RECIPIENT, Scope.ACCOUNT),
        (5, Kind.RETRY, Scope.ACCOUNT),
        (7, Kind.THROTTLED, Scope.ACCOUNT),
        (9, Kind.STOP, Scope.ACCOUNT),
        (12, Kind.STOP, Scope.COUNTRY),
        (30, Kind.BUG, Scope.ACCOUNT),
    ],
)
def test_each_error_of_its_table_is_a_decision(number: int, kind: Kind, scope: Scope) -> None:
    error = error_from(422, field_error(number))
    assert (error.kind, error.scope, error.code) == (kind, scope, f"422/{number}")
    assert number in FAULTS


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"", Kind.STOP),
        (418, b'{"field_error": {"number": 999}}', Kind.BUG),
        (429, b"[]", Kind.THROTTLED),
        (502, b"<html>", Kind.UNKNOWN),
        (503, b"null", Kind.RETRY),
    ],
)
def test_the_mapper_accepts_every_answer(status: int, body: bytes, kind: Kind) -> None:
    assert error_from(status, body).kind is kind


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ((422, field_error(3)), Status.FAILED, "phone_invalid"),
        ((422, field_error(30)), Status.FAILED, "provider_rejected"),
        ((502, b"<html>"), Status.FAILED, "outcome_unknown"),
        ((422, field_error(5)), Status.PENDING, None),
        ((422, field_error(12)), Status.PENDING, None),
    ],
)
def test_the_send_step_acts_on_it(
    office: KiteOffice, answer: tuple[int, bytes], status: Status, reason: str | None
) -> None:
    message = office.single()
    office.kite.answers = [answer]
    office.deliver(within=timedelta(seconds=5))
    row = office.row(message.message_id)
    assert (row.status, row.reason, len(office.kite.calls)) == (status, reason, 1)


@pytest.mark.parametrize(("number", "held"), [(9, ACCOUNT), (12, country_scope("SN")), (3, None)])
def test_a_stop_error_holds_only_its_scope(office: KiteOffice, number: int, held: ScopeKey | None) -> None:
    office.single()
    office.kite.answers = [(422, field_error(number))]
    office.deliver(within=timedelta(seconds=5))
    assert office.run(office.holding.get(DEMO, Channel.SMS)).held_scopes() == ([held] if held else [])


def test_its_rate_limit_is_its_own(office: KiteOffice) -> None:
    """Three a second. Orange's account has the same name and is held."""
    office.run(office.rate_limits.hold(office.at_orange.rate_limit, office.clock.now() + timedelta(hours=1)))
    office.distribute(12)
    office.do_tasks()
    queue_messages = office.queue.take()
    office.run(office.step(Channel.SMS).send_all(queue_messages))
    calls = [at for at, _ in office.kite.calls]
    assert len(calls) == 12
    assert not [nth for nth in range(12 - RATE) if calls[nth + RATE] - calls[nth] < SECOND]
    assert calls[-1] - calls[0] < timedelta(seconds=6)
    assert office.rate_limits.stored(office.at_orange.rate_limit).next_bulk == 0


def test_a_throttle_delays_its_rate_limit_alone(office: KiteOffice) -> None:
    office.single()
    office.kite.answers = [(422, field_error(7))]
    office.deliver()
    assert office.rate_limits.held_until(office.at_kite.rate_limit) - office.clock.now() == 2 * SECOND
    assert office.rate_limits.stored(office.at_orange.rate_limit).not_before == 0


@pytest.mark.parametrize("comes_first", ["the message's name", "the receipt"])
def test_a_receipt_moves_only_its_own_message(office: KiteOffice, comes_first: str) -> None:
    """Both providers have given the reference ref-1."""
    old = office.sent_by_orange("ref-1")
    new = office.single()
    if comes_first == "the receipt":
        assert office.called(KITE.name, reported(("ref-1", "ARRIVED")))
    office.deliver(within=timedelta(seconds=5))
    if comes_first != "the receipt":
        assert office.called(KITE.name, reported(("ref-1", "ARRIVED")))
    assert office.row(new.message_id).provider_message_id == "ref-1"
    assert (office.row(new.message_id).status, office.row(old.message_id).status) == (Status.DELIVERED, Status.SENT)
    info = {"address": "tel:+221770008300", "deliveryStatus": "DeliveryImpossible"}
    late = {"deliveryInfoNotification": {"callbackData": "ref-1", "deliveryInfo": info}}
    assert office.called(ORANGE, json.dumps(late).encode()), "the old provider's late receipts are still taken"
    assert (office.row(new.message_id).status, office.row(old.message_id).status) == (Status.DELIVERED, Status.FAILED)


def test_only_a_receipt_of_its_own_provider_settles_an_unknown_outcome(office: KiteOffice) -> None:
    message = office.single()
    office.kite.answers = [(502, b"<html>")]
    office.deliver(within=timedelta(seconds=5))
    info = {"address": "tel:+221770008200", "deliveryStatus": "DeliveredToTerminal"}
    stray = {"deliveryInfoNotification": {"callbackData": "stray", "deliveryInfo": info}}
    assert office.called(ORANGE, json.dumps(stray).encode())
    office.look_again()
    assert office.row(message.message_id).reason == "outcome_unknown"
    assert office.called(KITE.name, reported(("ref-lost", "ARRIVED")))
    office.look_again()
    assert office.row(message.message_id).status is Status.DELIVERED


def test_its_secret_path_asks_for_the_token(office: KiteOffice) -> None:
    assert not office.called(KITE.name, reported(("ref-1", "ARRIVED")), token="guessed")
    assert office.telemetry.warning_events == ["webhook_refused"]


def test_settings_that_name_an_unknown_provider_hold_the_account(office: KiteOffice) -> None:
    """The provider's row is gone: no other provider sends."""
    office.providers = PROVIDERS
    office.single()
    office.deliver(within=timedelta(seconds=5))
    assert (office.provider.calls, office.kite.calls) == (0, [])
    assert office.run(office.holding.get(DEMO, Channel.SMS)).held_scopes() == [ACCOUNT]


def test_the_webhook_reads_the_receipts_that_the_rows_name() -> None:
    assert {row.name: row.receipts for row in PROVIDERS if row.receipts is not None} == RECEIPTS


def test_the_provider_is_one_folder_and_one_row() -> None:
    sources = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    assert not [file for file in sources if "kite" in file.read_text(encoding="utf-8").lower()]
