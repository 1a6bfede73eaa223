"""`Balances` from Orange's contracts."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from shared.domain.balance import Balance
from shared.domain.errors import Kind, SendError
from shared.domain.integration import SmsIntegration
from shared.providers.orange.client import OrangeSender
from shared.providers.orange.contracts import balances_in

PATIENCE_SECONDS = 8.0
"""A person waits for the plan or the page; an HTTP API waits 30 s."""


class OrangeBalances:
    """Asks for the contracts each time: what is left changes with every message."""

    def __init__(
        self, orange: OrangeSender, now: Callable[[], datetime], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._orange = orange
        self._now = now
        self._patience = patience

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        """See `shared.usecases.balances.Balances`."""
        try:
            async with asyncio.timeout(self._patience):
                contracts = await self._orange.contracts(integration)
        except TimeoutError:
            raise SendError(Kind.RETRY, "contracts_late") from None
        return balances_in(contracts, self._now())
