"""Settings, single sends, preview, logs and control over HTTP."""

from collections.abc import Mapping

from functions.api import (
    bulk,
    dead_letters,
    erasures,
    integrations,
    logs,
    people,
    public,
    sending,
    statistics,
    templates,
)
from functions.api.deps import Deps
from shared.api.router import Router
from shared.app.runtime import Answer, Context, Event, Handler, Loop, lazily, system_clock
from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import Clock
from shared.storage.aws import Aws


def build(
    environment: Mapping[str, str], clock: Clock | None = None, aws: Aws | None = None, loop: Loop | None = None
) -> Handler:
    """The handler with all it needs; nothing of AWS is called yet."""
    clock = clock or system_clock(environment)
    telemetry = LoggedTelemetry("api", clock)
    deps = Deps(environment, clock, aws or Aws(), telemetry)
    router = Router(on_error=telemetry.crash)
    for routes in (integrations, sending, bulk, logs, statistics, people, erasures, dead_letters, templates, public):
        routes.register(router, deps)
    loop = loop or Loop(telemetry.crash)

    def handle(event: Event, _: Context) -> Answer:
        with telemetry.invocation():
            return loop.run(router.dispatch(event))

    return handle


handler = lazily(build)
