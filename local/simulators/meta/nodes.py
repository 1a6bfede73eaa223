"""All of Graph except messages: media, fields of phone numbers, templates, upload sessions."""

import base64
import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulators.json_body import parsed_object
from local.simulators.meta.access import bearer, number_id
from local.simulators.meta.account import AccountUpdate
from local.simulators.meta.business_account import ACCOUNT, PHONE_NUMBER, account_fields, app
from local.simulators.meta.business_account import DEFAULT_FIELDS as ACCOUNT_DEFAULTS
from local.simulators.meta.business_account import EMPTY_FIELDS as ACCOUNT_EMPTY
from local.simulators.meta.errors import GraphError
from local.simulators.meta.fields import chosen
from local.simulators.meta.media import Media, MediaStore, uploaded
from local.simulators.meta.subscriptions import Subscriptions
from local.simulators.meta.templates import Template, Templates
from local.simulators.registrations import WhatsAppRegistration
from local.simulators.stage import Stage

_DEFAULT_FIELDS = "verified_name,code_verification_status,display_phone_number,quality_rating,id"
_EMPTY_FIELDS = frozenset(
    {
        "certificate",
        "conversational_automation",
        "country_code",
        "country_dial_code",
        "eligibility_for_api_business_global_search",
        "last_onboarded_time",
        "new_certificate",
        "new_name_status",
        "quality_score",
        "search_visibility",
        "webhook_configuration",
    }
)
"""A phone number has these fields at Meta. Here they are empty, so the answer leaves them out, as Graph does."""

_NO_SUCH_OBJECT = "Object with this ID does not exist"
_UNSUPPORTED = (
    "Object with ID '{}' does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation"
)
_TEMPLATE_FIELDS = "id,name,language,category,parameter_format,status,components,quality_score"
_TEMPLATE_LIMIT = 250
"""The limit of an account whose portfolio is not verified (reference/whatsapp.md §3)."""


class Nodes:
    """GET, POST and DELETE on an ID.

    An unknown number is accepted as the ID that the call needs: a phone number's or an account's. A number that is
    known as the other kind is refused.
    """

    def __init__(
        self,
        stage: Stage,
        media: MediaStore,
        templates: Templates,
        account: AccountUpdate,
        subscriptions: Subscriptions,
    ) -> None:
        self._account = account
        self._stage = stage
        self._media = media
        self._templates = templates
        self._subscriptions = subscriptions

    async def upload(self, request: Request) -> Response:
        """POST /{number}/media"""
        token, number = bearer(request), number_id(request)
        await self.number_of(number, token, "post")
        content, mime_type = await uploaded(request)
        media = self._media.add(number, content, mime_type, self._stage.clock.now())
        return JSONResponse({"id": media.media_id})

    async def read(self, request: Request) -> Response:
        """GET /{id}"""
        token, node = bearer(request), number_id(request)
        media = self._media.get(node, self._stage.clock.now())
        if media is not None:
            return self._shown(media, request)
        if self._media.was_issued(node):
            raise GraphError(100, _NO_SUCH_OBJECT, subcode=33)
        template = self._templates.of_id(node)
        if template is not None:
            return JSONResponse(_chosen(template, request))
        registration = await self._stage.registrations.whatsapp(node, token)
        if registration is None and await self._is_account(node):
            apps = await self._apps(node)
            known = account_fields(node, apps, self._stage.settings.can_send)
            return JSONResponse(chosen(known, ACCOUNT_EMPTY, ACCOUNT, request, ACCOUNT_DEFAULTS))
        return JSONResponse(self._phone_number(node, registration, request))

    async def number_of(self, node: str, token: str, method: str) -> WhatsAppRegistration | None:
        """Return the registration of a phone number ID, if it has one. Raises GraphError for an account's ID."""
        registration = await self._stage.registrations.whatsapp(node, token)
        if registration is None and await self._is_account(node):
            raise GraphError(100, f"Unsupported {method} request. {_UNSUPPORTED.format(node)}", subcode=33)
        return registration

    async def phone_numbers(self, request: Request) -> Response:
        """GET /{account}/phone_numbers"""
        bearer(request)
        account = number_id(request)
        numbers = await self._stage.registrations.numbers_of_account(account)
        found = {each.phone_number_id: each for each in numbers}
        return JSONResponse({"data": [self._phone_number(node, each, request) for node, each in found.items()]})

    async def delete(self, request: Request) -> Response:
        """DELETE /{media}"""
        bearer(request)
        node = number_id(request)
        media = self._media.get(node, self._stage.clock.now())
        if media is not None:
            _check_owner(media, request)
        if not self._media.delete(node):
            raise GraphError(100, _NO_SUCH_OBJECT, subcode=33)
        return JSONResponse({"success": True})

    async def download(self, request: Request) -> Response:
        """GET the URL from the answer of GET /{media}. It needs the token too."""
        bearer(request)
        node: str = request.path_params["node"]
        media, content = self._media.get(node, self._stage.clock.now()), self._media.content(node)
        if media is None or content is None:
            return Response(status_code=404)
        return Response(content, media_type=media.mime_type)

    async def templates(self, request: Request) -> Response:
        """GET /{account}/message_templates"""
        account = await self._account_id(request, "message_templates")
        every = list(self._templates.listed(account))
        found = [_chosen(each, request) for each in every if _fits(each, request.query_params)]
        start = _integer(request.query_params.get("after", "0"))
        limit = max(1, _integer(request.query_params.get("limit", "25")))
        page = found[start : start + limit]
        paging: dict[str, object] = {"cursors": {"before": str(start), "after": str(start + len(page))}}
        if start + limit < len(found):
            paging["next"] = str(request.url.include_query_params(after=start + limit))
        answer: dict[str, object] = {"data": page, "paging": paging} if found else {"data": []}
        counts = {
            "total_count": len(found),
            "message_template_count": len(every),
            "message_template_limit": _TEMPLATE_LIMIT,
            "are_translations_complete": True,
        }
        summary = _listed(request.query_params.get("summary", ""))
        if summary:
            answer["summary"] = {name: counts[name] for name in summary if name in counts}
        return JSONResponse(answer)

    async def create_template(self, request: Request) -> Response:
        """POST /{account}/message_templates. The answer says PENDING, and the review ends at once."""
        account = await self._account_id(request, "message_templates")
        body = parsed_object(await request.body())
        if body is None:
            raise GraphError(100, "The request's body is not a JSON object")
        template = self._templates.put(account, body, self._stage.settings.template_verdict)
        await self._account.reviewed(account, template)
        return JSONResponse({"id": template.template_id, "status": "PENDING", "category": template.category})

    async def edit_template(self, request: Request) -> Response:
        """POST /{template}: replace the components of a rejected, approved or paused template; a new review follows."""
        bearer(request)
        body = parsed_object(await request.body())
        if body is None:
            raise GraphError(100, "The request's body is not a JSON object")
        found = self._templates.edit(number_id(request), body, self._stage.settings.template_verdict)
        if found is None:
            raise GraphError(100, _NO_SUCH_OBJECT, subcode=33)
        account, template = found
        await self._account.reviewed(account, template)
        return JSONResponse({"success": True})

    async def subscribed_apps(self, request: Request) -> Response:
        """POST subscribes, DELETE ends the subscription, GET lists the apps."""
        account = await self._account_id(request, "subscribed_apps")
        if request.method == "GET":
            return JSONResponse({"data": await self._apps(account)})
        self._subscriptions.tell(account, subscribed=request.method == "POST")
        return JSONResponse({"success": True})

    async def open_upload(self, request: Request) -> Response:
        """POST /{app}/uploads: open a session for a template's example picture."""
        bearer(request)
        if not {"file_length", "file_type"} <= set(request.query_params):
            raise GraphError(100, "The parameters file_length and file_type are required")
        return JSONResponse({"id": f"upload:{self._stage.ledger.next_serial():012}"})

    async def upload_part(self, request: Request) -> Response:
        """POST /upload:{session}: upload the whole file at once."""
        content = await request.body()
        if not content or request.headers.get("file_offset") != "0":
            raise GraphError(100, "The header file_offset and a body are required")
        return JSONResponse({"h": f"4::{base64.b64encode(hashlib.sha256(content).digest()).decode()}"})

    async def _account_id(self, request: Request, edge: str) -> str:
        """Return the account in the path. Raises GraphError if the ID is known as a phone number."""
        token, node = bearer(request), number_id(request)
        # Look for an account first: looking for a number that does not exist takes half a second.
        if not await self._is_account(node) and await self._stage.registrations.whatsapp(node, token) is not None:
            raise GraphError(100, f"Tried accessing nonexisting field ({edge}) on node type ({PHONE_NUMBER})")
        return node

    async def _is_account(self, node: str) -> bool:
        numbers = await self._stage.registrations.numbers_of_account(node)
        return bool(numbers) or any(True for _ in self._templates.listed(node))

    async def _apps(self, account: str) -> list[object]:
        return [app()] if await self._subscriptions.is_subscribed(account) else []

    def _shown(self, media: Media, request: Request) -> Response:
        _check_owner(media, request)
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

    def _phone_number(
        self, node: str, registration: WhatsAppRegistration | None, request: Request
    ) -> dict[str, object]:
        settings = self._stage.settings
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
            "is_official_business_account": False,
            "is_on_biz_app": False,
            "is_pin_enabled": True,
            "is_preverified_number": False,
            "throughput": {"level": "HIGH" if rate > 80 else "STANDARD"},
            "whatsapp_business_manager_messaging_limit": settings.messaging_limit,
            "health_status": {
                "can_send_message": settings.can_send,
                "entities": [{"entity_type": "PHONE_NUMBER", "id": node, "can_send_message": settings.can_send}],
            },
        }
        return chosen(known, _EMPTY_FIELDS, PHONE_NUMBER, request, _DEFAULT_FIELDS)


def _check_owner(media: Media, request: Request) -> None:
    """Check the optional phone_number_id: the request is only for media that this number uploaded."""
    if request.query_params.get("phone_number_id", media.number_id) != media.number_id:
        raise GraphError(100, "The media does not belong to this phone number")


def _chosen(template: Template, request: Request) -> dict[str, object]:
    """Return the template's fields that were asked for, with its ID."""
    fields = {*_listed(request.query_params.get("fields", "") or _TEMPLATE_FIELDS), "id"}
    return {name: value for name, value in template.shown().items() if name in fields}


def _fits(template: Template, wanted: Mapping[str, str]) -> bool:
    """Whether a template passes the filters. Each filter may name several values."""
    has = {
        "status": template.status,
        "category": template.category,
        "name": template.name,
        "language": template.language,
    }
    return all(
        value.casefold() in {each.casefold() for each in _listed(wanted[name])}
        for name, value in has.items()
        if wanted.get(name)
    )


def _listed(value: str) -> list[str]:
    return [each for each in value.split(",") if each]


def _integer(value: str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise GraphError(100, "limit and after must be numbers as this API gave them") from error
