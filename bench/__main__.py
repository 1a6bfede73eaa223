"""`make bench` prints all measurements as a table and writes bench/results.json. docs/performance.md explains them.

    python -m bench                    all rows, about ten minutes on two idle cores
    python -m bench sender cost        the parts whose names begin with these words
    BASELINE=/tmp/old python -m bench plan    the CPU of planning, also against an older commit's checkout

A row that compares measures both sides in turn in one run. A missed target does not fail the run, because figures
change with the machine; the table shows it. If the machine is too slow for a part, its rows say "not measured" and why,
and the other parts are still measured.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import campaign, cold_start, fanout, inputs, latency, pace, picture, planning, sender, webhook
from bench.planning import Side
from bench.prices import OTHERS
from bench.stand import NotMeasuredError
from shared.messages.payload import Channel

RESULTS = Path(__file__).parent / "results.json"
A_BATCH = 10
MOST_DOLLARS = 0.012
MOST_MB = 256
ROWS_IN_TURNS = 100_000
MOST_OF_BASELINE = 0.95
MOST_LOOK_MS = 1.0
MOST_INIT_MS, MOST_ZIPPED = 350, 6_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: `value` against `target`, in `unit`.

    `better` is "more" or "less". Without a target every value is good. A `value` of None could not be measured, and
    `detail` says why; otherwise `detail` has the absolute figures. `scale_inputs` are the inputs of `bench.scale` from
    this row.
    """

    name: str
    value: float | None
    target: float | None = None
    unit: str
    better: str = "more"
    detail: Mapping[str, object] = field(default_factory=dict)
    scale_inputs: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        """Whether the figure reaches its target. A figure that was not measured does not."""
        if self.value is None:
            return False
        if self.target is None:
            return True
        return self.value >= self.target if self.better == "more" else self.value <= self.target


def senders() -> Iterator[Row]:
    """Messages a second of our senders, compared with aiohttp and pywa, which do only the POST."""
    for channel in (Channel.WHATSAPP, Channel.SMS):
        for in_flight in (A_BATCH, 50):
            found = sender.compare(channel, in_flight, rounds=3, seconds=1.0)
            yield Row(
                name=f"sender: {channel}, {in_flight} in flight, of a bare loop's throughput",
                value=found["ratio"],
                target=0.8,
                unit="ratio",
                better="more",
                detail=dict(found),
                scale_inputs=inputs.of_sender(channel, found, in_flight) if in_flight == A_BATCH else {},
            )
    found = sender.compare(Channel.WHATSAPP, 50, rounds=2, seconds=1.0, against="pywa")
    name = "sender: whatsapp, 50 in flight, of pywa's throughput"
    yield Row(name=name, value=found["ratio"], target=2.0, unit="ratio", better="more", detail=dict(found))


def paces(measure: Callable[[Channel, int, int], Mapping[str, float]] = pace.measure) -> Iterator[Row]:
    """Four workers on one rate limit, against a provider that throttles."""
    for channel, rate, seconds in ((Channel.SMS, 5, 60), (Channel.WHATSAPP, 80, 30), (Channel.WHATSAPP, 500, 8)):
        name = f"pace: {channel} at {rate}/s for {seconds} s"
        try:
            found = measure(channel, rate, seconds)
        except NotMeasuredError as error:
            yield not_measured(name, error)
            continue
        yield Row(name=f"{name}, of the rate", value=found["achieved"], target=0.98, unit="ratio", detail=found)
        above = found["most_in_a_second"] - rate
        yield Row(name=f"{name}, above it in any second", value=above, target=1, unit="", better="less")
        yield Row(name=f"{name}, throttled", value=found["throttled"], target=0, unit="", better="less")


def not_measured(name: str, why: NotMeasuredError) -> Row:
    """Return the one row of a part that could not be measured."""
    return Row(name=name, value=None, unit="", detail={"not_measured": str(why)})


def pictures() -> Iterator[Row]:
    """The check of a card, on the sender's event loop."""
    for form, found in picture.measure().items():
        name = f"picture: {form} card of 2048 × 1300, processor time"
        yield Row(name=name, value=found["cpu_ms"], target=MOST_LOOK_MS, unit="ms", better="less", detail=found)


def plans() -> Iterator[Row]:
    """Plan a hundred thousand rows, and the most that an upload may have."""
    yield from planned_in_turns()
    for rows in (100_000, 1_000_000):
        found = planning.measured(rows, Side())
        yield Row(
            name=f"plan: peak memory, {rows:,} rows",
            value=found["peak_mb"],
            target=MOST_MB,
            unit="MB",
            better="less",
            detail=found,
        )


def planned_in_turns() -> Iterator[Row]:
    """A workbook against the same rows as CSV; with BASELINE, a checkout of an older commit, also CSV against its."""
    sides = {"csv": Side(), "xlsx": Side(form="xlsx")}
    if baseline := os.environ.get("BASELINE"):
        sides["baseline"] = Side(checkout=Path(baseline))
    found = planning.in_turns(sides, ROWS_IN_TURNS)
    targets = {"XLSX": ("xlsx", "csv", 3.0), "CSV": ("csv", "baseline", MOST_OF_BASELINE)}
    for what, (mine, other, target) in targets.items():
        if other in found:
            name = f"plan: processor time of {ROWS_IN_TURNS:,} rows, {what}, of {other}'s"
            value = found[mine] / found[other]
            yield Row(name=name, value=value, target=target, unit="ratio", better="less", detail=found)


def fanouts() -> Iterator[Row]:
    """Plan, log and release, compared with a loop of single sends. Twice the rows must take twice the time."""
    found = fanout.measure()
    largest = found.runs[-1]
    yield Row(
        name=f"fan-out: {largest.rows:,} rows, of a single sends' loop's throughput",
        value=largest.ratio,
        target=10,
        unit="ratio",
        better="more",
        detail=asdict(found),
        scale_inputs={"chunk": found.chunk_seconds},
    )
    sizes = ", ".join(f"{run.rows // 1000}k" for run in found.runs)
    for what, value in (("plan", found.plan_r2), ("log and release", found.release_r2)):
        name = f"fan-out: R² of {what}, {sizes} rows"
        yield Row(name=name, value=value, target=0.99, unit="", better="more")


def starts() -> Iterator[Row]:
    """The artefact of every function."""
    for found in cold_start.measure():
        init = found.get("init_ms")
        if init is not None:
            name = f"cold start: {found['function']}"
            yield Row(name=name, value=float(str(init)), target=MOST_INIT_MS, unit="ms", better="less", detail=found)
        size = float(str(found["zip_bytes"]))
        name = f"artefact: {found['function']}"
        yield Row(name=name, value=size, target=MOST_ZIPPED, unit="bytes", better="less")


def costs() -> Iterator[Row]:
    """The price of a campaign with its receipts."""
    for channel, messages, a_call in ((Channel.SMS, 200, 1), (Channel.WHATSAPP, 100, 1), (Channel.WHATSAPP, 200, 10)):
        found = campaign.measure(channel, messages, a_call)
        name = f"cost: 1,000 by {channel}, {a_call} {'status' if a_call == 1 else 'statuses'} a call"
        value = float(str(found["dollars_per_1000"]))
        detail = {**found, "others_per_1000": {who: 1000 * fee for who, fee in OTHERS.items()}}
        fed = {**inputs.of_campaign(found["lambda"]), **inputs.of_a_row()} if channel is Channel.SMS else {}
        yield Row(
            name=name, value=value, target=MOST_DOLLARS, unit="US$", better="less", detail=detail, scale_inputs=fed
        )


def webhooks() -> Iterator[Row]:
    """Statuses in a body each, and several in one body."""
    found = webhook.measure()
    name = f"webhook: one status, p99 of {found.alone}"
    yield Row(name=name, value=found.p99_ms, target=50, unit="ms", better="less", detail=asdict(found))
    name = "webhook: 1,000 statuses in one body"
    yield Row(name=name, value=found.slowest, target=3, unit="s", better="less", detail=found.seconds)
    for size, rates in found.by_body.items():
        name = f"webhook: statuses a second and processor, in bodies of {size:,}"
        yield Row(name=name, value=rates["per_core_second"], unit="1/s", detail=rates)


def latencies() -> Iterator[Row]:
    """A single send on the local stack."""
    for channel, found in latency.measure().items():
        for percentile in ("p50", "p95"):
            name = f"latency: single {channel}, POST to acceptance, {percentile}"
            yield Row(name=name, value=found[f"{percentile}_ms"], unit="ms", detail=found)


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "sender": senders,
    "pace": paces,
    "picture": pictures,
    "plan": plans,
    "fanout": fanouts,
    "webhook": webhooks,
    "latency": latencies,
    "start": starts,
    "cost": costs,
}


def main(
    words: Sequence[str], parts: Mapping[str, Callable[[], Iterator[Row]]] = PARTS, results_path: Path = RESULTS
) -> int:
    """Return 0 after all parts were tried, even if targets are missed. If the bench fails, the rows so far are kept."""
    rows: list[Row] = []
    try:
        for name, part in parts.items():
            if not words or any(name.startswith(word) for word in words):
                for row in _tried(name, part):
                    rows.append(row)
                    sys.stdout.write(line(row) + "\n")
                    sys.stdout.flush()
    finally:
        results_path.write_text(json.dumps(results(rows), indent=1) + "\n")
    unknown = [row.name for row in rows if row.value is None]
    missed = sum(not row.is_met for row in rows) - len(unknown)
    reported = (
        f"{len(rows) - len(unknown)} figures, {missed} short of their targets; all of them in bench/results.json\n"
    )
    sys.stdout.write(reported + "".join(f"not measured: {name}\n" for name in unknown))
    return 0


def _tried(name: str, part: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """Yield the rows of a part, until the machine proves too slow."""
    try:
        yield from part()
    except NotMeasuredError as error:
        yield not_measured(name, error)


def results(rows: Sequence[Row]) -> dict[str, object]:
    """Return what bench/results.json holds: the rows, and what `python -m bench.scale` reads of them."""
    fed = {name: value for row in rows for name, value in row.scale_inputs.items()}
    return {"rows": [{**asdict(row), "is_met": row.is_met} for row in rows], "scale_inputs": fed}


def line(row: Row) -> str:
    """Return one line of the table."""
    if row.value is None:
        return f"{row.name:66}{'not measured':>14}: {row.detail['not_measured']}"
    figure = f"{row.name:66}{row.value:>14,.4g} {row.unit:6}"
    if row.target is None:
        return figure.rstrip()
    result = "ok" if row.is_met else "MISSED"
    return f"{figure} target {row.target:<12,.6g}{result}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
