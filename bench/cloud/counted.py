"""Counts the calls of the stub as AWS bills them."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counted:
    """What was used since the last reset.

    `requests` are by "service.Action"; SQS bills one for each 64 KB. `units` are DynamoDB's, "write" and "read".
    """

    requests: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)

    def request(self, name: str, times: int = 1) -> None:
        """Count one call, billed `times` times."""
        self.requests[name] += times

    def used(self, unit: str, amount: float) -> None:
        """Count "write" or "read" units."""
        self.units[unit] += amount  # type: ignore[assignment]  # halves of a read unit

    def as_json(self) -> dict[str, dict[str, float]]:
        """Return the counts as JSON for `/_counts`."""
        return {"requests": dict(self.requests), "units": dict(self.units)}

    def reset(self) -> None:
        """Set everything to zero."""
        self.requests.clear()
        self.units.clear()
