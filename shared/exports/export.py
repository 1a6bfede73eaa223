"""An export: a whole list as one CSV file. What was asked for, how far the file is, and an organisation's exports that
wait for their turn."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from shared.messages.message import Status

type Language = Literal["fr", "en"]

KEPT_FOR = timedelta(days=7)
"""How long an export and its file can be fetched, from the request. The bucket's lifecycle rule is a day longer."""

MOST_ROWS = 1_000_000
"""An export with more rows fails: a file that ends early without a word would be believed. Excel opens 1,048,576."""

MOST_WAITING = 50
"""Exports of one organisation that may wait at once. They fit one item of the state table."""

MOST_TRIES = 10
"""Tasks in a row that may die without progress, each with its lease. After that (25 minutes) the export fails."""

MOST_RESTARTS = 3
"""How often a file may be begun again because its stored parts are gone or overwritten."""

SLICE = timedelta(seconds=60)
"""How long one task works at an export. Then the export lies down and another task takes it up."""

LEASE = timedelta(seconds=150)
"""How long a worker has an export to itself: a slice, and the longest calls to AWS after it. A worker that outlives its
lease loses its next write and does no harm."""


class Kind(StrEnum):
    """Which list."""

    MESSAGES = "messages"
    REJECTED_ROWS = "rejected_rows"
    DUPLICATES = "duplicates"


class ExportStatus(StrEnum):
    """What a client sees. An export that waits for its turn is `running` too."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_FILE_NAMES: dict[tuple[Kind, Language], str] = {
    (Kind.MESSAGES, "en"): "messages",
    (Kind.MESSAGES, "fr"): "messages",
    (Kind.REJECTED_ROWS, "en"): "rejected-rows",
    (Kind.REJECTED_ROWS, "fr"): "lignes-rejetees",
    (Kind.DUPLICATES, "en"): "duplicates",
    (Kind.DUPLICATES, "fr"): "doublons",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """What was asked for. `since` is inclusive and `until` exclusive; both compare the acceptance of a message."""

    kind: Kind
    language: Language
    campaign_id: str | None = None
    distribution_id: str | None = None
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stored part of the file. `number` counts from 1 without gaps: S3 refuses gaps where parts have checksums.

    `etag` and `checksum` (CRC32) are S3's. If another worker overwrites the part, S3 does not put the parts together.
    """

    number: int
    etag: str
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export.

    - `rows`: how many rows have been read into the parts and the remainder.
    - `position`: where reading goes on. None: at the beginning, or nowhere once `is_read`.
    - `remainder`: the number under which the rows after the last part are stored; None: there are none.
    - `lease_until`: until then one worker has it to itself.
    - `tries`: tasks in a row without progress.
    - `restarts`: how often the file was begun again.
    - `fails_for`: why it is failing; what it has stored is being removed.
    """

    organisation: str
    export_id: str
    order: ExportOrder
    created_at: datetime
    status: ExportStatus = ExportStatus.RUNNING
    rows: int = 0
    position: str | None = None
    is_read: bool = False
    upload_id: str | None = None
    parts: tuple[Part, ...] = ()
    remainder: int | None = None
    lease_until: datetime | None = None
    tries: int = 0
    restarts: int = 0
    fails_for: str | None = None
    revision: int = 0

    @property
    def expires_at(self) -> datetime:
        """When the export and its file are gone."""
        return self.created_at + KEPT_FOR

    @property
    def is_running(self) -> bool:
        """Whether there is still work."""
        return self.status is ExportStatus.RUNNING

    @property
    def file_name(self) -> str:
        """The name under which a browser saves the file: "messages-vaccination-2026-20261130-2015.csv", in UTC."""
        name = _FILE_NAMES[self.order.kind, self.order.language]
        about = f"-{self.order.campaign_id}" if self.order.campaign_id else ""
        return f"{name}{about}-{self.created_at:%Y%m%d-%H%M}.csv"

    def is_taken(self, now: datetime) -> bool:
        """Whether a worker has it to itself."""
        return self.lease_until is not None and now < self.lease_until

    def taken(self, now: datetime) -> "Export":
        """With a worker's lease."""
        return replace(self, lease_until=now + LEASE, tries=self.tries + 1)

    def begun_again(self) -> "Export":
        """At the beginning of the list, with a new upload."""
        return Export(
            organisation=self.organisation,
            export_id=self.export_id,
            order=self.order,
            created_at=self.created_at,
            restarts=self.restarts + 1,
            revision=self.revision,
        )

    def ended(self, status: ExportStatus) -> "Export":
        """Done or failed: nothing of the work remains."""
        return replace(
            self, status=status, upload_id=None, parts=(), remainder=None, position=None, lease_until=None, tries=0
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An export in the queue of its organisation."""

    export_id: str
    order: ExportOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQueue:
    """The exports of one organisation that are not over, in the order of their requests. The first one is worked on, so
    an organisation never has two at once. `made` counts all that were ever asked for; the IDs derive from it."""

    organisation: str
    made: int = 0
    waiting: tuple[Waiting, ...] = ()
    since: datetime | None = None
    """When the first of them was asked for; None: none waits."""
    revision: int = 0

    def same(self, order: ExportOrder) -> Waiting | None:
        """The export with the same order that is not over."""
        return next((one for one in self.waiting if one.order == order), None)

    @property
    def is_full(self) -> bool:
        """Whether no other export may wait."""
        return len(self.waiting) >= MOST_WAITING

    def with_export(self, export: Export) -> "ExportQueue":
        """With another export at its end."""
        added = Waiting(export_id=export.export_id, order=export.order)
        return replace(
            self,
            made=self.made + 1,
            waiting=(*self.waiting, added),
            since=self.since or export.created_at,
        )

    def without(self, export_id: str) -> "ExportQueue":
        """Without an export that is over."""
        waiting = tuple(one for one in self.waiting if one.export_id != export_id)
        return replace(self, waiting=waiting, since=self.since if waiting else None)
