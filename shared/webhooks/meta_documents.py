"""Handles the documents of Meta's webhooks from the status queue.

A document may have a thousand statuses and as many other updates. Updates of different messages or persons are handled
concurrently, those of the same one in the document's order. Correctness does not depend on that order, because the
documents themselves come in any order; but in order, fewer statuses are late no-ops.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from shared.base.concurrency import gather_bounded, one_by_one
from shared.base.events import Telemetry
from shared.messages.message import Message
from shared.messages.status_writer import StatusEffects
from shared.webhooks.updates import Attempt, StatusReport, WebhookEvent, WebhookUpdates, whom


class WebhookEventListener(Protocol):
    """Acts on webhook events. Every listener gets every event, perhaps twice, late and in any order."""

    async def receive(self, organisation: str, webhook_event: WebhookEvent) -> None:
        """Act on the event or ignore it. An exception makes the whole document come again."""
        ...


class StatusListener(Protocol):
    """Acts on statuses, after the message's move. As with events, a status may come twice, late and in any order."""

    async def status_received(self, organisation: str, report: StatusReport, row: Message) -> None:
        """`row` is the message before the move, even if the move had no effect."""
        ...


class ReadsWhatsApp(Protocol):
    """The functions of `shared.providers.meta.webhook`."""

    def verified(self, body: bytes, signature_header: str | None, secrets: Sequence[str]) -> bool:
        """Whether one of the secrets signed the body."""
        ...

    def pieces(self, body: bytes) -> list[str]:
        """The body in documents that fit the queue."""
        ...

    def read(self, document: str, *, received: datetime | None = None) -> WebhookUpdates:
        """The document's updates. `received` replaces a time that cannot be read."""
        ...

    def only_statuses(self, document: str, message_ids: Collection[str]) -> str:
        """The document with only the statuses of these messages, by their stored IDs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaAdapter:
    """What `MetaDocuments` works with."""

    whatsapp: ReadsWhatsApp
    statuses: StatusEffects
    webhook_event_listeners: Sequence[WebhookEventListener] = ()
    status_listeners: Sequence[StatusListener] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRead:
    """The result of a document. `ignored`: the number of its parts that have no meaning for us."""

    ignored: int
    unmatched: Sequence[StatusReport]
    """Statuses without any key whose message ID is not in the log. The sender may not have stored it yet."""


class MetaDocuments:
    """Handles documents, one after another or several at once."""

    def __init__(self, adapter: MetaAdapter, telemetry: Telemetry) -> None:
        self._adapter = adapter
        self._telemetry = telemetry

    async def take(self, organisation: str, document: str, received: datetime) -> DocumentRead:
        """Move the messages, then report the other events, because users wait for statuses.

        A failure of one part does not stop the others. The first error is raised at the end: then the document comes
        again, and the parts that were done change nothing.
        """
        read = self._adapter.whatsapp.read(document, received=received)
        for report in read.reports:
            self._adapter.statuses.receive(organisation, report)
        attempts: dict[str, Attempt] = {}
        parts = (
            partial(self._look_up, organisation, read.reports, attempts),
            partial(self._move, organisation, read.reports, attempts),
            partial(self._tell, organisation, read.webhook_events),
        )
        await one_by_one(part() for part in parts)
        strange = [status for status in read.reports if _attempt(status, attempts) is None]
        unmatched = [status for status in strange if not status.other_key]
        return DocumentRead(ignored=read.ignored + len(strange) - len(unmatched), unmatched=unmatched)

    def only(self, document: str, statuses: Sequence[StatusReport]) -> str:
        """The document with only these statuses."""
        return self._adapter.whatsapp.only_statuses(document, {status.provider_message_id for status in statuses})

    async def _look_up(self, organisation: str, statuses: Sequence[StatusReport], attempts: dict[str, Attempt]) -> None:
        """Find the attempts of statuses without our key, each message once. Meta promises our key only for `sent`,
        `delivered` and `read`.
        """
        nameless = {status.provider_message_id: status for status in statuses if status.attempt is None}

        async def look_up(status: StatusReport) -> None:
            found = await self._adapter.statuses.attempt_of(organisation, status)
            if found is not None:
                attempts[status.provider_message_id] = found

        await gather_bounded(look_up(status) for status in nameless.values())

    async def flush(self) -> None:
        """Write what a batch of documents has collected."""
        await self._adapter.statuses.flush()

    async def _move(self, organisation: str, statuses: Sequence[StatusReport], attempts: Mapping[str, Attempt]) -> None:
        named = [(_attempt(status, attempts), status) for status in statuses]
        messages = _grouped((attempt.message_id, (attempt, status)) for attempt, status in named if attempt is not None)
        await gather_bounded(
            one_by_one(self._status(organisation, *status) for status in same) for same in messages.values()
        )

    async def _status(self, organisation: str, attempt: Attempt, status: StatusReport) -> None:
        status = replace(status, attempt=attempt)
        moved = await self._adapter.statuses.take(organisation, attempt, status)
        if moved.before is not None:
            for listener in self._adapter.status_listeners:
                await listener.status_received(organisation, status, moved.before)

    async def _tell(self, organisation: str, webhook_event: Sequence[WebhookEvent]) -> None:
        """Every listener gets every event; one failure does not stop the others."""
        people = _grouped((whom(one), one) for one in webhook_event)
        await gather_bounded(
            one_by_one(
                self._receive(listener, organisation, one)
                for one in same
                for listener in self._adapter.webhook_event_listeners
            )
            for same in people.values()
        )

    async def _receive(self, listener: WebhookEventListener, organisation: str, webhook_event: WebhookEvent) -> None:
        try:
            await listener.receive(organisation, webhook_event)
        except Exception as error:
            self._telemetry.warning_event(
                "webhook_event_not_taken",
                organisation=organisation,
                webhook_event=type(webhook_event).__name__,
                error=type(error).__name__,
            )
            raise


def _attempt(status: StatusReport, attempts: Mapping[str, Attempt]) -> Attempt | None:
    """The attempt that the status names, or the one found by its message ID."""
    return status.attempt or attempts.get(status.provider_message_id)


def _grouped[K, V](pairs: Iterable[tuple[K, V]]) -> Mapping[K, list[V]]:
    """The values by what they concern, in order of appearance."""
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
