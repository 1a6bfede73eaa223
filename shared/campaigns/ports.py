"""What campaigns ask of the world: distributions and the task queue. `storage` answers on AWS, `tests/fakes` in
memory; one contract suite holds both to the same behaviour. Every method may be called twice; instants are aware and
in UTC."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.campaigns.counts import Due, Group, Place, Tally
from shared.campaigns.distribution import Counts, Distribution, DistributionStatus
from shared.messages.message import Chunk
from shared.messages.payload import Channel
from shared.messages.ports import Page


class Distributions(Protocol):
    """The distributions of every organisation, and the counts of their chunks and of what is counted beside them."""

    async def create(self, distribution: Distribution) -> Distribution | None:
        """Keep a new one; None if it was new, else the one that is there under the ID."""
        ...

    async def get(self, organisation: str, distribution_id: str) -> Distribution | None:
        """As it surely stands."""
        ...

    async def get_many(self, keys: Iterable[tuple[str, str]]) -> Mapping[str, Distribution]:
        """By distribution ID; `keys` are (organisation, distribution_id)."""
        ...

    async def save(self, distribution: Distribution) -> Distribution | None:
        """Replace the one of the same revision; the saved one with its new revision, None if it has changed since."""
        ...

    async def page(
        self,
        organisation: str,
        *,
        campaign_id: str | None,
        status: DistributionStatus | None,
        position: str | None,
        limit: int,
    ) -> Page[Distribution]:
        """Newest first."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """Distributions whose `due_at` has come, and groups of which a place is to be recounted."""
        ...

    async def count(
        self, organisation: str, place: Place, change: Counts, *, began: datetime, recount_at: datetime | None = None
    ) -> bool:
        """Add to a place's counts (changes may be negative), unless they have been recounted since `began`: an instant
        before the first of these moves was written. A recount may have seen the moves already; then nothing is added,
        and the answer is False. A count that may have been added twice asks for a recount by itself.

        `recount_at`: from then on `due` names the place's group, until `recounted`; an earlier wish stays.
        """
        ...

    async def want_recount(self, organisation: str, place: Place, at: datetime) -> None:
        """From `at` on `due` names the place's group, until `recounted`."""
        ...

    async def recounted(self, organisation: str, place: Place, *, wishes: int) -> None:
        """The recount is done that so many `wishes` had asked for when it began. A later wish stays."""
        ...

    async def set_counts(
        self, organisation: str, place: Place, counts: Counts, *, seen: Counts, read_at: datetime
    ) -> bool:
        """Replace a place's counts by what the log says, if they still are as `seen`. `read_at`: an instant after the
        log was read; counts of moves that began before it are refused from now on."""
        ...

    async def tally(self, organisation: str, place: Place) -> Tally:
        """A place's counts and what was noted of it."""
        ...

    async def counts(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Counts]:
        """(run, number) → what has moved away from `pending` there."""
        ...

    async def note_logged(self, organisation: str, chunk: Chunk, at: datetime, rows: Mapping[str, int]) -> None:
        """Say that a chunk is in the log, and how many of its rows go to each country. The first instant stays."""
        ...

    async def tallies(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Tally]:
        """(run, number) → its counts and what was noted of it."""
        ...


# ------------------------------------------------------------------------------------------------------ queues, lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A piece of work for the fan-out queue.

    `plan`: read an upload's rows; `advance`: log and release a distribution's next chunks; `agenda`: take up what is
    due in a shard of the log; `fallback`: begin that of one message (`message_id`); `erase`: remove what is kept of a
    `person` (a keyed hash), from `place` on in a `round`; `forget_upload`: remove a distribution's file once its plan
    stands; `redrive`: an organisation's dead letters from `place` on;
    `holds`: look at what is held on a `channel`, try it, and free what is not held any more; `account`: ask Meta
    whether the organisation's account may send (`round`: how often that was asked in vain); `recount`: hold what asks
    for it in a group (`place`, as `shared.campaigns.counts.Group` is written) against the log.
    """

    kind: Literal[
        "plan", "advance", "agenda", "fallback", "erase", "forget_upload", "redrive", "holds", "account", "recount"
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
