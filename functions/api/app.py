"""HTTP routes for settings, single sends, previews, logs and control."""

from collections.abc import Mapping
from dataclasses import dataclass

from functions.api import (
    bulk,
    dead_letters,
    erasures,
    exports,
    integrations,
    logs,
    people,
    public,
    sending,
    statistics,
    templates,
)
from shared.api.router import Router
from shared.app.aws.stores import Aws
from shared.app.aws.whole import AwsWhole
from shared.app.container.api import Api
from shared.app.runtime import Answer, Context, Event, Handler, Loop, lazily, read_settings, system_clock
from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Environment variables of the function. If `public_base_url` is empty, the API shows the request's own host."""

    log_table: str
    state_table: str
    payload_bucket: str
    secrets_prefix: str
    number_key_secret_id: str
    whatsapp_queue_url: str
    sms_queue_url: str
    fanout_queue_url: str
    meta_graph_url: str
    orange_api_url: str
    card_hosts: str
    card_buckets: str
    public_base_url: str
    schedule_group: str
    schedule_target_arn: str
    schedule_role_arn: str
    message_retention_days: str
    secrets_key: str


def build(
    environment: Mapping[str, str], clock: Clock | None = None, aws: Aws | None = None, loop: Loop | None = None
) -> Handler:
    """Build the handler and the objects it needs. This makes no call to AWS."""
    settings = read_settings(Settings, environment)
    clock = clock or system_clock(environment)
    telemetry = LoggedTelemetry("api", clock)
    app: Api = Api(AwsWhole(aws, clock, telemetry, settings))
    router = Router(on_error=telemetry.crash)
    for routes in (sending, bulk, logs, statistics, people, erasures, dead_letters, templates, exports):
        routes.register(router, app)
    integrations.register(router, app, settings.public_base_url)
    public.register(router, settings.public_base_url)
    loop = loop or Loop(telemetry.crash)

    def handle(event: Event, _: Context) -> Answer:
        with telemetry.invocation():
            return loop.run(router.dispatch(event))

    return handle


handler = lazily(build)
