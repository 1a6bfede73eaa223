"""One table of allowed moves, from which the store builds its condition. A status never goes backwards."""

from enum import StrEnum


class Status(StrEnum):
    """Where a message is. `read` is the last word; `failed` gives way to later proof of arrival."""

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


ALLOWED_FROM: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(),
    Status.SENT: frozenset({Status.PENDING}),
    Status.DELIVERED: frozenset({Status.PENDING, Status.SENT, Status.FAILED}),
    Status.READ: frozenset({Status.PENDING, Status.SENT, Status.DELIVERED, Status.FAILED}),
    Status.FAILED: frozenset({Status.PENDING, Status.SENT}),
}
"""Status → the ones it may be reached from. Any later one may come first: providers repeat and reorder."""


ARRIVED = frozenset({Status.DELIVERED, Status.READ})
"""What proves that the message reached the person: a failure told before or after was none, and leaves no trace."""


def may_move(before: Status, after: Status) -> bool:
    """Whether `after` may replace `before`."""
    return before in ALLOWED_FROM[after]
