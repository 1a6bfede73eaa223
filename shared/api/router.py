"""From an event to an answer. The gateway has matched the path already, so only the route key is looked up."""

from collections.abc import Awaitable, Callable

from shared.api import problems
from shared.api.request import Event, Request, Scope, preferred_language, request_from
from shared.api.response import GatewayResponse, Response
from shared.api.texts.sentences import Language
from shared.base.refusal import ProblemCode, Refusal

type RouteHandler = Callable[[Request], Response | Awaitable[Response]]


class Router:
    """The routes of one function.

    `on_error` gets every exception that is not a Refusal, with the route key. It logs the type and the trace, never the
    request. The client gets a 500 without details.
    """

    def __init__(self, *, on_error: Callable[[Exception, str], None]) -> None:
        self._on_error = on_error
        self._routes: dict[str, tuple[RouteHandler, Scope | None]] = {}

    def add(self, route_key: str, handler: RouteHandler, *, scope: Scope | None) -> None:
        """`route_key` is as in the template, "POST /v1/messages". `scope` None: open to all, without a token."""
        if route_key in self._routes:
            raise ValueError(f"{route_key} is registered twice")
        self._routes[route_key] = (handler, scope)

    def route(self, route_key: str, *, scope: Scope | None) -> Callable[[RouteHandler], RouteHandler]:
        """`add` as a decorator."""

        def register(handler: RouteHandler) -> RouteHandler:
            self.add(route_key, handler, scope=scope)
            return handler

        return register

    @property
    def route_keys(self) -> frozenset[str]:
        """For the tests that compare routes, template and OpenAPI document."""
        return frozenset(self._routes)

    async def dispatch(self, event: Event) -> GatewayResponse:
        """Handle one request. Never raises. The caller owns the event loop, because clients that are kept between calls
        belong to one loop."""
        route_key = str(event.get("routeKey", ""))
        try:
            return (await self._answer_or_problem(event, route_key)).to_event()
        except Exception as error:  # the edge: the client always gets an answer, and the engineer a log line
            self._on_error(error, route_key)
            return problems.unexpected(_language(event)).to_event()

    async def _answer_or_problem(self, event: Event, route_key: str) -> Response:
        try:
            return await self._answer(event, route_key)
        except Refusal as refusal:
            return problems.response(refusal, _language(event))

    async def _answer(self, event: Event, route_key: str) -> Response:
        if route_key not in self._routes:
            return Response(status=404, body={"message": "Not Found"})  # the gateway's own words
        handler, scope = self._routes[route_key]
        request = request_from(event)
        if scope is not None:
            _permit(request, scope)
        answer = handler(request)
        return answer if isinstance(answer, Response) else await answer


def _permit(request: Request, scope: Scope) -> None:
    if request.caller is None or scope not in request.caller.scopes:
        raise Refusal(ProblemCode.FORBIDDEN, scope=scope)


def _language(event: Event) -> Language:
    headers = event.get("headers")
    pairs = headers.items() if isinstance(headers, dict) else ()
    return preferred_language(next((str(value) for name, value in pairs if str(name).lower() == "accept-language"), ""))
