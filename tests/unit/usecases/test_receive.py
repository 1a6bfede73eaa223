"""The consumer of the status queue: one listener's trouble is nobody else's."""

import json

from shared.domain.message import Message
from shared.domain.news import Inbound, News
from shared.domain.receipt import StatusReport
from shared.providers.orange.receipts import receipts
from shared.providers.whatsapp import webhook
from shared.usecases.aftermath import Aftermath
from shared.usecases.receive import MetaDesk, OrangeDesk, Receiver, Report
from shared.usecases.strangers import Strangers
from tests.fakes.office import DEMO, Office
from tests.fakes.rest import FakeStatusQueue
from tests.unit.providers.webhooks import inbound, text


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
        raise AssertionError("there was no status")


def receiver(office: Office, *listeners: Listener) -> Receiver:
    settler = office.settler()
    statuses = Aftermath(office.log, office.distributions, settler, office.consequences(), office.pulse, office.clock)
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
