"""Calls the product's webhooks: a limited number at once, repeated after growing waits, each noted in the ledger."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx2

from local.simulators.background import Background
from local.simulators.ledger import Call
from local.simulators.outcomes import Outcome
from local.simulators.stage import Stage

CALLS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One HTTP request to the product. It is repeated unchanged until the product accepts it."""

    provider: str
    organisation: str
    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    provider_message_ids: tuple[str, ...]
    statuses: tuple[str, ...]


class Postman:
    """Posts callbacks. `waits` are the seconds before each repetition; after the last one it gives up."""

    def __init__(self, stage: Stage, waits: Sequence[float]) -> None:
        self._stage = stage
        self._waits = waits

    async def post(self, callback: Callback) -> None:
        """Post once and wait for the answer. If it is not 200, repeat in the background."""
        if not await self._try(callback, 1):
            self._stage.background.start(self._again(callback))

    async def _again(self, callback: Callback) -> None:
        for number, wait in enumerate(self._waits, start=2):
            await self._stage.clock.sleep(wait)
            if await self._try(callback, number):
                return

    async def _try(self, callback: Callback, attempt: int) -> bool:
        try:
            answer = await self._stage.client.post(callback.url, content=callback.body, headers=dict(callback.headers))
            result = str(answer.status_code)
        except httpx2.HTTPError as error:
            result = type(error).__name__
        self._stage.ledger.call(
            Call(
                provider=callback.provider,
                at=self._stage.clock.now(),
                organisation=callback.organisation,
                provider_message_ids=callback.provider_message_ids,
                statuses=callback.statuses,
                attempt=attempt,
                result=result,
            )
        )
        return result == "200"


class Outbox[T]:
    """Keeps at most `CALLS_AT_ONCE` calls going. Items that wait meanwhile leave in batches."""

    def __init__(
        self, background: Background, post: Callable[[Sequence[T]], Awaitable[None]], batch: Callable[[], int]
    ) -> None:
        self._background = background
        self._post = post
        self._batch = batch
        self._waiting: deque[T] = deque()
        self._busy = 0

    def put(self, item: T) -> None:
        """Post the item as soon as fewer than `CALLS_AT_ONCE` calls are going."""
        self._waiting.append(item)
        self._pump()

    def clear(self) -> None:
        """Forget the items that have not left."""
        self._waiting.clear()
        self._busy = 0

    def _pump(self) -> None:
        while self._waiting and self._busy < CALLS_AT_ONCE:
            size = min(len(self._waiting), max(1, self._batch()))
            items = [self._waiting.popleft() for _ in range(size)]
            self._busy += 1
            self._background.start(self._run(items))

    async def _run(self, items: Sequence[T]) -> None:
        await self._post(items)
        self._busy -= 1
        self._pump()


async def play(stage: Stage, outcome: Outcome, natural: Callable[[str], float], tell: Callable[[str], None]) -> None:
    """Report the receipts of an outcome, each when it is due.

    `natural` gives the seconds after which a receipt normally comes. Receipts out of order swap these times.
    """
    times = 2 if stage.settings.duplicate_receipts else outcome.times
    elapsed = 0.0
    for receipt, due in zip(outcome.receipts, sorted(map(natural, outcome.receipts)), strict=True):
        await stage.clock.sleep(due - elapsed)
        elapsed = due
        for _ in range(times):
            tell(receipt)
