"""The providers' webhooks. The HTTP routes verify a request and put it on the status queue; the queue's batches move
statuses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from shared.api import problems
from shared.api.request import Request
from shared.api.response import Response
from shared.api.router import Router
from shared.app.aws.keyed import AwsKeyed
from shared.app.aws.stores import Aws
from shared.app.container.webhook import Webhook
from shared.app.receipts import RECEIPTS
from shared.app.runtime import (
    Answer,
    Context,
    Event,
    Handler,
    Loop,
    each_record,
    is_batch,
    lazily,
    read_settings,
    system_clock,
)
from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import Clock
from shared.base.refusal import ProblemCode, Refusal
from shared.messages.payload import Provider
from shared.webhooks.ingress import Report, WebhookIngress
from shared.webhooks.updates import ReceiptFormat

_LONGEST_BODY = 3 * 1024 * 1024
"""Meta's own limit (reference/whatsapp.md §5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Environment variables of the function."""

    log_table: str
    state_table: str
    secrets_prefix: str
    number_key_secret_id: str
    status_queue_url: str
    whatsapp_queue_url: str
    fanout_queue_url: str
    payload_bucket: str
    message_retention_days: str


def build(
    environment: Mapping[str, str],
    clock: Clock | None = None,
    aws: Aws | None = None,
    loop: Loop | None = None,
    formats: Mapping[Provider, ReceiptFormat] = RECEIPTS,
) -> Handler:
    """Build the handler and the objects it needs. This makes no call to AWS."""
    settings = read_settings(Settings, environment)
    clock = clock or system_clock(environment)
    telemetry = LoggedTelemetry("webhook", clock)
    webhook: Webhook = Webhook(AwsKeyed(aws, clock, telemetry, settings, patient=True))
    ingress, receiver = webhook.ingress(formats), webhook.receiver(formats)
    router = Router(on_error=telemetry.crash)
    _register(router, ingress, formats)
    loop = loop or Loop(telemetry.crash)

    def handle(event: Event, _: Context) -> Answer:
        with telemetry.invocation():
            if is_batch(event):
                return loop.run(each_record(event, Report, receiver.receive_all, telemetry))
            return loop.run(router.dispatch(event))

    return handle


def _register(router: Router, ingress: WebhookIngress, receipts: Iterable[Provider]) -> None:
    router.add("GET /webhooks/whatsapp/{organisation_id}", partial(_verify, ingress), scope=None)
    router.add("POST /webhooks/whatsapp/{organisation_id}", partial(_whatsapp, ingress), scope=None)
    for one in receipts:
        router.add(f"POST /webhooks/{one}/{{organisation_id}}/{{token}}", partial(_receipts, ingress, one), scope=None)


async def _verify(ingress: WebhookIngress, request: Request) -> Response:
    mode, token = request.query.get("hub.mode", ""), request.query.get("hub.verify_token", "")
    if await ingress.subscription_is_ours(request.path_parameters["organisation_id"], mode, token):
        return Response(status=200, body=request.query.get("hub.challenge", ""))
    raise Refusal(ProblemCode.FORBIDDEN)


async def _whatsapp(ingress: WebhookIngress, request: Request) -> Response:
    _refuse_giants(request)
    signature = request.headers.get("x-hub-signature-256")
    taken = await ingress.take_whatsapp(request.path_parameters["organisation_id"], request.body, signature)
    return Response(status=200) if taken else problems.not_verified(request.language)


async def _receipts(ingress: WebhookIngress, provider: Provider, request: Request) -> Response:
    _refuse_giants(request)
    path = request.path_parameters
    taken = await ingress.take_receipts(
        provider, path["organisation_id"], path["token"], request.body, request.source_ip
    )
    return Response(status=200) if taken else problems.not_verified(request.language)


def _refuse_giants(request: Request) -> None:
    if len(request.body) > _LONGEST_BODY:
        raise Refusal(ProblemCode.TOO_LARGE, limit="3 MB")


handler = lazily(build)
