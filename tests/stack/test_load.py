"""Many messages at once on a stack of their own: none lost, none doubled. `make load` does the same with 10,000."""

from datetime import timedelta
from typing import Any

import pytest

from local.load import Run, Target, campaign
from local.load_outcome import Held, Outcome, Turn, table
from tests.stack.running import RunningStack
from tests.waiting import PATIENCE, http, until

ROWS = 300
ORGANISATION = "load"


@pytest.fixture(scope="module")
def own_stack(fresh_stack: RunningStack) -> RunningStack:
    """The tests read everything that it holds."""
    return fresh_stack


def target(stack: RunningStack, organisation: str = ORGANISATION) -> Target:
    return Target(
        base_url=stack.base_url,
        aws_url=stack.aws_url,
        simulators_url=stack.simulators_url,
        organisation=organisation,
        token=stack.token(organisation),
    )


def read(stack: RunningStack, path: str) -> Any:
    with stack.api(ORGANISATION) as api:
        return api.get(path).raise_for_status().json()


def test_every_message_is_sent_once_at_a_rate_above_the_stacks_speed(own_stack: RunningStack) -> None:
    """At 1,000 a second every send slot is missed. Late messages still leave, as fast as the workers can."""
    identity, outcome = Run(target(own_stack), campaign(ROWS, "all-at-once"), print).carry(1000, patience=PATIENCE)
    assert outcome.shortfalls == [], table(outcome)
    assert outcome.by_status == {"delivered": ROWS}
    assert sum(outcome.requests.values()) < 15 * ROWS
    own_stack.move_to(own_stack.now() + timedelta(minutes=2))
    path = f"/v1/distributions/{identity}"
    completed = until(lambda: read(own_stack, path), lambda found: found["status"] == "completed")
    assert completed["counts"]["delivered"] == ROWS
    for queue in ("FanoutQueue", "WhatsAppQueue", "SmsQueue", "StatusQueue"):
        assert until(lambda one=queue: own_stack.on_queue(one), lambda found: found == 0) == 0  # type: ignore[misc]


@pytest.mark.parametrize("turn", list(Turn))
def test_paused_or_cancelled_at_a_third_every_row_is_accounted_for(own_stack: RunningStack, turn: Turn) -> None:
    """`make load PAUSE=1` and `CANCEL=1`."""
    before = taken_by_the_provider(own_stack)
    run = Run(target(own_stack, f"load-{turn}"), campaign(150, turn), print)
    identity, outcome = run.carry(30, patience=PATIENCE, at_a_third=turn)
    assert outcome.shortfalls == [], table(outcome)
    assert outcome.ledger == taken_by_the_provider(own_stack) - before
    assert (outcome.held is not None) == (turn is Turn.PAUSE)
    if turn is Turn.CANCEL:
        assert outcome.by_status == {"delivered": outcome.ledger, "failed": outcome.cancelled}
        assert outcome.ledger + outcome.cancelled == outcome.accepted == 150
    else:
        assert outcome.by_status == {"delivered": 150}
    with own_stack.api(f"load-{turn}") as api:
        assert api.post(f"/v1/distributions/{identity}/resume").status_code == (409 if turn is Turn.CANCEL else 200)


def taken_by_the_provider(stack: RunningStack) -> int:
    return len(http().get(f"{stack.control_url}/ledger").raise_for_status().json()["messages"])


def test_after_a_reset_the_log_is_empty_and_a_campaign_runs(own_stack: RunningStack) -> None:
    """In the middle of work: nothing of it comes back."""
    run = Run(target(own_stack), campaign(200, "cut-short"), print)
    run.begin(20, patience=PATIENCE)
    assert http().post(f"{own_stack.base_url}/_local/reset", timeout=PATIENCE).status_code == 204
    assert read(own_stack, "/v1/messages")["items"] == []
    assert read(own_stack, "/v1/distributions")["items"] == []
    assert http().get(f"{own_stack.control_url}/ledger").json()["messages"] == []
    again = Run(target(own_stack), campaign(50, "anew"), print)
    _, outcome = again.carry(1000, patience=PATIENCE)
    assert outcome.shortfalls == [], table(outcome)


def outcome_with(**changes: Any) -> Outcome:
    fine: dict[str, Any] = {
        "rows": 2, "accepted": 2, "by_status": {"delivered": 2}, "ledger": 2, "doubled": 0, "lost": 0,
        "unlogged": 0, "unsent": 0, "seconds": {"upload": 1.0}, "requests": {"PutItem": 4},
    }  # fmt: skip
    return Outcome(**fine | changes)


@pytest.mark.parametrize(
    ("changes", "shortfalls"),
    [
        ({}, []),
        ({"accepted": 1}, ["1 rows not accepted", "-1 accepted and neither delivered nor cancelled"]),
        ({"by_status": {"delivered": 1, "failed": 1}}, ["1 accepted and neither delivered nor cancelled"]),
        ({"by_status": {"delivered": 1, "failed": 1}, "cancelled": 1}, ["1 cancelled without a cancel"]),
        ({"by_status": {"delivered": 1, "failed": 1}, "cancelled": 1, "turn": Turn.CANCEL}, []),
        ({"turn": Turn.CANCEL}, ["nothing was left to cancel"]),
        ({"held": Held(taken=2, escaped=0)}, ["nothing was left to pause"]),
        ({"held": Held(taken=1, escaped=1)}, ["1 taken by the provider in the pause"]),
        ({"miscounted": 1}, ["1 counted differently from the log"]),
        ({"doubled": 1}, ["1 doubled"]),
        ({"lost": 2}, ["2 lost"]),
        ({"by_status": {"delivered": 1, "sent": 1}, "under_way": 1, "unlogged": 1}, ["1 still under way"]),
        ({"by_status": {"pending": 2}, "under_way": 2, "lost": 2, "doubled": 1}, ["1 doubled", "2 still under way"]),
        ({"by_status": {"delivered": 2, "sent": 1}}, []),  # a count may be ahead until the recount
        ({"unlogged": 1, "unsent": 1}, ["1 taken by the provider, not in the log", "1 sent by the log's account"]),
    ],
)
def test_each_shortfall_is_reported(changes: dict[str, Any], shortfalls: list[str]) -> None:
    found = outcome_with(**changes).shortfalls
    assert len(found) == len(shortfalls)
    assert all(text.startswith(start) for text, start in zip(found, shortfalls, strict=True))
    assert "AWS requests a message" in table(outcome_with(**changes))
