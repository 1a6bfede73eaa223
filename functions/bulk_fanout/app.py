"""POST /v1/distributions, the fan-out queue's tasks, the copies that the channel queues gave up, and the tick."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from functions.bulk_fanout.deps import Deps
from shared.api import bodies, documents, idempotency, validation
from shared.api.request import Request, Scope
from shared.api.response import Response
from shared.api.router import Router
from shared.app.dead_copies import read_dead_copy
from shared.app.records import comes_from, each_read, each_record, is_batch, one_by_one
from shared.app.runtime import Answer, Context, Event, Handler, Loop, lazily, system_clock
from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import Clock
from shared.base.refusal import Fault, ProblemCode, Refusal
from shared.campaigns.create import NewDistribution
from shared.campaigns.distribution import Order
from shared.campaigns.ports import Task
from shared.messages.payload import Channel
from shared.storage.aws import Aws

_MARGIN = timedelta(seconds=20)
"""Before the function's time-out: a step that began must be able to end."""
_AT_MOST = timedelta(minutes=10)


def build(
    environment: Mapping[str, str], clock: Clock | None = None, aws: Aws | None = None, loop: Loop | None = None
) -> Handler:
    """The handler with all it needs; nothing of AWS is called yet."""
    clock = clock or system_clock(environment)
    telemetry = LoggedTelemetry("bulk_fanout", clock)
    deps = Deps(environment, clock, aws or Aws(), telemetry)
    router = Router(on_error=telemetry.crash)
    router.add("POST /v1/distributions", partial(_create, deps), scope=Scope.SEND)
    loop = loop or Loop(telemetry.crash)

    def handle(event: Event, context: Context) -> Answer:
        with telemetry.invocation():
            if is_batch(event):
                if comes_from(event, deps.dead_letter_queues):
                    return loop.run(each_read(event, read_dead_copy, deps.dead_letters.take_all, telemetry))
                until = _until(deps, context)
                return loop.run(each_record(event, Task, partial(_work, deps, until), telemetry))
            if "tick" in event:
                return loop.run(_tick(deps, event["tick"]))
            return loop.run(router.dispatch(event))

    return handle


async def _create(deps: Deps, request: Request) -> Response:
    key = idempotency.key(request)
    body = validation.body(request, "create_distribution")
    recipients, upload_id = bodies.objects(body, "recipients"), bodies.text(body, "upload_id")
    if (recipients is None) == (upload_id is None):
        raise Refusal(ProblemCode.BAD_REQUEST, (Fault(field="recipients", code="field_invalid"),))
    distribution = await deps.planning.create(
        NewDistribution(
            organisation=request.organisation,
            key=key,
            request_hash=idempotency.body_hash(body, secret=deps.number_key_bytes),
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
        )
    )
    view = await deps.browse.view(distribution)
    return Response(status=201 if upload_id is None else 202, body=documents.distribution(view, request.language))


async def _tick(deps: Deps, tick: Mapping[str, str] | bool) -> None:
    """Of every minute, or of one distribution that waited for its own schedule (`shared.storage.schedules`)."""
    if isinstance(tick, bool):
        await deps.fanout.tick()
    else:
        await deps.fanout.tick_one(tick["organisation"], tick["distribution_id"])


async def _work(deps: Deps, until: datetime, tasks: Sequence[Task]) -> Sequence[bool]:
    return await one_by_one(tasks, lambda task: deps.fanout.work(task, until), deps.telemetry)


def _until(deps: Deps, context: Context) -> datetime:
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis()) - _MARGIN
    return deps.clock.now() + min(max(remaining, timedelta()), _AT_MOST)


handler = lazily(build)
