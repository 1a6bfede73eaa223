"""What campaigns need from storage: distributions and the task queue. `shared/storage` implements them on AWS,
`tests/fakes` in memory; one contract suite tests both. Every method may be called twice. Instants are aware and in
UTC."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.campaigns.counts import Due, Group, Place, Tally
from shared.campaigns.distribution import Counts, Distribution, DistributionStatus
from shared.messages.message import Chunk
from shared.messages.payload import Channel
from shared.messages.ports import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionQuery:
    """Which distributions to list, newest first. `since` is inclusive and `until` exclusive; both compare
    `created_at`."""

    organisation: str
    campaign_id: str | None = None
    status: DistributionStatus | None = None
    channel: Channel | None = None
    since: datetime | None = None
    until: datetime | None = None


class Distributions(Protocol):
    """The distributions of every organisation, the counts of their chunks, and the other counts."""

    async def create(self, distribution: Distribution) -> Distribution | None:
        """Store a new distribution. Returns None if it was new, else the one that exists under its ID."""
        ...

    async def get(self, organisation: str, distribution_id: str) -> Distribution | None:
        """The distribution, read consistently."""
        ...

    async def get_many(self, keys: Iterable[tuple[str, str]]) -> Mapping[str, Distribution]:
        """Distributions by ID; `keys` are (organisation, distribution_id)."""
        ...

    async def save(self, distribution: Distribution) -> Distribution | None:
        """Replace the distribution of the same revision. Returns the saved one with its new revision; None: it has
        changed."""
        ...

    async def page(self, query: DistributionQuery, position: str | None, limit: int) -> Page[Distribution]:
        """At most `limit` distributions below `position`, newest first. With rare matches a page is short, or empty,
        and still has a position."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """Distributions whose `due_at` has come, and groups with a place that needs a recount."""
        ...

    async def count(
        self,
        organisation: str,
        place: Place,
        change: Counts,
        *,
        began: datetime,
        recount_at: datetime | None = None,
        accepted_at: datetime | None = None,
    ) -> bool:
        """Add to a place's counts (changes may be negative).

        `began` is an instant before the first of these moves was written. If the place was recounted since, the recount
        may have seen the moves: then nothing is added and the answer is False. If a count may have been added twice, a
        recount is requested.

        `recount_at`: from then on `due` returns the place's group, until `recounted`; an earlier request stays.
        `accepted_at`: when the latest of the messages was accepted, if they are new.
        """
        ...

    async def want_recount(self, organisation: str, place: Place, at: datetime) -> None:
        """Request a recount: from `at` on `due` returns the place's group, until `recounted`."""
        ...

    async def recounted(self, organisation: str, place: Place, *, wishes: int) -> None:
        """End the request for a recount, unless there are more than the `wishes` requests from when the recount
        began."""
        ...

    async def set_counts(
        self, organisation: str, place: Place, counts: Counts, *, seen: Counts, read_at: datetime
    ) -> bool:
        """Replace a place's counts by those of the log, if they are still `seen`. `read_at` is an instant after the log
        was read: counts of moves that began before it are refused from now on."""
        ...

    async def tally(self, organisation: str, place: Place) -> Tally:
        """A place's counts, with what was noted of it."""
        ...

    async def counts(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Counts]:
        """(run, number) → counts of the rows that are no longer `pending` there."""
        ...

    async def note_logged(self, organisation: str, chunk: Chunk, at: datetime, rows: Mapping[str, int]) -> None:
        """Note that a chunk is in the log, and how many of its rows go to each country. The first instant stays."""
        ...

    async def tallies(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Tally]:
        """(run, number) → its counts, with what was noted of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A piece of work for the fan-out queue. Its kinds, for distributions and messages:

    - `plan`: plan the rows of an upload or of a retry.
    - `advance`: log and release a distribution's next chunks.
    - `recount`: compare a group's places with the log (`place`: the group as text, `shared.campaigns.counts.Group`).
    - `agenda`: take up the due messages of a `shard` of the log.
    - `sums`: bring the sums of a `shard` up to date (`shared.statistics.sums`).
    - `fallback`: begin the fallback of one message (`message_id`).
    - `redrive`: redrive an organisation's dead letters, from `place` on.

    For people and accounts:

    - `erase`: remove the records of a `person` (a keyed hash), from `place` on, in a `round`.
    - `forget_upload`: remove a distribution's file once it is planned.
    - `holds`: look at the holds of a `channel`, probe them, and release the messages of ended ones.
    - `account`: ask Meta whether the organisation's account may send (`round`: the number of earlier attempts).
    - `export`: work at the exports of the organisation.
    """

    kind: Literal[
        "plan",
        "advance",
        "agenda",
        "fallback",
        "erase",
        "forget_upload",
        "redrive",
        "holds",
        "account",
        "recount",
        "export",
        "sums",
    ]
    organisation: str = ""
    distribution_id: str = ""
    shard: int = 0
    message_id: str = ""
    person: str = ""
    round: int = 0
    place: str = ""
    channel: Channel | None = None


class TaskQueue(Protocol):
    """The fan-out queue."""

    async def put(self, tasks: Sequence[Task], *, delay: int = 0) -> None:
        """Enqueue work, to be taken up after `delay` seconds (at most 900)."""
        ...
