"""Sends one message through Meta's Cloud API: uploads the card, then sends the message with the card's media ID
(reference/whatsapp.md, section 1). `Uploads` remembers media IDs and shares some of them with other workers.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import quote

import httpx2

from shared.base.caches import LruCache
from shared.base.concurrency import SingleFlight
from shared.cards.picture import kind
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Mode, Payload, ReplyButton, TemplateCall
from shared.providers.answers import Call, identifier, lost, obj, objects, parse, text
from shared.providers.http import QUEUED_SENDS, SendTime, SendTimes, bearer, exchange, warm_up
from shared.providers.meta.errors import STALE_MEDIA, error_from_response
from shared.recipients.masking import blank_number_in_wamid
from shared.sending.channel import MEDIA_KEPT, CardSource, MediaCache, Taken

API_VERSION = "v25.0"

NO_PICTURE = ""
"""The result of `prepare` for a payload without a card: a template without an image header, or a text in a session."""

HELD = frozenset({"held_for_quality_assessment", "paused"})
"""`message_status` of an accepted message that Meta holds back (reference/whatsapp.md, section 1, Response)."""


class WhatsAppSender:
    """A `ChannelSender` whose `prepare` returns the card's media ID.

    `base_url` has no version. A media ID belongs to the phone number that uploaded it and lives 30 days.
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
        """The media ID of the payload's card. The card is uploaded only if no ID of the same bytes is known for this
        number.
        """
        await warm_up()
        return await self._media_id(integration, payload, payload.card_image) if payload.card_image else NO_PICTURE

    async def send(self, integration: WhatsAppIntegration, payload: Payload, prepared: str, *, key: str) -> Taken:
        """Send and return Meta's message ID, with the number in it blanked. 200 means accepted, also if Meta holds the
        message.

        If Meta no longer has the media ID, the message was certainly not sent, so one more upload and one more call are
        safe. If Meta refuses the picture, its ID is not used again, and the caller decides about another try.
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
            renewed = await self._media_id(integration, payload, payload.card_image, stale=prepared)
        return await self._post(integration, body_of(payload, renewed, key), time)

    async def _post(self, integration: WhatsAppIntegration, body: dict[str, object], time: SendTime) -> Taken:
        headers, url = bearer(integration.access_token.value), self._url(integration, "messages")
        async with exchange(Call.ONCE, time.remaining):
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
        """An ID other than `stale`. If several messages have the same stale ID, the first uploads the card for all.

        The ID is looked up before the lock, so that a batch looks up its cards at once, and again after it.
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


def body_of(payload: Payload, media_id: str, key: str) -> dict[str, object]:
    """The body of POST /messages. An empty `media_id` means no picture. `key` comes back in every status of the
    message.

    The number keeps its +, because without it Meta may put the sender's country code in front. A person who wrote
    without a number is answered by user ID.
    """
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to" if payload.to.startswith("+") else "recipient": payload.to,
        "biz_opaque_callback_data": key,
        **_content(payload, media_id),
    }


def _content(payload: Payload, media_id: str) -> dict[str, object]:
    if payload.mode is not Mode.SESSION:
        if payload.template is None:
            raise SendError(Kind.BUG, "template_absent", "provider_rejected")
        picture = media_id if payload.card_image else ""
        return {"type": "template", "template": _template(payload.template, picture)}
    if media_id and payload.card_image:
        caption = {"caption": payload.text} if payload.text else {}
        return {"type": "image", "image": {"id": media_id, **caption}}
    if payload.button is not None:
        return {"type": "interactive", "interactive": _with_button(payload.text, payload.button)}
    return {"type": "text", "text": {"preview_url": False, "body": payload.text}}


def _with_button(text: str, button: ReplyButton) -> dict[str, object]:
    """A text with one reply button (Meta's "interactive reply buttons message")."""
    reply = {"id": button.id, "title": button.title}
    return {"type": "button", "body": {"text": text}, "action": {"buttons": [{"type": "reply", "reply": reply}]}}


def _template(call: TemplateCall, media_id: str) -> dict[str, object]:
    """Components without variables are left out, because Meta counts them as too many parameters."""
    components: list[dict[str, object]] = []
    if media_id:
        components.append({"type": "header", "parameters": [{"type": "image", "image": {"id": media_id}}]})
    if call.parameters:
        components.append({"type": "body", "parameters": [_parameter(call, *pair) for pair in call.parameters]})
    if call.button is not None:
        suffix = [{"type": "text", "text": call.button.suffix}]
        components.append({"type": "button", "sub_type": "url", "index": str(call.button.index), "parameters": suffix})
    template: dict[str, object] = {"name": call.name, "language": {"code": call.language}}
    return {**template, "components": components} if components else template


def _parameter(call: TemplateCall, name: str, value: str) -> dict[str, str]:
    """A positional template's parameters must not have names: Meta refuses them."""
    named = {} if call.positional else {"parameter_name": name}
    return {"type": "text", **named, "text": value}


MOST_KNOWN = 1_000
"""Cards whose IDs a worker keeps in memory: some 400 bytes each."""

type Card = tuple[str, str, str]
"""Organisation, phone number ID, SHA-256 of the bytes. An ID is valid only for the number that uploaded it."""


@dataclass(slots=True, kw_only=True)
class _Upload:
    """One upload. `person`: the recipient for whom it was made. `is_shared`: the ID is in the store."""

    media_id: str
    at: datetime
    person: str
    is_shared: bool = False


class Uploads:
    """Remembers uploads. An ID is stored for other workers when a second person's message uses it in this worker.

    Most cards belong to one person and are sent once, so storing each would cost a write for nothing. A card of many
    persons is uploaded at most once per worker before it is stored. Another try of a message finds its ID here, or
    uploads the card again, which does no harm.
    """

    def __init__(self, store: MediaCache, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._recent: LruCache[Card, _Upload] = LruCache(MOST_KNOWN)
        self._cards: LruCache[str, Card] = LruCache(MOST_KNOWN)

    async def media_id(self, card: Card, person: str, *, stale: str | None, after: datetime | None) -> str | None:
        """A valid ID of the card for this person's message: not `stale`, and uploaded later than `after`. None if there
        is none.
        """
        own = self._recent.get(card)
        if own is not None and own.media_id != stale and self._is_good(own, after):
            if own.person != person and not own.is_shared:
                await self._store.remember(*card, own.media_id, own.at)
                own.is_shared = True
            return own.media_id
        known = await self._store.media_id(*card, after=after)
        if known is None or known == stale:
            return None
        self._cards[known] = card
        return known

    async def uploaded(self, card: Card, person: str, media_id: str, *, replaces: bool) -> None:
        """The card has a new ID. `replaces`: if the store has an older ID, replace it."""
        upload = _Upload(media_id=media_id, at=self._now(), person=person)
        self._recent[card] = upload
        self._cards[media_id] = card
        if replaces and await self._store.media_id(*card) is not None:
            await self._store.remember(*card, media_id, upload.at)
            upload.is_shared = True

    async def refused(self, media_id: str) -> None:
        """Meta refuses the picture with this ID: do not use the ID again."""
        card = self._cards.pop(media_id, None)
        if card is None:
            return
        own = self._recent.get(card)
        if own is not None and own.media_id == media_id:
            del self._recent[card]
        await self._store.forget(*card, media_id)

    def _is_good(self, upload: _Upload, after: datetime | None) -> bool:
        return self._now() - upload.at < MEDIA_KEPT and (after is None or upload.at > after)
