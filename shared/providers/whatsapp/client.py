"""Sends one message by Meta's Cloud API: the card goes up first, then the message that names it."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from urllib.parse import quote

import httpx2

from shared.domain.errors import Kind, SendError
from shared.domain.integration import WhatsAppIntegration
from shared.domain.masking import blank_number_in_wamid
from shared.domain.payload import Payload
from shared.domain.picture import kind
from shared.domain.sending import CardSource, MediaCache, Taken
from shared.providers.answers import identifier, obj, objects, parse, text
from shared.providers.calls import Call, lost
from shared.providers.http import QUEUED_SENDS, SendTime, SendTimes, bearer, exchange, warm_up
from shared.providers.single_flight import SingleFlight
from shared.providers.whatsapp.errors import STALE_MEDIA, error_from_response
from shared.providers.whatsapp.messages import body_of
from shared.providers.whatsapp.uploads import Uploads

API_VERSION = "v25.0"
NO_PICTURE = ""
"""What `prepare` makes of a payload without a card: templates without an image header, texts within a session."""
HELD = frozenset({"held_for_quality_assessment", "paused"})
"""`message_status` of an accepted message that Meta keeps back (reference/whatsapp.md, section 1, Response)."""


class WhatsAppSender:
    """A `ChannelSender` whose preparation is the card's media ID at Meta.

    `base_url` is without the version. Media IDs belong to the phone number that uploaded them and live 30 days.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        base_url: str,
        cards: CardSource,
        media: MediaCache,
        now: Callable[[], datetime],
        times: SendTimes = QUEUED_SENDS,
    ) -> None:
        self._http = http
        self._times = times
        self._base_url = f"{base_url.rstrip('/')}/{API_VERSION}"
        self._cards = cards
        self._uploads = Uploads(media, now)
        self._under_way = SingleFlight()

    async def prepare(self, integration: WhatsAppIntegration, payload: Payload) -> str:
        """The media ID of the payload's card, uploaded only where no ID of the same bytes is known for this number."""
        await warm_up()
        return await self._media_id(integration, payload, payload.card_image) if payload.card_image else NO_PICTURE

    async def send(self, integration: WhatsAppIntegration, payload: Payload, prepared: str, *, key: str) -> Taken:
        """The message's ID with the number in it blanked. 200 means accepted, also when Meta holds it for assessment.

        A media ID that Meta has forgotten is a sure rejection, so that one more upload and one more call are safe. One
        whose picture Meta refuses is not used again; whether the message goes once more is for who keeps its row.
        """
        time = SendTime(self._times)
        try:
            return await self._post(integration, body_of(payload, prepared, key), time)
        except SendError as error:
            if error.refuses_picture:
                await self._uploads.refused(prepared)
            if error.code != STALE_MEDIA or not payload.card_image:
                raise
        async with time.before_second_try():
            fresh = await self._media_id(integration, payload, payload.card_image, stale=prepared)
        return await self._post(integration, body_of(payload, fresh, key), time)

    async def _post(self, integration: WhatsAppIntegration, body: dict[str, object], time: SendTime) -> Taken:
        headers, url = bearer(integration.access_token.value), self._url(integration, "messages")
        async with exchange(Call.ONCE, time.left):
            answer = await self._http.post(url, json=body, headers=headers, timeout=time.limits)
        if not answer.is_success:
            raise error_from_response(answer.status_code, answer.content)
        messages = objects(obj(parse(answer.content)).get("messages"))
        message_id = identifier(messages[0].get("id")) if messages else ""
        if not message_id:
            raise lost("accepted_without_id", Call.ONCE)
        held = text(messages[0].get("message_status")) in HELD
        return Taken(provider_message_id=blank_number_in_wamid(message_id), held=held)

    async def _media_id(
        self, integration: WhatsAppIntegration, payload: Payload, card: str, *, stale: str | None = None
    ) -> str:
        """An ID other than `stale`: of several messages that meet the same stale one, the first uploads for all.

        Looked up before the lock, so that a batch looks up its cards at once, and behind it again.
        """
        content = await self._cards.fetch(card, integration.organisation)
        media_type = kind(content)
        owner = (integration.organisation, integration.phone_number_id, hashlib.sha256(content).hexdigest())
        known = partial(self._uploads.media_id, owner, payload.to, stale=stale, after=payload.card_after)
        if found := await known():
            return found
        async with self._under_way.lock(owner):
            if found := await known():
                return found
            media_id = await self._upload(integration, content, media_type)
            replaces = stale is not None or payload.card_after is not None
            await self._uploads.uploaded(owner, payload.to, media_id, replaces=replaces)
        return media_id

    async def _upload(self, integration: WhatsAppIntegration, content: bytes, media_type: str) -> str:
        headers = bearer(integration.access_token.value)
        name = f"card.{media_type.removeprefix('image/')}"
        async with exchange(Call.REPEATABLE):
            answer = await self._http.post(
                self._url(integration, "media"),
                data={"messaging_product": "whatsapp", "type": media_type},
                files={"file": (name, content, media_type)},
                headers=headers,
            )
        if not answer.is_success:
            raise error_from_response(answer.status_code, answer.content, Call.REPEATABLE)
        media_id = identifier(obj(parse(answer.content)).get("id"))
        if not media_id:
            raise SendError(Kind.RETRY, "uploaded_without_id")
        return media_id

    def _url(self, integration: WhatsAppIntegration, what: str) -> str:
        return f"{self._base_url}/{quote(integration.phone_number_id, safe='')}/{what}"
