from local.in_flight import InFlight


def test_a_hidden_message_that_the_poller_does_not_know_is_on_its_way() -> None:
    in_flight = InFlight()
    assert in_flight.has_on_the_way(hidden=1)
    in_flight.received(["a"])
    assert in_flight.has_on_the_way(hidden=1)
    in_flight.finished(["a"], kept=[])
    assert not in_flight.has_on_the_way(hidden=0)


def test_a_message_that_its_function_gave_back_is_not_on_its_way() -> None:
    """That message stays hidden until its visibility time-out. A second hidden message is on its way."""
    in_flight = InFlight()
    in_flight.received(["a", "b"])
    in_flight.finished(["a", "b"], kept=["b"])
    assert not in_flight.has_on_the_way(hidden=1)
    assert in_flight.has_on_the_way(hidden=2)


def test_a_message_that_comes_back_is_work_again() -> None:
    in_flight = InFlight()
    in_flight.received(["a"])
    in_flight.finished(["a"], kept=["a"])
    in_flight.received(["a"])
    assert in_flight.is_working
    in_flight.finished(["a"], kept=[])
    assert in_flight.has_on_the_way(hidden=1)


def test_a_dead_letter_is_forgotten() -> None:
    in_flight = InFlight()
    in_flight.received(["a"])
    in_flight.finished(["a"], kept=["a"])
    assert not in_flight.has_on_the_way(hidden=0)
    assert in_flight.has_on_the_way(hidden=1)
