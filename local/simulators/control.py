"""/_control: what a test or a demo may ask of the simulators. docs/simulators.md has the table."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.json_body import parsed_object, text_at
from local.simulators.meta.errors import GraphError
from local.simulators.meta.simulator import MetaSimulator
from local.simulators.orange.simulator import OrangeSimulator
from local.simulators.stage import Stage


class Control:
    """Answers 400 {"error"} to what it cannot read."""

    def __init__(self, stage: Stage, meta: MetaSimulator, orange: OrangeSimulator) -> None:
        self._stage = stage
        self._meta = meta
        self._orange = orange

    def routes(self) -> list[Route]:
        return [
            Route("/_control/ledger", self._ledger, methods=["GET"]),
            Route("/_control/receipts", self._receipts, methods=["GET"]),
            Route("/_control/reset", self._reset, methods=["POST"]),
            Route("/_control/settings", self._show_settings, methods=["GET"]),
            Route("/_control/settings", _spoken(self._settings), methods=["POST"]),
            Route("/_control/clock", _spoken(self._clock), methods=["POST"]),
            Route("/_control/inbound", _spoken(self._inbound), methods=["POST"]),
            Route("/_control/templates", _spoken(self._templates), methods=["POST"]),
        ]

    async def _ledger(self, request: Request) -> Response:
        provider, organisation = request.query_params.get("provider"), request.query_params.get("organisation")
        entries = self._stage.ledger.accepted(provider)
        shown = [each.shown() for each in entries if organisation in {None, each.organisation}]
        return JSONResponse({"messages": shown, "count": len(shown), "refused": self._stage.ledger.refused()})

    async def _receipts(self, request: Request) -> Response:
        shown = [each.shown() for each in self._stage.ledger.calls(request.query_params.get("provider"))]
        return JSONResponse({"receipts": shown, "count": len(shown), "busy": self._stage.background.busy})

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

    async def _clock(self, body: dict[str, object]) -> Response:
        now = datetime.fromisoformat(text_at(body, "now") or "")
        if now.tzinfo is None:
            raise ValueError("now needs a zone, for example 2026-11-23T10:00:00Z")
        self._stage.clock.set(now)
        return JSONResponse({"now": self._stage.clock.now().isoformat()})

    async def _inbound(self, body: dict[str, object]) -> Response:
        """{organisation, from: "+…", text}: a person writes to the organisation's number."""
        organisation, sender, text = (text_at(body, name) for name in ("organisation", "from", "text"))
        if organisation is None or sender is None or text is None:
            raise ValueError("organisation, from and text are needed")
        registration = await self._stage.registrations.whatsapp_of(organisation)
        if registration is None or registration.app_secret is None:
            raise ValueError("this organisation has no WhatsApp integration with an app secret")
        wa_id = sender.lstrip("+")
        self._meta.messages.open_session(registration.phone_number_id, wa_id)
        return JSONResponse({"id": self._meta.hooks.inbound(registration, wa_id, text)})

    async def _templates(self, body: dict[str, object]) -> Response:
        """{business_account_id, name, language, status} and, for a new one, category and components."""
        account, status = text_at(body, "business_account_id"), text_at(body, "status") or "APPROVED"
        if account is None:
            raise ValueError("business_account_id is needed")
        name, language = text_at(body, "name") or "", text_at(body, "language") or ""
        if not self._meta.templates.set_status(account, name, language, status):
            try:
                self._meta.templates.put(account, body, status)
            except GraphError as error:
                raise ValueError(error.details) from error
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
