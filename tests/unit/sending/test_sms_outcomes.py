"""The outcomes of an SMS after its call (unknown, refused by the network, delivered after all), and the counts."""

import json
from datetime import timedelta

import pytest

from shared.messages.errors import Kind, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import ORANGE, Channel
from shared.providers.meta import webhook
from shared.providers.orange.receipts import FORMAT
from shared.webhooks.ingress import ReceiptAdapter, Receiver, Report
from shared.webhooks.meta_documents import MetaAdapter
from shared.webhooks.unmatched_receipts import UnmatchedReceipts
from tests.fakes.office import DEMO, Office
from tests.fakes.rest import FakeStatusQueue

READ_TIMEOUT = SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown")


class Orange:
    """Calls the office's webhook. An unmatched receipt comes back after its delay."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._queue = FakeStatusQueue()

    def tells(self, receipt_id: str, *statuses: str, number: str = "+221770008200") -> None:
        infos = [{"address": f"tel:{number}", "deliveryStatus": status} for status in statuses]
        document = json.dumps({"deliveryInfoNotification": {"callbackData": receipt_id, "deliveryInfo": infos}})
        self._take(Report(organisation=DEMO, provider=ORANGE, document=document))

    def waits(self) -> None:
        waiting, self._queue.delayed = self._queue.delayed, []
        for delay, report in waiting:
            self._office.clock.pass_by(seconds=delay)
            self._take(report)

    def _take(self, report: Report) -> None:
        office = self._office
        unmatched_receipts = UnmatchedReceipts(office.unknown_sms, office.number_key.person)
        receipts = ReceiptAdapter(
            formats={ORANGE: FORMAT}, receipts=office.receipts, unmatched_receipts=unmatched_receipts, queue=self._queue
        )
        status_writer = office.status_writer()
        meta = MetaAdapter(whatsapp=webhook, statuses=office.status_effects(status_writer))
        receiver = Receiver(status_writer, meta, receipts, office.telemetry, office.clock)
        assert office.run(receiver.receive_all([report])) == [True]


@pytest.fixture
def office() -> Office:
    return Office()


def with_unknown_outcome(office: Office) -> Message:
    message = office.single()
    office.provider.answers = [READ_TIMEOUT]
    office.deliver()
    row = office.row(message.message_id)
    assert (row.status, row.reason) == (Status.FAILED, "outcome_unknown")
    return row


def test_a_lost_answer_is_recorded_and_settled_by_its_receipt(office: Office) -> None:
    row = with_unknown_outcome(office)
    assert office.unknown_sms.messages[DEMO, row.person, ORANGE] == {row.message_id: row.claimed_at}
    orange = Orange(office)
    orange.tells("r-1", "DeliveredToTerminal")
    assert office.row(row.message_id).status is Status.FAILED
    orange.waits()
    lifted = office.row(row.message_id)
    assert (lifted.status, lifted.reason) == (Status.DELIVERED, None)


def test_a_receipt_before_the_answer_waits_for_its_message_id(office: Office) -> None:
    message = office.single()
    Orange(office).tells("provider-1", "DeliveredToTerminal")
    office.deliver()
    row = office.row(message.message_id)
    assert (row.status, row.provider_message_id, row.delivered_at is not None) == (
        Status.DELIVERED,
        "provider-1",
        True,
    )


@pytest.mark.parametrize("point", ["unknown.note", "log.move"])
def test_the_next_queue_message_completes_the_record_of_an_unknown_outcome(office: Office, point: str) -> None:
    message = office.single()
    [queue_message] = office.queue.take()
    office.provider.answers = [READ_TIMEOUT]
    assert office.killed(office.step(Channel.SMS).send_all([queue_message]), (point, 1))
    office.clock.pass_by(seconds=360)
    office.tick()
    office.deliver(within=timedelta(minutes=10))
    row = office.row(message.message_id)
    assert (row.status, row.reason) == (Status.FAILED, "outcome_unknown")
    assert office.unknown_sms.messages[DEMO, row.person, ORANGE] == {row.message_id: row.claimed_at}
    assert office.provider.calls == 1


def test_a_message_that_was_certainly_not_sent_has_no_unknown_outcome(office: Office) -> None:
    office.single()
    office.provider.answers = [SendError(Kind.RECIPIENT, "SVC0002", "phone_invalid")]
    office.deliver()
    assert not office.unknown_sms.messages


def test_a_delivery_after_delivery_impossible_is_counted_once(office: Office) -> None:
    distribution = office.distribute(2)
    office.do_tasks()
    office.deliver(within=timedelta(minutes=1))
    orange = Orange(office)

    def counted() -> tuple[dict[Status, int], dict[str, int]]:
        [counts] = office.run(office.distributions.counts(DEMO, distribution.distribution_id)).values()
        return (
            {status: count for status, count in counts.by_status.items() if count},
            {reason: count for reason, count in counts.by_reason.items() if count},
        )

    assert counted() == ({Status.SENT: 2}, {})
    orange.tells("provider-1", "DeliveryImpossible")
    assert counted() == ({Status.SENT: 1, Status.FAILED: 1}, {"undeliverable": 1})
    for _ in range(2):
        orange.tells("provider-1", "DeliveredToTerminal")
        orange.tells("provider-1", "DeliveryImpossible", "DeliveredToNetwork", "DeliveryUncertain", "HeldByOperator")
    assert counted() == ({Status.SENT: 1, Status.DELIVERED: 1}, {})


def test_an_undocumented_status_is_kept_for_the_operators(office: Office) -> None:
    office.single()
    office.deliver()
    Orange(office).tells("provider-1", "HeldByOperator")
    assert [row.status for row in office.log.rows.values()] == [Status.SENT]
    reported = [fields for name, fields in office.telemetry.events if name == "receipt_parked"]
    assert reported == [{"delivery_status": "HeldByOperator", "named": True}]
