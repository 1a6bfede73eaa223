"""python -m tests.chaos [words]: breaks a running local stack over HTTP, one scenario after the other, each a campaign
of 2,000 SMS; prints a table, exits 1 if anything is lost, doubled, early or otherwise wrong."""

import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from local.demo.api import Api
from local.load import Target
from local.running import find
from local.sample.people import PLACES
from local.settings import Settings
from local.tokens import TokenRequest
from tests.chaos.scenarios import Scenario, named, take
from tests.chaos.stage import Stage, campaign
from tests.simulation.checker import violations
from tests.simulation.report import Summary, failures, table_of
from tests.stack.running import RunningStack, started

COUNTRIES = tuple(PLACES)
STACKS = 2
"""At once: one alone leaves a third of two processors idle, because its parts wait for each other."""
PATIENCE = 240.0
"""Seconds of real time for one scenario."""
LOOK = 0.5
STILL = 4
"""So many looks without a change, and the clock is moved on: retries come after minutes."""
QUICKER = timedelta(minutes=10)
LIFETIME = timedelta(days=3)
"""Of a token: the clock is moved over nights."""
EVENING, MORNING = "2026-11-23T20:59:20+00:00", "2026-11-24T07:00:00+00:00"
"""Dakar's. Nothing before it moves the clock past the evening."""


def main(words: list[str]) -> int:
    """The exit code."""
    scenarios = named(words)
    if not scenarios:
        print("no scenario has such a name", file=sys.stderr)
        return 2
    waiting = deque(enumerate(scenarios))
    with ThreadPoolExecutor(STACKS) as stacks:
        runs = [run for done in stacks.map(_on_a_stack, [waiting] * STACKS) for run in done]
    runs.sort(key=lambda run: run.seed)
    print(table_of([(next(iter(run.faults)), [run]) for run in runs], runs))
    wrong = failures(runs, again=lambda run: f"python -m tests.chaos '{next(iter(run.faults))}'")
    if wrong:
        print(f"\n{wrong}")
    return 1 if wrong else 0


def _on_a_stack(waiting: deque[tuple[int, Scenario]]) -> list[Summary]:
    """Whatever nobody has taken yet, in order: the night is taken last, and no clock goes back."""
    runs: list[Summary] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, started(Path(folder) / "stack.log") as stack:
        while (taken := _next(waiting)) is not None:
            runs.append(_run(stack, *taken))
    return runs


def _next(waiting: deque[tuple[int, Scenario]]) -> tuple[int, Scenario] | None:
    try:
        return waiting.popleft()
    except IndexError:  # the other stack was quicker
        return None


def _run(stack: RunningStack, number: int, scenario: Scenario) -> Summary:
    began = time.monotonic()
    target = _target(stack, f"chaos-{number}")
    with Api(target.base_url, target.token, target.simulators_url) as api:
        stage = Stage(stack, target, api, f"chaos-{number}", scenario.rate)
        stage.reset_simulators()
        calm = {"special_numbers": False, "orange_rate_per_second": 10 * scenario.rate, "units": None}
        stage.set_simulators(**{k: v for k, v in (calm | dict(scenario.settings)).items() if v is not None})
        if scenario.at_night:
            stage.jump(datetime.fromisoformat(EVENING))
        stage.begin(*campaign(f"chaos-{number}", take(scenario, COUNTRIES)))
        _until(lambda: stage.status() == "planned", PATIENCE)
        stage.set_faults(scenario.faults)
        stage.act("confirm")
        _carry(stage, scenario)
        stage.set_faults({"every": 0})
        stage.set_simulators(orange_down=False)
        _come_to_rest(stage)
        evidence = stage.evidence()
    wrongs = violations(evidence)
    print(f"{time.monotonic() - began:5.0f} s  {scenario.name}: {len(wrongs)} wrong", file=sys.stderr)
    return Summary(
        seed=number, faults=frozenset({scenario.name}), messages=len(evidence["people"]), wrongs=tuple(wrongs)
    )


def _carry(stage: Stage, scenario: Scenario) -> None:
    """Until nothing moves any more while the scenario's hand is at it."""
    turn, still, seen = 0, 0, None
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and still < 2 * STILL:
        scenario.meanwhile(stage, turn)
        turn += 1
        time.sleep(LOOK)
        stands = (stage.status(), dict(stage.counts()), stage.taken())
        still = still + 1 if stands == seen else 0
        seen = stands
        if stands[0] in ("completed", "cancelled") and still >= STILL:
            return


def _come_to_rest(stage: Stage) -> None:
    """Resume what a stop has paused and move the clock on, until every row has come to its end."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        status = stage.status()
        if status == "paused":
            stage.act("resume")
        if status in ("completed", "cancelled") and not stage.counted()["pending"]:
            return
        stage.jump(_later(stage.now()))
        _settle(stage)
    raise AssertionError("it does not come to rest")


def _later(now: datetime) -> datetime:
    """A few minutes on; over the night to the morning."""
    evening, morning = datetime.fromisoformat(EVENING), datetime.fromisoformat(MORNING)
    return morning if evening < now < morning else now + QUICKER


def _settle(stage: Stage) -> None:
    still, seen = 0, None
    while still < STILL:
        time.sleep(LOOK)
        stands = (stage.taken(), dict(stage.counts()))
        still = still + 1 if stands == seen else 0
        seen = stands


def _until(there: Callable[[], bool], patience: float) -> None:
    give_up = time.monotonic() + patience
    while not there():
        if time.monotonic() > give_up:
            raise AssertionError("the plan takes too long")
        time.sleep(LOOK)


def _target(stack: RunningStack, organisation: str) -> Target:
    running = find(Settings().state_root, int(stack.base_url.rpartition(":")[2]))
    assert running.simulators_url is not None
    return Target(
        base_url=running.base_url,
        aws_url=running.aws_url,
        simulators_url=running.simulators_url,
        organisation=organisation,
        token=running.token(TokenRequest(issuer=running.base_url, organisation=organisation, lifetime=LIFETIME)),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
