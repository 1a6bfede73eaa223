"""Sends one SMS by Kite's API: an API key in a header, a list of recipients in the body, a list of references in the
answer."""

from collections.abc import Callable
from datetime import datetime

import httpx2

from shared.integrations.integration import SmsIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Channel, Payload
from shared.policy.gate import earliest_open
from shared.providers.answers import Call, identifier, integer, lost, obj, objects, parse
from shared.providers.http import SendTime, SendTimes, exchange, warm_up
from shared.sending.channel import Taken
from tests.toy_provider.kite.codes import FAULTS, OTHER, STATUSES

URL = "https://api.kite.invalid/v2/batches"


class KiteSender:
    """A `ChannelSender` without preparation."""

    def __init__(self, http: httpx2.AsyncClient, now: Callable[[], datetime], times: SendTimes) -> None:
        self._http = http
        self._now = now
        self._times = times

    async def prepare(self, integration: SmsIntegration, payload: Payload) -> str:
        """The API key; Kite needs no token."""
        await warm_up()
        return integration.client_secret.value

    async def send(self, integration: SmsIntegration, payload: Payload, prepared: str, *, key: str) -> Taken:
        """The reference of the batch's only item. Kite takes no key of ours."""
        time, now = SendTime(self._times), self._now()
        if earliest_open(Channel.SMS, payload.country, now) > now:
            raise SendError(Kind.RETRY, "night_has_fallen")
        body = {
            "account": integration.client_id,
            "from": integration.sender_name,
            "to": [payload.to.removeprefix("+")],
            "body": payload.text,
        }
        async with exchange(Call.ONCE, time.remaining):
            answer = await self._http.post(URL, json=body, headers={"X-Api-Key": prepared}, timeout=time.limits)
        if not answer.is_success:
            raise error_from(answer.status_code, answer.content)
        items = objects(obj(parse(answer.content)).get("items"))
        reference = identifier(items[0].get("ref")) if items else ""
        if not reference:
            raise lost("accepted_without_id", Call.ONCE)
        return Taken(provider_message_id=reference)


def error_from(status: int, body: bytes) -> SendError:
    """The decision for an answer other than 2xx. It accepts every status and body."""
    number = integer(obj(obj(parse(body)).get("field_error")).get("number"))
    refusal, failure = OTHER
    rule = FAULTS.get(number or 0) or STATUSES.get(status) or (failure if status >= 500 else refusal)
    return rule.error(f"{status}/{number}" if number is not None else f"HTTP {status}")
