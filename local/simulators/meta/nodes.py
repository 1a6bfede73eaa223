"""Everything on Graph but messages: media, phone number fields, templates, upload sessions."""

import base64
import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulators.json_body import parsed_object
from local.simulators.meta.access import bearer, number_id
from local.simulators.meta.errors import GraphError
from local.simulators.meta.media import Media, MediaStore, uploaded
from local.simulators.meta.templates import Template, Templates
from local.simulators.stage import Stage

_DEFAULT_FIELDS = "verified_name,code_verification_status,display_phone_number,quality_rating,id"


class Nodes:
    """What GET, POST and DELETE on an ID do. An unknown number is taken for a phone number ID: any is accepted."""

    def __init__(self, stage: Stage, media: MediaStore, templates: Templates) -> None:
        self._stage = stage
        self._media = media
        self._templates = templates
        self._subscribed: set[str] = set()

    async def upload(self, request: Request) -> Response:
        """POST /{number}/media"""
        bearer(request)
        number = number_id(request)
        content, mime_type = await uploaded(request)
        media = self._media.add(number, content, mime_type, self._stage.clock.now())
        return JSONResponse({"id": media.media_id})

    async def read(self, request: Request) -> Response:
        """GET /{id}"""
        token, node = bearer(request), number_id(request)
        media = self._media.get(node, self._stage.clock.now())
        if media is not None:
            return self._shown(media, request)
        template = self._templates.of_id(node)
        if template is not None:
            return JSONResponse(template.shown())
        return await self._phone_number(node, token, request)

    async def delete(self, request: Request) -> Response:
        """DELETE /{media}"""
        bearer(request)
        if not self._media.delete(number_id(request)):
            raise GraphError(100, "Object with this ID does not exist", subcode=33)
        return JSONResponse({"success": True})

    async def download(self, request: Request) -> Response:
        """The URL that GET /{media} gives; it needs the token too."""
        bearer(request)
        node: str = request.path_params["node"]
        media, content = self._media.get(node, self._stage.clock.now()), self._media.content(node)
        if media is None or content is None:
            return Response(status_code=404)
        return Response(content, media_type=media.mime_type)

    async def templates(self, request: Request) -> Response:
        """GET /{account}/message_templates"""
        bearer(request)
        account = number_id(request)
        wanted = {name: request.query_params.get(name) for name in ("status", "name", "language")}
        found = [each.shown() for each in self._templates.listed(account) if _fits(each, wanted)]
        start = _integer(request.query_params.get("after", "0"))
        limit = max(1, _integer(request.query_params.get("limit", "25")))
        page = found[start : start + limit]
        paging: dict[str, object] = {"cursors": {"before": str(start), "after": str(start + len(page))}}
        if start + limit < len(found):
            paging["next"] = str(request.url.include_query_params(after=start + limit))
        fields = set(request.query_params.get("fields", "").split(",")) - {""} | {"id"}
        shown = [{key: item[key] for key in item if len(fields) == 1 or key in fields} for item in page]
        return JSONResponse({"data": shown, "paging": paging} if found else {"data": []})

    async def create_template(self, request: Request) -> Response:
        """POST /{account}/message_templates: the answer says PENDING, the review is over at once."""
        bearer(request)
        account = number_id(request)
        body = parsed_object(await request.body())
        if body is None:
            raise GraphError(100, "The request's body is not a JSON object")
        template = self._templates.put(account, body, self._stage.settings.template_verdict)
        return JSONResponse({"id": template.template_id, "status": "PENDING", "category": template.category})

    async def subscribed_apps(self, request: Request) -> Response:
        """POST subscribes, GET lists."""
        bearer(request)
        account = number_id(request)
        if request.method == "POST":
            self._subscribed.add(account)
            return JSONResponse({"success": True})
        app = {"whatsapp_business_api_data": {"id": "1", "name": "Simulated app", "link": "http://127.0.0.1/"}}
        return JSONResponse({"data": [app] if account in self._subscribed else []})

    async def open_upload(self, request: Request) -> Response:
        """POST /{app}/uploads: a session for a template's example picture."""
        bearer(request)
        if not {"file_length", "file_type"} <= set(request.query_params):
            raise GraphError(100, "The parameters file_length and file_type are required")
        return JSONResponse({"id": f"upload:{self._stage.ledger.next_serial():012}"})

    async def upload_part(self, request: Request) -> Response:
        """POST /upload:{session}: the whole file at once."""
        content = await request.body()
        if not content or request.headers.get("file_offset") != "0":
            raise GraphError(100, "The header file_offset and a body are required")
        return JSONResponse({"h": f"4::{base64.b64encode(hashlib.sha256(content).digest()).decode()}"})

    def clear(self) -> None:
        self._subscribed.clear()

    def _shown(self, media: Media, request: Request) -> Response:
        wanted = request.query_params.get("phone_number_id", media.number_id)
        if wanted != media.number_id:
            raise GraphError(100, "The media does not belong to this phone number")
        url = str(request.url_for("download", node=media.media_id))
        return JSONResponse(
            {
                "messaging_product": "whatsapp",
                "url": url,
                "mime_type": media.mime_type,
                "sha256": media.sha256,
                "file_size": media.size,
                "id": media.media_id,
            }
        )

    async def _phone_number(self, node: str, token: str, request: Request) -> Response:
        settings = self._stage.settings
        registration = await self._stage.registrations.whatsapp(node, token)
        rate = settings.meta_rate_per_second
        known: dict[str, object] = {
            "id": node,
            "verified_name": "Programme de santé (simulateur)",
            "display_phone_number": registration.sender_number if registration is not None else "+221 77 000 00 00",
            "code_verification_status": "VERIFIED",
            "quality_rating": settings.quality_rating,
            "platform_type": "CLOUD_API",
            "name_status": "APPROVED",
            "status": "CONNECTED",
            "account_mode": "LIVE",
            "throughput": {"level": "HIGH" if rate > 80 else "STANDARD"},
            "whatsapp_business_manager_messaging_limit": settings.messaging_limit,
            "health_status": {
                "can_send_message": "AVAILABLE",
                "entities": [{"entity_type": "PHONE_NUMBER", "id": node, "can_send_message": "AVAILABLE"}],
            },
        }
        wanted = request.query_params.get("fields", _DEFAULT_FIELDS).split(",")
        for field in wanted:
            if field not in known:
                raise GraphError(
                    100, f"Tried accessing nonexisting field ({field}) on node type (WhatsAppBusinessPhoneNumber)"
                )
        return JSONResponse({field: known[field] for field in {*wanted, "id"}})


def _fits(template: Template, wanted: Mapping[str, str | None]) -> bool:
    status = wanted["status"]
    return (
        (status is None or template.status == status.upper())
        and wanted["name"] in {None, template.name}
        and wanted["language"] in {None, template.language}
    )


def _integer(value: str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise GraphError(100, "limit and after must be numbers as this API gave them") from error
