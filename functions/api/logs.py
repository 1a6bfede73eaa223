"""Routes for Dashboard > Distribution > Logs and for Campaign > Distribution > History."""

from collections.abc import Mapping
from typing import get_args

from shared.api import cursor, documents, validation
from shared.api.request import Request, Scope
from shared.api.response import Response, list_response
from shared.api.router import Router
from shared.app.container.api import Api
from shared.messages.message import Status, Via
from shared.messages.payload import Channel
from shared.messages.ports import LogQuery
from shared.recipients.lookups import Lookup
from shared.recipients.masking import stored_message_id


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("GET /v1/messages", scope=Scope.READ)
    async def browse(request: Request) -> Response:
        return await _listed(request, app, "list_messages")

    @router.route("GET /v1/campaigns/{campaign_id}/messages", scope=Scope.READ)
    async def history(request: Request) -> Response:
        return await _listed(request, app, "list_campaign_messages")

    @router.route("POST /v1/messages/lookup", scope=Scope.READ)
    async def look_up(request: Request) -> Response:
        body = validation.body(request, "list_messages_of_person")
        await app.lookups.allow(request.organisation, request.subject, Lookup.PHONE)
        person = await app.numbers.person(request.organisation, str(body["phone"]))
        wanted = LogQuery(organisation=request.organisation, person=person)
        # The cursor is bound to the hash, so that a client cannot guess the number from the cursor.
        return await _page(request, app, "list_messages_of_person", wanted, bound_to={"person": person})

    @router.route("GET /v1/messages/{message_id}", scope=Scope.READ)
    async def get(request: Request) -> Response:
        found = await app.browse.message(request.organisation, request.path_parameters["message_id"])
        return Response(status=200, body=documents.message(found, app.adapters.clock.now(), request.language))


async def _listed(request: Request, app: Api, operation: str) -> Response:
    query = validation.query(request, operation)
    channel, status = query.filters.get("channel"), query.filters.get("status")
    via = query.filters.get("via")
    provider_message_id = query.unspaced("provider_message_id")
    wanted = LogQuery(
        organisation=request.organisation,
        campaign_id=query.filters.get("campaign_id"),
        distribution_id=query.filters.get("distribution_id"),
        enrollment_id=query.filters.get("enrollment_id"),
        provider_message_id=stored_message_id(provider_message_id) if provider_message_id else None,
        channel=Channel(channel) if channel else None,
        status=Status(status) if status else None,
        reason=query.filters.get("reason"),
        via=next((one for one in get_args(Via.__value__) if one == via), None),
        now=app.adapters.clock.now(),
        since=query.time("from"),
        until=query.time("to"),
    )
    return await _page(request, app, operation, wanted, bound_to=query.filters)


async def _page(
    request: Request, app: Api, operation: str, wanted: LogQuery, *, bound_to: Mapping[str, str]
) -> Response:
    query = validation.query(request, operation)
    binding = cursor.Binding(request.organisation, operation, bound_to)
    page = await app.browse.messages(wanted, cursor.position(query.cursor, binding), query.limit)
    now = app.adapters.clock.now()
    views = await app.browse.views(request.organisation, page.items)
    items = [documents.message(view, now, request.language) for view in views]
    return list_response(request, items, cursor.following(page.position, binding))
