"""What Meta's documents on the status queue hold, worked off.

A document may hold a thousand statuses and news of as many people. What concerns different messages or people goes side
by side; what concerns the same one stays in the document's order. Nobody relies on that order, because documents
themselves come in any order and side by side; but in their own order statuses are moves and not late no-ops.
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
    """Somebody who acts on news. Each hears all of it, perhaps twice, late and in any order."""

    async def receive(self, organisation: str, webhook_event: WebhookEvent) -> None:
        """Act on it, or let it pass. What this raises makes the whole document come again."""
        ...


class StatusListener(Protocol):
    """Somebody who acts on what became of a message, besides its move. The same rules."""

    async def status_received(self, organisation: str, report: StatusReport, row: Message) -> None:
        """`row` is the message as it stood before the move, won or not."""
        ...


class ReadsWhatsApp(Protocol):
    """What `shared.providers.meta.webhook` does."""

    def verified(self, body: bytes, signature_header: str | None, secrets: Sequence[str]) -> bool:
        """Whether one of the secrets signed the body."""
        ...

    def pieces(self, body: bytes) -> list[str]:
        """The body in documents that fit the queue."""
        ...

    def read(self, document: str, *, received: datetime | None = None) -> WebhookUpdates:
        """What it holds; `received` stands in for a time stamp that cannot be read."""
        ...

    def only_statuses(self, document: str, message_ids: Collection[str]) -> str:
        """A document with nothing but the statuses of those messages, by their stored IDs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaAdapter:
    """What Meta's webhooks are worked off with."""

    whatsapp: ReadsWhatsApp
    statuses: StatusEffects
    webhook_event_listeners: Sequence[WebhookEventListener] = ()
    status_listeners: Sequence[StatusListener] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRead:
    """What became of a document. `ignored`: how much of it told us nothing."""

    ignored: int
    unmatched: Sequence[StatusReport]
    """Statuses without any key whose message ID the log does not know: the sender may not have stored it yet."""


class MetaDocuments:
    """Takes one document after another, or several at once."""

    def __init__(self, adapter: MetaAdapter, telemetry: Telemetry) -> None:
        self._adapter = adapter
        self._telemetry = telemetry

    async def take(self, organisation: str, document: str, received: datetime) -> DocumentRead:
        """Move the messages, then tell the news: statuses are what people wait for.

        Everything is tried, whatever becomes of the rest. The first trouble is raised at the end: then the document has
        to come again, and what was done by now will be a no-op.
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
        """The document cut down to those statuses."""
        return self._adapter.whatsapp.only_statuses(document, {status.provider_message_id for status in statuses})

    async def _look_up(self, organisation: str, statuses: Sequence[StatusReport], attempts: dict[str, Attempt]) -> None:
        """Find the attempts of statuses without our key, each message once: Meta promises to bring the key back with
        `sent`, `delivered` and `read` only."""
        nameless = {status.provider_message_id: status for status in statuses if status.attempt is None}

        async def look_up(status: StatusReport) -> None:
            found = await self._adapter.statuses.attempt_of(organisation, status)
            if found is not None:
                attempts[status.provider_message_id] = found

        await gather_bounded(look_up(status) for status in nameless.values())

    async def flush(self) -> None:
        """A batch of documents is through."""
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
        """Everybody hears everything, whatever somebody makes of something."""
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
    """The attempt that the status names, or whose message ID it bears."""
    return status.attempt or attempts.get(status.provider_message_id)


def _grouped[K, V](pairs: Iterable[tuple[K, V]]) -> Mapping[K, list[V]]:
    """By what they concern, in order of appearance."""
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
