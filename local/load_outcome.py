"""The outcome of a load: compares the provider's ledger, the log and the counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Turn(StrEnum):
    """What the load does to a distribution in the middle."""

    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """`taken`: how many messages the provider had when the pause was in force. `escaped`: how many it got during the
    pause.
    """

    taken: int
    escaped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to the rows. `seconds` are per phase, each counted from the end of the one before.

    - `by_status` and `cancelled` are the distribution's own counts.
    - `miscounted`: by how many these counts differ from the log.
    - `doubled`: numbers that the provider took more than once.
    - `lost`: numbers that the provider never took and that were not cancelled.
    - `unlogged`: messages that the provider took and the log does not have.
    - `unsent`: messages that the log calls sent and the provider never took.

    Counts, log and ledger are read one after the other. Comparing them is right only if the log has nothing
    `under_way`.
    """

    rows: int
    accepted: int
    by_status: Mapping[str, int]
    ledger: int
    doubled: int
    lost: int
    unlogged: int
    unsent: int
    seconds: Mapping[str, float]
    requests: Mapping[str, int]
    under_way: int = 0
    cancelled: int = 0
    miscounted: int = 0
    turn: Turn | None = None
    held: Held | None = None

    @property
    def shortfalls(self) -> list[str]:
        """What is wrong. It is empty if every row was taken once, or cancelled, and the log says so."""
        if self.under_way:
            return self._said(
                {
                    "rows not accepted": self.rows - self.accepted,
                    "doubled": self.doubled,
                    "taken by the provider in the pause": self.held.escaped if self.held else 0,
                    "still under way: give it more PATIENCE (seconds) to know what is lost": self.under_way,
                }
            )
        delivered = self.by_status.get("delivered", 0)
        found = {
            "rows not accepted": self.rows - self.accepted,
            "accepted and neither delivered nor cancelled": self.accepted - delivered - self.cancelled,
            "cancelled without a cancel": self.cancelled if self.turn is not Turn.CANCEL else 0,
            "counted differently from the log": self.miscounted,
            "doubled": self.doubled,
            "lost": self.lost,
            "taken by the provider, not in the log": self.unlogged,
            "sent by the log's account, not taken by the provider": self.unsent,
            "taken by the provider in the pause": self.held.escaped if self.held else 0,
        }
        shortfalls = self._said(found)
        if self.turn is Turn.CANCEL and not self.cancelled:
            shortfalls.append("nothing was left to cancel: ask for more messages, or a lower rate")
        if self.held is not None and self.held.taken >= self.rows:
            shortfalls.append("nothing was left to pause: ask for more messages, or a lower rate")
        return shortfalls

    @staticmethod
    def _said(found: Mapping[str, int]) -> list[str]:
        return [f"{count} {what}" for what, count in found.items() if count]


def table(outcome: Outcome) -> str:
    """Format the outcome as a table for people."""
    lines = [
        ("accepted", f"{outcome.accepted} of {outcome.rows}"),
        *((status, str(count)) for status, count in sorted(outcome.by_status.items())),
        *([("cancelled", str(outcome.cancelled))] if outcome.cancelled else []),
        *([("taken when paused", str(outcome.held.taken))] if outcome.held else []),
        ("ledger", str(outcome.ledger)),
        ("doubled", str(outcome.doubled)),
        ("lost", str(outcome.lost)),
        ("ledger = log", "not known" if outcome.under_way else "no" if outcome.unlogged + outcome.unsent else "yes"),
        *((f"{phase}, s", f"{seconds:.1f}") for phase, seconds in outcome.seconds.items()),
        ("all, s", f"{sum(outcome.seconds.values()):.1f}"),
        ("AWS requests a message", f"{sum(outcome.requests.values()) / outcome.rows:.2f}"),
        *((f"  {name}", f"{count / outcome.rows:.2f}") for name, count in Counter(outcome.requests).most_common(12)),
    ]
    return "\n".join(f"{name:28}{value:>16}" for name, value in lines)
