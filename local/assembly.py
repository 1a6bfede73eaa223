"""Starts what runs in the stack's own process: the functions, the pollers, the schedules and the gateway.

It is separate from `local.stack`, because importing it takes a second, and the stack does that while moto starts.
"""

import importlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import botocore.session
import uvicorn
from botocore.loaders import Loader
from cryptography.hazmat.primitives.asymmetric import rsa

from local.agenda import Agendas
from local.clock import StackClock
from local.cors import Cors
from local.deployment import CREDENTIALS, Deployment, Function, client
from local.gateway import Gateway, GatewayParts, LocalRoutes
from local.in_flight import InFlight
from local.jump import Jump
from local.poller import Poller
from local.reset import QUEUES_PATH, Reset, read
from local.routes import RouteTable, read_routes
from local.runtime import FunctionPool, Handler
from local.schedules import Scheduler
from local.template import REGION, Document, handler_modules
from local.valve import Valve
from shared.storage.aws import Aws

type Pools = Mapping[str, FunctionPool]

LAST_SECONDS = 1.0
STILL_SECONDS = 30.0
"""Seconds that a jump of the clock waits for a working function. A sender waits less for a provider that does not
answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the parts share.

    Each part registers in `closing` how it stops. While `hurry` is set, no batch waits for its window.
    """

    deployment: Deployment
    clock: StackClock
    aws_url: str
    closing: ExitStack
    hurry: threading.Event = field(default_factory=threading.Event)


def import_handlers(document: Document) -> None:
    """Import the functions' modules. So an ImportError comes before the deployment."""
    for module in handler_modules(document):
        importlib.import_module(module)


def start_functions(frame: Frame) -> Pools:
    """Build one environment of each function, so that an error in its start comes before the stack answers."""
    frame.closing.enter_context(_lambda_environment(frame))
    functions = frame.deployment.functions
    models = Loader()
    pools = {name: FunctionPool(f.limits, _handler_maker(f, frame.clock, models)) for name, f in functions.items()}
    for pool in pools.values():
        pool.warm_up()
    frame.closing.callback(_close, pools)
    return pools


def _close(pools: Pools) -> None:
    """Give invocations a moment to end. One that waits for its send slot is cut off."""
    give_up = time.monotonic() + LAST_SECONDS
    while any(pool.is_busy for pool in pools.values()) and time.monotonic() < give_up:
        time.sleep(0.02)
    for pool in pools.values():
        pool.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """The parts that invoke functions by themselves. `valves` and `in_flight` are by queue name."""

    scheduler: Scheduler
    valves: Mapping[str, Valve]
    in_flight: Mapping[str, InFlight]


def start_polling(frame: Frame, pools: Pools) -> Polling:
    valves: dict[str, Valve] = {}
    in_flight: dict[str, InFlight] = {}
    for mapping in frame.deployment.mappings:
        pool = pools[mapping.function_name]
        within = replace(mapping, concurrency=min(mapping.concurrency, pool.limits.environments))
        credentials = frame.deployment.functions[mapping.function_name].credentials  # a mapping has the function's role
        connections = pool.limits.environments + 2
        sqs = client("sqs", frame.aws_url, credentials, read_timeout=60, max_pool_connections=connections)
        name = mapping.queue_arn.rpartition(":")[2]
        valve = valves.setdefault(name, Valve())
        poller = Poller(within, sqs, pool.submit, frame.hurry, valve)
        in_flight[name] = poller.in_flight
        frame.closing.callback(poller.stop)
        poller.start()
    scheduler = Scheduler(client("scheduler", frame.aws_url), frame.clock, _invoker(pools))
    frame.closing.callback(scheduler.stop)
    scheduler.start()
    return Polling(scheduler=scheduler, valves=valves, in_flight=in_flight)


def local_routes(frame: Frame, pools: Pools, simulators_url: str | None, polling: Polling | None) -> LocalRoutes:
    """Return what the routes under /_local call. A reset comes back to the state of this moment."""
    scheduler = polling.scheduler if polling is not None else None
    reset = Reset(aws_url=frame.aws_url, simulators_url=simulators_url, pools=pools, scheduler=scheduler)
    reset.remember()
    if polling is None:
        return LocalRoutes(jump=frame.clock.advance_to, reset=reset.now)
    agendas = Agendas(client("dynamodb", frame.aws_url, read_timeout=60))

    def busy() -> bool:
        """Whether a function works, or a message is on a queue or on its way to a function."""
        if any(pool.is_busy for pool in pools.values()):
            return True
        counts: dict[str, tuple[int, int]] = read(f"{frame.aws_url}{QUEUES_PATH}")  # four questions by boto3 cost 12 ms
        return any(_has_work(*counts[name], in_flight) for name, in_flight in polling.in_flight.items())

    def anew() -> None:
        for valve in polling.valves.values():
            valve.allow(None)
        reset.now()

    still = partial(stopped_clock, pools, tuple(polling.valves.values()), tuple(polling.in_flight.values()))
    jump = Jump(frame.clock, polling.scheduler, busy, agendas.next_due, frame.hurry, still)
    return LocalRoutes(jump=jump.to, reset=anew, valves=polling.valves)


@contextmanager
def stopped_clock(pools: Pools, valves: Sequence[Valve], in_flight: Sequence[InFlight]) -> Iterator[None]:
    """Within this context no message is received and no function works, unless one needs longer than STILL_SECONDS."""

    def working() -> bool:
        return any(pool.is_busy for pool in pools.values()) or any(one.is_working for one in in_flight)

    with ExitStack() as shut:
        for valve in valves:
            shut.enter_context(valve.shut())
        give_up = time.monotonic() + STILL_SECONDS
        while working() and time.monotonic() < give_up:
            time.sleep(0.02)
        yield


def _has_work(visible: int, hidden: int, in_flight: InFlight) -> bool:
    return visible > 0 or in_flight.has_on_the_way(hidden)


def start_gateway(
    frame: Frame, pools: Pools, sockets: list[socket.socket], key: rsa.RSAPublicKey, local: LocalRoutes | None
) -> None:
    """Start the gateway on `sockets`. `local` is what the routes under /_local call; None closes them."""
    document = frame.deployment.http_api
    parts = GatewayParts(
        routes=RouteTable(read_routes(document)),
        cors=Cors.read(document),
        key=key,
        clock=frame.clock,
        invoke=_invoker(pools),
        local=local,
    )
    config = uvicorn.Config(
        Gateway(parts),
        log_config=None,
        access_log=False,  # it would log paths, and one of Orange's paths is secret
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=65,  # longer than clients keep one, or it may close while a client writes
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, name="gateway", daemon=True)
    thread.start()
    frame.closing.callback(_stop_server, server, thread)
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the gateway did not start")
        time.sleep(0.005)


def _stop_server(server: uvicorn.Server, thread: threading.Thread) -> None:
    server.should_exit = True
    thread.join(3)


def _handler_maker(function: Function, clock: StackClock, models: Loader) -> Callable[[], Handler]:
    """Each environment has its own AWS clients. All share AWS's service models, which are megabytes."""
    module = importlib.import_module(function.module)

    def make() -> Handler:
        session = botocore.session.Session()
        session.register_component("data_loader", models)
        role = function.credentials
        session.set_credentials(role["aws_access_key_id"], role["aws_secret_access_key"], role["aws_session_token"])
        handler: Handler = module.build(function.environment, clock, Aws(session))
        return handler

    return make


def _invoker(pools: Pools) -> Callable[[str, object], Future[object]]:
    return lambda function_name, event: pools[function_name].submit(event)


@contextmanager
def _lambda_environment(frame: Frame) -> Iterator[None]:
    """Set the process's environment as Lambda does, with moto's endpoint and invalid credentials, and restore it."""
    settings = [set(function.environment.items()) for function in frame.deployment.functions.values()]
    common = dict(set.intersection(*settings)) if settings else {}
    wanted: dict[str, str | None] = {
        "AWS_ENDPOINT_URL": frame.aws_url,
        "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"])),
        # Powertools reads the process's environment, which can have the settings that all functions share.
        **{name: value for name, value in common.items() if name.startswith("POWERTOOLS_")},
        **dict.fromkeys(("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")),
    }
    before = {name: os.environ.get(name) for name in wanted}
    _set_environment(wanted)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
