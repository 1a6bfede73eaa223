"""The local stack as a whole: starts its parts in the order they need one another, and stops them all.

    with Stack(Settings(port=0)) as stack:
        httpx.get(stack.base_url + "/health", headers={"Authorization": f"Bearer {stack.token()}"})
"""

import asyncio
import importlib
import json
import logging
import os
import shutil
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TextIO

import uvicorn

from local.clock import StackClock, format_instant
from local.cors import Cors
from local.deployment import CREDENTIALS, REGION, STACK_NAME, Deployment, Function, client, deploy
from local.gateway import Gateway, GatewayParts
from local.poller import Poller
from local.processes import Child, free_port
from local.routes import RouteTable, read_routes
from local.runtime import FunctionPool, Handler
from local.schedules import Scheduler
from local.settings import HOST, Settings
from local.template import translate
from local.tokens import AUDIENCE, TokenRequest, make_key, mint, save_key

log = logging.getLogger(__name__)

CHILD_SECONDS = 30.0


class PortInUseError(Exception):
    """Something else listens where the stack was told to."""


class Stack:
    """The running stack. `base_url` is the API, `aws_url` moto; `simulators_url` is None where they were not wanted."""

    def __init__(self, settings: Settings, log_stream: TextIO | None = None) -> None:
        self.settings = settings
        self.clock = StackClock(settings.start)
        self._log_stream = log_stream or sys.stderr
        self._key = make_key()
        self._closing = ExitStack()
        self.base_url = ""
        self.aws_url = ""
        self.simulators_url: str | None = None
        self.deployment: Deployment

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
        """Sign a token by the stack's clock; without a request one with all scopes for an hour."""
        return mint(self._key, request or TokenRequest(issuer=self.base_url), self.clock.now())

    def _start(self) -> None:
        sockets = [_bind(host, self.settings.port) for host in (HOST, *self.settings.extra_hosts)]
        for listening in sockets:
            self._closing.callback(listening.close)
        self.base_url = f"http://{HOST}:{sockets[0].getsockname()[1]}"
        moto, simulators = self._start_children()
        document = translate(self.settings.template, self.settings.state_root)
        moto.wait_ready(CHILD_SECONDS)
        self._follow_clock()
        self.deployment = deploy(document, self._parameters(), self.aws_url)
        self._closing.enter_context(_environment(self.aws_url, self.deployment))
        pools = self._start_functions()
        if simulators is not None:
            simulators.wait_ready(CHILD_SECONDS)
        self._start_polling(pools)
        self._serve(sockets, pools)
        self._write_state()

    def _start_children(self) -> tuple[Child, Child | None]:
        moto_port = free_port()
        self.aws_url = f"http://{HOST}:{moto_port}"
        hosts = [argument for host in (HOST, *self.settings.extra_hosts) for argument in ("--host", host)]
        now = format_instant(self.clock.now())
        moto = self._child("local.moto_server", [*hosts, "--port", str(moto_port), "--now", now])
        if not self.settings.simulators:
            return moto, None
        port = free_port()
        self.simulators_url = f"http://{HOST}:{port}"
        listen = ["--host", HOST, "--port", str(port), "--api-url", self.base_url]
        reach = ["--aws-url", self.aws_url, "--secrets-prefix", STACK_NAME]
        return moto, self._child("local.simulators", [*listen, *reach])

    def _child(self, module: str, arguments: list[str]) -> Child:
        child = Child(module, arguments, self._log_stream)
        self._closing.callback(child.stop)
        return child

    def _follow_clock(self) -> None:
        """Keep moto at the stack's time: its delays, visibility time-outs and expiries move with a jump."""
        move = _moto_mover(self.aws_url)
        move(self.clock.now())
        self.clock.on_jump(move)

    def _parameters(self) -> dict[str, str]:
        simulators = self.simulators_url or ""
        card_host = simulators.removeprefix("http://") or None
        return {
            "JwtIssuer": self.base_url,
            "JwtAudience": AUDIENCE,
            "FrontEndOrigins": self.settings.front_end_origins,
            "PublicBaseUrl": self.base_url,
            "MetaGraphUrl": self.settings.meta_graph_url or f"{simulators}/meta",
            "OrangeApiUrl": self.settings.orange_api_url or f"{simulators}/orange",
            "CardHosts": self.settings.allowed_card_hosts(card_host),
        }

    def _start_functions(self) -> dict[str, FunctionPool]:
        """Build one environment of each function, so that what cannot start is known before the stack answers."""
        functions = self.deployment.functions
        pools = {
            name: FunctionPool(function.limits, _handler_maker(function, self.clock))
            for name, function in functions.items()
        }
        for pool in pools.values():
            pool.warm_up()
        return pools

    def _start_polling(self, pools: Mapping[str, FunctionPool]) -> None:
        for mapping in self.deployment.mappings:
            pool = pools[mapping.function_name]
            within = replace(mapping, concurrency=min(mapping.concurrency, pool.limits.environments))
            sqs = client("sqs", self.aws_url, read_timeout=60, max_pool_connections=pool.limits.environments + 2)
            poller = Poller(within, sqs, pool.submit)
            self._closing.callback(poller.stop)
            poller.start()
        scheduler = Scheduler(client("scheduler", self.aws_url), self.clock, _invoker(pools))
        self._closing.callback(scheduler.stop)
        scheduler.start()

    def _serve(self, sockets: list[socket.socket], pools: Mapping[str, FunctionPool]) -> None:
        document = self.deployment.http_api
        parts = GatewayParts(
            routes=RouteTable(read_routes(document)),
            cors=Cors.read(document),
            key=self._key.public_key(),
            clock=self.clock,
            invoke=_invoker(pools),
            clock_route=self.settings.clock_route,
        )
        config = uvicorn.Config(
            Gateway(parts),
            log_config=None,
            access_log=False,  # it would hold paths, and with them Orange's secret one
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, name="gateway", daemon=True)
        thread.start()
        self._closing.callback(_stop_server, server, thread)
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the gateway did not start")
            time.sleep(0.005)

    def _write_state(self) -> None:
        """Leave what `python -m local token` needs; readable for the owner only."""
        directory = self.settings.state_root / self.base_url.rpartition(":")[2]
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._closing.callback(shutil.rmtree, directory, ignore_errors=True)
        save_key(self._key, directory / "key.pem")
        state = {
            "pid": os.getpid(),
            "base_url": self.base_url,
            "aws_url": self.aws_url,
            "simulators_url": self.simulators_url,
            "region": REGION,
            "outputs": dict(self.deployment.outputs),
            # now = the machine's time + this; jumps change it, so ask GET /_local/clock first where it is open
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


def _stop_server(server: uvicorn.Server, thread: threading.Thread) -> None:
    server.should_exit = True
    thread.join(3)


def _moto_mover(aws_url: str) -> Callable[[datetime], None]:
    def move(instant: datetime) -> None:
        body = format_instant(instant).encode()
        request = urllib.request.Request(f"{aws_url}/_stack/clock", data=body, method="PUT")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10):
            pass

    return move


def _handler_maker(function: Function, clock: StackClock) -> Callable[[], Handler]:
    module = importlib.import_module(function.module)

    def make() -> Handler:
        handler: Handler = module.build(function.environment, clock)
        return handler

    return make


def _invoker(pools: Mapping[str, FunctionPool]) -> Callable[[str, object], Future[object]]:
    return lambda function_name, event: pools[function_name].submit(event)


class _environment:  # noqa: N801 - reads as the context manager that it is
    """The process's environment as Lambda would set it, and back again: boto3's endpoint, no one's credentials."""

    def __init__(self, aws_url: str, deployment: Deployment) -> None:
        shared = [set(function.environment.items()) for function in deployment.functions.values()]
        common = dict(set.intersection(*shared)) if shared else {}
        self._wanted = {
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), HOST, "localhost"])),
            # Powertools reads the process's environment; what all functions agree on can stand there.
            **{name: value for name, value in common.items() if name.startswith("POWERTOOLS_")},
        }
        self._unwanted = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in (*self._wanted, *self._unwanted)}
        os.environ.update(self._wanted)
        for name in self._unwanted:
            os.environ.pop(name, None)

    def __exit__(self, *_: Any) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
