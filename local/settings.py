"""The settings of the local stack, read from the environment (api.md, "The local stack")."""

import fcntl
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from local.processes import PROJECT_ROOT
from shared.base.instants import from_rfc3339

HOST = "127.0.0.1"
CONTAINERS_HOST = "host.docker.internal"
"""This machine's name in a container that was started with --add-host host.docker.internal:host-gateway."""
_GET_INTERFACE_ADDRESS = 0x8915  # SIOCGIFADDR, linux/sockios.h
CONTAINERS_START = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""The start of the clock with DOCKER=1, unless NOW is set. events/env.json starts the containers' clocks at this time.
"""
FRONT_END_ORIGINS = ",".join(
    f"{scheme}://{host}{port}"
    for scheme in ("http", "https")
    for host in ("localhost", "127.0.0.1", "[::1]")
    for port in ("", ":*")
)
"""Every page that this machine serves, on any port, may call the API and upload; no other page may.

AWS accepts no such `*` in a deployed HTTP API: there, FrontEndOrigins names each origin.
"""


class SettingsError(ValueError):
    """A setting has an impossible value. The text is for the person who set it."""


def docker_bridge() -> tuple[str, ...]:
    """The address at which containers reach this machine, so that `sam local invoke` sees the same tables and queues.

    Raises SettingsError.
    """
    request = struct.pack("256s", b"docker0")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            answer = fcntl.ioctl(probe.fileno(), _GET_INTERFACE_ADDRESS, request)
    except OSError as error:
        raise SettingsError("DOCKER=1, but this machine has no docker0 bridge") from error
    return (socket.inet_ntoa(answer[20:24]),)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


SECOND_CARD_HOST = "127.1"
"""Another name of 127.0.0.1. To the product it is a second card host, which can fail on its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one stack.

    - `port`: 0 takes any free one. `start` is the clock's first instant.
    - An empty provider URL means the simulator.
    - `extra_hosts`: further addresses to listen on.
    - `containers` (DOCKER=1): containers do the functions' work (`local.containers`).
    - `hurry` (HURRY=1): a batch does not wait until its event source mapping's window has filled.
    """

    port: int = 8000
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    meta_graph_url: str = ""
    orange_api_url: str = ""
    card_hosts: tuple[str, ...] = ()
    card_buckets: tuple[str, ...] = ()
    front_end_origins: str = FRONT_END_ORIGINS
    extra_hosts: tuple[str, ...] = ()
    containers: bool = False
    hurry: bool = False
    clock_route: bool = False
    simulators: bool = True
    template: Path = PROJECT_ROOT / "template.yaml"
    state_root: Path = PROJECT_ROOT / ".local"

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str],
        port: int | None = None,
        bridge: Callable[[], tuple[str, ...]] = docker_bridge,
    ) -> Self:
        now = environment.get("NOW", "")
        containers = environment.get("DOCKER") == "1"
        try:
            chosen_port = port if port is not None else int(environment.get("PORT") or 8000)
            start = from_rfc3339(now) if now else CONTAINERS_START if containers else datetime.now(UTC)
        except ValueError as error:
            raise SettingsError(f"NOW={now!r} PORT={environment.get('PORT', '')!r}: {error}") from error
        if not 0 <= chosen_port <= 65535 - 2 * containers:
            raise SettingsError(f"there is no port {chosen_port}")
        return cls(
            port=chosen_port,
            start=start,
            meta_graph_url=environment.get("META_GRAPH_URL", "").rstrip("/"),
            orange_api_url=environment.get("ORANGE_API_URL", "").rstrip("/"),
            card_hosts=_listed(environment.get("CARD_HOSTS", "")),
            card_buckets=_listed(environment.get("CARD_BUCKETS", "")),
            front_end_origins=environment.get("FRONT_END_ORIGINS") or FRONT_END_ORIGINS,
            extra_hosts=bridge() if containers else (),
            containers=containers,
            hurry=environment.get("HURRY") == "1",
            clock_route=True,
        )

    def allowed_card_hosts(self, simulators: str | None) -> str:
        """The card hosts that the product may call, as the parameter CardHosts lists them.

        They are the simulators, under two names, and the hosts of the settings. Each may be called over plain http.
        """
        another = simulators.replace("127.0.0.1:", f"{SECOND_CARD_HOST}:") if simulators else None
        hosts = [*dict.fromkeys(host for host in (simulators, another) if host), *self.card_hosts]
        return ",".join(host if host.startswith("http://") else f"http://{host}" for host in hosts)
