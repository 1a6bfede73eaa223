"""One scenario on a running stack, from its upload until every row has ended."""

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from datetime import time as hour_of_day

from tests.chaos.scenarios import Scenario, take
from tests.chaos.seen import Seen
from tests.chaos.stage import Stage
from tests.simulation.checker import LATE, Violation, violations
from tests.simulation.raising import raised
from tests.simulation.report import Summary
from tests.stack.running import RunningStack

PATIENCE = 900.0
"""Seconds of real time for each part of a scenario."""
LOOK = 0.5
STILL = 4
"""After so many looks without a change the run moves the clock on, because retries come after minutes."""
STEPS = (1, 4, 15, 15, 15, 60, 360)
"""Minutes of each jump of the clock; the last is repeated. A jump stops wherever something is due (each minute while a
campaign is under way) and waits there for the workers."""
AWAKE = (hour_of_day(7, 5), hour_of_day(15))
"""UTC. All nine countries are outside their quiet hours, with hours to spare."""
BEFORE = timedelta(minutes=5)
"""How long before its start a campaign is planned."""
AT_REST = timedelta(hours=73)
"""From the end until after the recount, three days after the last release."""
THROTTLES = ("403/53", "429/53", "130429")


def performed(stack: RunningStack, number: int, scenario: Scenario) -> Summary:
    """The summary of a scenario. An exception of the run counts as one more violation."""
    began = time.monotonic()
    times: Mapping[str, int] = {}
    messages = 0
    try:
        seen = _seen(stack, number, scenario)
        times = {name: count(seen) for name, count in scenario.faults.items()}
        messages = len(seen.evidence["people"])
        wrongs = [*violations(seen.evidence), *besides(scenario, seen, times)]
    except Exception as error:
        wrongs = [raised(error)]
    sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {scenario.name}: {len(wrongs)} wrong\n")
    return Summary(seed=number, times=times, messages=messages, wrongs=tuple(wrongs))


def besides(scenario: Scenario, seen: Seen, times: Mapping[str, int]) -> list[Violation]:
    """Violations beside the checker's. A fault that never occurred proves nothing. If the senders keep the rate, the
    provider throttles no more calls than may be late."""
    found = [Violation("wrong", f"never occurred: {name}") for name, count in times.items() if not count]
    throttled = sum(seen.refused.get(code, 0) for code in THROTTLES)
    if throttled > LATE * scenario.rate and not scenario.throttles:
        found.append(Violation("early", f"{throttled} calls were above twice the {scenario.rate} a second"))
    return found


def _seen(stack: RunningStack, number: int, scenario: Scenario) -> Seen:
    begins = start_of(scenario, stack.now())
    if begins - BEFORE > stack.now():
        stack.move_to(begins - BEFORE)
    stage = Stage(stack, f"chaos-{number}", scenario.channel, scenario.rate)
    try:
        stage.set_simulators(**_settings(scenario))
        stage.plan(take(scenario), off_peak=scenario.off_peak, fallback_minutes=scenario.fallback_minutes)
        _until(lambda: stage.status() == "planned")
        if begins > stack.now():
            stage.jump(begins)
        stage.act("confirm")
        _carry(stage, scenario)
        stage.set_faults({"every": 0})
        stage.set_simulators(orange_down=False, receipts=True)
        _come_to_rest(stage, scenario)
        return stage.seen()
    finally:
        stage.set_faults({"every": 0})
        stage.close()


def start_of(scenario: Scenario, now: datetime) -> datetime:
    """When its campaign is confirmed; never in the past."""
    if "T" in scenario.begins:
        return datetime.fromisoformat(scenario.begins)
    if not scenario.begins and AWAKE[0] <= now.time() < AWAKE[1]:
        return now
    hour = hour_of_day.fromisoformat(scenario.begins) if scenario.begins else AWAKE[0]
    today = datetime.combine(now.date(), hour, UTC)
    return today if today > now else today + timedelta(days=1)


def _settings(scenario: Scenario) -> Mapping[str, object]:
    """The simulators' settings. They refuse a second with more than twice the rate, because a busy machine may send
    late."""
    most = scenario.limit or 2 * scenario.rate
    limit = {"orange_rate_per_second": most, "meta_rate_per_second": most}
    return {"special_numbers": False, **limit, **scenario.settings}


def _carry(stage: Stage, scenario: Scenario) -> None:
    """Lets the scenario act until nothing moves any more."""
    turn, still, seen = 0, 0, None
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and (turn < scenario.turns or still < 2 * STILL):
        scenario.meanwhile(stage, turn)
        if turn % 8 == 0:
            stage.observe()
        turn += 1
        time.sleep(LOOK)
        stands = (stage.status(), dict(stage.counts()), stage.taken())
        still = still + 1 if stands == seen else 0
        seen = stands
        if stands[0] in ("completed", "cancelled") and still >= STILL and turn >= scenario.turns:
            return


def _come_to_rest(stage: Stage, scenario: Scenario) -> None:
    """Resumes a paused campaign, redrives dead letters and moves the clock on, until every row has ended."""
    give_up, then, steps = time.monotonic() + PATIENCE, deque(scenario.then), deque(STEPS)
    while time.monotonic() < give_up:
        status = stage.status()
        if status in ("completed", "cancelled") and stage.is_through():
            _settle(stage)
            stage.jump(stage.stack.now() + AT_REST)
            _settle(stage)
            return
        if status == "paused":
            stage.act("resume")
            _settle(stage)
            continue
        stage.redrive()
        if then:
            stage.jump(datetime.fromisoformat(then.popleft()))
        else:
            stage.jump(stage.stack.now() + timedelta(minutes=steps.popleft() if len(steps) > 1 else steps[0]))
        _settle(stage)
        stage.observe()
    raise AssertionError("it does not come to rest")


def _settle(stage: Stage) -> None:
    still, seen = 0, None
    give_up = time.monotonic() + PATIENCE
    while still < STILL and time.monotonic() < give_up:
        time.sleep(LOOK)
        stands = (stage.taken(), dict(stage.counts()))
        still = still + 1 if stands == seen else 0
        seen = stands


def _until(there: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > give_up:
            raise AssertionError("the plan takes too long")
        time.sleep(LOOK)
