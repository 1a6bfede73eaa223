"""The routes under /_control, for tests and demos. docs/simulators.md has the table."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.json_body import as_object, parsed_object, text_at
from local.simulators.meta.account import FIELDS
from local.simulators.meta.errors import GraphError
from local.simulators.meta.inbound import KINDS, Person, content, person
from local.simulators.meta.simulator import MetaSimulator
from local.simulators.orange.simulator import OrangeSimulator
from local.simulators.registrations import WhatsAppRegistration
from local.simulators.stage import Stage
from shared.base.instants import from_rfc3339


class Control:
    """Answers 400 {"error"} to a body that it cannot read."""

    def __init__(self, stage: Stage, meta: MetaSimulator, orange: OrangeSimulator) -> None:
        self._stage = stage
        self._meta = meta
        self._orange = orange

    def routes(self) -> list[Route]:
        return [
            Route("/_control/ledger", self._ledger, methods=["GET"]),
            Route("/_control/receipts", self._receipts, methods=["GET"]),
            Route("/_control/addresses", self._addresses, methods=["GET"]),
            Route("/_control/reset", self._reset, methods=["POST"]),
            Route("/_control/settings", self._show_settings, methods=["GET"]),
            Route("/_control/settings", _spoken(self._settings), methods=["POST"]),
            Route("/_control/clock", self._show_clock, methods=["GET"]),
            Route("/_control/clock", _spoken(self._clock), methods=["POST"]),
            Route("/_control/inbound", _spoken(self._inbound), methods=["POST"]),
            Route("/_control/preferences", _spoken(self._preferences), methods=["POST"]),
            Route("/_control/templates", _spoken(self._templates), methods=["POST"]),
            Route("/_control/account", _spoken(self._account), methods=["POST"]),
        ]

    async def _ledger(self, request: Request) -> Response:
        provider, organisation = request.query_params.get("provider"), request.query_params.get("organisation")
        entries = self._stage.ledger.accepted(provider)
        shown = [each.shown() for each in entries if organisation in {None, each.organisation}]
        return JSONResponse({"messages": shown, "count": len(shown), "refused": self._stage.ledger.refused()})

    async def _receipts(self, request: Request) -> Response:
        shown = [each.shown() for each in self._stage.ledger.calls(request.query_params.get("provider"))]
        return JSONResponse({"receipts": shown, "count": len(shown), "busy": self._stage.background.busy})

    async def _addresses(self, _: Request) -> Response:
        shown = list(self._stage.ledger.addresses())
        return JSONResponse({"addresses": shown, "count": len(shown)})

    async def _reset(self, _: Request) -> Response:
        await self._stage.background.stop()
        self._stage.ledger.clear()
        self._stage.settings.reset()
        self._meta.clear()
        self._orange.clear()
        return JSONResponse({"ok": True})

    async def _show_settings(self, _: Request) -> Response:
        return JSONResponse(self._stage.settings.shown())

    async def _settings(self, body: dict[str, object]) -> Response:
        self._stage.settings.update(body)
        return JSONResponse(self._stage.settings.shown())

    async def _show_clock(self, _: Request) -> Response:
        return JSONResponse({"now": self._stage.clock.now().isoformat()})

    async def _clock(self, body: dict[str, object]) -> Response:
        self._stage.clock.set(from_rfc3339(text_at(body, "now") or ""))
        return JSONResponse({"now": self._stage.clock.now().isoformat()})

    async def _inbound(self, body: dict[str, object]) -> Response:
        """{organisation, from: "+…", text?, type?, payload?, user_id?, without_phone?}: a person writes to the
        organisation.
        """
        registration, sender = await self._reported(body)
        kind, text = text_at(body, "type") or "text", text_at(body, "text")
        if text is None and kind not in KINDS:
            raise ValueError("organisation, from and text are needed")
        message = content(kind, text or "", text_at(body, "payload") or "")
        if kind != "edit":
            self._meta.messages.open_session(registration.phone_number_id, sender)
        return JSONResponse({"id": self._meta.hooks.inbound(registration, sender, message)})

    async def _preferences(self, body: dict[str, object]) -> Response:
        """{organisation, from: "+…", value: "stop" | "resume" | "signup", user_id?, without_phone?}."""
        value = text_at(body, "value")
        if value is None:
            raise ValueError("value is needed")
        registration, chooser = await self._reported(body)
        self._meta.hooks.preference(registration, chooser, value)
        return JSONResponse({"ok": True})

    async def _reported(self, body: dict[str, object]) -> tuple[WhatsAppRegistration, Person]:
        """Return the organisation's registration and the person that the body names."""
        organisation, sender = text_at(body, "organisation"), text_at(body, "from")
        if organisation is None or sender is None:
            raise ValueError("organisation and from are needed")
        registration = await self._stage.registrations.whatsapp_of(organisation)
        if registration is None or registration.app_secret is None:
            raise ValueError("this organisation has no WhatsApp integration with an app secret")
        shows_number = body.get("without_phone") is not True
        return registration, person(sender.lstrip("+"), text_at(body, "user_id"), shows_number=shows_number)

    async def _templates(self, body: dict[str, object]) -> Response:
        """{business_account_id, name, language, status}, for a new template also category and components: create or
        change it.
        """
        account, status = text_at(body, "business_account_id"), text_at(body, "status") or "APPROVED"
        if account is None:
            raise ValueError("business_account_id is needed")
        name, language = text_at(body, "name") or "", text_at(body, "language") or ""
        known = self._meta.templates.find(account, name, language)
        if known is None:
            try:
                self._meta.templates.put(account, body, status)
            except GraphError as error:
                raise ValueError(error.details) from error
            return JSONResponse({"ok": True})
        category = text_at(body, "category")
        moved = category is not None and self._meta.templates.set_category(account, name, language, category)
        changed = self._meta.templates.set_status(account, name, language, status) if "status" in body else None
        if self._stage.settings.template_webhooks and moved:
            await self._meta.account.category(account, moved, known.category)
        if self._stage.settings.template_webhooks and changed:
            await self._meta.account.status(account, changed)
        return JSONResponse({"ok": True})

    async def _account(self, body: dict[str, object]) -> Response:
        """{organisation, field, value, account?}: post a webhook about the account, with `value` as given.

        `account` names another account whose webhooks go to the same address.
        """
        organisation, field = text_at(body, "organisation"), text_at(body, "field")
        value = as_object(body.get("value"))
        if organisation is None or value is None or field not in FIELDS:
            raise ValueError(f"organisation, value and field (one of {', '.join(sorted(FIELDS))}) are needed")
        registration = await self._stage.registrations.whatsapp_of(organisation)
        if registration is None or registration.app_secret is None:
            raise ValueError("this organisation has no WhatsApp integration with an app secret")
        self._meta.account.tell(registration, field, value, text_at(body, "account"))
        return JSONResponse({"ok": True})


def _spoken(
    action: Callable[[dict[str, object]], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = parsed_object(await request.body())
        if body is None:
            return JSONResponse({"error": "a JSON object is needed"}, 400)
        try:
            return await action(body)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer
