"""Calls the HTTP API as the front end does (api.md), and reads the simulators' ledger."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx2

from local.demo.check import Finding, misdelivered
from local.sample.expected import Campaign
from local.simulators.json_body import as_list, as_object, parsed_object, text_at


class ApiError(Exception):
    """The API gave an answer with which the demo cannot go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The fields of a distribution that the demo shows and checks."""

    channel: str
    status: str
    status_reason: str | None
    accepted: int
    rejected: int
    duplicates: int
    counts: Mapping[str, int]
    by_reason: Mapping[str, int]
    segments: int | None
    prices: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of the log. `recipient` is masked."""

    status: str
    reason: str | None
    recipient: str
    enrollment_id: str
    provider_message_id: str
    instants: Mapping[str, str]
    segments: int | None
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One reason why one row was rejected."""

    row: int
    field: str
    code: str
    message: str
    recipient: str


class Api:
    """Every method raises ApiError if the answer is not a success."""

    def __init__(
        self, base_url: str, token: str, simulators_url: str, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self._base_url = base_url
        self._simulators_url = simulators_url
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        self._http = httpx2.Client(timeout=30, trust_env=False, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def put(self, path: str, body: Mapping[str, object]) -> None:
        self._call("PUT", path, body)

    def upload(self, form: str, content: bytes) -> str:
        """Upload a file and return its upload_id."""
        answer = self._call("POST", "/v1/uploads", {"format": form, "bytes": len(content)})
        headers = {name: str(value) for name, value in (as_object(answer.get("headers")) or {}).items()}
        try:
            stored = self._http.put(str(answer["url"]), content=content, headers=headers)
        except httpx2.HTTPError as error:
            raise ApiError(f"PUT of the upload: {type(error).__name__}") from error
        if not stored.is_success:
            raise ApiError(f"PUT of the upload: {stored.status_code} {stored.text[:300]}")
        return str(answer["upload_id"])

    def distribute(self, campaign: Campaign, upload_id: str) -> str:
        """Have a campaign planned and return its distribution_id."""
        body = {
            "campaign_id": campaign.campaign_id,
            "channel": campaign.channel,
            "content": campaign.content,
            "upload_id": upload_id,
            "defaults": campaign.defaults,
        }
        answer = self._call("POST", "/v1/distributions", body, {"Idempotency-Key": f"demo-{campaign.campaign_id}"})
        return str(answer["distribution_id"])

    def act(self, distribution_id: str, action: str) -> None:
        """Confirm, pause, resume or cancel a distribution."""
        self._call("POST", f"/v1/distributions/{distribution_id}/{action}")

    def distribution(self, distribution_id: str) -> Distribution:
        answer = self._call("GET", f"/v1/distributions/{distribution_id}")
        return Distribution(
            channel=str(answer["channel"]),
            status=str(answer["status"]),
            status_reason=text_at(answer, "status_reason"),
            accepted=_number(answer["accepted"]),
            rejected=_number(answer["rejected"]),
            duplicates=_number(answer["duplicates"]),
            counts=_counts(answer["counts"]),
            by_reason=_counts(answer["by_reason"]),
            segments=_number(answer["segments"]) if answer.get("segments") is not None else None,
            prices=tuple(
                f"{text_at(item, 'country')} {price}" for item in _objects(answer["prices"]) if (price := _price(item))
            ),
            warnings=tuple(text_at(item, "message") or "" for item in _objects(answer["warnings"])),
        )

    def messages(self, distribution_id: str) -> list[Message]:
        """Return the whole log of a distribution."""
        return [
            Message(
                status=str(item["status"]),
                reason=text_at(item, "reason"),
                recipient=str(item["recipient"]),
                enrollment_id=text_at(item, "enrollment_id") or "",
                provider_message_id=text_at(item, "provider_message_id") or "",
                instants={
                    name: value for name in ("sent_at", "delivered_at", "read_at") if (value := text_at(item, name))
                },
                segments=_number(item["segments"]) if item.get("segments") is not None else None,
                price=_price(as_object(item.get("price"))),
            )
            for item in self._pages(f"/v1/messages?distribution_id={distribution_id}&limit=200")
        ]

    def errors(self, distribution_id: str) -> list[RowError]:
        """Return every rejected row."""
        return [
            RowError(
                row=_number(item["row"]),
                field=str(item["field"]),
                code=str(item["code"]),
                message=str(item["message"]),
                recipient=text_at(item, "recipient") or "",
            )
            for item in self._pages(f"/v1/distributions/{distribution_id}/errors?limit=200")
        ]

    def misdeliveries(self, campaigns: Sequence[Campaign]) -> list[Finding]:
        """Compare the simulators' ledger with the campaigns: each sent message must be in it once, and no other."""
        answer = self._read(self._send("GET", f"{self._simulators_url}/_control/ledger"))
        providers = {"whatsapp": "meta", "sms": "orange"}
        taken = Counter((str(item["provider"]), str(item["recipient"])) for item in _objects(answer["messages"]))
        return [
            finding
            for campaign in campaigns
            for finding in misdelivered(
                campaign,
                {number: times for (who, number), times in taken.items() if who == providers[campaign.channel]},
            )
        ]

    def _pages(self, path: str) -> Iterator[dict[str, object]]:
        cursor: str | None = ""
        while cursor is not None:
            page = self._call("GET", f"{path}&cursor={cursor}" if cursor else path)
            yield from _objects(page["items"])
            cursor = text_at(page, "next_cursor")

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, object]:
        return self._read(self._send(method, self._base_url + path, body, {**self._headers, **(headers or {})}))

    def _send(
        self,
        method: str,
        url: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        try:
            return self._http.request(method, url, json=body, headers=dict(headers or {}))
        except httpx2.HTTPError as error:
            raise ApiError(f"{method} {url}: {type(error).__name__}") from error

    def _read(self, answer: httpx2.Response) -> dict[str, object]:
        value = parsed_object(answer.content)
        if not answer.is_success or value is None:
            request = answer.request
            raise ApiError(f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:500]}")
        return value


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (item for each in as_list(value) or () if (item := as_object(each)) is not None)


def _counts(value: object) -> dict[str, int]:
    return {name: _number(count) for name, count in (as_object(value) or {}).items()}


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ApiError(f"a whole number was expected, not {value!r}")
    return value


def _price(value: Mapping[str, object] | None) -> str:
    if value is None or value.get("amount") is None:
        return ""
    return f"{value['amount']} {value.get('currency') or ''}".strip()
