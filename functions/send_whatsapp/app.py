"""Sends what the WhatsApp queue delivers."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.app.records import each_record
from shared.app.runtime import Answer, Context, Event, Handler, Loop, lazily, read_settings, system_clock
from shared.app.stores import Names, Stores
from shared.app.telemetry import LoggedTelemetry
from shared.app.whatsapp import whatsapp_step
from shared.base.instants import Clock
from shared.cards.references import parse_buckets, parse_hosts
from shared.messages.payload import META, Channel
from shared.messages.queue_message import Dispatch
from shared.storage.aws import Aws


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Environment variables of the function."""

    log_table: str
    state_table: str
    secrets_prefix: str
    whatsapp_queue_url: str
    fanout_queue_url: str
    meta_graph_url: str
    card_hosts: str
    card_buckets: str


def build(
    environment: Mapping[str, str], clock: Clock | None = None, aws: Aws | None = None, loop: Loop | None = None
) -> Handler:
    """The handler with all it needs; nothing of AWS is called yet."""
    settings = read_settings(Settings, environment)
    clock = clock or system_clock(environment)
    telemetry = LoggedTelemetry("send_whatsapp", clock)
    stores = Stores(
        aws or Aws(),
        clock,
        telemetry,
        Names(
            log_table=settings.log_table,
            fanout_queue_url=settings.fanout_queue_url,
            state_table=settings.state_table,
            secrets_prefix=settings.secrets_prefix,
        ),
    )
    step = whatsapp_step(
        stores,
        {META: settings.meta_graph_url},
        {Channel.WHATSAPP: settings.whatsapp_queue_url},
        parse_hosts(settings.card_hosts),
        parse_buckets(settings.card_buckets),
    )
    loop = loop or Loop(telemetry.crash)

    def handle(event: Event, _: Context) -> Answer:
        with telemetry.invocation():
            return loop.run(each_record(event, Dispatch, step.send_all, telemetry))

    return handle


handler = lazily(build)
