"""What is seen of a campaign from outside once it is at rest, and the evidence for the checker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.simulation.evidence import Arrival, Call, Evidence, Reported, Row
from tests.stack.programme import Json

SAID = {
    "DeliveredToTerminal": "delivered",
    "DeliveredToNetwork": "sent",
    "MessageWaiting": "sent",
    "DeliveryImpossible": "failed",
}
"""Orange's status words that the checker looks at."""
BROUGHT = "delivered and read"
"""The outcome of Meta's simulator for a message that no special number has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen.

    - `ledger`, `receipts`: the simulators' own records of this organisation.
    - `refused`: provider's code → how often.
    - `failed`: AWS operation → how often it was made to fail.
    - `done`: what the scenario did → how often.
    """

    evidence: Evidence
    ledger: Sequence[Json]
    receipts: Sequence[Json]
    refused: Mapping[str, int]
    failed: Mapping[str, int]
    done: Mapping[str, int]

    def outcomes(self, *words: str) -> int:
        """How many messages the simulators took whose outcome contains one of these words."""
        return sum(any(word in entry["outcome"] for word in words) for entry in self.ledger)

    def reasons(self, reason: str) -> int:
        """How many rows ended with this reason."""
        return sum(row["reason"] == reason for row in self.evidence["rows"])

    def reported_twice(self) -> int:
        """How many statuses of a message the webhook received more than once and accepted each time."""
        received = Counter((name, status) for name, status, _ in _reported(self.receipts))
        return sum(count > 1 for count in received.values())

    def taken_twice(self) -> int:
        """How many people's messages a provider took twice."""
        return sum(count > 1 for count in Counter(call["card"] for call in self.evidence["calls"]).values())


def calls(ledger: Sequence[Json], channel: str, cards: Mapping[str, str]) -> list[Call]:
    """`cards`: number → card."""
    return [
        Call(
            at=datetime.fromisoformat(entry["at"]),
            channel=channel,
            number=entry["recipient"],
            card=cards.get(entry["recipient"], "unknown"),
            key=entry["key"] or "",
            taken=True,
            stop="",
            upload=entry.get("media_id") or "",
            picture_refused=False,
        )
        for entry in ledger
    ]


def rows(messages: Sequence[Json], fallback_minutes: int | None = None) -> list[Row]:
    """The API does not show whether a message was sent twice. A message with two attempts may have been."""
    return [
        Row(
            message_id=one["message_id"],
            parent=one["parent_message_id"],
            distribution=one["distribution_id"],
            channel=one["channel"],
            card=one["enrollment_id"],
            status=one["status"],
            reason=one["reason"] if one["status"] == "failed" else None,
            resent=one["channel"] == "whatsapp" and one["attempts"] > 1,
            attempts=one["attempts"],
            fallback_minutes=fallback_minutes if one["channel"] == "whatsapp" else None,
        )
        for one in messages
    ]


def reported(
    receipts: Sequence[Json], ledger: Sequence[Json], channel: str, cards: Mapping[str, str]
) -> list[Reported]:
    """The receipts that our webhook answered with 200. From then on we must not lose them."""
    entries = {entry["provider_message_id"]: entry for entry in ledger}
    return [
        Reported(
            at=datetime.fromisoformat(at),
            stamp=datetime.fromisoformat(at),
            channel=channel,
            card=cards.get(entries[name]["recipient"], "unknown"),
            key=entries[name]["key"] or "",
            names_key=bool(entries[name]["key"]),
            status=SAID.get(status, status),
        )
        for name, status, at in _reported(receipts)
        if name in entries
    ]


def arrivals(ledger: Sequence[Json]) -> list[Arrival]:
    """The messages that arrived, reported or not. The simulators deliver a message unless a special number forbids
    it."""
    return [
        Arrival(key=entry["key"] or "", at=datetime.fromisoformat(entry["at"]))
        for entry in ledger
        if entry["outcome"] == BROUGHT
    ]


def _reported(receipts: Sequence[Json]) -> list[tuple[str, str, str]]:
    """Provider's message ID, status and time of each receipt that was accepted."""
    return [
        (name, status, call["at"])
        for call in receipts
        if call["result"] == "200"
        for name, status in zip(call["provider_message_ids"], call["statuses"], strict=False)
    ]
