"""What is asked of the cloud, counted as it is billed."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counted:
    """Since the last reset. `requests` by "service.Action", as often as they are billed (SQS: once each 64 KB);
    `units` of DynamoDB, "write" and "read"."""

    requests: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)

    def request(self, name: str, times: int = 1) -> None:
        """One call."""
        self.requests[name] += times

    def used(self, unit: str, amount: float) -> None:
        """ "write" or "read" units."""
        self.units[unit] += amount  # type: ignore[assignment]  # halves of a read unit

    def as_json(self) -> dict[str, dict[str, float]]:
        """For `/_counts`."""
        return {"requests": dict(self.requests), "units": dict(self.units)}

    def reset(self) -> None:
        """From nothing."""
        self.requests.clear()
        self.units.clear()
