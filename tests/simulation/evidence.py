"""The evidence of a run for the checker: plain data, as an auditor would get it from outside. Instants are aware."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict


class Person(TypedDict):
    """One recipient of an accepted request. A person in several requests has the same `card` in each."""

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
    """Whether the request asked to skip people to whom the campaign has sent the card already."""
    granted_at: datetime | None
    """The date of that consent, if the request has one."""
    answered: datetime | None
    """When the request was answered. Its consent has reached us by then."""


class Call(TypedDict):
    """One request that reached a provider, with any answer. `key`: the callback key that WhatsApp carries."""

    at: datetime
    channel: str
    number: str
    card: str
    key: str
    taken: bool
    """Whether the message is on its way. A provider may take it and refuse it later."""
    stop: str
    """The stop error that refused it at once, and its scope; empty without one."""
    upload: str
    """The upload that it used; empty without one."""
    picture_refused: bool
    """Whether the picture of that upload was refused, at once or later."""


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
    """Minutes until its fallback by SMS, unless the message arrives."""


class Deed(TypedDict):
    """A person's action on a distribution. It takes effect at some time between `asked` and `done`."""

    distribution: str
    action: str
    asked: datetime
    done: datetime


class State(TypedDict):
    """A distribution's status from `at` on. `held`: paused only by holds that end without a person."""

    distribution: str
    at: datetime
    status: str


class ConsentStatement(TypedDict):
    """A person's consent or revocation. It reached us between `asked` and `done`. `dated`: its own date, if any."""

    number: str
    granted: bool
    asked: datetime
    done: datetime
    dated: datetime | None


class Reported(TypedDict):
    """A provider's status of a message.

    `at`: when our webhook accepted it. `key`: as in its call. `stamp`: the provider's own time, which stays the same in
    a late report. `names_key`: whether it contained the key; a failure from WhatsApp may name only Meta's ID, which we
    do not have if the call's answer was lost.
    """

    at: datetime
    stamp: datetime
    channel: str
    card: str
    key: str
    names_key: bool
    status: str


class Arrival(TypedDict):
    """A WhatsApp message arrived, reported or not. `key`: as in its call."""

    key: str
    at: datetime


class Change(TypedDict):
    """A row's status from `at` on."""

    message_id: str
    at: datetime
    status: str


class Unknown(TypedDict):
    """At `at` the log marked an attempt's outcome as unknown.

    `excused`: its worker was dead, or the store had refused to give the claim back, so the product could not know
    whether there was a call.
    """

    message_id: str
    attempt: int
    channel: str
    card: str
    at: datetime
    excused: bool


class Idle(TypedDict):
    """A distribution at a time without work under way: what a client saw, and what the log listed. This is days before
    the last recount."""

    distribution: str
    at: datetime
    shown: Mapping[str, int]
    """By status, and by reason."""
    listed: Mapping[str, int]


class Evidence(TypedDict):
    """All evidence. `grace`: seconds between the last read of the facts and the provider's clock."""

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
    """Distribution → number of recipients that its plan accepted."""
    retries: Mapping[str, str]
    """Distribution that retries the failed rows of another one → that one. Its rows name them as their parents."""
    counts: Mapping[str, Mapping[str, int]]
    """Distribution → status → count, as a client reads it at the end."""
    idle: Sequence[Idle]
    reasons: Mapping[str, Mapping[str, int]]
    """Distribution → reason → number of its failed rows, read in the same way."""
    fallbacks: Mapping[str, Mapping[str, int]]
    """The counts of its fallbacks."""
    rates: Mapping[str, int]
    """Channel → calls a second."""
    grace: float
