import threading
from datetime import timedelta

from local.assembly import stopped_clock
from local.in_flight import InFlight
from local.runtime import FunctionLimits, FunctionPool, Json, LambdaContext
from local.valve import Valve
from tests.waiting import PATIENCE


def test_it_begins_after_the_last_function_has_ended_and_stops_the_pollers() -> None:
    let_go, began, end = threading.Event(), threading.Event(), threading.Event()

    def handler(event: Json, _: LambdaContext) -> Json:
        let_go.wait(PATIENCE)
        return event

    limits = FunctionLimits(name="Toy", arn="arn", timeout=timedelta(seconds=PATIENCE), memory_mb=512)
    pool, valve = FunctionPool(limits, lambda: handler), Valve()
    outcome = pool.submit("done")

    def move() -> None:
        with stopped_clock({"Toy": pool}, (valve,), ()):
            assert outcome.done()
            began.set()
            end.wait(PATIENCE)

    mover = threading.Thread(target=move, daemon=True)
    mover.start()
    assert not began.is_set()
    let_go.set()
    assert began.wait(PATIENCE)
    taken: list[int] = []
    poller = threading.Thread(target=lambda: taken.append(valve.wait(10)), daemon=True)
    poller.start()
    assert taken == []
    end.set()
    poller.join(PATIENCE)
    mover.join(PATIENCE)
    assert taken == [10]


def test_it_waits_for_a_message_that_is_between_its_queue_and_its_function() -> None:
    in_flight, began = InFlight(), threading.Event()
    in_flight.received(["a"])

    def move() -> None:
        with stopped_clock({}, (), (in_flight,)):
            began.set()

    mover = threading.Thread(target=move, daemon=True)
    mover.start()
    assert not began.is_set()
    in_flight.finished(["a"], kept=[])
    assert began.wait(PATIENCE)
    mover.join(PATIENCE)
