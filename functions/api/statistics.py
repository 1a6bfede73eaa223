"""Routes for the figures of a campaign and of the organisation, and for the list of campaigns."""

from shared.api import cursor, documents, validation
from shared.api.request import Request, Scope
from shared.api.response import Response, list_response
from shared.api.router import Router
from shared.app.container.api import Api
from shared.statistics import reading


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("GET /v1/statistics", scope=Scope.READ)
    async def of_organisation(request: Request) -> Response:
        return await _figures(request, app, "get_statistics")

    @router.route("GET /v1/campaigns/{campaign_id}/statistics", scope=Scope.READ)
    async def of_campaign(request: Request) -> Response:
        """Answer zeroes for a campaign without messages: its ID comes from the front end, so an unknown one is no
        error.
        """
        return await _figures(request, app, "get_campaign_statistics")

    @router.route("GET /v1/campaigns", scope=Scope.READ)
    async def campaigns(request: Request) -> Response:
        query = validation.query(request, "list_campaigns")
        binding = cursor.Binding(request.organisation, "list_campaigns", query.filters)
        position = cursor.position(query.cursor, binding)
        found, following = await app.campaigns.page(request.organisation, position, query.limit)
        return list_response(request, list(map(documents.campaign, found)), cursor.following(following, binding))


async def _figures(request: Request, app: Api, operation: str) -> Response:
    query = validation.query(request, operation)
    scope = reading.Scope(
        organisation=request.organisation,
        campaign_id=query.filters.get("campaign_id"),
        since=query.time("from"),
        until=query.time("to"),
    )
    by_day = query.filters.get("group") == "day"
    return Response(status=200, body=documents.statistics(await app.statistics.read(scope), by_day=by_day))
