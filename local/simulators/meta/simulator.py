"""The whole simulator of Meta."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.simulators.meta.account import AccountUpdate
from local.simulators.meta.errors import GraphError
from local.simulators.meta.hooks import MetaHooks
from local.simulators.meta.media import MediaStore
from local.simulators.meta.messages import Messages
from local.simulators.meta.nodes import Nodes
from local.simulators.meta.subscriptions import Subscriptions
from local.simulators.meta.templates import Templates
from local.simulators.stage import Endpoint, Stage

VERSION = "v25.0"


class MetaSimulator:
    """The routes under /meta, and the parts that the control routes use."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.templates = Templates(stage.ledger.next_serial, stage.clock)
        self._subscriptions = Subscriptions(stage.registrations)
        self.hooks = MetaHooks(stage, self._subscriptions)
        self._media = MediaStore(stage.ledger.next_serial)
        self.account = AccountUpdate(stage, self.hooks)
        self._nodes = Nodes(stage, self._media, self.templates, self.account, self._subscriptions)
        self.messages = Messages(stage, self._media, self.templates, self.hooks, self._nodes.number_of)

    def routes(self) -> list[Route]:
        """Return the routes. Each path contains the version; an unknown path is code 2500."""
        nodes, base = self._nodes, f"/meta/{VERSION}"
        return [
            self._route(f"{base}/{{node}}/messages", self.messages.send, "POST"),
            self._route(f"{base}/{{node}}/media", nodes.upload, "POST"),
            self._route(f"{base}/{{node}}/message_templates", nodes.templates, "GET"),
            self._route(f"{base}/{{node}}/message_templates", nodes.create_template, "POST"),
            self._route(f"{base}/{{node}}/subscribed_apps", nodes.subscribed_apps, "GET", "POST", "DELETE"),
            self._route(f"{base}/{{node}}/phone_numbers", nodes.phone_numbers, "GET"),
            self._route(f"{base}/{{app}}/uploads", nodes.open_upload, "POST"),
            self._route(f"{base}/upload:{{session}}", nodes.upload_part, "POST"),
            self._route(f"{base}/{{node}}", nodes.read, "GET"),
            self._route(f"{base}/{{node}}", nodes.edit_template, "POST"),
            self._route(f"{base}/{{node}}", nodes.delete, "DELETE"),
            Route("/meta/download/{node}", self._guarded(nodes.download), methods=["GET"], name="download"),
            self._route("/meta/{rest:path}", _nowhere, "GET", "POST", "DELETE"),
        ]

    def clear(self) -> None:
        """Go back to the state of the start."""
        self.templates.clear()
        self.hooks.clear()
        self._media.clear()
        self.messages.clear()
        self._subscriptions.clear()

    def _route(self, path: str, endpoint: Endpoint, *methods: str) -> Route:
        return Route(path, self._guarded(endpoint), methods=list(methods))

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                return await (_down if self._stage.settings.meta_down else endpoint)(request)
            except GraphError as error:
                self._stage.ledger.refuse("meta", str(error.code))
                serial = self._stage.ledger.next_serial()
                return error.answer("A" + hashlib.sha256(str(serial).encode()).hexdigest()[:22])

        return answer


async def _down(_: Request) -> Response:
    raise GraphError(2)


async def _nowhere(request: Request) -> Response:
    raise GraphError(2500, f"Unknown path components: /{request.path_params['rest']}")
