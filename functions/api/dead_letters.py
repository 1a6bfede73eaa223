"""Routes for dead letters. An administrator lists them and redrives them."""

from shared.api import cursor, documents, validation
from shared.api.request import Request, Scope
from shared.api.response import Response, list_response
from shared.api.router import Router
from shared.app.container.api import Api
from shared.messages.payload import Channel
from shared.messages.ports import LogQuery


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("GET /v1/dead-letters", scope=Scope.ADMIN)
    async def browse(request: Request) -> Response:
        query = validation.query(request, "list_dead_letters")
        channel = query.filters.get("channel")
        wanted = LogQuery(organisation=request.organisation, dead=True, channel=Channel(channel) if channel else None)
        binding = cursor.Binding(request.organisation, "list_dead_letters", query.filters)
        page = await app.browse.messages(wanted, cursor.position(query.cursor, binding), query.limit)
        items = [documents.dead_letter(row, row.dead, request.language) for row in page.items if row.dead is not None]
        return list_response(request, items, cursor.following(page.position, binding))

    @router.route("POST /v1/dead-letters/redrive", scope=Scope.ADMIN)
    async def redrive(request: Request) -> Response:
        body = validation.body(request, "redrive_dead_letters")
        named = body.get("dead_letter_ids")
        if isinstance(named, list):
            redriven = await app.redrives.some(request.organisation, [str(one) for one in named])
        else:
            redriven = await app.redrives.all(request.organisation)
        return Response(status=202, body={"redriven": redriven})
