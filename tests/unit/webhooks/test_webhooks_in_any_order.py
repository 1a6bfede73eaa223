"""Meta's webhooks in any order, repeated and batched: log, opt-outs and sessions end the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.messages.message import Message, PayloadRef
from shared.messages.payload import META, ORANGE, Channel
from shared.policy.consent import ConsentRecord, ConsentState
from shared.providers.meta import webhook
from shared.providers.orange.receipts import FORMAT
from shared.webhooks.ingress import ReceiptAdapter, Receiver, Report
from shared.webhooks.meta_documents import MetaAdapter
from shared.webhooks.unmatched_receipts import UnmatchedReceipts
from tests.examples import examples
from tests.fakes.office import DEMO, WHATSAPP, Office
from tests.fakes.rest import FakeStatusQueue
from tests.fakes.world import MORNING
from tests.unit.providers.webhooks import change, document, value

type Document = dict[str, Any]

MESSAGES = [f"5a1e0000-0000-5000-8000-00000000000{number}" for number in range(3)]
ATTEMPTS = 2
PEOPLE = [("221770000001", "SN.1"), ("221770000002", "SN.2"), ("221770000003", "SN.3")]
START = int(MORNING.timestamp()) - 3600


def in_envelope(**fields: Any) -> Document:
    reported = value(**fields)
    reported["metadata"]["phone_number_id"] = WHATSAPP.phone_number_id
    return document(change(reported))


def status(number: int, attempt: int, name: str, at: int, *, code: int = 131026, introduces: bool = False) -> Document:
    wa_id, user_id = PEOPLE[number]
    reported: Document = {
        "id": f"wamid.{number}",
        "status": name,
        "timestamp": str(START + at),
        "biz_opaque_callback_data": f"{MESSAGES[number]}.{attempt}",
    }
    if introduces:
        reported |= {"recipient_id": wa_id, "recipient_user_id": user_id}
    if name == "failed":
        reported["errors"] = [{"code": code}]
    return in_envelope(statuses=[reported])


def text(number: int, words: str, at: int, *, by: str) -> Document:
    wa_id, user_id = PEOPLE[number]
    names = {"number": {"from": wa_id}, "user": {"from_user_id": user_id}}
    names["both"] = names["number"] | names["user"]
    reported = {
        "id": f"wamid.in{at}",
        "timestamp": str(START + at),
        "type": "text",
        "text": {"body": words},
        **names[by],
    }
    return in_envelope(messages=[reported])


def preference(number: int, wish: str, at: int) -> Document:
    return in_envelope(user_preferences=[{"user_id": PEOPLE[number][1], "value": wish, "timestamp": START + at}])


@st.composite
def stories(draw: st.DrawFn) -> list[Document]:
    """The events, each at an instant of its own. Meta took one attempt of a message; another attempt only fails."""
    clock = iter(range(10_000))
    reported: list[Document] = []
    for number in range(len(MESSAGES)):
        taken = draw(st.integers(1, ATTEMPTS))
        for attempt in range(1, ATTEMPTS + 1):
            possible = ["sent", "delivered", "read", "failed"] if attempt == taken else ["failed"]
            names = draw(st.lists(st.sampled_from(possible), max_size=6, unique_by=_once))
            code = draw(st.sampled_from([131026, 131050, 7777777]))
            for name in names:
                introduces = draw(st.booleans())
                reported.append(status(number, attempt, name, next(clock), code=code, introduces=introduces))
    said = st.tuples(
        st.integers(0, 2), st.sampled_from(["STOP", "Bonjour"]), st.sampled_from(["number", "user", "both"])
    )
    reported += [text(number, words, next(clock), by=by) for number, words, by in draw(st.lists(said, max_size=5))]
    wished = st.tuples(st.integers(0, 2), st.sampled_from(["stop", "resume"]))
    return reported + [preference(number, wish, next(clock)) for number, wish in draw(st.lists(wished, max_size=3))]


def _once(name: str) -> object:
    """Meta may report one status with several instants; an attempt fails once."""
    return name if name == "failed" else object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """All state at the end."""

    rows: Mapping[str, tuple[object, ...]]
    statements: Mapping[tuple[str, str], tuple[ConsentState, datetime]]
    sessions: Mapping[tuple[str, str, str], datetime]


def reported_in_this_order(documents: Sequence[Document]) -> tuple[Ending, list[Message]]:
    """The state at the end, and the answers to STOP."""
    office = Office()
    for message_id in MESSAGES:
        office.log.rows[DEMO, message_id] = Message(
            organisation=DEMO,
            message_id=message_id,
            channel=Channel.WHATSAPP,
            accepted_at=MORNING,
            recipient="***",
            person=f"person of {message_id}",
            country="SN",
            payload=PayloadRef(object_key="x"),
            attempts=ATTEMPTS,
            lease_until=MORNING + timedelta(seconds=90),
        )
    adapter = office.inbound_adapter()
    receipts = ReceiptAdapter(
        formats={ORANGE: FORMAT},
        receipts=office.receipts,
        unmatched_receipts=UnmatchedReceipts(office.unknown_sms, office.number_key.person),
        queue=FakeStatusQueue(),
    )
    status_writer = office.status_writer()
    statuses = office.status_effects(status_writer)
    meta = MetaAdapter(
        whatsapp=webhook, statuses=statuses, webhook_event_listeners=(adapter,), status_listeners=(adapter,)
    )
    receiver = Receiver(status_writer, meta, receipts, office.telemetry, office.clock)
    for one in documents:
        report = Report(organisation=DEMO, provider=META, document=json.dumps(one))
        assert office.run(receiver.receive_all([report])) == [True]
    answers = [row for (_, message_id), row in office.log.rows.items() if message_id not in MESSAGES]
    ending = Ending(
        rows={one: _settled(office.row(one)) for one in MESSAGES},
        statements={key: _said(known) for key, known in office.people.records.items()},
        sessions=office.sessions.ends,
    )
    return ending, answers


def _settled(row: Message) -> tuple[object, ...]:
    return row.status, row.reason, row.provider_message_id, row.sent_at, row.delivered_at, row.read_at, row.failed_at


def _said(known: ConsentRecord) -> tuple[ConsentState, datetime]:
    statement = known.latest
    assert statement is not None
    return statement.state, statement.recorded_at


def batched(documents: Sequence[Document]) -> Document:
    """All of them in one body, as Meta may send them."""
    return {"object": "whatsapp_business_account", "entry": [entry for one in documents for entry in one["entry"]]}


@settings(max_examples=examples(60))
@given(st.data())
def test_any_order_and_repetition_gives_the_same_result(data: st.DataObject) -> None:
    story = data.draw(stories())
    again = data.draw(st.lists(st.sampled_from(story), max_size=8)) if story else []
    shuffled = data.draw(st.permutations([*story, *again]))
    first, _ = reported_in_this_order(story)
    ending, answers = reported_in_this_order(shuffled)
    assert ending == first
    assert reported_in_this_order([batched(shuffled)])[0] == first
    assert len({answer.person for answer in answers}) == len(answers)


def test_all_instants_are_in_the_past() -> None:
    assert datetime.fromtimestamp(START + 10_000, UTC) > MORNING > datetime.fromtimestamp(START + 100, UTC)
