import threading

from local.valve import Valve
from tests.waiting import PATIENCE


def waits(valve: Valve) -> tuple[threading.Thread, list[int]]:
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(valve.wait(10)), daemon=True)
    thread.start()
    return thread, got


def test_an_open_valve_allows_the_requested_number() -> None:
    assert Valve().wait(10) == 10


def test_a_limited_valve_allows_the_rest_and_counts_returned_messages_again() -> None:
    valve = Valve()
    valve.allow(15)
    assert valve.wait(10) == 10
    valve.took(10)
    assert valve.wait(10) == 5
    valve.took(5)
    thread, got = waits(valve)
    assert thread.is_alive()
    valve.took(-2)  # two came back to the queue
    thread.join(PATIENCE)
    assert got == [2]
    valve.allow(None)
    assert valve.wait(10) == 10


def test_a_shut_valve_allows_no_message() -> None:
    valve = Valve()
    with valve.shut():
        thread, got = waits(valve)
        with valve.shut():
            pass
        assert got == []
        assert thread.is_alive()
    thread.join(PATIENCE)
    assert got == [10]
