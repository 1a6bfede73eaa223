"""The providers' limits. Timestamps come from the stack's clock, so a jump empties the windows."""

from collections import deque
from datetime import datetime


class Window:
    """At most `limit` calls of `take` succeed in any span of one second, per key."""

    def __init__(self) -> None:
        self._takes: dict[str, deque[float]] = {}

    def take(self, key: str, now: datetime, limit: int) -> bool:
        """Take one if the limit allows it. Returns whether it did. A refusal does not count."""
        instant = now.timestamp()
        takes = self._takes.setdefault(key, deque())
        while takes and not instant - 1 < takes[0] <= instant:
            takes.popleft()
        if len(takes) >= limit:
            return False
        takes.append(instant)
        return True

    def clear(self) -> None:
        self._takes.clear()


class PairLimit:
    """Meta's limit for one sender number and one person: one message in six seconds, with a burst that is paid back
    later.
    """

    def __init__(self) -> None:
        self._remaining: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, pair: tuple[str, str], now: datetime, burst: int) -> bool:
        """Take one if the limit allows it. Returns whether it did."""
        instant = now.timestamp()
        remaining, since = self._remaining.get(pair, (float(burst), instant))
        remaining = min(float(burst), remaining + max(0.0, instant - since) / 6)
        if remaining < 1:
            self._remaining[pair] = (remaining, instant)
            return False
        self._remaining[pair] = (remaining - 1, instant)
        return True

    def clear(self) -> None:
        self._remaining.clear()


class DailyLimit:
    """How many different people one sender number may write to in a moving 24 hours."""

    def __init__(self) -> None:
        self._counted: dict[str, dict[str, float]] = {}

    def take(self, number: str, person: str, now: datetime, limit: int | None) -> bool:
        """Count `person` if the limit allows it, and return whether it does. A person who was counted already is always
        allowed.
        """
        instant = now.timestamp()
        counted = self._counted.setdefault(number, {})
        if limit is not None and counted.get(person, 0.0) <= instant - 86_400:
            alive = sum(1 for at in counted.values() if at > instant - 86_400)
            if alive >= limit:
                return False
        counted[person] = instant
        return True

    def clear(self) -> None:
        self._counted.clear()
