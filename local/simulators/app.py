"""One ASGI application: Meta, Orange, the cards and the control."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.cards import Cards
from local.simulators.control import Control
from local.simulators.meta.simulator import MetaSimulator
from local.simulators.orange.simulator import OrangeSimulator
from local.simulators.stage import Stage


def build(stage: Stage, cards: Cards) -> Starlette:
    """Both providers over one stage."""
    meta, orange = MetaSimulator(stage), OrangeSimulator(stage)
    return Starlette(
        routes=[
            *meta.routes(),
            *orange.routes(),
            Route("/cards/{code}.png", cards.serve, methods=["GET", "HEAD"]),
            *Control(stage, meta, orange).routes(),
            Route("/health", _health, methods=["GET"]),
        ]
    )


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})
