"""Only the adapters: what AWS leaves undone is tried again, and given up on after a few tries."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest
from moto import mock_aws

from shared.aws.integrations import SecretIntegrations
from shared.aws.queues import QueueError, SqsStatusQueue
from shared.aws.reading import UnreadError, get_items
from shared.aws.session import Aws
from shared.domain.integration import Dhis2Integration
from shared.usecases.receive import Report
from tests.contract.cloud import connect
from tests.fakes.world import FakeClock


class StubAws(Aws):
    """Answers batch reads and writes itself: `unread` rounds leave the last key, `refusals` say whose fault it was."""

    def __init__(self, *, unread: int = 0, refusals: Mapping[str, list[bool]] | None = None) -> None:
        super().__init__()
        self.dynamodb = cast("Any", self)
        self.sqs = cast("Any", self)
        self.asked: list[list[str]] = []
        self._unread = unread
        self._refusals = {body: list(faults) for body, faults in (refusals or {}).items()}

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


def read(aws: Aws, names: list[str]) -> list[str]:
    with asyncio.Runner() as runner:
        found = runner.run(get_items(aws, "t", [{"pk": name} for name in names]))
    return [str(item["pk"]) for item in found]


def send(aws: Aws, organisations: str) -> None:
    reports = [Report(organisation=one, provider="orange", document="{}") for one in organisations]
    with asyncio.Runner() as runner:
        runner.run(SqsStatusQueue(aws, "q").put(reports))


def test_a_key_given_twice_is_asked_for_once() -> None:
    aws = StubAws()
    assert sorted(read(aws, ["a", "b", "a"])) == ["a", "b"]
    assert aws.asked == [["a", "b"]]


def test_what_is_left_unread_is_asked_for_again() -> None:
    aws = StubAws(unread=2)
    assert sorted(read(aws, ["a", "b"])) == ["a", "b"]
    assert aws.asked == [["a", "b"], ["b"], ["b"]]


def test_what_is_left_unread_to_the_end_raises() -> None:
    with pytest.raises(UnreadError, match=r"^1 of 2 keys unread$"):
        read(StubAws(unread=1000), ["a", "b"])


def test_what_sqs_calls_our_fault_is_not_sent_again_but_the_rest_is() -> None:
    aws = StubAws(refusals={"a": [True], "b": [False, False]})
    with pytest.raises(QueueError, match=r"^1 of 3 messages refused$"):
        send(aws, "abc")
    assert aws.asked == [["a", "b", "c"], ["b"], ["b"]]


def test_what_was_refused_may_turn_out_to_be_our_fault() -> None:
    aws = StubAws(refusals={"b": [False, True]})
    with pytest.raises(QueueError, match=r"^1 of 2 messages refused$"):
        send(aws, "ab")
    assert aws.asked == [["a", "b"], ["b"]]


def test_of_two_first_puts_at_once_the_second_replaces_the_first() -> None:
    """The other environment's put comes between looking and creating."""
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
