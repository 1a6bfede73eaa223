"""What both simulators share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from local.simulators.background import Background
from local.simulators.clock import MovableClock
from local.simulators.ledger import Ledger
from local.simulators.outcomes import Cut, Outcome
from local.simulators.registrations import Registrations
from local.simulators.settings import Settings

type HangUp = Callable[[Request], Awaitable[None]]
"""Resets the connection of a request."""

type Endpoint = Callable[[Request], Awaitable[Response]]

_HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr></body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The shared parts. Tests pass in their own clock, registrations and network."""

    clock: MovableClock
    settings: Settings
    ledger: Ledger
    registrations: Registrations
    client: httpx2.AsyncClient
    background: Background
    hang_up: HangUp

    async def take_time(self) -> None:
        """Wait between the acceptance and the answer: a provider with problems may need many seconds."""
        if self.settings.answer_seconds:
            await self.clock.sleep(self.settings.answer_seconds)

    async def cut(self, outcome: Outcome, request: Request, success: int) -> Response:
        """Answer as `outcome.cut` says."""
        match outcome.cut:
            case Cut.HTML_500:
                return HTMLResponse(_HTML.format("500 Internal Server Error"), 500)
            case Cut.HTML_502:
                return HTMLResponse(_HTML.format("502 Bad Gateway"), 502)
            case Cut.GARBLED:
                return PlainTextResponse('{"mess', success, media_type="application/json")
            case Cut.HANG:
                await self.clock.sleep(self.settings.hang_seconds)
        await self.hang_up(request)
        return Response(status_code=500)  # Never received: the connection is closed.
