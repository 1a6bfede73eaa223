import json
import threading
from typing import cast

import pytest
import time_machine

from local.moto_faults import Faults, halved, with_refused
from local.moto_http import Answer, MotoServer
from tests.waiting import http

UPDATE = "DynamoDB_20120810.UpdateItem"


def test_each_nth_call_of_one_operation_fails() -> None:
    faults = Faults.read({"operations": [UPDATE], "every": 3, "took_effect": True})
    answers = [faults.next(UPDATE) for _ in range(7)]
    assert [answer is not None for answer in answers] == [False, False, True, False, False, True, False]
    assert answers[2] is not None
    assert answers[2].took_effect
    assert answers[2].answer[0] == 500
    assert faults.next("DynamoDB_20120810.PutItem") is None


def test_without_settings_no_call_fails() -> None:
    assert Faults().next(UPDATE) is None
    assert Faults.read({"every": 0}).next("") is None


def test_several_calls_in_a_row_can_fail() -> None:
    faults = Faults.read({"operations": [UPDATE], "every": 5, "in_a_row": 3})
    failed = [number for number in range(1, 14) if faults.next(UPDATE) is not None]
    assert failed == [5, 6, 7, 10, 11, 12]


def test_a_batch_can_fail_in_part_and_the_answer_names_the_entries() -> None:
    entries = [{"Id": str(number), "MessageBody": "b"} for number in range(3)]
    kept, dropped = halved(json.dumps({"QueueUrl": "q", "Entries": entries}).encode())
    assert [entry["Id"] for entry in json.loads(kept)["Entries"]] == ["0", "2"]
    assert json.loads(kept)["QueueUrl"] == "q"
    reported = json.loads(with_refused('{"Successful": [{"Id": "0"}]}', dropped))
    assert reported["Successful"] == [{"Id": "0"}]
    assert [(one["Id"], one["SenderFault"]) for one in reported["Failed"]] == [("1", False)]


def test_an_error_in_moto_is_an_answer_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """It must not break the connection: AWS's clients would take that for a network error."""

    class Broken(MotoServer):
        def dispatch(self, request: object) -> Answer:
            raise KeyError("Action")

    with Broken("127.0.0.1", 0, cast(time_machine.Traveller, None)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            answer = http().post(f"http://127.0.0.1:{server.server_port}/", headers={"x-amz-target": UPDATE})
        finally:
            server.shutdown()
    assert (answer.status_code, answer.json()["__type"]) == (500, "InternalServerError")
    assert [(record.message, record.__dict__["operation"]) for record in caplog.records] == [("moto failed", UPDATE)]
