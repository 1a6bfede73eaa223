"""Meta's and Orange's webhooks: at the door verify and queue; behind the queue, move statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from shared.aws.function import Answer, Context, Event, Handler, Loop, SystemClock, lazily, read_settings
from shared.aws.queues import SqsStatusQueue
from shared.aws.records import each_record, is_batch, one_by_one
from shared.aws.session import Aws
from shared.aws.telemetry import LoggedTelemetry
from shared.domain.clock import Clock
from shared.domain.refusal import ProblemCode, Refusal
from shared.http.request import Request
from shared.http.response import Response
from shared.http.router import Router
from shared.providers.orange.receipts import receipts
from shared.providers.whatsapp import webhook
from shared.usecases.receive import Doorkeeper, Receiver, Report
from shared.wiring.stores import Names, Stores

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


def build(environment: Mapping[str, str], clock: Clock | None = None, aws: Aws | None = None) -> Handler:
    """The handler with all it needs; nothing of AWS is called yet."""
    settings = read_settings(Settings, environment)
    telemetry = LoggedTelemetry("webhook")
    names = Names(
        log_table=settings.log_table, state_table=settings.state_table, secrets_prefix=settings.secrets_prefix
    )
    stores = Stores(aws or Aws(), clock or SystemClock(), telemetry, names, patient=True)
    queue = SqsStatusQueue(stores.aws, settings.status_queue_url)
    door = Doorkeeper(stores.integrations, queue, webhook, telemetry, stores.clock)
    receiver = Receiver(stores.settler(), stores.receipts, webhook, receipts, telemetry, stores.clock)
    router = Router(on_error=telemetry.crash)
    _register(router, door)
    loop = Loop()

    async def receive(reports: Sequence[Report]) -> Sequence[bool]:
        return await one_by_one(reports, receiver.receive, telemetry)

    def handle(event: Event, _: Context) -> Answer:
        if is_batch(event):
            return loop.run(each_record(event, Report, receive, telemetry))
        return loop.run(router.dispatch(event))

    return handle


def _register(router: Router, door: Doorkeeper) -> None:
    router.add("GET /webhooks/whatsapp/{organisation_id}", partial(_verify, door), scope=None)
    router.add("POST /webhooks/whatsapp/{organisation_id}", partial(_whatsapp, door), scope=None)
    router.add("POST /webhooks/orange/{organisation_id}/{token}", partial(_orange, door), scope=None)


async def _verify(door: Doorkeeper, request: Request) -> Response:
    mode, token = request.query.get("hub.mode", ""), request.query.get("hub.verify_token", "")
    if await door.subscription_is_ours(request.path_parameters["organisation_id"], mode, token):
        return Response(status=200, body=request.query.get("hub.challenge", ""))
    raise Refusal(ProblemCode.FORBIDDEN)


async def _whatsapp(door: Doorkeeper, request: Request) -> Response:
    _refuse_giants(request)
    signature = request.headers.get("x-hub-signature-256")
    taken = await door.take_whatsapp(request.path_parameters["organisation_id"], request.body, signature)
    return Response(status=200 if taken else 401)


async def _orange(door: Doorkeeper, request: Request) -> Response:
    _refuse_giants(request)
    path = request.path_parameters
    taken = await door.take_orange(path["organisation_id"], path["token"], request.body, request.source_ip)
    return Response(status=200 if taken else 401)


def _refuse_giants(request: Request) -> None:
    if len(request.body) > _LONGEST_BODY:
        raise Refusal(ProblemCode.TOO_LARGE, limit="3 MB")


handler = lazily(build)
