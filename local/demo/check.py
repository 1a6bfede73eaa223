"""Compares what happened with what was expected, row by row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from local.sample.expected import Campaign, RowDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference. It names the row, never the phone number."""

    channel: str
    row: int | None
    text: str


class DistributionLike(Protocol):
    @property
    def status(self) -> str: ...
    @property
    def status_reason(self) -> str | None: ...
    @property
    def accepted(self) -> int: ...
    @property
    def rejected(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def counts(self) -> Mapping[str, int]: ...


class MessageLike(Protocol):
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def enrollment_id(self) -> str: ...


class RowErrorLike(Protocol):
    @property
    def row(self) -> int: ...
    @property
    def code(self) -> str: ...


_GOING_WELL = frozenset({"sending", "completed"})
"""The messages may all have ended while the distribution is still `sending`: the tick completes it within a minute."""
NEVER_TAKEN = frozenset({"not_on_whatsapp", "card_not_a_picture", "phone_invalid", "outcome_unknown"})
"""If a message failed for one of these reasons, the provider may never have accepted it."""


def misdelivered(campaign: Campaign, taken: Mapping[str, int]) -> list[Finding]:
    """Check that the provider accepted each expected number once, and no other number.

    `taken` counts how often the provider accepted a message for each number.
    """
    known = {each.number: each for each in campaign.expected if each.number is not None}
    findings = [
        Finding(
            channel=campaign.channel,
            row=None,
            text="the provider accepted a message for a number that is not in the campaign",
        )
        for number in taken
        if number not in known
    ]
    for number, each in known.items():
        times = taken.get(number, 0)
        if times > 1 or (times == 0 and each.reason not in NEVER_TAKEN):
            findings.append(Finding(channel=campaign.channel, row=each.row, text=f"sent {times} times, not once"))
    return findings


def totals(campaign: Campaign, found: DistributionLike) -> list[Finding]:
    """Check the numbers of rows, the counts by status, and that the distribution is `sending` or `completed`."""
    wanted = {
        "accepted": campaign.count(RowDecision.ACCEPTED),
        "rejected": campaign.count(RowDecision.REJECTED),
        "duplicates": campaign.count(RowDecision.DUPLICATE),
    }
    given = {"accepted": found.accepted, "rejected": found.rejected, "duplicates": found.duplicates}
    statuses = Counter(each.status for each in campaign.expected if each.status is not None)
    counts = {name: count for name, count in found.counts.items() if count}
    texts = []
    if given != wanted:
        texts.append(f"rows are {given}, not {wanted}")
    if counts != dict(statuses):
        texts.append(f"counts are {counts}, not {dict(statuses)}")
    if found.status not in _GOING_WELL:
        texts.append(f"the distribution is {found.status} ({found.status_reason})")
    return [Finding(channel=campaign.channel, row=None, text=text) for text in texts]


def rejections(campaign: Campaign, errors: Sequence[RowErrorLike]) -> list[Finding]:
    """Check that each rejected row has exactly its expected code."""
    wanted = {each.row: each.reason for each in campaign.expected if each.decision is RowDecision.REJECTED}
    codes: dict[int, set[str]] = {}
    for error in errors:
        codes.setdefault(error.row, set()).add(error.code)
    return [
        Finding(channel=campaign.channel, row=row, text=f"rejected with {codes.get(row)}, not {wanted.get(row)}")
        for row in sorted({*wanted, *codes})
        if codes.get(row) != {wanted.get(row)}
    ]


def outcomes(campaign: Campaign, messages: Sequence[MessageLike]) -> list[Finding]:
    """Check that the message of each accepted row has its expected status and reason."""
    found = {message.enrollment_id: (message.status, message.reason) for message in messages}
    return [
        Finding(
            channel=campaign.channel,
            row=each.row,
            text=f"is {found.get(each.enrollment_id)}, not {(each.status, each.reason)}",
        )
        for each in campaign.expected
        if each.decision is RowDecision.ACCEPTED and found.get(each.enrollment_id) != (each.status, each.reason)
    ]
