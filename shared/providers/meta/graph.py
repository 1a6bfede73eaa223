"""Meta's Graph API beside sending: what it says of number, account and token. Every call here may be repeated."""

from collections.abc import Mapping
from urllib.parse import quote

import httpx2

from shared.base.json import JsonObject
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.errors import Kind, SendError
from shared.pacing.daily_limit import DailyLimit, NumberFacts
from shared.providers.answers import integer, obj, objects, parse, text
from shared.providers.errors import Call
from shared.providers.http import bearer, exchange
from shared.providers.meta.account import messaging_limit
from shared.providers.meta.client import API_VERSION
from shared.providers.meta.errors import error_from_response

NUMBER_FIELDS = (
    "display_phone_number",
    "verified_name",
    "name_status",
    "code_verification_status",
    "quality_rating",
    "throughput",
    "whatsapp_business_manager_messaging_limit",
    "health_status",
)

PLAIN_FIELDS = NUMBER_FIELDS[:2] + NUMBER_FIELDS[4:5]
"""What every token and version may read: asked for where Meta refuses one of the others by name (code 100)."""

_LONGEST_WORDS = 200


class Graph:
    """One versioned address for all administration. `base_url` is without the version."""

    def __init__(self, http: httpx2.AsyncClient, base_url: str) -> None:
        self._http = http
        self._base_url = f"{base_url.rstrip('/')}/{API_VERSION}"

    async def get(self, integration: WhatsAppIntegration, path: str, query: Mapping[str, str]) -> JsonObject:
        """The answer's object. Raises SendError, also where there is none."""
        return await self.call(integration, "GET", path, params=dict(query))

    async def post(self, integration: WhatsAppIntegration, path: str, body: JsonObject) -> JsonObject:
        """As `get`."""
        return await self.call(integration, "POST", path, json=body)

    async def call(  # noqa: PLR0913 - the parts of one HTTP request, by name
        self,
        integration: WhatsAppIntegration,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        json: JsonObject | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """One request. Raises SendError with Meta's decision; its code has the subcode where Meta gives one."""
        whole = {**bearer(integration.access_token.value), **(headers or {})}
        url = f"{self._base_url}/{path}"
        async with exchange(Call.REPEATABLE):
            answer = await self._http.request(method, url, params=params, json=json, content=content, headers=whole)
        if not answer.is_success:
            raise _error(answer)
        document = parse(answer.content)
        if not isinstance(document, dict):
            raise SendError(Kind.RETRY, "answer_unreadable")
        return document

    async def number(self, integration: WhatsAppIntegration) -> NumberFacts:
        """What Meta says of the sender number. Raises SendError."""
        path = segment(integration.phone_number_id)
        try:
            found = await self.get(integration, path, {"fields": ",".join(NUMBER_FIELDS)})
        except SendError as error:
            if error.code != "100":
                raise
            found = await self.get(integration, path, {"fields": ",".join(PLAIN_FIELDS)})
        return number_facts(found)

    async def is_subscribed(self, integration: WhatsAppIntegration, account: str) -> bool:
        """Whether an app receives the account's webhooks. Raises SendError."""
        found = await self.get(integration, f"{segment(account)}/subscribed_apps", {})
        return bool(objects(found.get("data")))


def segment(identity: str) -> str:
    """An ID as one part of a path."""
    return quote(identity, safe="")


def number_facts(found: JsonObject) -> NumberFacts:
    """Total: what is absent or of another type is None."""
    limit = messaging_limit(found.get("whatsapp_business_manager_messaging_limit"))
    throughput = found.get("throughput")
    verified = text(found.get("code_verification_status"))
    health = obj(found.get("health_status"))
    return NumberFacts(
        display_phone_number=text(found.get("display_phone_number")) or None,
        verified_name=text(found.get("verified_name")) or None,
        name_status=text(found.get("name_status")) or None,
        is_verified=verified == "VERIFIED" if verified else None,
        quality=text(found.get("quality_rating")).upper() or None,
        throughput=text(obj(throughput).get("level")) or None,
        limit=DailyLimit(people=limit[0]) if limit else None,
        can_send=text(health.get("can_send_message")).upper() or None,
        problems=tuple(_problems(health)),
    )


def _problems(health: JsonObject) -> list[str]:
    errors = [error for entity in objects(health.get("entities")) for error in objects(entity.get("errors"))]
    reported = (f"{text(one.get('error_description'))} {text(one.get('possible_solution'))}".strip() for one in errors)
    return [words[:_LONGEST_WORDS] for words in dict.fromkeys(reported) if words]


def _error(answer: httpx2.Response) -> SendError:
    error = error_from_response(answer.status_code, answer.content, Call.REPEATABLE)
    subcode = integer(obj(obj(parse(answer.content)).get("error")).get("error_subcode"))
    if subcode:
        error.code = f"{error.code}/{subcode}"
    return error
