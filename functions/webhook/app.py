"""The providers' webhooks: at the door verify and queue; behind the queue, move statuses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from shared.api.request import Request
from shared.api.response import Response
from shared.api.router import Router
from shared.app.receipts import RECEIPTS
from shared.app.records import each_record, is_batch
from shared.app.runtime import Answer, Context, Event, Handler, Loop, days, lazily, read_settings, system_clock
from shared.app.stores import Names, Stores
from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import Clock
from shared.base.refusal import ProblemCode, Refusal
from shared.messages.payload import Channel, Provider
from shared.messages.status_effects import Aftermath, AftermathDeps
from shared.providers.meta import webhook
from shared.recipients.contacts import Identities
from shared.recipients.number_key import NumberKey
from shared.sending.enqueue_now import Straight
from shared.storage.aws import Aws
from shared.storage.integrations import number_key
from shared.storage.plans import S3Plans
from shared.storage.queues import SqsStatusQueue, SqsTaskQueue
from shared.webhooks.account_updates import AccountDeps, AccountListener
from shared.webhooks.inbound import InboundDeps, InboundDesk
from shared.webhooks.ingress import Doorkeeper, ReceiptDesk, Receiver, Report
from shared.webhooks.meta_documents import MetaDesk
from shared.webhooks.unmatched_receipts import Strangers
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
    """The handler with all it needs; nothing of AWS is called yet."""
    settings = read_settings(Settings, environment)
    clock = clock or system_clock(environment)
    telemetry = LoggedTelemetry("webhook", clock)
    names = Names(
        log_table=settings.log_table,
        fanout_queue_url=settings.fanout_queue_url,
        state_table=settings.state_table,
        secrets_prefix=settings.secrets_prefix,
        message_retention=days(settings.message_retention_days),
    )
    stores = Stores(aws or Aws(), clock, telemetry, names, patient=True)
    queue = SqsStatusQueue(stores.aws, settings.status_queue_url)
    door = Doorkeeper(stores.integrations, queue, webhook, formats, telemetry, stores.clock)
    keyed = _keyed(stores.aws, settings.number_key_secret_id)
    strangers = Strangers(stores.unknown_sms, lambda organisation, e164: keyed().person(organisation, e164))
    receipts = ReceiptDesk(formats=formats, receipts=stores.receipts, strangers=strangers, queue=queue)
    people, account = _inbound_desk(stores, settings, keyed), _account_listener(stores, settings)
    settler, consequences = stores.settler(), stores.consequences()
    statuses = Aftermath(
        AftermathDeps(
            log=stores.log,
            distributions=stores.distributions,
            settler=settler,
            consequences=consequences,
            holding=stores.holding,
            pulse=stores.pulse,
            clock=stores.clock,
        )
    )
    meta = MetaDesk(whatsapp=webhook, statuses=statuses, news_listeners=(people, account), status_listeners=(people,))
    receiver = Receiver(settler, meta, receipts, telemetry, stores.clock)
    router = Router(on_error=telemetry.crash)
    _register(router, door, formats)
    loop = loop or Loop(telemetry.crash)

    def handle(event: Event, _: Context) -> Answer:
        with telemetry.invocation():
            if is_batch(event):
                return loop.run(each_record(event, Report, receiver.receive_all, telemetry))
            return loop.run(router.dispatch(event))

    return handle


def _inbound_desk(stores: Stores, settings: Settings, keyed: Callable[[], NumberKey]) -> InboundDesk:
    """Whoever hears what people write, and answers a STOP."""
    hashed: Callable[[str, str], str] = lambda organisation, e164: keyed().person(organisation, e164)  # noqa: E731
    queue = stores.channel_queue({Channel.WHATSAPP: settings.whatsapp_queue_url})
    return InboundDesk(
        InboundDeps(
            identities=Identities(stores.contacts, stores.people, stores.sessions, hashed),
            integrations=stores.integrations,
            log=stores.log,
            plans=S3Plans(stores.aws, settings.payload_bucket, lambda body: keyed().content(body)),
            straight=Straight(log=stores.log, lanes=stores.lanes, queue=queue, clock=stores.clock),
            telemetry=stores.telemetry,
            clock=stores.clock,
        )
    )


def _account_listener(stores: Stores, settings: Settings) -> AccountListener:
    """Whoever hears what Meta does to templates, account and limits."""
    return AccountListener(
        AccountDeps(
            integrations=stores.current_integrations,
            book=stores.templates,
            reputations=stores.reputations,
            holding=stores.holding,
            tasks=SqsTaskQueue(stores.aws, settings.fanout_queue_url),
            telemetry=stores.telemetry,
            clock=stores.clock,
        )
    )


def _keyed(aws: Aws, number_key_secret_id: str) -> Callable[[], NumberKey]:
    """Hashes numbers and content; the key is read with the first receipt that needs it."""

    @lru_cache(maxsize=1)
    def key() -> NumberKey:
        return NumberKey(number_key(aws, number_key_secret_id))

    return key


def _register(router: Router, door: Doorkeeper, receipts: Iterable[Provider]) -> None:
    router.add("GET /webhooks/whatsapp/{organisation_id}", partial(_verify, door), scope=None)
    router.add("POST /webhooks/whatsapp/{organisation_id}", partial(_whatsapp, door), scope=None)
    for one in receipts:
        router.add(f"POST /webhooks/{one}/{{organisation_id}}/{{token}}", partial(_receipts, door, one), scope=None)


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


async def _receipts(door: Doorkeeper, provider: Provider, request: Request) -> Response:
    _refuse_giants(request)
    path = request.path_parameters
    taken = await door.take_receipts(provider, path["organisation_id"], path["token"], request.body, request.source_ip)
    return Response(status=200 if taken else 401)


def _refuse_giants(request: Request) -> None:
    if len(request.body) > _LONGEST_BODY:
        raise Refusal(ProblemCode.TOO_LARGE, limit="3 MB")


handler = lazily(build)
