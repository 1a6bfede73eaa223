"""What the simulators accepted, refused and reported. Tests compare a run with it.

It holds whole numbers and texts, as the providers do. It is kept in memory and served to this machine only.
"""

import dataclasses
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One message that a provider accepted. `account` is the phone number ID or the client ID."""

    provider: str
    at: datetime
    organisation: str | None
    account: str
    recipient: str
    provider_message_id: str
    outcome: str
    kind: str
    key: str | None = None
    text: str | None = None
    template: str | None = None
    language: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    media_id: str | None = None
    media_sha256: str | None = None
    sender_name: str | None = None
    units: int | None = None

    def shown(self) -> dict[str, object]:
        """Return the entry as JSON."""
        return {**dataclasses.asdict(self), "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the product's webhook. `result` is an HTTP status or the name of a transport error."""

    provider: str
    at: datetime
    organisation: str
    provider_message_ids: tuple[str, ...]
    statuses: tuple[str, ...]
    attempt: int
    result: str

    def shown(self) -> dict[str, object]:
        """Return the entry as JSON."""
        return {**dataclasses.asdict(self), "at": self.at.isoformat()}


_ADDRESSES = 200_000
"""Only the latest addresses are kept, because a stack may run for days."""


class Ledger:
    """The entries in the order of acceptance."""

    def __init__(self) -> None:
        self._accepted: list[Accepted] = []
        self._calls: list[Call] = []
        self._addresses: deque[str] = deque(maxlen=_ADDRESSES)
        self._refused: dict[str, Counter[str]] = {"meta": Counter(), "orange": Counter()}
        self._serial = 0

    def next_serial(self) -> int:
        """Return a new number for an ID. It is never used again, not even after a reset."""
        self._serial += 1
        return self._serial

    def accept(self, entry: Accepted) -> None:
        self._accepted.append(entry)

    def refuse(self, provider: str, code: str) -> None:
        """Count an answer that was not a success, by the provider's own code."""
        self._refused[provider][code] += 1

    def call(self, entry: Call) -> None:
        self._calls.append(entry)

    def accepted(self, provider: str | None = None) -> Iterator[Accepted]:
        return (each for each in self._accepted if provider in (None, each.provider))

    def calls(self, provider: str | None) -> Iterator[Call]:
        return (each for each in self._calls if provider in (None, each.provider))

    def address(self, request: str) -> None:
        """Note method, path and query of a request, as the provider's access log would hold them."""
        self._addresses.append(request)

    def addresses(self) -> Iterator[str]:
        return iter(self._addresses)

    def refused(self) -> dict[str, dict[str, int]]:
        """Return provider → code → how often."""
        return {provider: dict(codes) for provider, codes in self._refused.items()}

    def clear(self) -> None:
        self._accepted.clear()
        self._calls.clear()
        self._addresses.clear()
        for codes in self._refused.values():
            codes.clear()
