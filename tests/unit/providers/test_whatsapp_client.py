import asyncio
import hashlib
import io
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from typing import override

import httpx2
import pytest
from PIL import Image

from shared.integrations.integration import WhatsAppIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.payload import MAX_CAPTION, Mode, Payload, ReplyButton
from shared.providers.meta.client import MOST_KNOWN, Uploads, WhatsAppSender
from shared.recipients.masking import blank_number_in_wamid
from shared.sending.channel import MEDIA_KEPT, CardSource, ChannelSender, MediaCache, Taken
from tests.fakes.rest import FakeMedia
from tests.fakes.world import FakeClock
from tests.unit.providers.making import NUMBER, TOKEN, Answer, Provider, body, card_message, ok, whatsapp

KEY = "5a1e0000-0000-4000-8000-000000000001.1"
WAMID = "wamid.HBgMMjIxNzcwMDAwMDAxFQIAERgSQUJDREVGMDEyMzQ1Njc4OUFCAA=="
STALE = ok({"error": {"code": 100, "message": "(#100) Param image['id'] is not a valid … media attachment ID"}}, 400)
UPLOADED = ok({"id": "media-1"})


def accepted(status: str = "accepted", code: int = 200) -> httpx2.Response:
    message = {"id": WAMID, "message_status": status}
    return ok({"messaging_product": "whatsapp", "messages": [message]}, code)


def picture(form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(out, form)
    return out.getvalue()


PICTURE = hashlib.sha256(picture()).hexdigest()
REFUSED = ok({"error": {"code": 131053, "message": "Media upload error"}}, 400)


class OneCard:
    def __init__(self, content: bytes) -> None:
        self.content = content

    async def fetch(self, reference: str, organisation: str) -> bytes:
        assert (reference, organisation) == ("s3://cards/a.png", "demo")
        return self.content


class Remembered(FakeMedia):
    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.asking = self.most_asking = 0

    @property
    def ids(self) -> dict[str, str]:
        """The cached media IDs, by picture."""
        return {content: media_id for (_, _, content), (_, media_id) in self.known.items()}

    @override
    async def media_id(
        self, organisation: str, phone_number_id: str, content: str, *, after: datetime | None = None
    ) -> str | None:
        self.asking += 1
        self.most_asking = max(self.most_asking, self.asking)
        await asyncio.sleep(0)
        self.asking -= 1
        return await super().media_id(organisation, phone_number_id, content, after=after)


class Bench:
    def __init__(self, card: bytes = picture(), **answers: list[Answer]) -> None:
        defaults: dict[str, list[Answer]] = {"media": [UPLOADED], "messages": [accepted()]}
        self.meta = Provider(**{**defaults, **answers})
        self.clock = FakeClock()
        self.media = Remembered(self.clock)
        self.cards: CardSource = OneCard(card)
        self.sender = self.environment()

    def environment(self) -> ChannelSender[WhatsAppIntegration, str]:
        """A new environment beside the first. It shares only the store."""
        cache: MediaCache = self.media
        return WhatsAppSender(self.meta.http(), "https://graph.example/", self.cards, cache, self.clock.now)

    def keep(self, media_id: str) -> None:
        """Another environment has uploaded the picture."""
        self.media.known["demo", "1060001", PICTURE] = (self.clock.now(), media_id)

    def prepare(self, number: int = 1, *, after: datetime | None = None) -> str:
        """The media ID for one person's message."""
        payload = replace(card_message(), to=f"+22177000{number:04d}", card_after=after)
        return asyncio.run(self.sender.prepare(whatsapp(), payload))

    def send(self, payload: Payload, prepared: str | None = None, token: str = TOKEN) -> str:
        return self.taken(payload, prepared, token).provider_message_id

    def taken(self, payload: Payload, prepared: str | None = None, token: str = TOKEN) -> Taken:
        async def both() -> Taken:
            media_id = await self.sender.prepare(whatsapp(token), payload) if prepared is None else prepared
            return await self.sender.send(whatsapp(token), payload, media_id, key=KEY)

        return asyncio.run(both())

    def refused(self, payload: Payload, prepared: str | None = None, token: str = TOKEN) -> SendError:
        with pytest.raises(SendError) as caught:
            self.send(payload, prepared, token)
        return caught.value


def part(request: httpx2.Request) -> list[Message]:
    head = b"Content-Type: " + request.headers["Content-Type"].encode() + b"\r\n\r\n"
    parts = message_from_bytes(head + request.content).get_payload()
    assert isinstance(parts, list)
    return [item for item in parts if isinstance(item, Message)]


@pytest.mark.parametrize(("form", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_the_card_is_uploaded_with_its_type(form: str, media_type: str) -> None:
    bench = Bench(picture(form))
    bench.send(card_message(first_name="Awa"))
    (upload,) = bench.meta.asked("media")
    assert str(upload.url) == "https://graph.example/v25.0/1060001/media"
    assert upload.headers["Authorization"] == f"Bearer {TOKEN}"
    parts = {str(item.get_param("name", header="content-disposition")): item for item in part(upload)}
    assert set(parts) == {"messaging_product", "type", "file"}
    assert parts["messaging_product"].get_payload() == "whatsapp"
    assert parts["type"].get_payload() == media_type
    assert parts["file"].get_content_type() == media_type
    assert parts["file"].get_payload(decode=True) == picture(form)


def test_the_template_is_called_as_documented() -> None:
    bench = Bench()
    assert bench.send(card_message(first_name="Awa", card_code="OM-1")) == blank_number_in_wamid(WAMID)
    (sent,) = bench.meta.asked("messages")
    assert str(sent.url) == "https://graph.example/v25.0/1060001/messages"
    assert sent.headers["Content-Type"] == "application/json"
    assert body(sent) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": NUMBER,
        "type": "template",
        "biz_opaque_callback_data": KEY,
        "template": {
            "name": "vaccination_card",
            "language": {"code": "fr"},
            "components": [
                {"type": "header", "parameters": [{"type": "image", "image": {"id": "media-1"}}]},
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "parameter_name": "first_name", "text": "Awa"},
                        {"type": "text", "parameter_name": "card_code", "text": "OM-1"},
                    ],
                },
            ],
        },
    }


def test_a_session_message_is_the_picture_with_a_caption() -> None:
    bench = Bench()
    bench.send(card_message(Mode.SESSION))
    sent = body(bench.meta.asked("messages")[0])
    assert isinstance(sent, dict)
    assert (sent["type"], sent["image"]) == ("image", {"id": "media-1", "caption": "Votre carte"})


def test_a_long_text_follows_its_card() -> None:
    bench = Bench()
    payload = replace(card_message(Mode.SESSION), text="é" * (MAX_CAPTION + 1))
    assert payload.is_split
    bench.send(payload.card_half())
    bench.send(payload.text_half(), prepared="media-1")
    card, text = (body(request) for request in bench.meta.asked("messages"))
    assert isinstance(card, dict)
    assert isinstance(text, dict)
    assert (card["type"], card["image"]) == ("image", {"id": "media-1"})
    assert (text["type"], text["text"]) == ("text", {"preview_url": False, "body": payload.text})
    assert not replace(payload, text="é" * MAX_CAPTION).is_split


def test_the_template_beside_a_text_shows_the_card_only_if_it_has_a_picture() -> None:
    bench = Bench()
    fallback_template = card_message(first_name="Awa").template
    session = replace(card_message(Mode.SESSION), fallback_template=fallback_template)
    for shows_card in (True, False):
        bench.send(replace(session, fallback_template_shows_card=shows_card).as_template(), prepared="media-1")
    with_card, without = (body(request) for request in bench.meta.asked("messages"))
    assert isinstance(with_card, dict)
    assert isinstance(without, dict)
    assert with_card["type"] == without["type"] == "template"
    assert ["header" in str(with_card["template"]), "header" in str(without["template"])] == [True, False]
    assert session.as_template().as_template() == session.as_template()


@pytest.mark.parametrize("to", ["+221770000001", "+2250700000001", "+20100000001"])
def test_the_number_always_has_its_plus(to: str) -> None:
    bench = Bench()
    for mode in (Mode.TEMPLATE, Mode.SESSION):
        bench.send(replace(card_message(mode), to=to))
    sent = [body(request) for request in bench.meta.asked("messages")]
    assert [one["to"] for one in sent if isinstance(one, dict)] == [to, to]


@pytest.mark.parametrize(
    ("status", "held"),
    [("held_for_quality_assessment", True), ("paused", True), ("accepted", False), ("novel", False), ("", False)],
)
def test_a_message_that_meta_holds_is_accepted_and_reported(status: str, held: bool) -> None:
    assert Bench(messages=[accepted(status)]).taken(card_message()).held is held


@pytest.mark.parametrize(
    ("mode", "content"),
    [
        (Mode.TEMPLATE, {"template": {"name": "vaccination_card", "language": {"code": "fr"}}}),
        (Mode.SESSION, {"text": {"preview_url": False, "body": "Votre carte"}}),
    ],
)
def test_without_a_card_nothing_is_uploaded(mode: Mode, content: dict[str, object]) -> None:
    bench = Bench()
    bench.send(card_message(mode, card=None))
    assert not bench.meta.asked("media")
    sent = body(bench.meta.asked("messages")[0])
    assert isinstance(sent, dict)
    assert content.items() <= sent.items()


def test_a_text_with_a_button_is_an_interactive_message() -> None:
    bench = Bench()
    question = replace(card_message(Mode.SESSION, card=None), button=ReplyButton(id="STOP", title="Arrêter"))
    bench.send(question)
    sent = body(bench.meta.asked("messages")[0])
    assert isinstance(sent, dict)
    assert (sent["type"], sent["interactive"]) == (
        "interactive",
        {
            "type": "button",
            "body": {"text": "Votre carte"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "STOP", "title": "Arrêter"}}]},
        },
    )


def test_the_same_picture_is_uploaded_once_for_all() -> None:
    bench = Bench()

    async def prepare_many() -> list[str]:
        payload = card_message()
        return await asyncio.gather(*(bench.sender.prepare(whatsapp(), payload) for _ in range(10)))

    assert asyncio.run(prepare_many()) == ["media-1"] * 10
    assert len(bench.meta.asked("media")) == 1
    assert bench.media.ids == {}, "one person's: no other message uses it"


def test_a_batch_looks_up_its_cards_at_once() -> None:
    bench = Bench()
    bench.keep("media-1")

    async def prepare_many() -> list[str]:
        return await asyncio.gather(*(bench.sender.prepare(whatsapp(), card_message()) for _ in range(10)))

    assert asyncio.run(prepare_many()) == ["media-1"] * 10
    assert bench.media.most_asking == 10
    assert not bench.meta.asked("media")


def test_another_number_uploads_the_picture_again() -> None:
    """Meta accepts a media ID only from the number that uploaded it."""
    bench = Bench()
    for number in ("1060001", "1060002", "1060002"):
        asyncio.run(bench.sender.prepare(replace(whatsapp(), phone_number_id=number), card_message()))
    assert [request.url.path.split("/")[2] for request in bench.meta.asked("media")] == ["1060001", "1060002"]


@pytest.mark.parametrize("answer", [accepted("held_for_quality_assessment"), accepted("novel"), accepted(code=201)])
def test_other_success_answers_count_as_accepted(answer: httpx2.Response) -> None:
    assert Bench(messages=[answer]).send(card_message()).startswith("wamid.")


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"{}", b'{"messages":[]}', b'{"messages":[{"id":""}]}', b'{"messages":[{"id":7}]}']
)
def test_accepted_without_an_id_is_unknown(content: bytes) -> None:
    bench = Bench(messages=[httpx2.Response(200, content=content)])
    error = bench.refused(card_message())
    assert (error.kind, error.reason) == (Kind.UNKNOWN, "outcome_unknown")
    assert len(bench.meta.asked("messages")) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.ReadTimeout("late"), Kind.UNKNOWN),
        (httpx2.RemoteProtocolError("reset"), Kind.UNKNOWN),
        (httpx2.ConnectError("refused"), Kind.RETRY),
        (httpx2.Response(502, content=b"<html>"), Kind.UNKNOWN),
        (httpx2.Response(302, headers={"Location": "https://evil.example"}), Kind.BUG),
        (ok({"error": {"code": 190}}, 401), Kind.STOP),
        (ok({"error": {"code": 131026}}, 400), Kind.RECIPIENT),
        (ok({"error": {"code": 130429}}, 429), Kind.THROTTLED),
    ],
)
def test_a_send_is_made_once(answer: Answer, kind: Kind) -> None:
    bench = Bench(messages=[answer])
    assert bench.refused(card_message()).kind is kind
    assert len(bench.meta.asked("messages")) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.ReadTimeout("late"), Kind.RETRY),
        (httpx2.Response(500), Kind.RETRY),
        (ok({"id": ""}), Kind.RETRY),
        (ok({"error": {"code": 190}}, 401), Kind.STOP),
        (ok({"error": {"code": 4}}, 400), Kind.THROTTLED),
    ],
)
def test_an_upload_may_be_repeated(answer: Answer, kind: Kind) -> None:
    bench = Bench(media=[answer])
    assert bench.refused(card_message()).kind is kind
    assert not bench.meta.asked("messages")
    assert not bench.media.ids


def test_invalid_pictures_are_not_uploaded() -> None:
    bench = Bench(b"<html>")
    assert bench.refused(card_message()).reason == "card_not_a_picture"
    assert not bench.meta.requests


def test_a_forgotten_media_id_is_replaced_once() -> None:
    bench = Bench(media=[ok({"id": "media-2"})], messages=[STALE, accepted()])
    bench.keep("media-1")
    assert bench.send(card_message()).startswith("wamid.")
    assert len(bench.meta.asked("media")) == 1
    assert list(bench.media.ids.values()) == ["media-2"]
    sent = [str(request.content) for request in bench.meta.asked("messages")]
    assert ["media-1" in sent[0], "media-2" in sent[1], len(sent)] == [True, True, 2]


def test_a_media_id_that_another_message_replaced_is_used() -> None:
    bench = Bench(messages=[STALE, accepted()])
    bench.keep("media-2")
    bench.send(card_message(), prepared="media-1")
    assert not bench.meta.asked("media")


def media(*names: str) -> list[Answer]:
    return [ok({"id": name}) for name in names]


def test_a_card_of_two_people_is_cached_for_others() -> None:
    bench = Bench(media=media("media-1", "media-2"))
    assert [bench.prepare(1), bench.prepare(1)] == ["media-1", "media-1"]
    assert bench.media.ids == {}
    assert [bench.prepare(2), bench.prepare(3)] == ["media-1", "media-1"]
    assert bench.media.ids == {PICTURE: "media-1"}
    bench.sender = bench.environment()
    assert bench.prepare(4) == "media-1"
    assert len(bench.meta.asked("media")) == 1


def test_an_environments_media_id_expires_like_the_stores() -> None:
    bench = Bench(media=media("media-1", "media-2"))
    assert bench.prepare(1) == "media-1"
    bench.clock.instant += MEDIA_KEPT - timedelta(seconds=1)
    assert bench.prepare(1) == "media-1"
    bench.clock.instant += timedelta(seconds=1)
    assert bench.prepare(1) == "media-2"


def test_an_environment_caches_a_limited_number_of_ids() -> None:
    bench = Bench()
    uploads = Uploads(bench.media, bench.clock.now)

    async def fill() -> list[str | None]:
        cards = [("demo", "1060001", f"{number:064x}") for number in range(MOST_KNOWN + 1)]
        for card in cards:
            await uploads.uploaded(card, NUMBER, f"media-{card[2]}", replaces=False)
        return [await uploads.media_id(card, NUMBER, stale=None, after=None) for card in (cards[0], cards[-1])]

    assert asyncio.run(fill()) == [None, f"media-{MOST_KNOWN:064x}"]


def test_a_refused_picture_is_uploaded_again_for_the_next_try() -> None:
    bench = Bench(media=media("media-2"), messages=[REFUSED])
    bench.keep("media-1")
    error = bench.refused(card_message())
    assert (error.kind, error.reason, error.refuses_picture) == (Kind.BUG, "card_not_a_picture", True)
    assert len(bench.meta.asked("messages")) == 1, "another call needs a departure of its own"
    assert bench.media.ids == {}
    assert bench.prepare() == "media-2"


def test_a_newer_id_is_not_removed_with_the_refused_one() -> None:
    bench = Bench(messages=[REFUSED])
    bench.keep("media-1")
    prepared = bench.prepare()
    bench.keep("media-2")
    assert bench.refused(card_message(), prepared=prepared).refuses_picture
    assert bench.media.ids == {PICTURE: "media-2"}


def test_a_card_refused_later_is_uploaded_once_for_all() -> None:
    """Meta took many messages with one upload and refused the picture later."""
    bench = Bench(media=media("media-1", "media-2", "media-3"))
    assert [bench.prepare(1), bench.prepare(2)] == ["media-1", "media-1"]
    refused = bench.clock.instant
    bench.clock.instant += timedelta(seconds=5)
    assert [bench.prepare(1, after=refused), bench.prepare(2, after=refused)] == ["media-2", "media-2"]
    assert bench.media.ids == {PICTURE: "media-2"}, "in the place of the refused one"
    bench.sender = bench.environment()
    assert [bench.prepare(3, after=refused), bench.prepare(4)] == ["media-2", "media-2"]
    assert len(bench.meta.asked("media")) == 2


def test_a_second_refusal_is_final() -> None:
    bench = Bench(messages=[STALE])
    assert bench.refused(card_message(), prepared="media-0").kind is Kind.BUG
    assert len(bench.meta.asked("messages")) == 2


def test_after_a_failed_new_upload_the_message_was_not_sent() -> None:
    bench = Bench(media=[httpx2.ReadTimeout("late")], messages=[STALE])
    assert bench.refused(card_message(), prepared="media-0").kind is Kind.RETRY
    assert len(bench.meta.asked("messages")) == 1


def test_a_template_message_without_a_template_is_not_sent_as_free_text() -> None:
    payload = Payload(to=NUMBER, country="SN", mode=Mode.TEMPLATE, text="Votre carte")
    assert Bench().refused(payload).kind is Kind.BUG


def test_a_token_that_no_header_can_carry_is_a_stop_error() -> None:
    bench = Bench()
    assert bench.refused(card_message(), token="a\nb").reason == "token_invalid"
    assert not bench.meta.requests
