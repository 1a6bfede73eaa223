"""What is done to the running stack while a campaign goes through it. Each from outside, over HTTP."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.chaos.stage import Stage

CALM = 300
"""The last four digits of the first number where no number is a special one."""
SPECIAL = 400
"""From here on one in ten numbers is: docs/simulators.md."""
LEFT_OUT = frozenset({"0431"})
"""A used-up quota holds the lane for an hour, nine times over: hours that no morning has."""
WRITES = [
    *(f"DynamoDB_20120810.{name}" for name in ("UpdateItem", "PutItem", "BatchExecuteStatement")),
    "AmazonSQS.SendMessageBatch",
]


def nothing(_: Stage, __: int) -> None:
    """No fault while it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`settings` are the simulators', set before. `meanwhile` is called twice a second with how often it has been."""

    name: str
    rows: int = 2000
    rate: int = 1000
    first: int = CALM
    settings: Mapping[str, object] = field(default_factory=dict)
    faults: Mapping[str, object] = field(default_factory=dict)
    meanwhile: Callable[[Stage, int], None] = nothing
    at_night: bool = False


def pauses(stage: Stage, turn: int) -> None:
    """Three pauses of two seconds."""
    if turn in (4, 12, 20):
        stage.act("pause")
    if turn in (8, 16, 24):
        stage.act("resume")


def cancels(stage: Stage, turn: int) -> None:
    """Once some have gone."""
    if turn == 6:
        stage.act("cancel")


def provider_goes_down(stage: Stage, turn: int) -> None:
    """For five seconds nothing is answered but 503."""
    if turn in (4, 14):
        stage.set_simulators(orange_down=turn == 4)


def settings_change(stage: Stage, turn: int) -> None:
    """The administrator saves other credentials, twice."""
    if turn in (4, 10):
        stage.save_settings(f"client-secret-{turn}")


def queues_deliver_twice(stage: Stage, turn: int) -> None:
    """Copies and tasks come once more; the fan-out's work and every shard of the agenda are asked for again."""
    if turn % 2 == 0:
        stage.double_copies("SmsQueue")
        stage.double_copies("FanoutQueue")
        stage.ask_again()


def receipts_are_forged(stage: Stage, turn: int) -> None:
    """Strangers report deliveries with a wrong token."""
    stage.forge_receipts(turn)


SCENARIOS = (
    Scenario(name="nothing (control)"),
    Scenario(
        name="provider: time-outs, resets, 5xx, throttles, odd receipts",
        first=SPECIAL,
        settings={"special_numbers": True, "hang_seconds": 8},
    ),
    Scenario(name="provider: slower than the lane (403, code 53)", settings={"orange_rate_per_second": 200}),
    Scenario(name="provider: down for five seconds", meanwhile=provider_goes_down),
    Scenario(
        name="receipts: twice, before the answer to the send, forged",
        settings={"duplicate_receipts": True, "delivered_delay": 0.0},
        meanwhile=receipts_are_forged,
    ),
    Scenario(name="queues: copies, tasks and ticks twice", meanwhile=queues_deliver_twice),
    Scenario(name="settings: credentials changed under way", meanwhile=settings_change),
    Scenario(name="AWS: calls fail", faults={"operations": WRITES, "every": 25}),
    Scenario(name="AWS: calls done, answer lost", faults={"operations": WRITES, "every": 25, "took_effect": True}),
    Scenario(name="client: paused and resumed three times", rate=200, meanwhile=pauses),
    Scenario(name="client: cancelled under way", rate=200, meanwhile=cancels),
    Scenario(name="clock: night falls on the campaign", rate=40, at_night=True),
)


def named(words: list[str]) -> list[Scenario]:
    """Those whose name holds one of the words; all of them without words."""
    return [one for one in SCENARIOS if not words or any(word in one.name for word in words)]


def numbers(scenario: Scenario) -> range:
    """The last four digits, as many as each country needs."""
    return range(scenario.first, scenario.first + -(-scenario.rows // 9) + 2)


def take(scenario: Scenario, countries: tuple[str, ...]) -> list[tuple[str, str]]:
    """(country, last digits) of each row, in turn of the countries."""
    tails = (f"{number:04}" for number in numbers(scenario))
    pairs = ((country, tail) for tail in tails if tail not in LEFT_OUT for country in countries)
    return list(itertools.islice(pairs, scenario.rows))
