"""The providers' reports on their way to our webhook: early, late, twice, in any order, or never."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tests.fakes.world import FakeClock
from tests.simulation.evidence import Arrival, Reported
from tests.simulation.faults import Dice
from tests.simulation.providers import WARNING_UPDATES, WORDS_OF_FAILURE, Meta, Orange, Provider, Taken
from tests.simulation.scheduling import CURRENT, Interleaving

TRIES = (5, 60, 600, 3600, 3600)
"""Seconds until Meta's next tries after a failed call. Orange is assumed to do the same."""

SILENCE, BACKLOG = (600.0, 10_800.0), 90.0
"""Seconds for which Meta reports nothing, and seconds within which it then sends the missing reports."""

type Knock = Callable[[Provider, bytes, str], Awaitable[bool]]


class Postman:
    """Each status is a task of its own, outside of our processes."""

    def __init__(
        self, dice: Dice, clock: FakeClock, points: Interleaving, knock: Knock, sms_key: Callable[[], str | None]
    ) -> None:
        """`sms_key`: a key for one of our SMS, in the form of WhatsApp's keys. SMS have none of their own."""
        self._sms_key = sms_key
        self.reported: list[Reported] = []
        self.arrivals: list[Arrival] = []
        self._silent_until: datetime | None = None
        self.forged_taken = 0
        self._dice = dice
        self._clock = clock
        self._points = points
        self._knock = knock
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether no report is on its way."""
        return not self._under_way

    def tells(self, provider: Provider, taken: Taken, status: str) -> None:
        """Sends a report, with its faults."""
        place = {"sent": 0, "failed": 1, "stopped": 1, "refused": 1, "delivered": 2, "read": 3}[status]
        wait = self._dice.between(0.3, 2) + place * self._dice.between(1, 20)
        stamp = self._clock.instant + timedelta(seconds=wait)
        if provider.channel == "whatsapp" and status in ("delivered", "read"):
            self.arrivals.append(Arrival(key=taken.key, at=stamp))
        if status not in ("stopped", "refused") and self._dice.breaks("webhook_dropped"):
            return
        if self._dice.breaks("webhook_early"):
            wait = 0.0
        if self._dice.breaks("webhook_reordered"):
            wait = self._dice.between(0, 60)
        if self._dice.breaks("webhook_late"):
            wait = self._dice.between(3_000, 30_000)
        wait = self._after_the_silence(provider, wait)
        is_nameless = (
            provider.channel == "whatsapp" and status in WORDS_OF_FAILURE and self._dice.breaks("webhook_without_key")
        )
        times = self._dice.random.choice((2, 3)) if self._dice.breaks("webhook_repeated") else 1
        for _ in range(times):
            self._go(self._brought(provider, taken, status, stamp, wait, is_nameless=is_nameless))
            wait += self._dice.between(0, 90) if times > 1 else 0
        if self._dice.breaks("webhook_forged"):
            self._go(self._forged(provider, taken))
        if isinstance(provider, Meta) and self._dice.breaks("webhook_misdirected"):
            self._misdirects(provider, taken)

        if isinstance(provider, Meta) and self._dice.breaks("anothers_updates"):
            body = provider.account_update(self._dice.random.choice(WARNING_UPDATES), self._clock.instant)
            self._go(self._knocked(provider, body, self._dice.between(0, 30)))

    def _misdirects(self, meta: Meta, taken: Taken) -> None:
        """A report that is signed and well-formed, but its key names a message that it is not about."""
        sms_key = self._sms_key()
        status = self._dice.random.choice(("failed", "read"))
        if sms_key is not None and self._dice.random.random() < 0.5:
            body = meta.body_of(replace(taken, key=sms_key), status, self._clock.instant)
        else:
            body = meta.body_of(taken, status, self._clock.instant, number="2")
        self._go(self._knocked(meta, body, self._dice.between(0, 30)))

    def _after_the_silence(self, provider: Provider, wait: float) -> float:
        """Meta reports nothing for a while. Afterwards it sends all these reports in any order."""
        if provider.channel != "whatsapp":
            return wait
        now = self._clock.instant
        if self._silent_until is None and self._dice.breaks("provider_silent"):
            self._silent_until = now + timedelta(seconds=self._dice.between(*SILENCE))
        if self._silent_until is None or now + timedelta(seconds=wait) >= self._silent_until:
            return wait
        return (self._silent_until - now).total_seconds() + self._dice.between(0, BACKLOG)

    def receives(self, provider: Provider, body: bytes) -> None:
        """A person's message. The report comes once, twice or late, like a status."""
        times = 2 if self._dice.random.random() < 0.5 else 1
        for _ in range(times):
            self._go(self._knocked(provider, body, self._dice.between(0.3, self._dice.random.choice((2, 120)))))

    async def _knocked(self, provider: Provider, body: bytes, wait: float) -> None:
        await asyncio.sleep(wait)
        for again_after in (*TRIES, 0):
            if await self._knock(provider, body, _credential(provider, body)):
                return
            await asyncio.sleep(again_after)

    def _go(self, way: Awaitable[None]) -> None:
        async def alone() -> None:
            CURRENT.set(None)
            await way

        task = asyncio.create_task(alone())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _brought(
        self, provider: Provider, taken: Taken, status: str, stamp: datetime, wait: float, *, is_nameless: bool
    ) -> None:
        await asyncio.sleep(wait)
        stamp = min(stamp, self._clock.instant)
        for again_after in (*TRIES, 0):
            body = _body(provider, replace(taken, key="") if is_nameless else taken, status, stamp)
            if await self._knock(provider, body, _credential(provider, body)):
                self.reported.append(
                    Reported(
                        at=self._clock.instant,
                        stamp=stamp,
                        channel=provider.channel,
                        card=taken.card,
                        key=taken.key,
                        names_key=not is_nameless,
                        status=status,
                    )
                )
                return
            await asyncio.sleep(again_after)

    async def _forged(self, provider: Provider, taken: Taken) -> None:
        """An outsider reports that a message failed or was read. They know its ID but none of our secrets."""
        await asyncio.sleep(self._dice.between(0, 5))
        status = self._dice.random.choice(("failed", "read"))
        body = _body(provider, taken, status, self._clock.instant)
        credential = (
            "sha256=" + hmac.digest(b"guessed", body, "sha256").hex() if isinstance(provider, Meta) else "guessed"
        )
        if await self._knock(provider, body, credential):
            self.forged_taken += 1


def _body(provider: Provider, taken: Taken, status: str, stamp: datetime) -> bytes:
    assert isinstance(provider, Meta | Orange)
    return provider.body_of(taken, status, stamp)


def _credential(provider: Provider, body: bytes) -> str:
    """Meta signs; Orange knows our secret path."""
    if isinstance(provider, Meta):
        return "sha256=" + hmac.new(provider.secret.encode(), body, hashlib.sha256).hexdigest()
    assert isinstance(provider, Orange)
    return provider.path_token
