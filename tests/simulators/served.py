"""The simulators behind a socket, for third-party clients: the tests replace no part of such a client."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import uvicorn

from tests.simulators.world import World
from tests.waiting import PATIENCE

AT_ONCE = {
    "sent_delay": 0.0,
    "delivered_delay": 0.0,
    "read_delay": 0.0,
    "receipts_per_call": 1,
    "template_webhooks": False,
}
"""The world's clock stands still, so every callback must come at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """`url`: the server. `base` replaces https://graph.facebook.com in a client."""

    url: str
    world: World
    control: httpx2.Client

    @property
    def base(self) -> str:
        return f"{self.url}/meta"

    def do(self, action: str, /, **body: object) -> None:
        """Calls an action of /_control."""
        answer = self.control.post(f"/_control/{action}", json=body)
        assert answer.status_code == 200, answer.text

    def start_anew(self) -> None:
        """Resets the simulators to their start."""
        self.do("reset")
        self.do("settings", **AT_ONCE)
        while not self.world.product.updates.empty():
            self.world.product.updates.get()

    def update(self) -> tuple[bytes, str]:
        """The next call to the webhook: its body and its signature."""
        return self.world.product.updates.get(timeout=PATIENCE)

    def person_writes(self, number: str, text: str = "Bonjour à tous") -> None:
        """A person writes, which opens a session of 24 hours."""
        self.do("inbound", organisation="demo", **{"from": number}, text=text)

    def ledger(self) -> list[dict[str, object]]:
        """The accepted messages."""
        return list(self.control.get("/_control/ledger").json()["messages"])


@contextmanager
def served() -> Iterator[Served]:
    """A server in a thread. The socket listens before the thread starts, so no client has to wait."""
    world = World()
    config = uvicorn.Config(world.app, log_level="warning", access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(_serve(server, world, listening)))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with httpx2.Client(base_url=url, timeout=PATIENCE, trust_env=False) as control:
                yield Served(url=url, world=world, control=control)
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


async def _serve(server: uvicorn.Server, world: World, listening: socket.socket) -> None:
    await server.serve(sockets=[listening])
    await world.background.stop()
    await world.http.aclose()
