"""The demo against a product that answers as api.md says: the demo reports each deviation and shows no whole number."""

import io
import json
from collections import Counter
from collections.abc import Callable
from typing import cast

import httpx2
import pytest
from rich.console import Console

from local import demo
from local.demo.api import Api, ApiError
from local.demo.screen import Screen
from local.sample.expected import Campaign, RowDecision
from local.sample.register import sms_campaign
from local.sample.tracker import whatsapp_campaign

CAMPAIGNS = {"whatsapp": whatsapp_campaign("http://simulators/cards"), "sms": sms_campaign()}
PROVIDERS = {"whatsapp": "meta", "sms": "orange"}
type Json = dict[str, object]


class Product:
    """Ends every row as the demo expects, except where `spoil` changes an answer."""

    def __init__(self, spoil: Callable[[str, Json], object] = lambda path, body: None) -> None:
        self._spoil = spoil
        self.uploads: dict[str, bytes] = {}
        self.confirmed: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if request.url.host == "bucket":
            self.uploads[path] = request.content
            return httpx2.Response(200)
        if path == "/v1/distributions" and not request.headers.get("Idempotency-Key"):
            return httpx2.Response(400, json={"code": "idempotency_key_missing"})
        body = self._answer(request, path)
        self._spoil(path, body)
        return httpx2.Response(200, json=body)

    def _answer(self, request: httpx2.Request, path: str) -> Json:
        sent: Json = json.loads(request.content) if request.content else {}
        fixed: Json = {
            "/v1/uploads": {
                "upload_id": sent.get("format"),
                "url": f"http://bucket/{sent.get('format')}",
                "headers": {"X": "y"},
            },
            "/v1/distributions": {"distribution_id": sent.get("channel")},
            "/_control/ledger": {"messages": [each for campaign in CAMPAIGNS.values() for each in _ledger(campaign)]},
        }
        if path in fixed:
            return cast("Json", fixed[path])
        if path.endswith("/confirm"):
            self.confirmed.append(path.split("/")[3])
        if path == "/v1/messages":
            return _page(_messages(CAMPAIGNS[request.url.params["distribution_id"]]), request)
        campaign = CAMPAIGNS[path.split("/")[3]]
        if path.endswith("/errors"):
            return _page(_errors(campaign), request)
        return _distribution(campaign, "completed" if campaign.channel in self.confirmed else "planned")


def _page(items: list[Json], request: httpx2.Request) -> Json:
    """The list in two pages, so that the demo must follow the cursor."""
    half = len(items) // 2
    second = request.url.params.get("cursor") == "two"
    return {"items": items[half:] if second else items[:half], "next_cursor": None if second else "two"}


def _accepted(campaign: Campaign) -> list[Json]:
    return [
        {"enrollment_id": each.enrollment_id, "status": each.status, "reason": each.reason, "number": each.number or ""}
        for each in campaign.expected
        if each.decision is RowDecision.ACCEPTED
    ]


def _messages(campaign: Campaign) -> list[Json]:
    return [
        {
            **{name: value for name, value in each.items() if name != "number"},
            "recipient": f"{str(each['number'])[:6]}***{str(each['number'])[-4:]}",
            "provider_message_id": "x",
            "sent_at": "2026-11-23T10:00:01.000Z",
            "delivered_at": None,
            "read_at": None,
            "segments": 1,
            "price": {"amount": "12", "currency": "XOF"},
        }
        for each in _accepted(campaign)
    ]


def _errors(campaign: Campaign) -> list[Json]:
    return [
        {"row": each.row, "field": "phone", "code": each.reason, "message": "Correct it.", "recipient": None}
        for each in campaign.expected
        if each.decision is RowDecision.REJECTED
    ]


def _distribution(campaign: Campaign, status: str) -> Json:
    return {
        "channel": campaign.channel,
        "status": status,
        "status_reason": None,
        "accepted": campaign.count(RowDecision.ACCEPTED),
        "rejected": campaign.count(RowDecision.REJECTED),
        "duplicates": campaign.count(RowDecision.DUPLICATE),
        "counts": {"pending": 0, **Counter(str(each["status"]) for each in _accepted(campaign))},
        "by_reason": {"undeliverable": 1},
        "segments": None,
        "prices": [{"country": "SN", "amount": "12", "currency": "XOF", "segments": 1}],
        "warnings": [{"code": "peak_hours", "message": "It is busy."}],
    }


def _ledger(campaign: Campaign) -> list[Json]:
    return [
        {"provider": PROVIDERS[campaign.channel], "recipient": each["number"]}
        for each in _accepted(campaign)
        if each["reason"] != "phone_invalid"
    ]


def played(product: Product) -> tuple[list[str], str]:
    """The findings, and the text on the screen."""
    out = io.StringIO()
    screen = Screen(Console(file=out, width=200))
    with Api("http://product", "token", "http://simulators", httpx2.MockTransport(product)) as api:
        running = [demo.planned(api, screen, campaign, 0) for campaign in CAMPAIGNS.values()]
        for one in running:
            api.act(one.distribution_id, "confirm")
        findings = demo.followed(api, screen, running, 0)
        demo.show(api, screen, running)
    screen.conclusion(findings, 12)
    return [finding.text for finding in findings], out.getvalue()


def test_a_run_without_deviations_has_no_findings() -> None:
    product = Product()
    findings, screen = played(product)
    assert findings == []
    assert product.uploads == {"/dhis2": CAMPAIGNS["whatsapp"].upload, "/csv": CAMPAIGNS["sms"].upload}
    assert "Every message got the status that its number asks for" in screen
    assert "phone_obsolete" in screen
    assert "+22177***2101" in screen
    numbers = [each.number for campaign in CAMPAIGNS.values() for each in campaign.expected if each.number]
    assert not [number for number in numbers if number in screen]


def _one_pending(path: str, body: Json) -> None:
    if path == "/v1/messages" and body["items"]:
        body["items"][0]["status"] = "pending"  # type: ignore[index]  # JSON


def _one_error_less(path: str, body: Json) -> None:
    if path.endswith("/errors") and body["next_cursor"] is None:
        body["items"] = []


def _sent_twice(path: str, body: Json) -> None:
    if path == "/_control/ledger":
        body["messages"] += body["messages"][:1]  # type: ignore[index]  # JSON


def _a_stranger(path: str, body: Json) -> None:
    if path == "/_control/ledger":
        body["messages"][0]["recipient"] = "+221770009998"  # type: ignore[index]  # JSON


def _paused(path: str, body: Json) -> None:
    if body.get("status") == "completed":
        body |= {"status": "paused", "status_reason": "token_invalid"}


def _counts(path: str, body: Json) -> None:
    if "counts" in body:
        body["counts"] = {"pending": 3}


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_one_pending, "is ('pending', None), not ('read', None)"),
        (_one_error_less, "rejected with None"),
        (_sent_twice, "sent 2 times"),
        (_a_stranger, "not in the campaign"),
        (_paused, "paused (token_invalid)"),
        (_counts, "counts are {'pending': 3}"),
    ],
)
def test_the_demo_reports_each_deviation(spoil: Callable[[str, Json], None], expected: str) -> None:
    findings, screen = played(Product(spoil))
    assert any(expected in finding for finding in findings), findings
    assert "differences from what was expected" in screen


def test_a_plan_that_fails_ends_the_demo() -> None:
    def unreadable(path: str, body: Json) -> None:
        if body.get("status") == "planned":
            body |= {"status": "rejected", "status_reason": "file_unreadable"}

    with pytest.raises(ApiError, match="file_unreadable"):
        played(Product(unreadable))
