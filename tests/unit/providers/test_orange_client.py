import asyncio
import base64
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from shared.integrations.integration import SmsIntegration
from shared.messages.errors import Kind, SendError
from shared.providers.orange.client import Contract, OrangeSender
from shared.sending.channel import ChannelSender, Taken
from tests.fakes.orange import FakeTokenStore
from tests.fakes.world import Points
from tests.unit.providers.making import NOON, NUMBER, Answer, Provider, body, ok, sms, text_message

URL = "https://api.orange.example/smsmessaging/v1/outbound/tel:+2210000/requests"
EXPIRED = ok({"code": 42, "message": "Expired credentials"}, 401)
POLICY = ok({"requestError": {"policyException": {"messageId": "POL0001", "text": "%1", "variables": ["?"]}}}, 403)
NOT_FOUND = httpx2.Response(404, content=b"<html>")


def token(value: str = "token-1", expires_in: object = "3600") -> httpx2.Response:
    return ok({"token_type": "Bearer", "access_token": value, "expires_in": expires_in})


def created(url: object = f"{URL}/4f5a-1", **more: object) -> httpx2.Response:
    return ok({"outboundSMSMessageRequest": {"address": [f"tel:{NUMBER}"], "resourceURL": url, **more}}, 201)


def contract(units: object, *, days: int = 1, country: str = "SEN", status: str = "ACTIVE") -> dict[str, object]:
    date = (NOON + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.653Z")
    return {"country": country, "availableUnits": units, "status": status, "expirationDate": date}


class Bench:
    def __init__(self, **answers: list[Answer]) -> None:
        self.now = NOON
        defaults: dict[str, list[Answer]] = {
            "token": [token()],
            "requests": [created()],
            "contracts": [ok([contract(100)])],
        }
        self.orange = Provider(**{**defaults, **answers})
        self.token_store = FakeTokenStore(Points())
        asyncio.run(self.token_store.open("demo"))
        self.orange_sender = self.worker()
        self.sender: ChannelSender[SmsIntegration, str] = self.orange_sender

    def worker(self) -> OrangeSender:
        """Another process of the same stack."""
        return OrangeSender(self.orange.http(), "https://api.orange.example/", lambda: self.now, self.token_store)

    def prepare(self, integration: SmsIntegration | None = None) -> str:
        return asyncio.run(self.sender.prepare(integration or sms(), text_message()))

    def send(self, prepared: str = "token-0", country: str = "SN", integration: SmsIntegration | None = None) -> str:
        send = self.sender.send(integration or sms(), text_message(country), prepared, key="unused.1")
        return asyncio.run(send).provider_message_id

    def refused(self, prepared: str = "token-0", country: str = "SN") -> SendError:
        with pytest.raises(SendError) as caught:
            self.send(prepared, country)
        return caught.value


def test_the_token_is_asked_for_as_documented() -> None:
    bench = Bench()
    assert bench.prepare() == "token-1"
    (asked,) = bench.orange.requests
    assert str(asked.url) == "https://api.orange.example/oauth/v3/token"
    assert asked.content == b"grant_type=client_credentials"
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(b"client:invented").decode()
    assert asked.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("expires_in", "still", "no_longer"),
    [
        ("3600", 3539, 3540),
        (3600, 3539, 3540),
        (100, 79, 80),
        (None, 47, 48),
        ("soon", 47, 48),
        (7776000, 7775939, None),
    ],
)
def test_a_token_is_kept_for_its_life(expires_in: object, still: int, no_longer: int | None) -> None:
    bench = Bench(token=[token("token-1", expires_in), token("token-2")])
    assert bench.prepare() == "token-1"
    bench.now = NOON + timedelta(seconds=still)
    assert bench.prepare() == "token-1"
    if no_longer is not None:
        bench.now = NOON + timedelta(seconds=no_longer)
        assert bench.prepare() == "token-2"


def test_concurrent_sends_request_one_token() -> None:
    bench = Bench()

    async def many() -> list[str]:
        return await asyncio.gather(*(bench.sender.prepare(sms(), text_message()) for _ in range(20)))

    assert asyncio.run(many()) == ["token-1"] * 20
    assert len(bench.orange.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (ok({"error": "invalid_client", "error_description": "…"}, 401), Kind.STOP, "token_invalid"),
        (ok({"error": "invalid_client"}, 400), Kind.STOP, "token_invalid"),
        (ok({"code": 41}, 401), Kind.STOP, "token_invalid"),
        (ok({"code": 50}, 403), Kind.STOP, "country_not_subscribed"),
        (httpx2.Response(403), Kind.STOP, "token_invalid"),
        (ok({"code": 53}, 403), Kind.THROTTLED, ""),
        (httpx2.Response(500), Kind.RETRY, ""),
        (httpx2.ReadTimeout("late"), Kind.RETRY, ""),
        (ok({"access_token": ""}), Kind.RETRY, ""),
        (httpx2.Response(200, content=b"<html>"), Kind.RETRY, ""),
    ],
)
def test_no_token(answer: Answer, kind: Kind, reason: str) -> None:
    with pytest.raises(SendError) as caught:
        Bench(token=[answer]).prepare()
    assert (caught.value.kind, caught.value.reason) == (kind, reason)


def test_the_message_is_sent_as_documented() -> None:
    bench = Bench()
    assert bench.send() == "4f5a-1"
    (sent,) = bench.orange.requests
    assert sent.url.raw_path == b"/smsmessaging/v1/outbound/tel%3A%2B2210000/requests"
    assert sent.headers["Authorization"] == "Bearer token-0"
    assert sent.headers["Content-Type"] == "application/json"
    assert body(sent) == {
        "outboundSMSMessageRequest": {
            "address": f"tel:{NUMBER}",
            "senderAddress": "tel:+2210000",
            "senderName": "OOMUS",
            "outboundSMSTextMessage": {"message": "Voici votre carte : é €"},
        }
    }


def test_the_organisations_own_sender_address() -> None:
    bench = Bench()
    bench.send(integration=sms(SN="tel:+2219999"))
    assert b"tel%3A%2B2219999" in bench.orange.requests[0].url.raw_path
    assert b'"senderAddress":"tel:+2219999"' in bench.orange.requests[0].content


def test_a_country_without_sender_address_stops_before_the_claim() -> None:
    bench = Bench()
    with pytest.raises(SendError) as caught:
        asyncio.run(bench.sender.prepare(sms(), text_message("EG")))
    assert (caught.value.kind, caught.value.code) == (Kind.STOP, "no_sender_address/EG")
    assert asyncio.run(bench.sender.prepare(sms(EG="tel:+200000"), text_message("EG"))) == "token-1"


@pytest.mark.parametrize(
    ("answer", "receipt_id"),
    [
        (created(f"{URL}/abc/"), "abc"),
        (created(f"{URL}/urn:uuid:1"), "urn:uuid:1"),
        (created(None, resourceReference={"resourceURL": f"{URL}/x"}), "x"),
        (ok({"outboundSMSMessageRequest": {"resourceURL": f"{URL}/y"}}, 200), "y"),
    ],
)
def test_the_receipt_id(answer: Answer, receipt_id: str) -> None:
    assert Bench(requests=[answer]).send() == receipt_id


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(201),
        httpx2.Response(201, content=b'{"outboundSMSMess'),
        httpx2.Response(201, content=b"<html>"),
        ok({}, 201),
        created(None),
        created(""),
        created(URL),
        created(f"{URL}/"),
        created("nonsense"),
        created(f"{URL}/a b"),
    ],
)
def test_an_acceptance_without_a_readable_id_is_unknown(answer: Answer) -> None:
    bench = Bench(requests=[answer])
    error = bench.refused()
    assert (error.kind, error.reason) == (Kind.UNKNOWN, "outcome_unknown")
    assert len(bench.orange.requests) == 1


@pytest.mark.parametrize("code", [41, 42, "42", None])
def test_a_refused_token_is_replaced_once(code: object) -> None:
    bench = Bench(requests=[ok({"code": code}, 401), created()])
    assert bench.send() == "4f5a-1"
    assert [request.headers["Authorization"] for request in bench.orange.asked("requests")] == [
        "Bearer token-0",
        "Bearer token-1",
    ]


def test_a_second_refusal_stops() -> None:
    bench = Bench(requests=[EXPIRED])
    error = bench.refused()
    assert (error.kind, error.reason) == (Kind.STOP, "token_invalid")
    assert len(bench.orange.asked("requests")) == 2
    assert len(bench.orange.asked("token")) == 1


class OldTokenRefused(Provider):
    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        answer = super().__call__(request)
        return EXPIRED if request.headers["Authorization"] == "Bearer token-1" else answer


@pytest.mark.parametrize(("country", "hour"), [("SN", 21), ("MG", 18), ("SN", 5)])
def test_a_call_that_would_come_in_quiet_hours_is_not_made(country: str, hour: int) -> None:
    """The gate let the message pass, but the claim took long."""
    bench = Bench()
    bench.now = NOON.replace(hour=hour)
    error = bench.refused(country=country)
    assert (error.kind, bench.orange.asked("requests")) == (Kind.RETRY, [])


class DuskFalls(Provider):
    """A slow token request: the call was refused at 20:59:59, and the new token comes at 21:00."""

    def __init__(self, bench: Bench, **answers: list[Answer]) -> None:
        super().__init__(**answers)
        self._bench = bench

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token"):
            self._bench.now = NOON.replace(hour=21)
        return super().__call__(request)


def test_no_call_follows_a_token_that_came_in_quiet_hours() -> None:
    bench = Bench()
    bench.now = NOON.replace(hour=20, minute=59, second=59)
    bench.orange = DuskFalls(bench, token=[token()], requests=[EXPIRED, created()])
    bench.sender = bench.worker()
    assert bench.refused().kind is Kind.RETRY
    assert len(bench.orange.asked("requests")) == 1


def test_many_concurrent_refusals_cause_one_new_token() -> None:
    orange = OldTokenRefused(token=[token("token-1"), token("token-2")], requests=[created()])
    sender = OrangeSender(orange.http(), "https://api.orange.example", lambda: NOON, FakeTokenStore(Points()))

    async def many() -> list[Taken]:
        prepared = await sender.prepare(sms(), text_message())
        return await asyncio.gather(*(sender.send(sms(), text_message(), prepared, key="x.1") for _ in range(3)))

    assert asyncio.run(many()) == [Taken(provider_message_id="4f5a-1")] * 3
    assert len(orange.asked("token")) == 2


def test_a_refusal_for_missing_credentials_causes_no_new_token() -> None:
    bench = Bench(requests=[ok({"code": 40}, 401)])
    assert bench.refused().kind is Kind.STOP
    assert len(bench.orange.requests) == 1


def test_without_a_new_token_the_message_was_not_sent() -> None:
    assert Bench(requests=[EXPIRED], token=[httpx2.ReadTimeout("late")]).refused().kind is Kind.RETRY


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.ReadTimeout("late"), Kind.UNKNOWN),
        (httpx2.ReadError("reset"), Kind.UNKNOWN),
        (httpx2.ConnectTimeout("late"), Kind.RETRY),
        (httpx2.Response(504), Kind.UNKNOWN),
        (httpx2.Response(503), Kind.RETRY),
        (ok({"code": 53}, 403), Kind.THROTTLED),
        (ok({"code": 24}, 400), Kind.RECIPIENT),
    ],
)
def test_a_send_is_made_once(answer: Answer, kind: Kind) -> None:
    bench = Bench(requests=[answer])
    assert bench.refused().kind is kind
    assert len(bench.orange.requests) == 1


@pytest.mark.parametrize("answer", [POLICY, httpx2.Response(403), ok({"code": 51}, 403)])
@pytest.mark.parametrize(
    ("contracts", "reason"),
    [
        ([contract(0)], "balance_empty"),
        ([contract(-3), contract(100, country="CIV")], "balance_empty"),
        ([contract(50, days=-1)], "contract_expired"),
        ([contract(50, status="EXPIRED"), contract(0)], "contract_expired"),
    ],
)
def test_the_contracts_show_an_empty_balance(answer: Answer, contracts: list[object], reason: str) -> None:
    error = Bench(requests=[answer], contracts=[ok(contracts)]).refused()
    assert (error.kind, error.reason) == (Kind.STOP, reason)


@pytest.mark.parametrize("contracts", [[], [contract(100, country="CIV")]])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (POLICY, "balance_empty"),
        (httpx2.Response(403), "balance_empty"),
        (ok({"code": 50}, 403), "country_not_subscribed"),
        (ok({"code": 51}, 403), "account_restricted"),
        (ok({"requestError": {"policyException": {"messageId": "POL1009"}}}, 403), "country_not_subscribed"),
    ],
)
def test_without_a_contract_the_code_decides(answer: Answer, reason: str, contracts: list[object]) -> None:
    """An account without a subscription has no contract: buying units would not help."""
    error = Bench(requests=[answer], contracts=[ok(contracts)]).refused()
    assert (error.kind, error.reason) == (Kind.STOP, reason)


@pytest.mark.parametrize("contracts", [[contract("100")], [contract(50, days=-1), contract(1)]])
def test_with_remaining_units_the_refusal_is_about_the_recipient(contracts: list[object]) -> None:
    error = Bench(requests=[POLICY], contracts=[ok(contracts)]).refused()
    assert (error.kind, error.reason, error.code) == (Kind.RECIPIENT, "provider_rejected", "POL0001")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.ReadTimeout("late"), Kind.RETRY),
        (httpx2.Response(500), Kind.RETRY),
        (ok({"code": 53}, 403), Kind.RETRY),
        (httpx2.Response(200, content=b"<html>"), Kind.RETRY),
        (NOT_FOUND, Kind.RECIPIENT),
    ],
)
def test_contracts_that_cannot_be_read(answer: Answer, kind: Kind) -> None:
    assert Bench(requests=[POLICY], contracts=[answer]).refused().kind is kind


def test_contracts_in_both_shapes() -> None:
    old = {
        "partnerContracts": {
            "contracts": [
                {"serviceContracts": [{"country": "CIV", "availableUnits": 7, "expires": "2026-11-24T12:00:00"}]},
                {"serviceContracts": [{"country": "XYZ", "availableUnits": None, "expires": "?"}]},
            ]
        }
    }
    bench = Bench(contracts=[ok([contract(5)]), ok(old), EXPIRED])
    asked = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert asyncio.run(bench.orange_sender.contracts(sms())) == [
        Contract(country="SN", units=5, expires_at=asked + timedelta(milliseconds=653))
    ]
    assert asyncio.run(bench.orange_sender.contracts(sms())) == [
        Contract(country="CI", units=7, expires_at=asked),
        Contract(country="XYZ", units=0, expires_at=None),
    ]
    with pytest.raises(SendError) as caught:
        asyncio.run(bench.orange_sender.contracts(sms()))
    assert caught.value.kind is Kind.STOP
    assert len(bench.orange.asked("token")) == 2
