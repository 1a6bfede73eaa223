"""The consumer of the status queue: one listener's trouble is nobody else's, and no message waits for another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import override

import pytest

from shared.domain.message import Chunk, Message
from shared.domain.news import Inbound, News
from shared.domain.payload import Channel
from shared.domain.receipt import StatusReport
from shared.domain.status import Status
from shared.providers.orange.receipts import receipts
from shared.providers.whatsapp import webhook
from shared.usecases.meta_documents import MetaDesk
from shared.usecases.ports import Move, Moved
from shared.usecases.receive import OrangeDesk, Receiver, Report
from shared.usecases.strangers import Strangers
from tests.contract.making import message
from tests.fakes.log import FakeLog
from tests.fakes.office import DEMO, Office
from tests.fakes.rest import FakeStatusQueue
from tests.fakes.world import MORNING, Points
from tests.unit.providers.webhooks import change, document, inbound, text, value


class Listener:
    """Hears everything; cannot stand some words."""

    def __init__(self, hated: str = "") -> None:
        self.heard: list[str] = []
        self._hated = hated

    async def hear(self, organisation: str, news: News) -> None:
        assert organisation == DEMO
        assert isinstance(news, Inbound)
        if news.words[0] == self._hated:
            raise RuntimeError("a store is away")
        self.heard.append(news.words[0])

    async def told(self, organisation: str, report: StatusReport, row: Message) -> None:
        self.heard.append(f"{row.message_id[-1]} {report.status}")


def receiver(office: Office, *listeners: Listener) -> Receiver:
    settler = office.settler()
    statuses = office.aftermath(settler)
    strangers = Strangers(office.unknown_sms, office.number_key.person)
    orange = OrangeDesk(read=receipts, receipts=office.receipts, strangers=strangers, queue=FakeStatusQueue())
    meta = MetaDesk(whatsapp=webhook, statuses=statuses, news_listeners=listeners, status_listeners=listeners)
    return Receiver(settler, meta, orange, office.telemetry, office.clock)


def report(*words: str) -> Report:
    return Report(organisation=DEMO, provider="whatsapp", document=json.dumps(inbound(*map(text, words))))


def test_everybody_hears_everything_whatever_one_of_them_makes_of_it() -> None:
    office = Office()
    troubled, calm = Listener(hated="B"), Listener()
    work = receiver(office, troubled, calm).receive_all([report("A", "B", "C"), report("D")])
    assert office.run(work) == [False, True]
    assert sorted(troubled.heard) == ["A", "C", "D"]
    assert sorted(calm.heard) == ["A", "B", "C", "D"]
    assert office.telemetry.troubles == ["news_not_taken", "report_failed"]


def test_a_document_that_comes_again_is_heard_again() -> None:
    office, calm = Office(), Listener()
    for _ in range(2):
        assert office.run(receiver(office, calm).receive_all([report("A")])) == [True]
    assert calm.heard == ["A", "A"]


class WatchedLog(FakeLog):
    """Moves take a while; it knows which were under way at once, and cannot move some message."""

    def __init__(self, points: Points) -> None:
        super().__init__(points)
        self.under_way: list[str] = []
        self.most: int = 0
        self.broken: str | None = None

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
    office.log = WatchedLog(office.points)
    for message_id in MESSAGES:
        row = message(message_id, channel=Channel.WHATSAPP, organisation=DEMO, chunk=CHUNK)
        office.log.rows[DEMO, message_id] = replace(row, status=Status.SENT, sent_at=MORNING, attempts=1)
    return office


def told(*statuses: tuple[int, str], words: Sequence[str] = ()) -> Report:
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
    return Report(organisation=DEMO, provider="whatsapp", document=json.dumps(document(*changes, *written)))


def standing(office: Office) -> list[Status]:
    return [office.row(message_id).status for message_id in MESSAGES]


def counts(office: Office) -> Mapping[Status, int]:
    return office.run(office.distributions.counts(DEMO, "d"))[0, 0].by_status


def log_of(office: Office) -> WatchedLog:
    assert isinstance(office.log, WatchedLog)
    return office.log


def test_statuses_of_different_messages_wait_for_nobody(office: Office) -> None:
    body = told((0, "delivered"), (1, "delivered"), (0, "read"), (2, "delivered"), (1, "read"))
    assert office.run(receiver(office, Listener()).receive_all([body])) == [True]
    assert standing(office) == [Status.READ, Status.READ, Status.DELIVERED]
    assert log_of(office).most == 3


def test_statuses_of_one_message_keep_the_order_of_the_document(office: Office) -> None:
    listener = Listener()
    body = told((0, "delivered"), (1, "read"), (0, "read"))
    assert office.run(receiver(office, listener).receive_all([body])) == [True]
    assert [one for one in listener.heard if one.startswith("0")] == ["0 delivered", "0 read"]
    assert [name for name, _ in office.telemetry.events] == 3 * ["message_moved"], "none came too late"


def test_one_status_in_trouble_loses_no_other_and_the_whole_document_comes_again(office: Office) -> None:
    listener = Listener()
    log_of(office).broken = MESSAGES[0]
    body = told((0, "delivered"), (1, "delivered"), (0, "read"), (2, "read"), words=["Bonjour"])
    consumer = receiver(office, listener)
    assert office.run(consumer.receive_all([body])) == [False]
    assert standing(office) == [Status.SENT, Status.DELIVERED, Status.READ]
    assert sorted(listener.heard) == ["1 delivered", "2 read", "Bonjour"]
    first = {Status.SENT: -2, Status.DELIVERED: 1, Status.READ: 1}
    assert counts(office) == first, "what was moved is counted at once"
    log_of(office).broken = None
    assert office.run(consumer.receive_all([body])) == [True]
    assert standing(office) == [Status.READ, Status.DELIVERED, Status.READ]
    assert counts(office) == {Status.SENT: -3, Status.DELIVERED: 1, Status.READ: 2}
    assert office.telemetry.troubles == ["report_failed"]


def test_a_status_in_trouble_does_not_hide_a_later_one_of_its_message(office: Office) -> None:
    class Refusing(WatchedLog):
        @override
        async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
            if move.status is Status.DELIVERED:
                raise ConnectionError
            return await super().move(organisation, message_id, move)

    rows, office.log = office.log.rows, Refusing(office.points)
    office.log.rows = rows
    assert office.run(receiver(office, Listener()).receive_all([told((0, "delivered"), (0, "read"))])) == [False]
    assert office.row(MESSAGES[0]).status is Status.READ
