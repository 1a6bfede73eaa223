"""A provider's status moves only a message that it can be about: of its channel, and of the number that sent it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.messages.message import Message, Status
from shared.messages.payload import META, ORANGE, Channel
from shared.providers.meta import webhook
from shared.providers.orange.receipts import FORMAT
from shared.webhooks.ingress import ReceiptAdapter, Receiver, Report
from shared.webhooks.meta_documents import MetaAdapter
from shared.webhooks.unmatched_receipts import UnmatchedReceipts
from tests.contract.making import message
from tests.fakes.office import DEMO, WHATSAPP, Office
from tests.fakes.rest import FakeStatusQueue
from tests.fakes.world import MORNING
from tests.unit.providers.webhooks import SECONDS, change, document, value

MESSAGE = "5a1e0000-0000-5000-8000-000000000001"
LEASE = timedelta(seconds=90)
CLOSED, PAYMENT = 131047, 131042


def reported(
    status: str, *, key: str = f"{MESSAGE}.1", number: str = WHATSAPP.phone_number_id, code: int = 0
) -> Report:
    one: dict[str, object] = {"id": "w", "status": status, "timestamp": str(SECONDS), "biz_opaque_callback_data": key}
    one |= {"errors": [{"code": code}]} if code else {}
    metadata = {"phone_number_id": number}
    body = document(change(value(statuses=[one], metadata=metadata)))
    return Report(organisation=DEMO, provider=META, document=json.dumps(body))


def received(office: Office, *reports: Report) -> None:
    status_writer = office.status_writer()
    receipts = ReceiptAdapter(
        formats={ORANGE: FORMAT},
        receipts=office.receipts,
        unmatched_receipts=UnmatchedReceipts(office.unknown_sms, office.number_key.person),
        queue=FakeStatusQueue(),
    )
    meta = MetaAdapter(whatsapp=webhook, statuses=office.status_effects(status_writer))
    receiver = Receiver(status_writer, meta, receipts, office.telemetry, office.clock)
    assert office.run(receiver.receive_all(reports)) == [True] * len(reports)


def kept(office: Office, channel: Channel, **changes: object) -> Message:
    row = replace(
        message(MESSAGE, channel=channel, organisation=DEMO), attempts=1, fallback_template="vaccination_card/fr"
    )
    row = replace(row, claimed_at=MORNING, sender=WHATSAPP.phone_number_id, **changes)  # type: ignore[arg-type]
    office.log.rows[DEMO, MESSAGE] = row
    return row


STATUSES = [reported(one) for one in ("sent", "delivered", "read", "failed")]
STATUSES += [reported("failed", code=code) for code in (CLOSED, PAYMENT)]
CARDS = [reported(one, key=f"{MESSAGE}.1.card") for one in ("sent", "delivered", "failed")]


def of_another_number(report: Report) -> Report:
    mine, theirs = (f'"phone_number_id": "{number}"' for number in (WHATSAPP.phone_number_id, "another"))
    return replace(report, document=report.document.replace(mine, theirs))


@pytest.mark.parametrize("report", [*STATUSES, *CARDS])
@pytest.mark.parametrize("unknown", [False, True])
def test_metas_statuses_change_no_sms(report: Report, unknown: bool) -> None:
    """For an SMS with an unknown outcome a card's status would end the lease, and the SMS would be sent a second
    time."""
    office = Office()
    unknown_outcome = {"unknown_since": MORNING, "lease_until": MORNING + LEASE} if unknown else {"status": Status.SENT}
    row = kept(office, Channel.SMS, **unknown_outcome)
    received(office, report)
    assert office.row(MESSAGE) == row
    assert office.run(office.holding.get(DEMO, Channel.SMS)).held_scopes() == []
    assert office.run(office.holding.get(DEMO, Channel.WHATSAPP)).held_scopes() == []


@pytest.mark.parametrize("report", [*STATUSES, *CARDS])
@pytest.mark.parametrize("unknown", [False, True])
def test_another_numbers_statuses_change_nothing(report: Report, unknown: bool) -> None:
    office = Office()
    unknown_outcome = {"unknown_since": MORNING, "lease_until": MORNING + LEASE} if unknown else {"status": Status.SENT}
    row = kept(office, Channel.WHATSAPP, **unknown_outcome)
    received(office, of_another_number(report))
    assert office.row(MESSAGE) == row
    assert office.run(office.holding.get(DEMO, Channel.WHATSAPP)).held_scopes() == []
    received(office, report)
    assert office.row(MESSAGE) != row or report not in STATUSES[1:], "its own number's do"


@pytest.mark.parametrize("delivery_status", ["DeliveredToNetwork", "DeliveredToTerminal", "DeliveryImpossible"])
def test_oranges_receipts_change_no_whatsapp_message(delivery_status: str) -> None:
    office = Office()
    row = kept(office, Channel.WHATSAPP)
    office.run(office.receipts.name(DEMO, ORANGE, "receipt-1", MESSAGE))
    info = {"address": "tel:+221770000001", "deliveryStatus": delivery_status}
    body = {"deliveryInfoNotification": {"callbackData": "receipt-1", "deliveryInfo": info}}
    received(office, Report(organisation=DEMO, provider=ORANGE, document=json.dumps(body)))
    assert office.row(MESSAGE) == row
