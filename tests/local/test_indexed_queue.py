from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from local.indexed_queue import IndexedMessages


@dataclass(slots=True)
class Queued:
    id: str
    receipt_handle: str | None = None
    visible_at: float = 0.0
    delayed_until: float = 0.0
    approximate_receive_count: int = 0


@dataclass(slots=True)
class Time:
    ms: float = 1000.0
    elapsed: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.ms


def test_a_delayed_message_waits_and_then_joins_the_end() -> None:
    time = Time()
    messages = IndexedMessages[Queued](time)
    messages.append(Queued("late", delayed_until=2000))
    messages.append(Queued("soon"))
    assert (list(messages.ready()), messages.counts(), messages.next_due_ms()) == (["soon"], (1, 0, 1), 2000)
    time.ms = 2000
    assert (list(messages.ready()), messages.counts(), messages.next_due_ms()) == (["soon", "late"], (2, 0, 0), None)


def test_a_received_message_is_in_flight_until_its_visibility_ends() -> None:
    time = Time()
    messages = IndexedMessages[Queued](time)
    message = Queued("a")
    messages.append(message)
    message.receipt_handle, message.visible_at, message.approximate_receive_count = "r1", 5000, 1
    messages.place(message)
    assert messages.by_handle("r1") is message
    assert (messages.counts(), messages.is_in_flight(message)) == ((0, 1, 0), True)
    message.visible_at = 9000  # the visibility was extended: the first deadline no longer counts
    messages.place(message)
    time.ms = 5000
    assert messages.counts() == (0, 1, 0)
    time.ms = 9000
    assert (messages.counts(), messages.is_in_flight(message)) == ((1, 0, 0), False)


actions = st.lists(st.tuples(st.sampled_from(["send", "receive", "delete", "wait"]), st.integers(0, 5)), max_size=60)


@given(actions)
def test_nothing_is_lost_or_doubled(steps: list[tuple[str, int]]) -> None:
    time = Time()
    messages = IndexedMessages[Queued](time)
    alive: dict[str, Queued] = {}
    for number, (action, amount) in enumerate(steps):
        match action:
            case "send":
                message = Queued(str(number), delayed_until=time.ms + amount * 10 if amount else 0)
                messages.append(message)
                alive[message.id] = message
            case "receive" if ready := messages.ready():
                message = next(iter(ready.values()))
                message.receipt_handle = f"{message.id}.{number}"
                message.visible_at = time.ms + 1 + amount * 10
                message.approximate_receive_count += 1
                messages.place(message)
            case "delete" if alive:
                message = alive.pop(next(iter(alive)))
                messages.remove(message)
            case "wait":
                time.ms += amount * 7
        assert sorted(m.id for m in messages) == sorted(alive)
        assert sum(messages.counts()) == len(messages) == len(alive)
    time.ms += 10_000
    assert sorted(messages.ready()) == sorted(alive)
