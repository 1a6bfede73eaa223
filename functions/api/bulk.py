"""Routes for uploads and for distributions: list, show and control. The fan-out function creates distributions."""

from uuid import uuid4

from shared.api import cursor, documents, problems, validation
from shared.api.request import Request, Scope
from shared.api.response import Response, list_response
from shared.api.router import RouteHandler, Router
from shared.app.container.api import Api
from shared.campaigns.distribution import Action, DistributionStatus
from shared.campaigns.ports import DistributionQuery
from shared.messages.payload import Channel


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("POST /v1/uploads", scope=Scope.SEND)
    async def upload(request: Request) -> Response:
        body = validation.body(request, "create_upload")
        upload_id = str(uuid4())
        target = await app.adapters.uploads.target(
            request.organisation,
            upload_id,
            format=str(body["format"]),
            size=int(str(body["bytes"])),
            now=app.adapters.clock.now(),
        )
        return Response(
            status=201,
            body={
                "upload_id": upload_id,
                "url": target.url,
                "method": "PUT",
                "headers": dict(target.headers),
                "expires_at": target.expires_at,
            },
        )

    @router.route("GET /v1/distributions", scope=Scope.READ)
    async def browse(request: Request) -> Response:
        query = validation.query(request, "list_distributions")
        status, channel = query.filters.get("status"), query.filters.get("channel")
        wanted = DistributionQuery(
            organisation=request.organisation,
            campaign_id=query.filters.get("campaign_id"),
            status=DistributionStatus(status) if status else None,
            channel=Channel(channel) if channel else None,
            since=query.time("from"),
            until=query.time("to"),
        )
        binding = cursor.Binding(request.organisation, "list_distributions", query.filters)
        page = await app.adapters.distributions.page(wanted, cursor.position(query.cursor, binding), query.limit)
        views = [await app.browse.view(one) for one in page.items]
        items = [documents.distribution(view, request.language) for view in views]
        return list_response(request, items, cursor.following(page.position, binding))

    @router.route("GET /v1/distributions/{distribution_id}", scope=Scope.READ)
    async def get(request: Request) -> Response:
        view = await app.browse.distribution(request.organisation, request.path_parameters["distribution_id"])
        return Response(status=200, body=documents.distribution(view, request.language))

    @router.route("GET /v1/distributions/{distribution_id}/samples", scope=Scope.READ)
    async def samples(request: Request) -> Response:
        found = await app.samples.of(request.organisation, request.path_parameters["distribution_id"])
        return Response(status=200, body={"items": [documents.sample(one) for one in found]})

    @router.route("GET /v1/distributions/{distribution_id}/errors", scope=Scope.READ)
    async def errors(request: Request) -> Response:
        query = validation.query(request, "list_distribution_errors")
        identity = request.path_parameters["distribution_id"]
        binding = cursor.Binding(request.organisation, "list_distribution_errors", query.filters)
        part, start = cursor.place_of(query.cursor, binding)
        field_errors, following = await app.browse.field_errors(
            request.organisation, identity, part, start, query.limit
        )
        items = [problems.field_error_document(field_error, request.language) for field_error in field_errors]
        return list_response(request, items, _next(following, binding))

    @router.route("GET /v1/distributions/{distribution_id}/duplicates", scope=Scope.READ)
    async def duplicates(request: Request) -> Response:
        query = validation.query(request, "list_distribution_duplicates")
        identity = request.path_parameters["distribution_id"]
        binding = cursor.Binding(request.organisation, "list_distribution_duplicates", query.filters)
        part, start = cursor.place_of(query.cursor, binding)
        rows, following = await app.browse.duplicates(request.organisation, identity, part, start, query.limit)
        return list_response(request, list(map(documents.duplicate, rows)), _next(following, binding))

    for action in Action:
        router.add(f"POST /v1/distributions/{{distribution_id}}/{action}", _acting(app, action), scope=Scope.SEND)


def _next(place: tuple[int, int] | None, binding: cursor.Binding) -> str | None:
    return cursor.following(f"{place[0]}.{place[1]}" if place else None, binding)


def _acting(app: Api, action: Action) -> RouteHandler:
    async def act(request: Request) -> Response:
        identity = request.path_parameters["distribution_id"]
        distribution = await app.control.act(request.organisation, identity, action, request.caller_name)
        view = await app.browse.view(distribution)
        return Response(status=200, body=documents.distribution(view, request.language))

    return act
