"""The consumer of the status queue: one listener's failure does not affect others, and no message waits for another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import override

import pytest

from shared.messages.message import Chunk, Message, Status
from shared.messages.payload import META, ORANGE, Channel
from shared.messages.ports import LogQuery, Move, Moved, Page
from shared.providers.meta import webhook
from shared.providers.orange.receipts import FORMAT
from shared.webhooks.ingress import ReceiptAdapter, Receiver, Report
from shared.webhooks.meta_documents import MetaAdapter
from shared.webhooks.unmatched_receipts import UnmatchedReceipts
from shared.webhooks.updates import Inbound, StatusReport, WebhookEvent
from tests.contract.making import message
from tests.fakes.log import FakeLog
from tests.fakes.office import DEMO, Office
from tests.fakes.rest import FakeStatusQueue
from tests.fakes.world import MORNING, Points
from tests.unit.providers.webhooks import change, document, inbound, text, value


class Listener:
    """Records all events; fails on some words."""

    def __init__(self, hated: str = "") -> None:
        self.received: list[str] = []
        self._hated = hated

    async def receive(self, organisation: str, webhook_event: WebhookEvent) -> None:
        assert organisation == DEMO
        assert isinstance(webhook_event, Inbound)
        if webhook_event.words[0] == self._hated:
            raise RuntimeError("a store is away")
        self.received.append(webhook_event.words[0])

    async def status_received(self, organisation: str, report: StatusReport, row: Message) -> None:
        self.received.append(f"{row.message_id[-1]} {report.status}")


def receiver(office: Office, *listeners: Listener, queue: FakeStatusQueue | None = None) -> Receiver:
    status_writer = office.status_writer()
    statuses = office.status_effects(status_writer)
    unmatched_receipts = UnmatchedReceipts(office.unknown_sms, office.number_key.person)
    receipts = ReceiptAdapter(
        formats={ORANGE: FORMAT},
        receipts=office.receipts,
        unmatched_receipts=unmatched_receipts,
        queue=queue or FakeStatusQueue(),
    )
    meta = MetaAdapter(
        whatsapp=webhook, statuses=statuses, webhook_event_listeners=listeners, status_listeners=listeners
    )
    return Receiver(status_writer, meta, receipts, office.telemetry, office.clock)


def report(*words: str) -> Report:
    return Report(organisation=DEMO, provider=META, document=json.dumps(inbound(*map(text, words))))


def test_every_listener_gets_every_event_also_after_a_failure_of_another() -> None:
    office = Office()
    troubled, calm = Listener(hated="B"), Listener()
    work = receiver(office, troubled, calm).receive_all([report("A", "B", "C"), report("D")])
    assert office.run(work) == [False, True]
    assert sorted(troubled.received) == ["A", "C", "D"]
    assert sorted(calm.received) == ["A", "B", "C", "D"]
    assert office.telemetry.warning_events == ["webhook_event_not_taken", "report_failed"]


def test_a_repeated_document_is_handled_again() -> None:
    office, calm = Office(), Listener()
    for _ in range(2):
        assert office.run(receiver(office, calm).receive_all([report("A")])) == [True]
    assert calm.received == ["A", "A"]


class ObservedLog(FakeLog):
    """Moves take a while. It records which were under way at once, and fails for some messages."""

    def __init__(self, points: Points) -> None:
        super().__init__(points)
        self.under_way: list[str] = []
        self.most: int = 0
        self.broken: str | None = None
        self.is_blind: bool = False

    @override
    async def page(self, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
        if self.is_blind:
            raise ConnectionError
        return await super().page(query, position, limit)

    @override
    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        assert message_id not in self.under_way, "statuses of one message go one after another"
        self.under_way.append(message_id)
        self.most = max(self.most, len(self.under_way))
        try:
            if message_id == self.broken:
                raise ConnectionError
            return await super().move(organisation, message_id, move)
        finally:
            self.under_way.remove(message_id)


CHUNK = Chunk(distribution_id="d", run=0, number=0)
MESSAGES = [f"5a1e0000-0000-5000-8000-00000000000{number}" for number in range(3)]


@pytest.fixture
def office() -> Office:
    """Three messages have been sent."""
    office = Office()
    office.log = ObservedLog(office.points)
    for message_id in MESSAGES:
        row = message(message_id, channel=Channel.WHATSAPP, organisation=DEMO, chunk=CHUNK)
        office.log.rows[DEMO, message_id] = replace(row, status=Status.SENT, sent_at=MORNING, attempts=1)
    return office


def reported(*statuses: tuple[int, str], words: Sequence[str] = ()) -> Report:
    """One body."""
    at = str(int(MORNING.timestamp()) + 5)
    changes = [
        change(
            value(
                statuses=[
                    {"id": "w", "status": status, "timestamp": at, "biz_opaque_callback_data": f"{MESSAGES[number]}.1"}
                ]
            )
        )
        for number, status in statuses
    ]
    written = inbound(*map(text, words))["entry"][0]["changes"] if words else []
    return Report(organisation=DEMO, provider=META, document=json.dumps(document(*changes, *written)))


def stored(office: Office) -> list[Status]:
    return [office.row(message_id).status for message_id in MESSAGES]


def counts(office: Office) -> Mapping[Status, int]:
    return office.run(office.distributions.counts(DEMO, "d"))[0, 0].by_status


def log_of(office: Office) -> ObservedLog:
    assert isinstance(office.log, ObservedLog)
    return office.log


def test_statuses_of_different_messages_do_not_wait_for_each_other(office: Office) -> None:
    body = reported((0, "delivered"), (1, "delivered"), (0, "read"), (2, "delivered"), (1, "read"))
    assert office.run(receiver(office, Listener()).receive_all([body])) == [True]
    assert stored(office) == [Status.READ, Status.READ, Status.DELIVERED]
    assert log_of(office).most == 3


def test_statuses_of_one_message_keep_the_order_of_the_document(office: Office) -> None:
    listener = Listener()
    body = reported((0, "delivered"), (1, "read"), (0, "read"))
    assert office.run(receiver(office, listener).receive_all([body])) == [True]
    assert [one for one in listener.received if one.startswith("0")] == ["0 delivered", "0 read"]
    assert [name for name, _ in office.telemetry.events] == 3 * ["message_moved"], "none came too late"


def test_one_failing_status_loses_no_other_and_the_whole_document_comes_again(office: Office) -> None:
    listener = Listener()
    log_of(office).broken = MESSAGES[0]
    body = reported((0, "delivered"), (1, "delivered"), (0, "read"), (2, "read"), words=["Bonjour"])
    consumer = receiver(office, listener)
    assert office.run(consumer.receive_all([body])) == [False]
    assert stored(office) == [Status.SENT, Status.DELIVERED, Status.READ]
    assert sorted(listener.received) == ["1 delivered", "2 read", "Bonjour"]
    first = {Status.SENT: -2, Status.DELIVERED: 1, Status.READ: 1}
    assert counts(office) == first, "what was moved is counted at once"
    log_of(office).broken = None
    assert office.run(consumer.receive_all([body])) == [True]
    assert stored(office) == [Status.READ, Status.DELIVERED, Status.READ]
    assert counts(office) == {Status.SENT: -3, Status.DELIVERED: 1, Status.READ: 2}
    assert office.telemetry.warning_events == ["report_failed"]


def test_a_failing_status_does_not_hide_a_later_one_of_its_message(office: Office) -> None:
    class Refusing(ObservedLog):
        @override
        async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
            if move.status is Status.DELIVERED:
                raise ConnectionError
            return await super().move(organisation, message_id, move)

    rows, office.log = office.log.rows, Refusing(office.points)
    office.log.rows = rows
    assert office.run(receiver(office, Listener()).receive_all([reported((0, "delivered"), (0, "read"))])) == [False]
    assert office.row(MESSAGES[0]).status is Status.READ


def nameless(*statuses: tuple[int, str], key: str | None = None) -> Report:
    """Statuses with Meta's own ID only; `key`: with another program's key."""
    other = {} if key is None else {"biz_opaque_callback_data": key}
    reported_of = [
        {"id": f"wamid.{number}", "status": status, "timestamp": "1795428000", "errors": [{"code": 131026}]} | other
        for number, status in statuses
    ]
    return Report(organisation=DEMO, provider=META, document=json.dumps(document(change(value(statuses=reported_of)))))


def named(office: Office, number: int) -> None:
    """The sender has stored the ID that Meta gave the message."""
    move = Move(status=Status.SENT, at=MORNING, provider_message_id=f"wamid.{number}")
    office.run(office.log.move(DEMO, MESSAGES[number], move))


def test_a_status_without_our_key_is_found_by_its_message_id(office: Office) -> None:
    named(office, 0)
    named(office, 1)
    listener, queue = Listener(), FakeStatusQueue()
    body = nameless((0, "failed"), (1, "delivered"), (1, "read"))
    assert office.run(receiver(office, listener, queue=queue).receive_all([body])) == [True]
    assert stored(office) == [Status.FAILED, Status.READ, Status.SENT]
    assert office.row(MESSAGES[0]).reason == "not_on_whatsapp"
    assert sorted(listener.received) == ["0 failed", "1 delivered", "1 read"]
    assert queue.delayed == []


def test_only_a_status_before_the_senders_own_record_comes_back(office: Office) -> None:
    """At the first look no message has the ID; a minute later one has. The other statuses are not repeated."""
    named(office, 1)
    queue, listener = FakeStatusQueue(), Listener()
    consumer = receiver(office, listener, queue=queue)
    assert office.run(consumer.receive_all([nameless((0, "failed"), (1, "read"))])) == [True]
    assert stored(office) == [Status.SENT, Status.READ, Status.SENT]
    [(delay, again)] = queue.delayed
    assert (again.looks, delay) == (1, 60)
    assert "wamid.1" not in again.document
    named(office, 0)
    assert office.run(consumer.receive_all([again])) == [True]
    assert stored(office) == [Status.FAILED, Status.READ, Status.SENT]
    assert len(queue.delayed) == 1


def test_an_unmatched_status_is_looked_up_for_an_hour_and_then_counted(office: Office) -> None:
    queue = FakeStatusQueue()
    consumer = receiver(office, queue=queue)
    waiting, delays = [nameless((7, "failed"))], list[int]()
    while waiting:
        assert office.run(consumer.receive_all(waiting)) == [True]
        delays += [delay for delay, _ in queue.delayed]
        waiting, queue.delayed = [report for _, report in queue.delayed], []
    assert delays == [60, 900, 900, 900]
    assert [name for name, _ in office.telemetry.events] == ["status_for_unknown_message"]
    assert stored(office) == 3 * [Status.SENT]


def test_another_programs_status_does_not_come_back(office: Office) -> None:
    queue = FakeStatusQueue()
    assert office.run(receiver(office, queue=queue).receive_all([nameless((7, "failed"), key="theirs")])) == [True]
    assert queue.delayed == []
    assert [name for name, _ in office.telemetry.events] == ["report_ignored"]


def test_an_id_of_two_messages_moves_neither(office: Office) -> None:
    for message_id in MESSAGES[:2]:
        move = Move(status=Status.SENT, at=MORNING, provider_message_id="wamid.5")
        office.run(office.log.move(DEMO, message_id, move))
    assert office.run(receiver(office, queue=FakeStatusQueue()).receive_all([nameless((5, "failed"))])) == [True]
    assert stored(office) == 3 * [Status.SENT]


def test_a_look_up_that_fails_loses_no_other_status_and_the_document_comes_again(office: Office) -> None:
    named(office, 0)
    log = log_of(office)
    log.is_blind = True
    body = json.loads(nameless((0, "failed")).document)
    body["entry"] += json.loads(reported((1, "read")).document)["entry"]
    whole = replace(nameless(), document=json.dumps(body))
    consumer = receiver(office, queue=FakeStatusQueue())
    assert office.run(consumer.receive_all([whole])) == [False]
    assert stored(office) == [Status.SENT, Status.READ, Status.SENT]
    log.is_blind = False
    assert office.run(consumer.receive_all([whole])) == [True]
    assert stored(office) == [Status.FAILED, Status.READ, Status.SENT]
