"""The local stack as a whole: starts its parts in the order of their needs, and stops them all.

with Stack(Settings(port=0)) as stack:
    httpx.get(stack.base_url + "/health", headers={"Authorization": f"Bearer {stack.token()}"})
"""

import asyncio
import json
import os
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from local.clock import StackClock
from local.http_event import Caller
from local.processes import Child, free_port
from local.routes import JwtRule
from local.settings import CONTAINERS_HOST, HOST, Settings
from local.tokens import AUDIENCE, TokenRequest, authorize, make_key, mint, save_key
from shared.base.instants import format_instant

if TYPE_CHECKING:
    from local.assembly import Pools
    from local.deployment import Deployment

CHILD_SECONDS = 120.0
STACK_NAME = "oomus-messaging"
MOTO_CLOCK = "/_stack/clock"
SIMULATORS_CLOCK = "/_control/clock"


class PortInUseError(Exception):
    """Another process listens on a port of the stack."""


class Stack:
    """The running stack. `base_url` is the API, `aws_url` is moto. `simulators_url` is None without simulators."""

    deployment: "Deployment"
    _pools: "Pools"

    def __init__(self, settings: Settings, log_stream: TextIO | None = None, clock: StackClock | None = None) -> None:
        self.settings = settings
        self.clock = clock or StackClock(settings.start)
        self.base_url = ""
        self.aws_url = ""
        self.simulators_url: str | None = None
        self._log_stream = log_stream or sys.stderr
        self._key = make_key()
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, trace)

    def token(self, request: TokenRequest | None = None) -> str:
        """Sign a token by the stack's clock. Without `request` it has all scopes and is valid for an hour."""
        return mint(self._key, request or TokenRequest(issuer=self.base_url), self.clock.now())

    def authorize(self, authorization: str, rule: JwtRule) -> Caller:
        """Check a header as the gateway's authorizer does. Raises UnauthorizedError or ScopeMissingError."""
        return authorize(authorization, rule, self._key.public_key(), self.clock.now())

    def invoke(self, function_name: str, event: object) -> object:
        """Return a function's answer to an event, or raise what it raises."""
        return self._pools[function_name].submit(event).result()

    def _start(self) -> None:
        sockets: list[socket.socket] = []
        port = self.settings.port
        for host in (HOST, *self.settings.extra_hosts):
            sockets.append(_bind(host, port))
            self._closing.callback(sockets[-1].close)
            port = sockets[0].getsockname()[1]  # the other addresses get the same port, also a free one
        self.base_url = f"http://{HOST}:{port}"
        moto, simulators = self._start_children()
        # These imports run while the children start: the import takes a second, and SAM's transform two without its
        # cache.
        from local import assembly, containers, deployment, template  # noqa: PLC0415

        document = template.translate(self.settings.template, self.settings.state_root)
        assembly.import_handlers(document)
        moto.wait_ready(CHILD_SECONDS)
        self._keep_at_stack_time(f"{self.aws_url}{MOTO_CLOCK}")
        self.deployment = deployment.deploy(document, STACK_NAME, self._parameters(), self.aws_url)
        frame = assembly.Frame(
            deployment=self.deployment, clock=self.clock, aws_url=self.aws_url, closing=self._closing
        )
        if self.settings.hurry:
            frame.hurry.set()
        if self.settings.containers:
            containers.plant_secrets(self.deployment, STACK_NAME, self.aws_url, self.clock.now())
        self._pools = pools = assembly.start_functions(frame)
        if simulators is not None:
            simulators.wait_ready(CHILD_SECONDS)
            self._keep_at_stack_time(f"{self.simulators_url}{SIMULATORS_CLOCK}")
        polling = None if self.settings.containers else assembly.start_polling(frame, pools)
        local = assembly.local_routes(frame, pools, self.simulators_url, polling) if self.settings.clock_route else None
        assembly.start_gateway(frame, pools, sockets, self._key.public_key(), local)
        self._write_state()

    def _start_children(self) -> tuple[Child, Child | None]:
        moto_port = self._port(1)
        self.aws_url = f"http://{HOST}:{moto_port}"
        hosts = [argument for host in (HOST, *self.settings.extra_hosts) for argument in ("--host", host)]
        now = format_instant(self.clock.now())
        moto = self._child("local.moto_server", [*hosts, "--port", str(moto_port), "--now", now])
        if not self.settings.simulators:
            return moto, None
        port = self._port(2)
        self.simulators_url = f"http://{HOST}:{port}"
        listen = [*hosts, "--port", str(port), "--api-url", self.base_url]
        access_options = ["--aws-url", self.aws_url, "--secrets-prefix", STACK_NAME]
        return moto, self._child("local.simulators", [*listen, *access_options])

    def _port(self, offset: int) -> int:
        """A free port. For containers it is a fixed port after the gateway's, because their env file names it."""
        if not self.settings.containers or self.settings.port == 0:
            return free_port()
        port = self.settings.port + offset
        for host in (HOST, *self.settings.extra_hosts):
            _bind(host, port).close()
        return port

    def _child(self, module: str, arguments: list[str]) -> Child:
        child = Child(module, arguments, self._log_stream)
        self._closing.callback(child.stop)
        return child

    def _keep_at_stack_time(self, url: str) -> None:
        """Tell a child process the time, now and after each jump. In moto a jump also ends queue delays."""
        tell = _teller_of_time(url)
        tell(self.clock.now())
        self.clock.on_jump(tell)

    def _parameters(self) -> dict[str, str]:
        simulators = self.simulators_url or ""
        card_host = simulators.removeprefix("http://") or None
        card_hosts = self.settings.allowed_card_hosts(card_host)
        if self.settings.containers and card_host:
            card_hosts += f",http://{CONTAINERS_HOST}:{card_host.rpartition(':')[2]}"
        buckets = {"CardBuckets": ",".join(self.settings.card_buckets)} if self.settings.card_buckets else {}
        return buckets | {
            "JwtIssuer": self.base_url,
            "JwtAudience": AUDIENCE,
            "FrontEndOrigins": self.settings.front_end_origins,
            "PublicBaseUrl": self.base_url,
            "MetaGraphUrl": self.settings.meta_graph_url or f"{simulators}/meta",
            "OrangeApiUrl": self.settings.orange_api_url or f"{simulators}/orange",
            "CardHosts": card_hosts,
        }

    def _write_state(self) -> None:
        """Write the file that `python -m local token` reads. Only its owner may read it."""
        directory = self.settings.state_root / self.base_url.rpartition(":")[2]
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._closing.callback(shutil.rmtree, directory, ignore_errors=True)
        save_key(self._key, directory / "key.pem")
        state = {
            "pid": os.getpid(),
            "base_url": self.base_url,
            "aws_url": self.aws_url,
            "simulators_url": self.simulators_url,
            "outputs": dict(self.deployment.outputs),
            # now = the machine's time + this offset. After a jump only GET /_local/clock is right, if that route is
            # open.
            "clock_offset_seconds": self.clock.now().timestamp() - time.time(),
        }
        (directory / "stack.json").write_text(json.dumps(state, indent=1))


def _bind(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise PortInUseError(f"port {port} on {host} is in use; choose another with PORT=") from error
    return listening


def _teller_of_time(url: str) -> Callable[[datetime], None]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy

    def tell(instant: datetime) -> None:
        body = json.dumps({"now": format_instant(instant)}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - http, ours
        with opener.open(request, timeout=10):
            pass

    return tell
