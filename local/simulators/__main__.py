"""python -m local.simulators serves until SIGTERM. It prints "ready" when it answers."""

import argparse
import asyncio
import os
import socket
import struct
from pathlib import Path

import httpx2
import uvicorn
from starlette.requests import Request

from local.simulators.app import build
from local.simulators.background import Background
from local.simulators.cards import Cards
from local.simulators.clock import OffsetClock
from local.simulators.ledger import Ledger
from local.simulators.secret_registrations import SecretRegistrations
from local.simulators.settings import Settings
from local.simulators.stage import Stage

PATIENCE = 60.0
"""Seconds for a call to the product. It is longer than the gateway's 30, so that a busy machine loses no receipt."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: closing the connection sends a TCP reset."""


class Server(uvicorn.Server):
    """Prints "ready" when it serves, and can reset one connection."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print("ready", flush=True)

    async def hang_up(self, request: Request) -> None:
        """Reset the connection of `request`. uvicorn finds it by the peer's address."""
        client = request.client
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if client is None or transport is None or transport.get_extra_info("peername") != tuple(client):
                continue
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        await asyncio.sleep(0.01)  # until uvicorn has noticed that the connection is closed


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until a signal."""
    config = uvicorn.Config(
        "",
        host=arguments.host[0],
        port=arguments.port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        backlog=2048,
    )
    server, background = Server(config), Background()
    async with httpx2.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        stage = Stage(
            clock=OffsetClock(),
            settings=Settings(api_url=arguments.api_url.rstrip("/")),
            ledger=Ledger(),
            registrations=SecretRegistrations(arguments.aws_url, arguments.secrets_prefix, arguments.region),
            client=client,
            background=background,
            hang_up=server.hang_up,
        )
        config.app = build(stage, Cards(arguments.cards_dir, stage.settings))
        await server.serve(sockets=[_listening(host, arguments.port) for host in arguments.host])
        await background.stop()


def _listening(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.simulators", description=__doc__)
    parser.add_argument("--host", action="append", help="address to listen on; may be repeated; default: 127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--api-url", required=True, help="base URL of the product's webhooks")
    parser.add_argument("--aws-url", required=True, help="the stack's AWS endpoint")
    parser.add_argument("--secrets-prefix", required=True)
    parser.add_argument(
        "--region", default="eu-west-1", help="the stack's region; the machine's AWS settings are ignored"
    )
    parser.add_argument("--cards-dir", type=Path, default=None, help="folder of pictures that replace drawn ones")
    arguments = parser.parse_args()
    arguments.host = arguments.host or ["127.0.0.1"]
    os.environ.pop(
        "AWS_PROFILE", None
    )  # A profile of the machine's owner: boto3 would read it despite the credentials given to it.
    asyncio.run(serve(arguments))


if __name__ == "__main__":
    main()
