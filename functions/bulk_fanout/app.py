"""Handles POST /v1/distributions and the retry of one, the tasks of the fan-out queue, dead queue messages of the
channel queues, and the tick.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from shared.api import bodies, documents, validation
from shared.api.request import Request, Scope, body_hash, idempotency_key
from shared.api.response import Response
from shared.api.router import Router
from shared.app.aws.stores import Aws
from shared.app.aws.whole import AwsWhole
from shared.app.container.fanout import FanningOut
from shared.app.fanout import read_dead_queue_message
from shared.app.runtime import (
    Answer,
    Context,
    Event,
    Handler,
    Loop,
    comes_from,
    each_read,
    each_record,
    is_batch,
    lazily,
    one_by_one,
    read_settings,
    system_clock,
)
from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import Clock
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.campaigns.create import NewDistribution, NewRetry
from shared.campaigns.distribution import Order
from shared.campaigns.ports import Task
from shared.messages.payload import Channel

_MARGIN = timedelta(seconds=20)
"""The work ends this long before the function's time-out, so that a step that has begun can end."""
_AT_MOST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Environment variables of the function."""

    log_table: str
    state_table: str
    payload_bucket: str
    secrets_prefix: str
    number_key_secret_id: str
    whatsapp_queue_url: str
    sms_queue_url: str
    fanout_queue_url: str
    dead_letter_queue_arns: str
    meta_graph_url: str
    orange_api_url: str
    card_hosts: str
    card_buckets: str
    schedule_group: str
    schedule_target_arn: str
    schedule_role_arn: str
    message_retention_days: str


def build(
    environment: Mapping[str, str], clock: Clock | None = None, aws: Aws | None = None, loop: Loop | None = None
) -> Handler:
    """Build the handler and the objects it needs. This makes no call to AWS."""
    settings = read_settings(Settings, environment)
    clock = clock or system_clock(environment)
    telemetry = LoggedTelemetry("bulk_fanout", clock)
    app: FanningOut = FanningOut(AwsWhole(aws, clock, telemetry, settings))
    given_up = frozenset(settings.dead_letter_queue_arns.split(","))
    router = Router(on_error=telemetry.crash)
    router.add("POST /v1/distributions", partial(_create, app), scope=Scope.SEND)
    router.add("POST /v1/distributions/{distribution_id}/retry", partial(_retry, app), scope=Scope.SEND)
    loop = loop or Loop(telemetry.crash)

    def handle(event: Event, context: Context) -> Answer:
        with telemetry.invocation():
            if is_batch(event):
                if comes_from(event, given_up):
                    return loop.run(each_read(event, read_dead_queue_message, app.dead_letters.take_all, telemetry))
                until = _until(app, context)
                return loop.run(each_record(event, Task, partial(_work, app, telemetry, until), telemetry))
            if "tick" in event:
                return loop.run(_tick(app, event["tick"]))
            return loop.run(router.dispatch(event))

    return handle


async def _create(app: FanningOut, request: Request) -> Response:
    key = idempotency_key(request)
    body = validation.body(request, "create_distribution")
    recipients, upload_id = bodies.objects(body, "recipients"), bodies.text(body, "upload_id")
    if (recipients is None) == (upload_id is None):
        raise Refusal(ProblemCode.BAD_REQUEST, (FieldError(field="recipients", code="field_invalid"),))
    distribution = await app.planning.create(
        NewDistribution(
            organisation=request.organisation,
            key=key,
            request_hash=body_hash(body, secret=app.adapters.number_key_bytes),
            campaign_id=str(body["campaign_id"]),
            channel=Channel(str(body["channel"])),
            order=Order(
                content=bodies.content(body),
                defaults=bodies.obj(body, "defaults"),
                skip_already_sent=body.get("skip_already_sent") is True,
                fallback=bodies.fallback(body),
            ),
            schedule=bodies.schedule(body),
            confirm=body.get("confirm") is True,
            upload_id=upload_id,
            recipients=recipients,
            created_by=request.caller_name,
            name=bodies.name(body),
        )
    )
    view = await app.browse.view(distribution)
    return Response(status=201 if upload_id is None else 202, body=documents.distribution(view, request.language))


async def _retry(app: FanningOut, request: Request) -> Response:
    key = idempotency_key(request)
    body = validation.body(request, "retry_distribution")
    source = request.path_parameters["distribution_id"]
    distribution = await app.planning.retry(
        NewRetry(
            organisation=request.organisation,
            key=key,
            # The path names a part of the request: the same key for another distribution is another request.
            request_hash=body_hash({**body, "distribution_id": source}, secret=app.adapters.number_key_bytes),
            source=source,
            reasons=bodies.retry_reasons(body),
            confirm=body.get("confirm") is True,
            created_by=request.caller_name,
        )
    )
    view = await app.browse.view(distribution)
    return Response(status=202, body=documents.distribution(view, request.language))


async def _tick(app: FanningOut, tick: Mapping[str, str] | bool) -> None:
    """Run the tick of the minute, or the tick of one distribution that has its own schedule."""
    if isinstance(tick, bool):
        await app.fanout.tick()
    else:
        await app.fanout.tick_one(tick["organisation"], tick["distribution_id"])


async def _work(app: FanningOut, telemetry: LoggedTelemetry, until: datetime, tasks: Sequence[Task]) -> Sequence[bool]:
    return await one_by_one(tasks, lambda task: app.fanout.work(task, until), telemetry)


def _until(app: FanningOut, context: Context) -> datetime:
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis()) - _MARGIN
    return app.adapters.clock.now() + min(max(remaining, timedelta()), _AT_MOST)


handler = lazily(build)
