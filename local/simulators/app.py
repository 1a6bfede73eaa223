"""One ASGI application for Meta, Orange, the cards and the control routes."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.simulators.cards import Cards
from local.simulators.control import Control
from local.simulators.ledger import Ledger
from local.simulators.meta.simulator import MetaSimulator
from local.simulators.orange.simulator import OrangeSimulator
from local.simulators.stage import Stage

_OWN = ("/_control/", "/health")


def build(stage: Stage, cards: Cards) -> Starlette:
    """Build the application. Both simulators share `stage`."""
    meta, orange = MetaSimulator(stage), OrangeSimulator(stage)
    return Starlette(
        routes=[
            *meta.routes(),
            *orange.routes(),
            Route("/cards/{code}.png", cards.serve, methods=["GET", "HEAD"]),
            *Control(stage, meta, orange).routes(),
            Route("/health", _health, methods=["GET"]),
        ],
        middleware=[Middleware(Addresses, stage.ledger)],
    )


class Addresses:
    """Notes the address of every call of the product. Calls of the simulators' own routes are not noted."""

    def __init__(self, app: ASGIApp, ledger: Ledger) -> None:
        self._app = app
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(_OWN):
            query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            self._ledger.address(f"{scope['method']} {scope['raw_path'].decode('latin-1')}{query}")
        await self._app(scope, receive, send)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})
