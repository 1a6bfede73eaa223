"""The whole simulator of Orange: tokens, texts, contracts."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from local.simulators.ledger import Accepted
from local.simulators.limits import Window
from local.simulators.orange import request as texts
from local.simulators.orange.countries import COUNTRIES
from local.simulators.orange.errors import OrangeError
from local.simulators.orange.hooks import OrangeHooks
from local.simulators.orange.request import Text
from local.simulators.orange.segments import units
from local.simulators.orange.tokens import NUMBERS, SHORT, Tokens, basic_client
from local.simulators.outcomes import LANDLINE, ORANGE, ORANGE_DEFAULT, Once, Outcome
from local.simulators.stage import Endpoint, Stage

REFUSED_CLIENTS: Mapping[str, tuple[str, ...]] = {
    "blocked": ("403/51",),
    "not-subscribed": ("403/50",),
    "no-balance": ("POL0001", "insufficient balance"),
    "expired-contract": ("POL0001", "contract expired"),
}
"""Clients that get a token but may not send."""
OLD_CONTRACTS, UNREADABLE_CONTRACTS = "old-contracts", "unreadable-contracts"
ODD_CLIENTS = frozenset({OLD_CONTRACTS, UNREADABLE_CONTRACTS, NUMBERS, SHORT})
"""Clients that may send, and get answers in an unusual shape or tokens with an unusual life."""
_QUERY = {"resource_type_parameter_management": "SMS_OCB2"}


def resource_id_of(client: str, number: str, nth: int) -> str:
    """Return the ID of the nth text (from 1) of an application to a number.

    It can be computed beforehand, so that a receipt can be made before the text is sent.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"orange/{client}/{number}/{nth}"))


class OrangeSimulator:
    """The routes under /orange."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._tokens = Tokens(stage)
        self._hooks = OrangeHooks(stage)
        self._texts = Window()
        self._calls = Window()
        self._once = Once()
        self._accepted: Counter[tuple[str, str]] = Counter()

    def routes(self) -> list[Route]:
        """Return the routes. An unknown path is 404/60."""
        return [
            self._route("/orange/oauth/v3/token", self._token, "POST"),
            self._route("/orange/smsmessaging/v1/outbound/{sender}/requests", self._send, "POST"),
            self._route("/orange/sms/admin/v1/contracts", self._contracts, "GET"),
            self._route("/orange/{rest:path}", _nowhere, "GET", "POST", "PUT", "DELETE"),
        ]

    def clear(self) -> None:
        """Go back to the state of the start."""
        for part in (self._tokens, self._hooks, self._texts, self._calls, self._once, self._accepted):
            part.clear()

    async def _token(self, request: Request) -> Response:
        client = basic_client(request)
        self._spike_arrest(client)
        return await self._tokens.issue(request, client)

    async def _send(self, request: Request) -> Response:
        sender: str = request.path_params["sender"]
        texts.check_path(request.scope["raw_path"], sender)
        client = self._client(request)
        if dict(request.query_params) not in ({}, _QUERY):
            raise OrangeError("400/28")
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise OrangeError("415/68")
        if client in REFUSED_CLIENTS:
            raise OrangeError(*REFUSED_CLIENTS[client])
        text = texts.read(await request.body(), sender, self._stage.settings)
        if not self._texts.take(client, self._stage.clock.now(), self._stage.settings.orange_rate_per_second):
            raise self._throttled()
        outcome = self._outcome(text)
        if self._once.refuses(client, text.number, outcome):
            raise _refusal(outcome)
        if not outcome.accepted:
            return await self._stage.cut(outcome, request, 201)
        resource_id = await self._accept(text, client, outcome)
        if outcome.cut is not None:
            return await self._stage.cut(outcome, request, 201)
        await self._stage.take_time()
        return _created(text, resource_id)

    def _client(self, request: Request) -> str:
        client = self._tokens.client_of(request)
        self._spike_arrest(client)
        return client

    def _spike_arrest(self, client: str) -> None:
        """The gateway's own limit for all calls of an application: 25 per second if 5 texts per second are allowed."""
        if not self._calls.take(client, self._stage.clock.now(), 5 * self._stage.settings.orange_rate_per_second):
            raise self._throttled()

    def _throttled(self) -> OrangeError:
        return OrangeError("429/53" if self._stage.settings.orange_throttle_status == 429 else "403/53")

    def _outcome(self, text: Text) -> Outcome:
        default = LANDLINE if text.landline else ORANGE_DEFAULT
        return ORANGE.get(text.number[-4:], default) if self._stage.settings.special_numbers else default

    async def _accept(self, text: Text, client: str, outcome: Outcome) -> str:
        cost, remaining = units(text.message), self._stage.settings.units
        if remaining.get(text.country.code, 0) < cost:
            raise OrangeError("POL0001", "insufficient balance")
        remaining[text.country.code] -= cost
        resource_id = self._next_resource_id(client, text.number)
        registration = await self._stage.registrations.sms(client)
        self._stage.ledger.accept(
            Accepted(
                provider="orange",
                at=self._stage.clock.now(),
                organisation=registration.organisation if registration is not None else None,
                account=client,
                recipient=text.number,
                provider_message_id=resource_id,
                outcome=outcome.summary,
                kind="text",
                text=text.message,
                sender_name=text.sender_name,
                units=cost,
            )
        )
        if registration is not None:
            await self._hooks.follow(outcome, registration, resource_id, text.number)
        return resource_id

    def _next_resource_id(self, client: str, number: str) -> str:
        self._accepted[client, number] += 1
        return resource_id_of(client, number, self._accepted[client, number])

    async def _contracts(self, request: Request) -> Response:
        client = self._client(request)
        if client == UNREADABLE_CONTRACTS:
            return HTMLResponse("<html><body>Sorry</body></html>")
        country = request.query_params.get("country")
        now = self._stage.clock.now()
        ends = now + timedelta(days=-1 if client == "expired-contract" else 30)
        rows = [
            _contract(client, iso3, 0 if client == "no-balance" else self._stage.settings.units.get(code, 0), now, ends)
            for code, iso3 in ((each.code, each.iso3) for each in COUNTRIES.values())
            if country in {None, iso3}
        ]
        if client == OLD_CONTRACTS:
            return JSONResponse(_in_the_old_shape(rows))
        return JSONResponse([] if client == "not-subscribed" else rows)

    def _route(self, path: str, endpoint: Endpoint, *methods: str) -> Route:
        async def answer(request: Request) -> Response:
            try:
                response = await (_down if self._stage.settings.orange_down else endpoint)(request)
            except OrangeError as error:
                self._stage.ledger.refuse("orange", error.code)
                response = error.answer()
            serial = self._stage.ledger.next_serial()
            response.headers["X-OAPI-Request-Id"] = hashlib.sha256(str(serial).encode()).hexdigest()[:24]
            return response

        return Route(path, answer, methods=list(methods))


def _refusal(outcome: Outcome) -> OrangeError:
    words = outcome.words
    if words is None or isinstance(words, str):
        return OrangeError(outcome.refusal, odd=(words,))
    return OrangeError(outcome.refusal, *(words or _variables(outcome.refusal)))


def _variables(code: str) -> tuple[str, ...]:
    return {
        "SVC0002": ("address",),
        "SVC0004": ("address",),
        "SVC0280": ("1600",),
        "POL0001": ("insufficient balance",),
    }.get(code, ())


def _created(text: Text, resource_id: str) -> JSONResponse:
    url = f"https://api.orange.com/smsmessaging/v1/outbound/{text.sender_address}/requests/{resource_id}"
    inner: dict[str, object] = {
        "address": [f"tel:{text.number}"],
        "senderAddress": text.sender_address,
        "outboundSMSTextMessage": {"message": text.message},
        "resourceURL": url,
    }
    if text.sender_name is not None:
        inner["senderName"] = text.sender_name
    return JSONResponse({"outboundSMSMessageRequest": inner}, 201)


def _contract(client: str, iso3: str, remaining: int, now: datetime, ends: datetime) -> dict[str, object]:
    def stamp(at: datetime) -> str:
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"

    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"contract/{client}/{iso3}")),
        "type": "SELFSERVICE",
        "developerId": "simulated",
        "applicationId": client,
        "country": iso3,
        "offerName": "SMS_OCB",
        "availableUnits": remaining,
        "requestedUnits": 0,
        "status": "ACTIVE",
        "expirationDate": stamp(ends),
        "creationDate": stamp(now - timedelta(days=60)),
        "lastUpdateDate": stamp(now),
    }


def _in_the_old_shape(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return the shape of 2022: contracts under partner and service, `expires` without a time zone."""
    contracts = [
        {
            "country": row["country"],
            "service": "SMS_OCB",
            "contractId": row["id"],
            "availableUnits": row["availableUnits"],
            "expires": str(row["expirationDate"]).partition(".")[0],
            "scDescription": "simulated",
        }
        for row in rows
    ]
    service = {"service": "SMS_OCB", "contractDescription": "simulated", "serviceContracts": contracts}
    return {"partnerContracts": {"partnerId": "simulated", "contracts": [service]}}


async def _down(_: Request) -> Response:
    raise OrangeError("503/5")


async def _nowhere(_: Request) -> Response:
    raise OrangeError("404/60")
