"""What only SMS needs, in memory: shared tokens, messages with an unknown outcome, balances."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from shared.integrations.balances import Balance
from shared.integrations.integration import AccessToken, SmsIntegration, StoredToken
from shared.messages.errors import SendError
from shared.messages.payload import Provider
from shared.webhooks.unmatched_receipts import UnknownOutcomes
from tests.fakes.world import Points


class FakeTokenStore:
    """Implements `TokenStore`. A removed entry keeps its version, as the secret on AWS does."""

    def __init__(self, points: Points) -> None:
        self.tokens_by_organisation: dict[str, tuple[int, str, AccessToken | None]] = {}
        self._removed: set[str] = set()
        self._points = points

    async def read(self, organisation: str, application: str) -> StoredToken:
        await self._points("token_store.read")
        if organisation not in self.tokens_by_organisation or organisation in self._removed:
            return StoredToken(token=None, version="")
        version, owner, token = self.tokens_by_organisation[organisation]
        return StoredToken(token=token if owner == application else None, version=str(version))

    async def put(self, organisation: str, application: str, token: AccessToken, *, version: str) -> bool:
        await self._points("token_store.put")
        stored = self.tokens_by_organisation.get(organisation)
        if stored is None or not version:
            return True
        if str(stored[0]) != version:
            return False
        self.tokens_by_organisation[organisation] = (stored[0] + 1, application, token)
        return True

    async def open(self, organisation: str) -> None:
        await self._points("token_store.open")
        version = self.tokens_by_organisation[organisation][0] + 1 if organisation in self.tokens_by_organisation else 1
        self.tokens_by_organisation[organisation] = (version, "", None)
        self._removed.discard(organisation)

    async def remove(self, organisation: str) -> None:
        await self._points("token_store.remove")
        if organisation in self.tokens_by_organisation:
            self.tokens_by_organisation[organisation] = (self.tokens_by_organisation[organisation][0] + 1, "", None)
            self._removed.add(organisation)


class FakeUnknownSms:
    """Implements `UnknownSms` in memory."""

    def __init__(self, points: Points) -> None:
        self.messages: dict[tuple[str, str, Provider], dict[str, datetime]] = defaultdict(dict)
        self.receipts: dict[tuple[str, str, Provider], dict[str, datetime]] = defaultdict(dict)
        self._points = points

    def forget(self, organisation: str, person: str) -> None:
        """Removes what is kept of a person, for an erasure."""
        for kept in (self.messages, self.receipts):
            for key in [key for key in kept if key[:2] == (organisation, person)]:
                del kept[key]

    async def note(
        self, organisation: str, person: str, provider: Provider, message_id: str, called_at: datetime
    ) -> None:
        await self._points("unknown.note")
        known = self.messages[organisation, person, provider]
        known[message_id] = min(known.get(message_id, called_at), called_at)

    async def meet(
        self, organisation: str, person: str, provider: Provider, receipt_id: str, received_at: datetime
    ) -> UnknownOutcomes:
        await self._points("unknown.meet")
        key = (organisation, person, provider)
        if not self.messages[key]:
            return UnknownOutcomes(messages={}, receipts={})
        known = self.receipts[key]
        known[receipt_id] = min(known.get(receipt_id, received_at), received_at)
        return UnknownOutcomes(messages=dict(self.messages[key]), receipts=dict(known))


class FakeBalances:
    """Implements `Balances`. By default there are plenty of units in Senegal."""

    def __init__(self) -> None:
        self.answer: Sequence[Balance] | SendError = [Balance(country="SN", units=1_000_000)]
        self.asked = 0

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        self.asked += 1
        if isinstance(self.answer, SendError):
            raise self.answer
        return self.answer
