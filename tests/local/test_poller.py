import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.deployment import QueueMapping
from local.poller import Poller, build_records, failed_ids
from local.valve import Valve
from tests.waiting import PATIENCE

SENT = ["a", "b", "c"]
ARN = "arn:aws:sqs:eu-west-1:123456789012:q"


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, set(SENT)),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, set(SENT)),
        ({"batchItemFailures": [{"itemIdentifier": "stranger"}]}, set(SENT)),
        ({"batchItemFailures": [{"wrongKey": "a"}]}, set(SENT)),
        ({"batchItemFailures": ["a"]}, set(SENT)),
        ({"batchItemFailures": "a"}, set(SENT)),
        ("fine", set(SENT)),
    ],
)
def test_which_messages_stay(answer: object, kept: set[str]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html lists the conditions."""
    assert failed_ids(answer, SENT) == kept


def message(name: str, **more: Any) -> Any:
    fields = {"MessageId": name, "ReceiptHandle": f"r-{name}", "Body": name, "MD5OfBody": "m", "Attributes": {}}
    return {**fields, **more}


def test_records_have_lambdas_shape() -> None:
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1795428000000", "MessageGroupId": "demo"}
    named = {"n": {"DataType": "String", "StringValue": "v"}, "b": {"DataType": "Binary", "BinaryValue": b"\xff"}}
    event = build_records([message("a", Attributes=attributes, MessageAttributes=named)], ARN)
    assert event == {
        "Records": [
            {
                "messageId": "a",
                "receiptHandle": "r-a",
                "body": "a",
                "attributes": attributes,
                "messageAttributes": {
                    "n": {"stringValue": "v", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
                    "b": {"binaryValue": "/w==", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
                },
                "md5OfBody": "m",
                "eventSource": "aws:sqs",
                "eventSourceARN": ARN,
                "awsRegion": "eu-west-1",
            }
        ]
    }


@dataclass(slots=True)
class FakeSqs:
    """Gives the queued messages in order. A long poll ends at once; the second empty one stops the poller."""

    queued: list[Any]
    limit_per_receive: int = 10
    deleted: list[str] = field(default_factory=list)
    drained: threading.Event = field(default_factory=threading.Event)

    def receive_message(self, *, MaxNumberOfMessages: int, WaitTimeSeconds: int, **_: Any) -> Any:  # noqa: N803 - boto3's
        count = min(MaxNumberOfMessages, self.limit_per_receive)
        given, self.queued = self.queued[:count], self.queued[count:]
        if not given and WaitTimeSeconds:
            self.drained.set()
            threading.Event().wait(0.01)
        return {"Messages": given} if given else {}

    def delete_message_batch(self, *, Entries: Any, **_: Any) -> Any:  # noqa: N803 - boto3's
        self.deleted += [entry["ReceiptHandle"] for entry in Entries]
        return {}


def mapping(**changes: Any) -> QueueMapping:
    fields: dict[str, Any] = {"batch_size": 10, "batching": timedelta(0), "concurrency": 1, "partial_failures": True}
    return QueueMapping(function_name="F", queue_arn=ARN, queue_url="https://q", **{**fields, **changes})


def poll(sqs: FakeSqs, answers: Any, hurry: threading.Event | None = None, **changes: Any) -> list[list[str]]:
    batches: list[list[str]] = []

    def submit(event: Any) -> Future[object]:
        batches.append([record["messageId"] for record in event["Records"]])
        outcome: Future[object] = Future()
        answer = answers(event)
        if isinstance(answer, Exception):
            outcome.set_exception(answer)
        else:
            outcome.set_result(answer)
        return outcome

    poller = Poller(mapping(**changes), sqs, submit, hurry)  # type: ignore[arg-type]  # a fake
    poller.start()
    assert sqs.drained.wait(PATIENCE)
    poller.stop()
    return batches


def fail_b(_event: object) -> object:
    return {"batchItemFailures": [{"itemIdentifier": "b"}]}


@pytest.mark.parametrize(
    ("answers", "partial", "deleted"),
    [
        (fail_b, True, ["r-a", "r-c"]),
        (fail_b, False, ["r-a", "r-b", "r-c"]),
        (lambda _event: None, True, ["r-a", "r-b", "r-c"]),
        (lambda _event: RuntimeError("broken"), True, []),
        (lambda _event: RuntimeError("broken"), False, []),
    ],
)
def test_only_messages_that_succeeded_are_deleted(answers: Any, partial: bool, deleted: list[str]) -> None:
    sqs = FakeSqs([message(name) for name in SENT])
    poll(sqs, answers, partial_failures=partial)
    assert sqs.deleted == deleted


def test_batches_are_no_larger_than_the_mapping_says() -> None:
    sqs = FakeSqs([message(str(n)) for n in range(5)])
    assert [len(batch) for batch in poll(sqs, lambda _event: None, batch_size=2)] == [2, 2, 1]


def test_a_large_batch_is_collected_and_deleted_by_tens() -> None:
    sqs = FakeSqs([message(str(n)) for n in range(25)])
    assert [len(batch) for batch in poll(sqs, lambda _event: None, batch_size=100)] == [25]
    assert len(sqs.deleted) == 25


def test_an_invocation_takes_no_more_than_six_megabytes() -> None:
    sqs = FakeSqs([message(str(n), Body="x" * 1024 * 1024) for n in range(14)])
    batches = poll(sqs, lambda _event: None, batch_size=10)
    assert [len(batch) for batch in batches] == [6, 4, 4]
    assert len(sqs.deleted) == 14


def test_a_batch_waits_for_its_window_and_no_longer_when_it_is_full() -> None:
    sqs = FakeSqs([message(str(n)) for n in range(6)], limit_per_receive=2)
    assert [len(batch) for batch in poll(sqs, lambda _event: None, batch_size=6, batching=timedelta(hours=1))] == [6]


class Slow(FakeSqs):
    """Holds its answer back after it has handed the messages out."""

    def __init__(self) -> None:
        super().__init__([message("late")])
        self.asked, self.answer = threading.Event(), threading.Event()

    def receive_message(self, **asked: Any) -> Any:
        answer = super().receive_message(**asked)
        if answer:
            self.asked.set()
            assert self.answer.wait(PATIENCE)
        return answer


def test_a_message_that_is_being_handed_out_is_on_its_way() -> None:
    sqs, outcome, taken = Slow(), Future[object](), threading.Event()

    def submit(_event: object) -> Future[object]:
        taken.set()
        return outcome

    poller = Poller(mapping(), sqs, submit)  # type: ignore[arg-type]  # a fake
    poller.start()
    assert sqs.asked.wait(PATIENCE)
    assert poller.in_flight.has_on_the_way(hidden=1)
    sqs.answer.set()
    assert taken.wait(PATIENCE)
    assert poller.in_flight.is_working
    outcome.set_result(None)
    assert sqs.drained.wait(PATIENCE)
    assert not poller.in_flight.has_on_the_way(hidden=0)
    poller.stop()


class Breaking(FakeSqs):
    """Fails once, at the second request for more messages of a batch."""

    failed = False

    def receive_message(self, **asked: Any) -> Any:
        if not asked["WaitTimeSeconds"] and not self.failed:
            self.failed = True
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "ReceiveMessage")
        return super().receive_message(**asked)


def test_messages_of_an_incomplete_batch_come_back() -> None:
    sqs = Breaking([message("a")], limit_per_receive=1)
    poller = Poller(mapping(), sqs, lambda _event: pytest.fail("no batch is whole"))  # type: ignore[arg-type]  # a fake
    poller.start()
    assert sqs.drained.wait(PATIENCE)
    poller.stop()
    assert not poller.in_flight.has_on_the_way(hidden=1)
    assert sqs.deleted == []


def test_no_batch_waits_for_its_window_while_the_stack_hurries() -> None:
    sqs, hurry = FakeSqs([message(str(n)) for n in range(3)], limit_per_receive=2), threading.Event()
    hurry.set()
    assert [len(batch) for batch in poll(sqs, lambda _event: None, hurry, batching=timedelta(hours=1))] == [3]


def test_it_takes_no_more_messages_than_its_valve_allows() -> None:
    """A message that the function gives back does not count and may be taken again."""
    sqs, valve, taken = FakeSqs([message(name) for name in "abcdef"]), Valve(), threading.Semaphore(0)
    valve.allow(3)
    batches: list[list[str]] = []

    def submit(event: Any) -> Future[object]:
        batches.append([record["messageId"] for record in event["Records"]])
        outcome: Future[object] = Future()
        outcome.set_result(fail_b(event) if "b" in batches[-1] else None)
        taken.release()
        return outcome

    poller = Poller(mapping(batch_size=2, partial_failures=True), sqs, submit, None, valve)  # type: ignore[arg-type]  # a fake
    poller.start()
    for _ in range(2):
        assert taken.acquire(timeout=PATIENCE)
    assert batches == [["a", "b"], ["c", "d"]]
    valve.allow(None)
    assert sqs.drained.wait(PATIENCE)
    poller.stop()
    assert [name for batch in batches for name in batch] == list("abcdef")


def test_it_receives_nothing_while_all_invocations_are_busy() -> None:
    sqs = FakeSqs([message(str(n)) for n in range(3)], limit_per_receive=1)
    outcomes: list[Future[object]] = []
    taken = threading.Semaphore(0)

    def submit(_event: object) -> Future[object]:
        outcomes.append(Future())
        taken.release()
        return outcomes[-1]

    poller = Poller(mapping(concurrency=2, batch_size=1), sqs, submit)  # type: ignore[arg-type]  # a fake
    poller.start()
    for _ in range(2):
        assert taken.acquire(timeout=PATIENCE)
    assert len(sqs.queued) == 1
    outcomes[0].set_result(None)
    assert taken.acquire(timeout=PATIENCE)
    poller.stop()
    for outcome in outcomes[1:]:
        outcome.set_result(None)
