"""The sums equal a count of the log's rows, after any order of statuses, repeated ADDs, recounts, killed workers and
lost answers."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.base.instants import hour_of
from shared.campaigns.counts import (
    AT_REST_AFTER,
    NOT_TRIED,
    bucket_of,
    hour_bounds,
    median_of,
    misses_receipt,
    place_of,
)
from shared.campaigns.distribution import Action, Distribution
from shared.messages.message import ARRIVED, Message, PayloadRef, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.statistics.reading import Scope, Statistics
from shared.statistics.sums import SUM_SHARDS
from tests.fakes.office import DEMO, Office, recipient
from tests.fakes.world import KilledError

ALL, OF_CAMPAIGN = Scope(organisation=DEMO), Scope(organisation=DEMO, campaign_id="c")
PLACES = (
    "distributions.count",
    "distributions.note_logged",
    "distributions.set_counts",
    "distributions.recounted",
    "sums.unsummed",
    "sums.read",
    "sums.write",
    "log.move",
)
STATUSES = (Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens. `kill`: the worker dies before this point, passed for the so-manyth time."""

    what: str
    number: int = 0
    status: Status = Status.DELIVERED
    kill: tuple[str, int] | None = None


STEPS = st.lists(
    st.builds(
        Step,
        what=st.sampled_from(
            [
                *("single", "distribute", "deliver", "move", "move", "move", "twice", "tick", "sum", "lost", "hour"),
                "cancel",
            ]
        ),
        number=st.integers(0, 30),
        status=st.sampled_from(STATUSES),
        kill=st.none() | st.tuples(st.sampled_from(PLACES), st.integers(1, 3)),
    ),
    max_size=25,
)


@dataclass(slots=True)
class Days:
    """An office on some days, with workers that die."""

    office: Office = field(default_factory=Office)
    made: int = 0

    def play(self, step: Step) -> None:
        actions: dict[str, Callable[[Step], None]] = {
            "single": self._single,
            "distribute": self._distribute,
            "deliver": lambda _: self.office.deliver(within=timedelta(seconds=60)),
            "move": self._move,
            "twice": self._count_twice,
            "tick": lambda _: self.office.tick(),
            "sum": lambda _: self.office.sum_up(),
            "lost": self._answer_lost,
            "hour": self._pass_by,
            "cancel": self._cancel,
        }
        points = self.office.points
        points.kill_before = (step.kill[0], points.passed[step.kill[0]] + step.kill[1]) if step.kill else None
        try:
            actions[step.what](step)
        except KilledError:
            pass
        finally:
            points.kill_before = None

    def _single(self, step: Step) -> None:
        self.made += 1
        number, channel = 8200 + step.number, list(Channel)[step.number % 2]
        self.office.single(number, channel, key=f"single-{self.made - step.number % 3}")

    def _distribute(self, step: Step) -> None:
        self.made += 1
        rows = [recipient(number) for number in range(1, 2 + step.number * 5)]
        rows += [recipient(number, phone=f"+22462000{7000 + number}") for number in range(step.number)]
        channel = list(Channel)[step.number % 2]
        new = self.office.new_distribution(rows, channel=channel, key=f"d-{self.made}", confirm=step.number != 7)
        self.office.run(self.office.planning().create(new))
        self.office.do_tasks()

    def _row(self, step: Step) -> Message | None:
        rows = [row for row in self.office.log.rows.values() if row.organisation == DEMO]
        return rows[step.number % len(rows)] if rows else None

    def _move(self, step: Step) -> None:
        row = self._row(step)
        if row is None:
            return
        at = self.office.clock.now() + timedelta(seconds=step.number)
        reason = "undeliverable" if step.status is Status.FAILED else None
        status_writer = self.office.status_writer()
        move = Move(status=step.status, at=at, reason=reason)
        self.office.run(status_writer.move(DEMO, row.message_id, move))
        self.office.run(status_writer.flush())

    def _count_twice(self, step: Step) -> None:
        """AWS's client has repeated an ADD whose answer was lost."""
        if (row := self._row(step)) is None:
            return
        place, now = place_of(row), self.office.clock.now()
        known = self.office.run(self.office.distributions.tally(DEMO, place)).counts
        self.office.run(self.office.distributions.count(DEMO, place, known, began=now))
        self.office.run(self.office.distributions.want_recount(DEMO, place, now))

    def _answer_lost(self, step: Step) -> None:
        """A summing writes, and dies before it knows."""
        write = self.office.sums.write

        async def lost(*args: object, **kwargs: object) -> None:
            await write(*args, **kwargs)  # type: ignore[arg-type]  # as it was called
            raise TimeoutError

        self.office.sums.write = lost  # type: ignore[method-assign]  # the answer, not the store, is lost
        try:
            self.office.sum_up()
        except TimeoutError:
            pass
        finally:
            self.office.sums.write = write  # type: ignore[method-assign]

    def _pass_by(self, step: Step) -> None:
        self.office.clock.pass_by(minutes=20 + step.number)

    def _cancel(self, step: Step) -> None:
        for made in list(self.office.distributions.items.values()):
            if step.number % 3 == 0 and made.was_confirmed and made.completed_at is None:
                self.office.run(self.office.control.act(DEMO, made.distribution_id, Action.CANCEL))

    def come_to_rest(self) -> None:
        """All work is done, and every place that may be wrong was recounted."""
        for seconds in (400, 400, 60, AT_REST_AFTER.total_seconds() + 600, 60, AT_REST_AFTER.total_seconds() + 600):
            self.office.clock.pass_by(seconds=seconds)
            for channel in Channel:
                self.office.deliver(channel)
            for _ in range(3):
                self.office.tick()


def check(office: Office, found: Statistics) -> None:
    """Each figure, from the rows themselves. Rows that are not logged yet are pending since their distribution was
    made."""
    scope, now = found.scope, office.clock.now()
    rows = [
        row
        for row in [*office.log.rows.values(), *unlogged(office)]
        if row.organisation == DEMO
        and scope.campaign_id in (None, row.campaign_id)
        and (scope.since is None or row.accepted_at >= scope.since)
        and (scope.until is None or row.accepted_at < scope.until)
    ]
    counts = found.total.counts
    assert counts.by_status == Counter(row.status for row in rows)
    missing = sum(misses_receipt(row, now) for row in rows)
    reasons = Counter(row.reason for row in rows if row.status is Status.FAILED)
    assert counts.by_reason == reasons + Counter({"receipt_missing": missing})
    by_channel = {channel: figures.counts.by_status for channel, figures in found.by_channel.items()}
    by_country = {country: figures.counts.by_status for country, figures in found.by_country.items()}
    by_day = {day: one.by_status for day, one in found.by_day.items()}
    assert by_channel == counted_by(rows, lambda row: row.channel)
    assert by_country == counted_by(rows, lambda row: row.country)
    assert by_day == counted_by(rows, lambda row: row.accepted_at.date())
    arrived = [row for row in rows if row.status in (Status.DELIVERED, Status.READ)]
    tried = [row for row in rows if row.status is not Status.PENDING and row.reason not in NOT_TRIED]
    assert found.total.delivery_rate == (round(len(arrived) / len(tried), 4) if tried else None)
    gone = [row for row in rows if row.status in (Status.SENT, *ARRIVED) or (row.reason and row.sent_at)]
    assert found.total.segments == sum(row.segments or 0 for row in gone)
    delays = [row.delivered_at - row.sent_at for row in arrived if row.delivered_at and row.sent_at]
    assert found.median_delivery_seconds == median_of(Counter(map(bucket_of, delays)))


def unlogged(office: Office) -> Iterator[Message]:
    for made in office.distributions.items.values():
        logged = Counter(row.country for row in office.log.rows.values() if row.chunk and is_of(row, made))
        for run in made.planned.runs if made.was_confirmed else ():
            for number in range(run.rows):
                if number >= logged[run.country]:
                    yield Message(
                        organisation=DEMO,
                        message_id=f"{run.country}-{number}",
                        channel=made.channel,
                        accepted_at=made.created_at,
                        recipient="",
                        person="",
                        country=run.country,
                        payload=PayloadRef(object_key=""),
                        campaign_id=made.campaign_id,
                    )


def is_of(row: Message, distribution: Distribution) -> bool:
    return row.distribution_id == distribution.distribution_id


def counted_by[K](rows: list[Message], kind: Callable[[Message], K]) -> dict[K, Counter[Status]]:
    found: dict[K, Counter[Status]] = {}
    for row in rows:
        found.setdefault(kind(row), Counter())[row.status] += 1
    return found


@given(STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_sums_equal_a_count_of_the_log(steps: list[Step]) -> None:
    days = Days()
    for step in steps:
        days.play(step)
    days.come_to_rest()
    office = days.office

    def read(scope: Scope) -> Statistics:
        return office.run(office.worker().statistics.read(scope))

    hours = sorted({hour_of(row.accepted_at) for row in office.log.rows.values()})
    parts = [replace(OF_CAMPAIGN, until=hour_bounds(hour)[0]) for hour in hours[1:2]]
    parts += [replace(ALL, since=hour_bounds(hour)[0]) for hour in hours[1:2]]
    scopes = [ALL, OF_CAMPAIGN, *parts]
    for scope in scopes:
        check(office, read(scope))
    office.sum_up()
    for scope in scopes:
        check(office, read(scope))
    assert not office.distributions.unsummed


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("name", ["sums.unsummed", "sums.read", "sums.write"])
def test_a_killed_summing_adds_nothing_twice(name: str, nth: int) -> None:
    office = Office()
    office.distribute(250)
    office.single(8200)
    for _ in range(3):
        office.do_tasks()
        office.deliver(within=timedelta(seconds=60))
    office.killed(office.fanout().tick(), ("tasks.put", 1))
    for shard in range(SUM_SHARDS):
        office.killed(office.worker().summing.work(shard, office.clock.now() + timedelta(minutes=1)), (name, nth))
    statuses = Counter(row.status for row in office.log.rows.values())
    for _ in range(2):
        found = office.run(office.worker().statistics.read(OF_CAMPAIGN))
        assert found.total.counts.by_status == statuses
        office.sum_up()
