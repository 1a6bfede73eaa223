"""Sends the messages of the SMS queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.app.aws.clients import AwsClients
from shared.app.aws.stores import Aws
from shared.app.container.sending import Sms
from shared.app.providers import PROVIDERS, ProviderRow
from shared.app.runtime import Answer, Context, Event, Handler, Loop, each_record, lazily, read_settings, system_clock
from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import Clock
from shared.messages.queue_message import QueueMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Environment variables of the function."""

    log_table: str
    state_table: str
    secrets_prefix: str
    sms_queue_url: str
    orange_api_url: str


def build(
    environment: Mapping[str, str],
    clock: Clock | None = None,
    aws: Aws | None = None,
    loop: Loop | None = None,
    providers: Sequence[ProviderRow] = PROVIDERS,
) -> Handler:
    """Build the handler and the objects it needs. This makes no call to AWS."""
    settings = read_settings(Settings, environment)
    clock = clock or system_clock(environment)
    telemetry = LoggedTelemetry("send_sms", clock)
    sms: Sms = Sms(AwsClients(aws, clock, telemetry, settings))
    step = sms.sms_step(providers=providers)
    loop = loop or Loop(telemetry.crash)

    def handle(event: Event, _: Context) -> Answer:
        with telemetry.invocation():
            return loop.run(each_record(event, QueueMessage, step.send_all, telemetry))

    return handle


handler = lazily(build)
