"""What a person may choose of the local stack, from the environment: api.md, "The local stack"."""

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
"""With DOCKER=1 unless NOW says otherwise: the morning at which events/env.json starts the containers' clocks."""
FRONT_END_ORIGINS = ",".join(
    f"{scheme}://{host}{port}"
    for scheme in ("http", "https")
    for host in ("localhost", "127.0.0.1", "[::1]")
    for port in ("", ":*")
)
"""Every page that this machine serves may call the API and upload, on any port; no other page may. A deployed
HTTP API takes no such `*`: there FrontEndOrigins names each origin."""


class SettingsError(ValueError):
    """A setting that cannot be; the text is for the person who made it."""


def docker_bridge() -> tuple[str, ...]:
    """Where containers reach this machine, so that `sam local invoke` sees the same tables and queues."""
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
"""Another name of 127.0.0.1: to the product it is another card host, that may be in trouble by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`port` 0 takes any free one. Empty provider URLs mean the simulators. `extra_hosts` are further addresses.

    `containers`: containers do the functions' work (DOCKER=1), see `local.containers`. `hurry` (HURRY=1): no batch
    waits for its mapping's window to fill, which a test would only wait for.
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
        """`host:port` of the sample cards, under two names, and the person's own; each allowed plain http."""
        another = simulators.replace("127.0.0.1:", f"{SECOND_CARD_HOST}:") if simulators else None
        hosts = [*dict.fromkeys(host for host in (simulators, another) if host), *self.card_hosts]
        return ",".join(host if host.startswith("http://") else f"http://{host}" for host in hosts)
