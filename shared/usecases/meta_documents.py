"""What Meta's documents on the status queue hold, worked off.

A document may hold a thousand statuses and news of as many people. What concerns different messages or people goes side
by side; what concerns the same one stays in the document's order. Nobody relies on that order, because documents
themselves come in any order and side by side; but in their own order statuses are moves and not late no-ops.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from shared.domain.message import Message
from shared.domain.news import News, whom
from shared.domain.receipt import Attempt, StatusReport
from shared.usecases.ports import Moved, Telemetry
from shared.usecases.side_by_side import one_by_one, side_by_side


class WebhookRead(Protocol):
    """What a document of Meta's holds, and how many parts of it said nothing to us."""

    @property
    def reports(self) -> Sequence[StatusReport]:
        """Statuses of our messages, in the document's order."""
        ...

    @property
    def news(self) -> Sequence[News]:
        """Everything else, in the document's order."""
        ...

    @property
    def ignored(self) -> int:
        """Parts that nobody announced, or that tell nothing."""
        ...


class NewsListener(Protocol):
    """Somebody who acts on news. Each hears all of it, perhaps twice, late and in any order."""

    async def hear(self, organisation: str, news: News) -> None:
        """Act on it, or let it pass. What this raises makes the whole document come again."""
        ...


class TakesStatus(Protocol):
    """What `shared.usecases.aftermath.Aftermath` does."""

    async def take(self, organisation: str, attempt: Attempt, report: StatusReport) -> Moved:
        """Move the message, and do what follows from the status besides."""
        ...

    def hear(self, organisation: str, report: StatusReport) -> None:
        """Note that Meta reports on the number, whosever the message is."""
        ...

    async def flush(self) -> None:
        """Write down what was heard since the last flush."""
        ...


class StatusListener(Protocol):
    """Somebody who acts on what became of a message, besides its move. The same rules."""

    async def told(self, organisation: str, report: StatusReport, row: Message) -> None:
        """`row` is the message as it stood before the move, won or not."""
        ...


class ReadsWhatsApp(Protocol):
    """What `shared.providers.whatsapp.webhook` does."""

    def verified(self, body: bytes, signature_header: str | None, secrets: Sequence[str]) -> bool:
        """Whether one of the secrets signed the body."""
        ...

    def pieces(self, body: bytes) -> list[str]:
        """The body in documents that fit the queue."""
        ...

    def read(self, document: str, *, received: datetime | None = None) -> WebhookRead:
        """What it holds; `received` stands in for a time stamp that cannot be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaDesk:
    """What Meta's webhooks are worked off with."""

    whatsapp: ReadsWhatsApp
    statuses: TakesStatus
    news_listeners: Sequence[NewsListener] = ()
    status_listeners: Sequence[StatusListener] = ()


class MetaDocuments:
    """Takes one document after another, or several at once."""

    def __init__(self, desk: MetaDesk, telemetry: Telemetry) -> None:
        self._desk = desk
        self._telemetry = telemetry

    async def take(self, organisation: str, document: str, received: datetime) -> int:
        """Move the messages, then tell the news: statuses are what people wait for. Says how much told us nothing.

        Everything is tried, whatever becomes of the rest. The first trouble is raised at the end: then the document has
        to come again, and what was done by now will be a no-op.
        """
        read = self._desk.whatsapp.read(document, received=received)
        for report in read.reports:
            self._desk.statuses.hear(organisation, report)
        ours = [(status.attempt, status) for status in read.reports if status.attempt is not None]
        parts = (partial(self._move, organisation, ours), partial(self._tell, organisation, read.news))
        await one_by_one(part() for part in parts)
        return read.ignored + len(read.reports) - len(ours)

    async def flush(self) -> None:
        """A batch of documents is through."""
        await self._desk.statuses.flush()

    async def _move(self, organisation: str, statuses: Sequence[tuple[Attempt, StatusReport]]) -> None:
        messages = _grouped((attempt.message_id, (attempt, status)) for attempt, status in statuses)
        await side_by_side(
            one_by_one(self._status(organisation, *status) for status in same) for same in messages.values()
        )

    async def _status(self, organisation: str, attempt: Attempt, status: StatusReport) -> None:
        moved = await self._desk.statuses.take(organisation, attempt, status)
        if moved.before is not None:
            for listener in self._desk.status_listeners:
                await listener.told(organisation, status, moved.before)

    async def _tell(self, organisation: str, news: Sequence[News]) -> None:
        """Everybody hears everything, whatever somebody makes of something."""
        people = _grouped((whom(one), one) for one in news)
        await side_by_side(
            one_by_one(
                self._hear(listener, organisation, one) for one in same for listener in self._desk.news_listeners
            )
            for same in people.values()
        )

    async def _hear(self, listener: NewsListener, organisation: str, news: News) -> None:
        try:
            await listener.hear(organisation, news)
        except Exception as error:
            self._telemetry.trouble(
                "news_not_taken", organisation=organisation, news=type(news).__name__, error=type(error).__name__
            )
            raise


def _grouped[K, V](pairs: Iterable[tuple[K, V]]) -> Mapping[K, list[V]]:
    """By what they concern, in order of appearance."""
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
