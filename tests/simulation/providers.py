"""Meta and Orange with faults, behind the product's own clients: ledgers, answers and reports."""

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, override

import httpx2

from tests.fakes.world import FakeClock
from tests.simulation.evidence import Call
from tests.simulation.faults import Dice
from tests.simulation.scheduling import Interleaving

WORDS_OF_FAILURE = {
    "failed": (131026, "undeliverable"),
    "stopped": (131042, "payment problem"),
    "refused": (131053, "media upload error"),
}
UPLOAD = re.compile(r'"id": ?"(media-[0-9]+)"')
TIMES_OUT_AFTER = 21.0
CARD = re.compile(r"CARD-[0-9]+")
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
STOPS_FOR = timedelta(minutes=3)
STOPS = {
    "provider_stops": ("whatsapp", "sms"),
    "country_stops": ("whatsapp", "sms"),
    "language_stops": ("whatsapp",),
    "stops_reported_later": ("whatsapp",),
}
TROUBLED_COUNTRY, TROUBLED_LANGUAGE = "+261", "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One accepted message. `key`: WhatsApp's callback key, empty for an SMS. `identity`: the provider's own ID."""

    at: datetime
    number: str
    card: str
    key: str
    identity: str


type Tells = Callable[["Provider", Taken, str], None]
"""Reports a message's status: "sent", "delivered", "read", or one of `WORDS_OF_FAILURE`."""


@dataclass(slots=True, eq=False)
class Provider:
    """The common part of both providers. The product's client uses `transport`."""

    channel: str
    dice: Dice
    clock: FakeClock
    points: Interleaving
    tells: Tells
    calls: list[Call] = field(default_factory=list)
    ledger: list[Taken] = field(default_factory=list)
    stops: dict[str, datetime] = field(default_factory=dict)
    """Stop → its end."""
    bad_uploads: dict[str, str] = field(default_factory=dict)
    """Uploads whose picture is refused, each "at once" or "later"."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def transport(self) -> httpx2.AsyncBaseTransport:
        """The transport of one execution environment."""
        return httpx2.MockTransport(self._answer)

    def refuses(self, request: httpx2.Request) -> httpx2.Response | None:
        """The answer to a request without valid credentials; None if they are valid."""
        raise NotImplementedError

    def besides(self, request: httpx2.Request) -> httpx2.Response | None:
        """The answer to any request that is no send; None for a send."""
        raise NotImplementedError

    def read(self, request: httpx2.Request) -> tuple[str, str]:
        """Number and callback key of a send."""
        raise NotImplementedError

    def accepted(self, taken: Taken) -> httpx2.Response:
        """The answer to a send."""
        raise NotImplementedError

    def error(self, name: str) -> httpx2.Response:
        """One of the errors in this provider's shape."""
        raise NotImplementedError

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        """The way to the provider, the call, and the way back."""
        self.points.here()
        await self._on_its_way()
        if self.dice.breaks("connection_refused"):
            raise httpx2.ConnectError("refused", request=request)
        self.points.here()
        found = self.besides(request) or self.refuses(request)
        if found is None:
            found = await self._send(request)
        await self._on_its_way()
        self.points.here()
        return found

    async def _on_its_way(self) -> None:
        await asyncio.sleep(self.dice.between(0.001, 0.02))

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        number, key = self.read(request)
        call = Call(
            at=self.clock.instant,
            channel=self.channel,
            number=number,
            card=(CARD.findall(request.content.decode()) or [""])[0],
            key=key,
            taken=False,
            stop="",
            upload=(UPLOAD.findall(request.content.decode()) or [""])[0],
            picture_refused=False,
        )
        self.calls.append(call)
        answer = self._refusal(call, request)
        if answer is not None:
            return answer
        if self.dice.breaks("time_out_before_acceptance"):
            await asyncio.sleep(TIMES_OUT_AFTER)
            raise httpx2.ReadTimeout("nothing came", request=request)
        broken, taken = self._breaks(), True
        if broken is not None and broken != "time_out_after_acceptance":
            taken = broken == "answers_garbage" or self.dice.random.random() < 0.5
        if not taken:
            return await self._broken(broken, request)
        call["taken"] = True
        entry = self._take(call)
        if broken is not None:
            return await self._broken(broken, request)
        process = self.points.here()
        if process is not None and self.dice.breaks("killed_between_call_and_record"):
            process.die()
        if self.dice.breaks("slow_answers"):
            await asyncio.sleep(self.dice.between(0.5, 20.0))
        return self.accepted(entry)

    def _take(self, call: Call) -> Taken:
        entry = Taken(
            at=call["at"], number=call["number"], card=call["card"], key=call["key"], identity=self._identity()
        )
        self.ledger.append(entry)
        self.points.note(self.channel, "takes", entry.card, entry.key)
        later = (
            "stopped" if self._lasts("stops_reported_later") else "refused" if self._picture(call) == "later" else ""
        )
        if later:
            call["taken"] = False
            self.tells(self, entry, later)
            return entry
        failed = self.dice.breaks("fails_later")
        for status in ("failed",) if failed else ("sent", "delivered", "read")[: self.dice.random.randint(1, 3)]:
            self.tells(self, entry, status)
        return entry

    def _picture(self, call: Call) -> str:
        """How the call's picture is refused; empty if it is not."""
        refused = self.bad_uploads.get(call["upload"], "")
        call["picture_refused"] = bool(refused)
        return refused

    def _identity(self) -> str:
        return f"{self.channel}-{next(self._numbers)}"

    def _lasts(self, name: str) -> bool:
        """Whether a stop has begun and not ended yet."""
        if self.channel not in STOPS[name]:
            return False
        now = self.clock.instant
        if self.dice.breaks(name):
            self.stops[name] = now + STOPS_FOR
        return name in self.stops and now < self.stops[name] and not self.dice.calm

    def language(self, request: httpx2.Request) -> str:
        """The language of the template in a send; empty without one."""
        return ""

    def _refusal(self, call: Call, request: httpx2.Request) -> httpx2.Response | None:
        """An answer that is certainly not sent."""
        concerned = {
            "provider_stops": True,
            "country_stops": call["number"].startswith(TROUBLED_COUNTRY),
            "language_stops": self.language(request) == TROUBLED_LANGUAGE,
        }
        for name, is_concerned in concerned.items():
            if is_concerned and self._lasts(name):
                call["stop"] = name
                return self.error(name)
        for name in ("throttled", "answers_503", "recipient_refused"):
            if self.dice.breaks(name):
                return self.error(name)
        if self.bad_uploads.get(call["upload"]) == "at once":
            self._picture(call)
            return self.error("picture_refused")
        return None

    def _breaks(self) -> str | None:
        names = (
            *("time_out_after_acceptance", "connection_reset", "answers_500", "answers_html_502"),
            "answers_garbage",
        )
        return next((name for name in names if self.dice.breaks(name)), None)

    async def _broken(self, name: str | None, request: httpx2.Request) -> httpx2.Response:
        match name:
            case "time_out_after_acceptance":
                await asyncio.sleep(TIMES_OUT_AFTER)
                raise httpx2.ReadTimeout("no answer came", request=request)
            case "connection_reset":
                raise httpx2.RemoteProtocolError("the peer closed the connection", request=request)
            case "answers_500":
                return self.error(name)
            case "answers_html_502":
                return httpx2.Response(502, content=HTML, headers={"Content-Type": "text/html"})
            case _:
                return httpx2.Response(200, content=b"{}")


WARNING_UPDATES: tuple[Mapping[str, object], ...] = (
    {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
    {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}]},
    *(
        {"event": "DISABLED", "message_template_name": "vaccination_card", "message_template_language": language}
        for language in ("fr", "en")
    ),
    {"max_daily_conversations_per_business": 1},
)
REASONS_OF_WARNING_UPDATES = frozenset({"account_restricted", "template_disabled", "daily_limit"})
"""No other fault of the simulation causes holds with these reasons."""


def _json(status: int, document: Mapping[str, object]) -> httpx2.Response:
    return httpx2.Response(status, content=json.dumps(document).encode())


class Meta(Provider):
    """The Graph API: media and messages."""

    token = "t"
    secret = "a"

    def refuses(self, request: httpx2.Request) -> httpx2.Response | None:
        if request.headers["authorization"] != f"Bearer {self.token}":
            return _json(401, {"error": {"code": 190, "message": "the token is not valid"}})
        return None

    def besides(self, request: httpx2.Request) -> httpx2.Response | None:
        if not request.url.path.endswith("/media"):
            return None
        if self.dice.breaks("upload_fails"):
            return _json(500, {"error": {"code": 131000, "message": "something went wrong"}})
        refused = self.refuses(request)
        if refused is not None:
            return refused
        upload = f"media-{next(self._numbers)}"
        if self.dice.breaks("picture_refused"):
            self.bad_uploads[upload] = self.dice.random.choice(("at once", "later"))
        return _json(200, {"id": upload})

    def read(self, request: httpx2.Request) -> tuple[str, str]:
        body = json.loads(request.content)
        return body["to"], body["biz_opaque_callback_data"]

    @override
    def language(self, request: httpx2.Request) -> str:
        template = json.loads(request.content).get("template")
        return str(template["language"]["code"]) if template else ""

    def accepted(self, taken: Taken) -> httpx2.Response:
        return _json(200, {"messages": [{"id": f"wamid.{taken.identity}", "message_status": "accepted"}]})

    def error(self, name: str) -> httpx2.Response:
        status, code = {
            "provider_stops": (400, 131042),
            "country_stops": (403, 130497),
            "language_stops": (400, 132015),
            "throttled": (429, 130429),
            "answers_503": (503, 131016),
            "recipient_refused": (400, 131026),
            "picture_refused": (400, 131053),
            "answers_500": (500, 131000),
        }[name]
        return _json(status, {"error": {"code": code, "message": name}})

    def edited(self, number: str, words: str, at: datetime) -> bytes:
        """The webhook body for a person who has edited an earlier message to these words."""
        message = {
            "from": number.removeprefix("+"),
            "id": f"wamid.in-{next(self._numbers)}",
            "timestamp": str(int(at.timestamp())),
            "type": "edit",
            "edit": {"original_message_id": "wamid.in", "message": {"type": "text", "text": {"body": words}}},
        }
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}, "messages": [message]}
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
        return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()

    def account_update(self, reported: Mapping[str, object], at: datetime) -> bytes:
        """The webhook body for an update of another account."""
        entry = {
            "id": "another",
            "time": int(at.timestamp()),
            "changes": [{"field": "account_update", "value": reported}],
        }
        return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()

    def body_of(self, taken: Taken, status: str, stamp: datetime, number: str = "1") -> bytes:
        """The webhook body for a status. `stamp`: Meta's time, the same in each repetition. `number`: the sending
        number."""
        reported: dict[str, Any] = {
            "id": f"wamid.{taken.identity}",
            "status": "failed" if status in WORDS_OF_FAILURE else status,
            "timestamp": str(int(stamp.timestamp())),
            "recipient_id": taken.number.removeprefix("+"),
        }
        if taken.key:
            reported["biz_opaque_callback_data"] = taken.key
        if status in WORDS_OF_FAILURE:
            code, title = WORDS_OF_FAILURE[status]
            reported["errors"] = [{"code": code, "title": title}]
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, "statuses": [reported]}
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
        return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


class Orange(Provider):
    """OAuth and the SMS API."""

    client_secret = "s"
    path_token = "r"

    def _bearer(self) -> str:
        return f"token-of-{self.client_secret}"

    def refuses(self, request: httpx2.Request) -> httpx2.Response | None:
        if request.headers["authorization"] != f"Bearer {self._bearer()}":
            return _json(401, {"code": 42, "message": "Expired credentials"})
        return None

    def besides(self, request: httpx2.Request) -> httpx2.Response | None:
        if not request.url.path.endswith("/token"):
            return None
        pair = httpx2.BasicAuth("client", self.client_secret)
        expected = next(pair.auth_flow(httpx2.Request("POST", request.url))).headers["authorization"]
        if request.headers["authorization"] != expected:
            return _json(401, {"error": "invalid_client"})
        return _json(200, {"access_token": self._bearer(), "token_type": "Bearer", "expires_in": 3600})

    def read(self, request: httpx2.Request) -> tuple[str, str]:
        body = json.loads(request.content)["outboundSMSMessageRequest"]
        return body["address"].removeprefix("tel:"), ""

    def accepted(self, taken: Taken) -> httpx2.Response:
        url = f"https://api.orange.invalid/smsmessaging/v1/outbound/x/requests/{taken.identity}"
        return _json(201, {"outboundSMSMessageRequest": {"resourceURL": url}})

    def error(self, name: str) -> httpx2.Response:
        errors: Mapping[str, tuple[int, Mapping[str, object]]] = {
            "provider_stops": (401, {"code": 40, "message": "Missing credentials"}),
            "country_stops": (400, {"code": 60, "message": "Resource not found"}),
            "throttled": (429, {"code": 53, "message": "Too many requests"}),
            "answers_503": (503, {"code": 5, "message": "Service unavailable"}),
            "recipient_refused": (400, {"requestError": {"serviceException": {"messageId": "SVC0004"}}}),
            "answers_500": (500, {"code": 1, "message": "Internal error"}),
        }
        return _json(*errors[name])

    def body_of(self, taken: Taken, status: str, _: datetime) -> bytes:
        """The body of a receipt."""
        word = {"sent": "DeliveredToNetwork", "failed": "DeliveryImpossible"}.get(status, "DeliveredToTerminal")
        info = {"address": f"tel:{taken.number}", "deliveryStatus": word}
        return json.dumps({"deliveryInfoNotification": {"callbackData": taken.identity, "deliveryInfo": info}}).encode()
