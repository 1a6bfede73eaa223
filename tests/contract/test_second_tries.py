"""Only the adapters: what AWS leaves undone is tried again, and given up after a few tries."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast, override

import pytest
from moto import mock_aws

from local.partiql import inserted
from shared.integrations.integration import Dhis2Integration
from shared.messages.payload import ORANGE
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import (
    UninsertedError,
    UnreadError,
    UnwrittenError,
    get_items,
    insert_absent,
    put_items,
)
from shared.storage.queues import QueueError, SqsStatusQueue
from shared.storage.secrets import SecretIntegrations
from shared.webhooks.ingress import Report
from tests.contract.cloud import connect
from tests.fakes.world import FakeClock


class StubAws(Aws):
    """Answers batch reads and writes itself. `unread`: rounds that leave the last key or item. `refusals`: whether each
    refusal was the sender's fault. `codes`: the codes for the statements about an item."""

    def __init__(
        self,
        *,
        unread: int = 0,
        refusals: Mapping[str, list[bool]] | None = None,
        codes: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__()
        self.dynamodb = cast("Any", self)
        self.sqs = cast("Any", self)
        self.asked: list[list[str]] = []
        self.waited: list[float] = []
        self._unread = unread
        self._refusals = {body: list(faults) for body, faults in (refusals or {}).items()}
        self._codes = {name: list(found) for name, found in (codes or {}).items()}

    @override
    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def batch_get_item(self, *, RequestItems: dict[str, dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        request = RequestItems["t"]
        keys = request["Keys"]
        self.asked.append([key["pk"]["S"] for key in keys])
        if self._unread:
            self._unread -= 1
            return {"Responses": {"t": keys[:-1]}, "UnprocessedKeys": {"t": {**request, "Keys": keys[-1:]}}}
        return {"Responses": {"t": keys}, "UnprocessedKeys": {}}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.asked.append([entry["MessageGroupId"] for entry in Entries])
        return {
            "Failed": [
                {"Id": entry["Id"], "Code": "invented", "SenderFault": faults.pop(0)}
                for entry in Entries
                if (faults := self._refusals.get(entry["MessageGroupId"]))
            ]
        }

    def batch_write_item(self, *, RequestItems: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        writes = RequestItems["t"]
        self.asked.append([write["PutRequest"]["Item"]["sk"]["S"] for write in writes])
        if self._unread:
            self._unread -= 1
            return {"UnprocessedItems": {"t": writes[-1:]}}
        return {"UnprocessedItems": {}}

    def batch_execute_statement(self, *, Statements: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        names = [str(inserted(statement)[1]["pk"]["S"]) for statement in Statements]
        self.asked.append(names)
        return {
            "Responses": [
                {"TableName": "t"} | ({"Error": {"Code": codes.pop(0)}} if (codes := self._codes.get(name)) else {})
                for name in names
            ]
        }


def put(aws: Aws, names: str) -> None:
    with asyncio.Runner() as runner:
        runner.run(put_items(aws, "t", [{"pk": "p", "sk": name} for name in names]))


def insert(aws: Aws, names: str) -> None:
    with asyncio.Runner() as runner:
        runner.run(insert_absent(aws, "t", [{"pk": name, "due_at": None, "segments": 1} for name in names]))


def read(aws: Aws, names: list[str]) -> list[str]:
    with asyncio.Runner() as runner:
        found = runner.run(get_items(aws, "t", [{"pk": name} for name in names]))
    return [str(item["pk"]) for item in found]


def send(aws: Aws, organisations: str) -> None:
    reports = [Report(organisation=one, provider=ORANGE, document="{}") for one in organisations]
    with asyncio.Runner() as runner:
        runner.run(SqsStatusQueue(aws, "q").put(reports))


def test_a_repeated_key_is_read_once() -> None:
    aws = StubAws()
    assert sorted(read(aws, ["a", "b", "a"])) == ["a", "b"]
    assert aws.asked == [["a", "b"]]


def test_unread_keys_are_read_again() -> None:
    aws = StubAws(unread=2)
    assert sorted(read(aws, ["a", "b"])) == ["a", "b"]
    assert aws.asked == [["a", "b"], ["b"], ["b"]]
    assert aws.waited == [0.05, 0.1]


def test_keys_that_stay_unread_raise() -> None:
    with pytest.raises(UnreadError, match=r"^1 of 2 keys unread$"):
        read(StubAws(unread=1000), ["a", "b"])


def test_unwritten_items_are_written_again() -> None:
    aws = StubAws(unread=2)
    put(aws, "aba")
    assert aws.asked == [["a", "b"], ["b"], ["b"]]


def test_items_that_stay_unwritten_raise() -> None:
    with pytest.raises(UnwrittenError, match=r"^1 of 2 items unwritten$"):
        put(StubAws(unread=1000), "ab")


def test_entries_with_a_sender_fault_are_not_sent_again() -> None:
    aws = StubAws(refusals={"a": [True], "b": [False, False]})
    with pytest.raises(QueueError, match=r"^1 of 3 messages refused$"):
        send(aws, "abc")
    assert aws.asked == [["a", "b", "c"], ["b"], ["b"]]


def test_a_second_refusal_may_be_a_sender_fault() -> None:
    aws = StubAws(refusals={"b": [False, True]})
    with pytest.raises(QueueError, match=r"^1 of 2 messages refused$"):
        send(aws, "ab")
    assert aws.asked == [["a", "b"], ["b"]]


@pytest.mark.parametrize(
    "code",
    [
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingError",
        "TransactionConflict",
    ],
)
def test_a_temporary_failure_of_an_insert_is_tried_again(code: str) -> None:
    aws = StubAws(codes={"b": [code, code], "c": ["DuplicateItem"]})
    insert(aws, "abc")
    assert aws.asked == [["a", "b", "c"], ["b"], ["b"]]


def test_an_insert_that_failed_after_it_was_done_counts_as_done() -> None:
    aws = StubAws(codes={"b": ["InternalServerError", "DuplicateItem"]})
    insert(aws, "ab")
    assert aws.asked == [["a", "b"], ["b"]]


def test_an_item_that_is_never_inserted_raises() -> None:
    aws = StubAws(codes={"b": ["ThrottlingError"] * 1000})
    with pytest.raises(UninsertedError, match=r"^1 of 2 items not put: ThrottlingError$"):
        insert(aws, "ab")
    assert aws.asked == [["a", "b"], *[["b"]] * 6]
    assert aws.waited == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]


@pytest.mark.parametrize("code", ["ValidationError", "AccessDenied", "ResourceNotFound", "ConditionalCheckFailed"])
def test_a_permanent_failure_of_an_insert_is_not_tried_again(code: str) -> None:
    """No code except DuplicateItem means that the item exists."""
    aws = StubAws(codes={"b": [code], "c": ["ThrottlingError"]})
    with pytest.raises(UninsertedError, match=rf"^2 of 3 items not put: .*{code}"):
        insert(aws, "abc")
    assert aws.asked == [["a", "b", "c"]]


def test_inserts_pass_their_values_as_parameters() -> None:
    seen: list[Any] = []

    class Seeing(StubAws):
        @override
        def batch_execute_statement(self, *, Statements: list[dict[str, Any]]) -> dict[str, Any]:
            seen.extend(Statements)
            return super().batch_execute_statement(Statements=Statements)

    insert(Seeing(), "'")
    text = """INSERT INTO "t" VALUE {'pk': ?, 'segments': ?}"""
    assert seen == [{"Statement": text, "Parameters": [{"S": "'"}, {"N": "1"}]}]


def test_the_second_of_two_concurrent_first_puts_replaces_the_first() -> None:
    """The other environment's put comes between this one's look and its creation."""
    first = Dhis2Integration(organisation="demo", attributes={"phone": "aBcDeFgHiJk"}, program=None, version=1)
    second = Dhis2Integration(organisation="demo", attributes={"phone": "kJiHgFeDcBa"}, program=None, version=2)
    with mock_aws(), asyncio.Runner() as runner:
        aws = connect()
        mine, theirs = (SecretIntegrations(aws, "p", FakeClock()) for _ in range(2))

        def overtake(**_: object) -> None:
            aws.secrets.meta.events.unregister("before-parameter-build.secrets-manager.CreateSecret", overtake)
            aws.secrets.create_secret(Name="p/demo/dhis2", SecretString="{}")
            overtaken.append(True)

        overtaken: list[bool] = []
        aws.secrets.meta.events.register("before-parameter-build.secrets-manager.CreateSecret", overtake)
        runner.run(mine.put(first))
        assert overtaken == [True]
        assert runner.run(theirs.dhis2("demo")) == first
        runner.run(theirs.put(second))
        assert runner.run(mine.dhis2("demo")) == second
