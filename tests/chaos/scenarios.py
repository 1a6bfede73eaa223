"""The campaigns that go through the running stack, the faults of each, and how to see that they occurred."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from local.sample.people import PLACES
from tests.chaos import hands
from tests.chaos.seen import Seen
from tests.chaos.stage import Stage

CALM = 300
"""The last four digits of the first number; no number from here to SPECIAL is a special one."""
SPECIAL = 400
"""From here on one in ten numbers is special (docs/simulators.md)."""
OMITTED = frozenset({"0431"})
"""A used-up quota holds the rate limit for an hour, nine times in a row: a morning has not so many hours."""
WHATSAPP_SPECIAL = (
    *("0403", "0404", "0512", "0200", "0429", "0430", "0503", "1056", "1026", "0472", "9026", "9126"),
    *(f"{number:04}" for number in range(CALM, CALM + 18)),  # Meta begins to send statuses among these
    *("0601", "0602", "0603", "0604", "0605", "0606", "0607"),
)
"""Without three kinds. Some stop the whole account. After 0700, a message that Meta holds back, silence says nothing.
Those that are never taken and never answered end after a day; the simulation has them."""
CHANGE = datetime.fromisoformat("2026-10-29T21:00:00+00:00")
"""Egypt's clocks go back from midnight to 23:00."""
EVENING = "2026-10-29T17:59:40+00:00"
"""Twenty seconds before 21:00, in Egypt's summer time and in Madagascar."""
NIGHT_AND_MORNINGS = ("2026-10-29T20:00:00+00:00", "2026-10-30T04:00:30+00:00", "2026-10-30T05:00:30+00:00")
"""Deep in the night; 07:00 in Madagascar, and in Egypt without the change of its clocks; 07:00 in Egypt."""
ON_UTC = ("SN", "CI", "ML", "BF", "GN")
type Count = Callable[[Seen], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One campaign and its faults.

    - `settings`: of the simulators, set before the campaign.
    - `meanwhile`: called twice a second with the number of earlier calls, at least `turns` times.
    - `faults`: name → how often it happened, as seen from outside.
    - `begins`: an instant, or a time of day (UTC); empty: as soon as all nine countries are outside their quiet hours.
    - `then`: instants to which the clock moves once no message leaves any more.
    - `limit`: how many messages the provider takes in a second, if it differs from the simulators' usual limit.
    - `throttles`: whether the scenario is meant to be throttled. Others are only if a stall makes late calls bunch.
    """

    name: str
    faults: Mapping[str, Count]
    channel: str = "sms"
    rows: int = 2000
    rate: int = 1000
    first: int = CALM
    tails: tuple[str, ...] = ()
    countries: tuple[str, ...] = tuple(PLACES)
    settings: Mapping[str, object] = field(default_factory=dict)
    meanwhile: Callable[[Stage, int], None] = hands.nothing
    turns: int = 0
    begins: str = ""
    then: tuple[str, ...] = ()
    off_peak: bool = False
    fallback_minutes: int | None = None
    limit: int | None = None
    throttles: bool = False


def _done(name: str) -> Count:
    return lambda seen: seen.done[name]


def _refused(*codes: str) -> Count:
    return lambda seen: sum(seen.refused.get(code, 0) for code in codes)


def _failed(operations: list[str]) -> Count:
    return lambda seen: sum(seen.failed.get(operation, 0) for operation in operations)


def _outcomes(*words: str) -> Count:
    return lambda seen: seen.outcomes(*words)


def _ended(reason: str) -> Count:
    return lambda seen: seen.reasons(reason)


def _after(seen: Seen, change: datetime, *countries: str) -> int:
    """How many of the countries' messages left at or after the change."""
    homes = {one["card"]: one["country"] for one in seen.evidence["people"]}
    return sum(call["at"] >= change and homes.get(call["card"]) in countries for call in seen.evidence["calls"])


def _torn(seen: Seen, change: datetime) -> int:
    """How many messages left at or after the change; 0 if none left before it."""
    late = _after(seen, change, *PLACES)
    return late if late < len(seen.evidence["calls"]) else 0


def _torn_by_the_peak(seen: Seen) -> int:
    """How many messages of countries on UTC left after the peak hours; 0 if none left before them."""
    homes = {one["card"]: one["country"] for one in seen.evidence["people"]}
    hours = [call["at"].hour for call in seen.evidence["calls"] if homes.get(call["card"]) in ON_UTC]
    return sum(hour >= 10 for hour in hours) if min(hours, default=10) < 8 else 0


def _held_by_a_pause(seen: Seen) -> int:
    """How many pauses there were after which some message still left."""
    last = max((call["at"] for call in seen.evidence["calls"]), default=None)
    return sum(
        deed["action"] == "pause" and last is not None and deed["done"] < last for deed in seen.evidence["deeds"]
    )


SCENARIOS = (
    Scenario(
        name="clock: night falls on the campaign, Egypt's clocks change",
        faults={
            "clock: 21:00 in mid-campaign": lambda seen: _torn(seen, CHANGE),
            "clock: Egypt's summer ends": lambda seen: _after(seen, CHANGE, "EG"),
        },
        rows=400,
        rate=10,
        countries=("EG", "MG"),
        begins=EVENING,
        then=NIGHT_AND_MORNINGS,
    ),
    Scenario(name="nothing (control)", faults={"nothing (control)": lambda seen: len(seen.ledger)}),
    Scenario(
        name="WhatsApp: special numbers, and no statuses at first",
        faults={
            "WhatsApp: time-outs and resets": _outcomes("time-out", "reset"),
            "WhatsApp: 503": _refused("2"),
            "WhatsApp: 502, an unreadable answer": _outcomes("502", "not JSON"),
            "WhatsApp: throttled": _refused("130429", "131056"),
            "WhatsApp: refused, or failed later": lambda seen: seen.reasons("not_on_whatsapp"),
            "WhatsApp: statuses twice": lambda seen: seen.reported_twice(),
            "WhatsApp: the one documented double": lambda seen: seen.taken_twice(),
        },
        channel="whatsapp",
        rows=360,
        rate=80,
        tails=WHATSAPP_SPECIAL,
        settings={"special_numbers": True, "hang_seconds": 8},
        meanwhile=hands.no_statuses_at_first,
        throttles=True,
    ),
    Scenario(
        name="WhatsApp: Meta reports nothing for a while, fallbacks wait",
        faults={
            "WhatsApp: receipts off past the fallbacks' time": _done("silent"),
            "WhatsApp: the campaign warns receipts_missing": _done("warned"),
        },
        channel="whatsapp",
        rows=120,
        rate=80,
        settings={"receipts": False},
        meanwhile=hands.meta_is_silent,
        turns=16,
        fallback_minutes=10,
    ),
    Scenario(
        name="provider: time-outs, resets, 5xx, throttles, odd receipts",
        faults={
            "SMS: time-outs and resets": _outcomes("time-out", "reset"),
            "SMS: 5xx, an unreadable answer": _outcomes("502", "not JSON"),
            "SMS: 408, 503, 504": _refused("408/63", "503/5", "503/6", "504/6"),
            "SMS: throttled now and then": _refused("403/53", "429/53"),
            "SMS: the number refused": _refused("SVC0002", "SVC0004"),
            "SMS: odd receipts": _outcomes("Delivery", "receipt"),
        },
        first=SPECIAL,
        tails=("4002", "4004"),
        settings={"special_numbers": True, "hang_seconds": 8},
        throttles=True,
    ),
    Scenario(
        name="provider: slower than the rate limit, then down for five seconds",
        faults={
            "SMS: throttled (403, code 53)": _refused("403/53"),
            "SMS: down for five seconds": _refused("503/5"),
        },
        rows=1000,
        meanwhile=hands.provider_goes_down,
        turns=22,
        limit=20,
        throttles=True,
    ),
    Scenario(
        name="settings: credentials changed under way; receipts: twice, at once, forged",
        faults={
            "settings: a token dies under way": _refused("401/41"),
            "receipts: twice": lambda seen: seen.reported_twice(),
            "receipts: forged": _done("forged"),
        },
        settings={"duplicate_receipts": True, "delivered_delay": 0.0, "orange_single_token": True},
        meanwhile=hands.settings_change,
        turns=28,
    ),
    Scenario(
        name="queues: twice, dead letters; ticks missed",
        faults={
            "SQS: queue messages twice": _done("doubled on SmsQueue"),
            "SQS: the fan-out's tasks twice": _done("tasks again"),
            "SQS: dead letters redriven": _done("redriven"),
            "ticks missed": _done("ticks missed"),
        },
        meanwhile=hands.queues_repeat_and_fail,
        turns=50,
    ),
    Scenario(
        name="AWS: calls fail, batches in part, answers lost",
        faults={
            "AWS: reads fail": _failed(hands.READS),
            "AWS: writes fail, or their answers are lost": _failed(hands.WRITES[:-1]),
            "AWS: batches fail, whole or in part": _failed(hands.WRITES[-1:]),
        },
        meanwhile=hands.aws_fails,
        turns=50,
    ),
    Scenario(
        name="client: pauses, revoked consent, the same key twice",
        faults={
            "client: pauses": _held_by_a_pause,
            "client: consent revoked": _ended("opted_out"),
            "client: the same key twice": _done("asked again"),
        },
        rows=800,
        rate=40,
        meanwhile=hands.pauses,
        turns=38,
    ),
    Scenario(
        name="client: cancelled under way",
        faults={"client: cancelled": _ended("cancelled")},
        rate=200,
        meanwhile=hands.cancels,
        turns=24,
    ),
    Scenario(
        name="clock: peak hours begin",
        faults={"clock: peak hours begin": _torn_by_the_peak},
        rows=400,
        rate=10,
        off_peak=True,
        begins="07:59:45",
    ),
)


def named(words: list[str]) -> list[Scenario]:
    """The scenarios whose name contains one of the words; all of them without words."""
    return [one for one in SCENARIOS if not words or any(word in one.name for word in words)]


def take(scenario: Scenario) -> list[tuple[str, str]]:
    """(country, last digits) of each row, the countries in turn: special numbers first, then the others."""
    others = (f"{number:04}" for number in range(scenario.first, 10_000))
    tails = itertools.chain(scenario.tails, (tail for tail in others if tail not in scenario.tails))
    pairs = ((country, tail) for tail in tails if tail not in OMITTED for country in scenario.countries)
    return list(itertools.islice(pairs, scenario.rows))
