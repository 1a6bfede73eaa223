"""Routes for consents."""

from shared.api import bodies, documents, validation
from shared.api.request import Request, Scope
from shared.api.response import Response
from shared.api.router import Router
from shared.app.container.api import Api
from shared.base.json import JsonObject
from shared.policy.consents import ConsentEntry
from shared.recipients.lookups import Lookup


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("POST /v1/consents", scope=Scope.SEND)
    async def record(request: Request) -> Response:
        body = validation.body(request, "record_consents")
        items = bodies.objects(body, "items")
        entries = [_entry(item) for item in (items if items is not None else [body])]
        await app.consents.record(request.organisation, entries, several=items is not None)
        return Response(status=204)

    @router.route("POST /v1/consents/lookup", scope=Scope.READ)
    async def look_up(request: Request) -> Response:
        body = validation.body(request, "lookup_consent")
        await app.lookups.allow(request.organisation, request.subject, Lookup.CONSENT)
        found = await app.consents.look_up(request.organisation, str(body["phone"]))
        return Response(status=200, body=documents.consent(found))


def _entry(item: JsonObject) -> ConsentEntry:
    return ConsentEntry(
        phone=str(item["phone"]),
        granted=item["granted"] is True,
        source=str(item["source"]),
        recorded_at=bodies.instant(item, "recorded_at"),
    )
