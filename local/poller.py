"""Lambda's event source mapping for SQS: it receives a batch, invokes the function and deletes what did not fail.

A message that is not deleted comes back after the queue's visibility time-out. There is no back-off, as in AWS.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import base64
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import QueueMapping
from local.in_flight import InFlight
from local.template import REGION
from local.valve import Valve

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

log = logging.getLogger(__name__)

LONG_POLL_SECONDS = 20
LOOK_SECONDS = 0.1  # how often it looks for more messages within a batching window
RECEIVE_LIMIT = 10  # SQS delivers and deletes no more at once
PAYLOAD_LIMIT = 6 * 1024 * 1024  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html

type Submit = Callable[[object], Future[object]]


def build_records(messages: Sequence["MessageTypeDef"], queue_arn: str) -> dict[str, Any]:
    """Build the function's event: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {"Records": [_record(message, queue_arn) for message in messages]}


def _record(message: "MessageTypeDef", queue_arn: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": {
            name: {
                **({"stringValue": value["StringValue"]} if "StringValue" in value else {}),
                **({"binaryValue": base64.b64encode(value["BinaryValue"]).decode()} if "BinaryValue" in value else {}),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value["DataType"],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }
    return record


def failed_ids(answer: object, sent: Sequence[str]) -> set[str]:
    """The messages that stay on the queue, by the function's answer. An invalid answer keeps all, an empty one none."""
    if not answer:
        return set()
    if not isinstance(answer, Mapping):
        return set(sent)
    failures = answer.get("batchItemFailures") or []
    if not isinstance(failures, list):
        return set(sent)
    named = {failure.get("itemIdentifier") if isinstance(failure, Mapping) else None for failure in failures}
    return set(sent) if named - set(sent) else {str(name) for name in named}


def invocable(messages: Sequence["MessageTypeDef"]) -> Iterator[list["MessageTypeDef"]]:
    """Divide the received messages into batches that one invocation may take."""
    batch: list[MessageTypeDef] = []
    for message in messages:
        if batch and _size([*batch, message]) > PAYLOAD_LIMIT:
            yield batch
            batch = []
        batch.append(message)
    if batch:
        yield batch


def _size(messages: Sequence["MessageTypeDef"]) -> int:
    return sum(len(message["Body"].encode()) for message in messages)


class Poller:
    """The poller of one event source mapping.

    It receives only if it may invoke the function, because a receive that only waits counts too. While `hurry` is set,
    no batch waits for its window: a jump of the clock sets it, or the setting HURRY=1.
    """

    def __init__(
        self,
        mapping: QueueMapping,
        sqs: "SQSClient",
        submit: Submit,
        hurry: threading.Event | None = None,
        valve: Valve | None = None,
    ) -> None:
        self.in_flight = InFlight()
        self._valve = valve or Valve()
        self._mapping = mapping
        self._sqs = sqs
        self._submit = submit
        self._hurry = hurry or threading.Event()
        self._free = threading.Semaphore(mapping.concurrency)
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"poll-{self._mapping.function_name}", daemon=True).start()

    def stop(self) -> None:
        """Ask the poller to end. A long poll that is under way ends with moto."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._free.acquire()
            at_most = self._valve.wait(self._mapping.batch_size)
            try:
                messages = self._receive_batch(at_most)
            except (BotoCoreError, ClientError):
                self._free.release()
                if not self._stopping.is_set():
                    log.exception("receiving failed", extra={"queue": self._mapping.queue_arn})
                    self._stopping.wait(1)
                continue
            self._valve.took(len(messages))
            if not messages:
                self._free.release()
            for number, batch in enumerate(invocable(messages)):
                if number:
                    self._free.acquire()
                self._invoke(batch)

    def _receive_batch(self, at_most: int) -> list["MessageTypeDef"]:
        messages = self._receive(at_most, LONG_POLL_SECONDS)
        try:
            self._fill(messages, at_most)
        except (BotoCoreError, ClientError):
            ids = [message["MessageId"] for message in messages]
            self.in_flight.finished(ids, kept=ids)  # no function gets them, so they come back
            raise
        return messages

    def _fill(self, messages: list["MessageTypeDef"], at_most: int) -> None:
        until = time.monotonic() + self._mapping.batching.total_seconds()
        while messages and _size(messages) < PAYLOAD_LIMIT and (missing := at_most - len(messages)) > 0:
            more = self._receive(missing, 0)
            messages += more
            remaining = until - time.monotonic()
            if not more and (remaining <= 0 or self._hurry.wait(min(LOOK_SECONDS, remaining))):
                break

    def _receive(self, at_most: int, wait_seconds: int) -> list["MessageTypeDef"]:
        answer = self._sqs.receive_message(
            QueueUrl=self._mapping.queue_url,
            MaxNumberOfMessages=min(at_most, RECEIVE_LIMIT),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        self.in_flight.received(message["MessageId"] for message in messages)
        return messages

    def _invoke(self, messages: list["MessageTypeDef"]) -> None:
        outcome = self._submit(build_records(messages, self._mapping.queue_arn))
        outcome.add_done_callback(lambda done: self._finish(messages, done))

    def _finish(self, messages: Sequence["MessageTypeDef"], outcome: Future[object]) -> None:
        sent = [message["MessageId"] for message in messages]
        kept = set(sent)
        try:
            if outcome.exception() is None:  # otherwise the environment has logged the error
                kept = failed_ids(outcome.result(), sent) if self._mapping.partial_failures else set()
            self._valve.took(-len(kept))
            self._delete([message for message in messages if message["MessageId"] not in kept])
        except (BotoCoreError, ClientError):
            if not self._stopping.is_set():
                log.exception("deleting failed", extra={"queue": self._mapping.queue_arn})
        finally:
            self.in_flight.finished(sent, kept)
            self._free.release()

    def _delete(self, messages: Sequence["MessageTypeDef"]) -> None:
        for start in range(0, len(messages), RECEIVE_LIMIT):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[start : start + RECEIVE_LIMIT])
            ]
            self._sqs.delete_message_batch(QueueUrl=self._mapping.queue_url, Entries=entries)  # type: ignore[arg-type]
