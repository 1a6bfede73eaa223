import threading

from local.valve import Valve

SOON = 30.0
"""Seconds after which a thread counts as stuck."""


def waits(valve: Valve) -> tuple[threading.Thread, list[int]]:
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(valve.wait(10)), daemon=True)
    thread.start()
    return thread, got


def test_an_open_one_gives_what_is_asked_for() -> None:
    assert Valve().wait(10) == 10


def test_one_that_is_turned_down_gives_what_is_left_and_takes_back_what_was_kept() -> None:
    valve = Valve()
    valve.allow(15)
    assert valve.wait(10) == 10
    valve.took(10)
    assert valve.wait(10) == 5
    valve.took(5)
    thread, got = waits(valve)
    assert thread.is_alive()
    valve.took(-2)  # two came back to the queue
    thread.join(SOON)
    assert got == [2]
    valve.allow(None)
    assert valve.wait(10) == 10


def test_nothing_is_taken_while_it_is_shut() -> None:
    valve = Valve()
    with valve.shut():
        thread, got = waits(valve)
        with valve.shut():
            pass
        assert got == []
        assert thread.is_alive()
    thread.join(SOON)
    assert got == [10]
