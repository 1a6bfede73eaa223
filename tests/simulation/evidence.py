"""What a run leaves behind for the checker: plain data, as an auditor would get it from outside. Instants are aware."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict


class Person(TypedDict):
    """One recipient of one request that was accepted. Who is on several requests has the same `card` on each."""

    card: str
    number: str
    country: str
    channel: str
    distribution: str | None
    not_before: datetime | None
    off_peak: bool
    consent: bool
    """Whether the request itself said that the person agrees."""
    skips: bool
    """Whether the request asked to skip whom the campaign has sent the card already."""
    granted_at: datetime | None
    """The date of that consent, where the request says one."""
    answered: datetime | None
    """When that request was answered: its consent reached us by then."""


class Call(TypedDict):
    """One request that reached a provider, whatever it answered. `key`: the callback key that WhatsApp carries."""

    at: datetime
    channel: str
    number: str
    card: str
    key: str
    taken: bool
    """Whether the message is on its way: a provider may take it and refuse it afterwards."""
    stop: str
    """The stop with which it was refused at once, and its scope; empty where it was not."""
    upload: str
    """The upload that it showed; empty where it showed none."""
    picture_refused: bool
    """The picture of that upload was refused, at once or afterwards."""


class Fetch(TypedDict):
    """One request of a sender for a card."""

    at: datetime
    card: str
    served: bool


class Row(TypedDict):
    """One row of the log, at the end."""

    message_id: str
    parent: str | None
    distribution: str | None
    channel: str
    card: str
    status: str
    reason: str | None
    resent: bool
    attempts: int
    fallback_minutes: int | None
    """After which its SMS was to go, unless it had arrived."""


class Deed(TypedDict):
    """What a person did to a distribution: between `asked` and `done` it may hold or not."""

    distribution: str
    action: str
    asked: datetime
    done: datetime


class State(TypedDict):
    """From then on a distribution stood so; `held` is paused by holds alone, none of which a person has to end."""

    distribution: str
    at: datetime
    status: str


class ConsentStatement(TypedDict):
    """A person's recorded word. It reached us between `asked` and `done`. `dated`: the date that it bears, if any."""

    number: str
    granted: bool
    asked: datetime
    done: datetime
    dated: datetime | None


class Reported(TypedDict):
    """A provider's status of a message: when our door took it. `key` as in the call that it is about. `stamp`: the
    provider's own instant, which is the same however late it is told. `names_key`: whether it brought the key; a
    failure of WhatsApp's may name Meta's ID alone, which we do not have if the call's answer was lost."""

    at: datetime
    stamp: datetime
    channel: str
    card: str
    key: str
    names_key: bool
    status: str


class Arrival(TypedDict):
    """A WhatsApp message reached its person, told or not. `key` as in its call."""

    key: str
    at: datetime


class Change(TypedDict):
    """From then on a row of the log stood so."""

    message_id: str
    at: datetime
    status: str


class Unknown(TypedDict):
    """At `at` the log said that the outcome of an attempt is unknown. `excused`: its worker was dead by then, or the
    store had refused to take the claim back, so that the product could not know whether there was a call."""

    message_id: str
    attempt: int
    channel: str
    card: str
    at: datetime
    excused: bool


class Idle(TypedDict):
    """A distribution at an instant at which nothing was under way: what a client was shown, and what the log listed.
    Days before the counts are held against the log for the last time."""

    distribution: str
    at: datetime
    shown: Mapping[str, int]
    """By status, and by reason."""
    listed: Mapping[str, int]


class Evidence(TypedDict):
    """All of it. `grace`: seconds that may lie between the last look at the facts and the provider's clock."""

    people: Sequence[Person]
    calls: Sequence[Call]
    fetches: Sequence[Fetch]
    rows: Sequence[Row]
    deeds: Sequence[Deed]
    states: Sequence[State]
    statements: Sequence[ConsentStatement]
    reported: Sequence[Reported]
    arrivals: Sequence[Arrival]
    changes: Sequence[Change]
    unknown: Sequence[Unknown]
    accepted: Mapping[str, int]
    """Distribution → recipients that its plan took."""
    counts: Mapping[str, Mapping[str, int]]
    """Distribution → status → how many, as a client reads it at the end."""
    idle: Sequence[Idle]
    reasons: Mapping[str, Mapping[str, int]]
    """Distribution → reason → how many of its rows failed for it, read in the same way."""
    fallbacks: Mapping[str, Mapping[str, int]]
    """The counts of its fallbacks."""
    rates: Mapping[str, int]
    """Channel → calls a second."""
    grace: float
