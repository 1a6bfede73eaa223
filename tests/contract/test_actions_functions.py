"""Every cell of api.md's table of a distribution's statuses and actions.

The tests call the functions as API Gateway, SQS and Scheduler do, on moto.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from shared.campaigns.stored_content import UploadTarget
from shared.messages.message import Status
from shared.messages.ports import Move
from tests.contract.test_person_functions import Invocation, Running, deployed, running
from tests.fakes.office import recipient
from tests.unit.api.events import event

__all__ = ["deployed", "running"]

TABLE = """
    planning  | 409                  | 409    | 409                  | cancelled
    planned   | sending or scheduled | 409    | 409                  | cancelled
    scheduled | 200                  | paused | 200                  | cancelled
    sending   | 200                  | paused | 200                  | cancelled
    paused    | 409                  | 200    | sending or scheduled | cancelled
    completed | 409                  | 409    | 409                  | 409
    rejected  | 409                  | 409    | 409                  | 409
    cancelled | 409                  | 409    | 409                  | 200
"""
"""api.md, "Bulk". Only the arrows are written differently."""
ACTIONS = ("confirm", "pause", "resume", "cancel")
CELLS = {
    (status, action): cell
    for status, *cells in ([part.strip() for part in line.split("|")] for line in TABLE.strip().splitlines())
    for action, cell in zip(ACTIONS, cells, strict=True)
}


def planning(running: Running) -> Any:
    """A distribution of an upload that is not planned yet."""
    content = b"phone,first_name\n+221770000001,Aminata\n"
    status, answer = running.call("POST /v1/uploads", {"format": "csv", "bytes": len(content)})
    assert status == 201
    target = UploadTarget(url=answer["url"], headers=answer["headers"], expires_at=running.clock.now())
    running.world.hands.put_file(target, "csv", content)
    body = {
        "campaign_id": "c-1",
        "channel": "sms",
        "upload_id": answer["upload_id"],
        "content": {"text": "Bonjour {first_name}"},
    }
    asked = event("POST /v1/distributions", body=body, headers={"idempotency-key": "d"}, claims=running.claims())
    made = running.fanout(dict(asked), Invocation())
    assert made is not None
    assert made["statusCode"] == 202, made["body"]
    return json.loads(str(made["body"]))


def planned(running: Running) -> Any:
    return running.distribute("d")


def scheduled(running: Running) -> Any:
    at = running.clock.now() + timedelta(hours=2)
    return running.distribute("d", schedule={"mode": "at", "at": at.isoformat()}, confirm=True)


def sending(running: Running) -> Any:
    return running.distribute("d", confirm=True)


def paused(running: Running) -> Any:
    return acted(running, sending(running), "pause")


def completed(running: Running) -> Any:
    made = sending(running)
    running.work()
    for queue_message in running.queue_messages(after=60):
        delivered = Move(status=Status.DELIVERED, at=running.clock.now())
        asyncio.run(running.world.log.move(running.organisation, queue_message.message_id, delivered))
    running.clock.pass_by(minutes=2)
    running.fanout({"tick": True}, Invocation())
    running.work()
    return seen(running, made)


def rejected(running: Running) -> Any:
    return running.distribute("d", recipients=[recipient(1, phone="N/A")])


def cancelled(running: Running) -> Any:
    return acted(running, planned(running), "cancel")


STATES: dict[str, Callable[[Running], Any]] = {
    make.__name__: make for make in (planning, planned, scheduled, sending, paused, completed, rejected, cancelled)
}


def act(running: Running, distribution: Any, action: str) -> tuple[int, Any]:
    path = {"distribution_id": distribution["distribution_id"]}
    return running.call(f"POST /v1/distributions/{{distribution_id}}/{action}", path=path)


def acted(running: Running, distribution: Any, action: str) -> Any:
    status, found = act(running, distribution, action)
    assert status == 200, found
    return found


def seen(running: Running, distribution: Any) -> Any:
    path = {"distribution_id": distribution["distribution_id"]}
    return running.call("GET /v1/distributions/{distribution_id}", path=path)[1]


@pytest.mark.parametrize(("status", "action"), list(product(STATES, ACTIONS)))
def test_every_cell(running: Running, status: str, action: str) -> None:
    before = STATES[status](running)
    assert before["status"] == status
    code, answer = act(running, before, action)
    cell = CELLS[status, action]
    after = seen(running, before)
    if cell == "409":
        assert (code, answer["code"]) == (409, "state_conflict")
        assert after == before
    else:
        assert code == 200, answer
        assert answer == after
        assert after["status"] in ((status,) if cell == "200" else cell.split(" or "))
