import asyncio
import hashlib
import io
from dataclasses import replace
from email import message_from_bytes
from email.message import Message

import httpx2
import pytest
from PIL import Image

from shared.domain.errors import Kind, SendError
from shared.domain.integration import WhatsAppIntegration
from shared.domain.masking import blank_number_in_wamid
from shared.domain.payload import MAX_CAPTION, Mode, Payload, ReplyButton
from shared.domain.sending import CardSource, ChannelSender, MediaCache, Taken
from shared.providers.whatsapp.client import WhatsAppSender
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


class OneCard:
    def __init__(self, content: bytes) -> None:
        self.content = content

    async def fetch(self, reference: str, organisation: str) -> bytes:
        assert (reference, organisation) == ("s3://cards/a.png", "demo")
        return self.content


class Remembered:
    def __init__(self) -> None:
        self.ids: dict[tuple[str, str, str], str] = {}
        self.asking = self.most_asking = 0

    async def media_id(self, organisation: str, phone_number_id: str, content: str) -> str | None:
        self.asking += 1
        self.most_asking = max(self.most_asking, self.asking)
        await asyncio.sleep(0)
        self.asking -= 1
        return self.ids.get((organisation, phone_number_id, content))

    async def remember(self, organisation: str, phone_number_id: str, content: str, media_id: str) -> None:
        self.ids[organisation, phone_number_id, content] = media_id


class Bench:
    def __init__(self, card: bytes = picture(), **answers: list[Answer]) -> None:
        defaults: dict[str, list[Answer]] = {"media": [UPLOADED], "messages": [accepted()]}
        self.meta = Provider(**{**defaults, **answers})
        self.media = Remembered()
        self.cards: CardSource = OneCard(card)
        cache: MediaCache = self.media
        self.sender: ChannelSender[WhatsAppIntegration, str] = WhatsAppSender(
            self.meta.http(), "https://graph.example/", self.cards, cache
        )

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
def test_the_card_goes_up_with_its_type(form: str, media_type: str) -> None:
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
    alternative = card_message(first_name="Awa").template
    session = replace(card_message(Mode.SESSION), alternative=alternative)
    for shows_card in (True, False):
        bench.send(replace(session, alternative_shows_card=shows_card).as_template(), prepared="media-1")
    with_card, without = (body(request) for request in bench.meta.asked("messages"))
    assert isinstance(with_card, dict)
    assert isinstance(without, dict)
    assert with_card["type"] == without["type"] == "template"
    assert ["header" in str(with_card["template"]), "header" in str(without["template"])] == [True, False]
    assert session.as_template().as_template() == session.as_template()


@pytest.mark.parametrize("to", ["+221770000001", "+2250700000001", "+20100000001"])
def test_the_plus_always_leads(to: str) -> None:
    bench = Bench()
    for mode in (Mode.TEMPLATE, Mode.SESSION):
        bench.send(replace(card_message(mode), to=to))
    sent = [body(request) for request in bench.meta.asked("messages")]
    assert [one["to"] for one in sent if isinstance(one, dict)] == [to, to]


@pytest.mark.parametrize(
    ("status", "held"),
    [("held_for_quality_assessment", True), ("paused", True), ("accepted", False), ("novel", False), ("", False)],
)
def test_what_meta_holds_back_is_accepted_and_told(status: str, held: bool) -> None:
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


def test_the_same_picture_goes_up_once_for_all() -> None:
    bench = Bench()

    async def prepare_many() -> list[str]:
        payload = card_message()
        return await asyncio.gather(*(bench.sender.prepare(whatsapp(), payload) for _ in range(10)))

    assert asyncio.run(prepare_many()) == ["media-1"] * 10
    assert len(bench.meta.asked("media")) == 1
    assert list(bench.media.ids) == [("demo", "1060001", hashlib.sha256(picture()).hexdigest())]


def test_a_batch_looks_up_its_cards_at_once() -> None:
    bench = Bench()
    bench.media.ids["demo", "1060001", hashlib.sha256(picture()).hexdigest()] = "media-1"

    async def prepare_many() -> list[str]:
        return await asyncio.gather(*(bench.sender.prepare(whatsapp(), card_message()) for _ in range(10)))

    assert asyncio.run(prepare_many()) == ["media-1"] * 10
    assert bench.media.most_asking == 10
    assert not bench.meta.asked("media")


def test_another_number_uploads_the_picture_for_itself() -> None:
    """Meta takes a media ID only from the number that uploaded it."""
    bench = Bench()
    for number in ("1060001", "1060002", "1060002"):
        asyncio.run(bench.sender.prepare(replace(whatsapp(), phone_number_id=number), card_message()))
    assert [request.url.path.split("/")[2] for request in bench.meta.asked("media")] == ["1060001", "1060002"]


@pytest.mark.parametrize("answer", [accepted("held_for_quality_assessment"), accepted("novel"), accepted(code=201)])
def test_accepted_is_accepted(answer: httpx2.Response) -> None:
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


def test_what_is_no_picture_is_not_uploaded() -> None:
    bench = Bench(b"<html>")
    assert bench.refused(card_message()).reason == "card_not_a_picture"
    assert not bench.meta.requests


def test_a_forgotten_media_id_is_replaced_once() -> None:
    bench = Bench(media=[ok({"id": "media-2"})], messages=[STALE, accepted()])
    bench.media.ids["demo", "1060001", hashlib.sha256(picture()).hexdigest()] = "media-1"
    assert bench.send(card_message()).startswith("wamid.")
    assert len(bench.meta.asked("media")) == 1
    assert list(bench.media.ids.values()) == ["media-2"]
    sent = [str(request.content) for request in bench.meta.asked("messages")]
    assert ["media-1" in sent[0], "media-2" in sent[1], len(sent)] == [True, True, 2]


def test_a_media_id_that_another_message_replaced_is_used() -> None:
    bench = Bench(messages=[STALE, accepted()])
    bench.media.ids["demo", "1060001", hashlib.sha256(picture()).hexdigest()] = "media-2"
    bench.send(card_message(), prepared="media-1")
    assert not bench.meta.asked("media")


def test_a_second_refusal_is_final() -> None:
    bench = Bench(messages=[STALE])
    assert bench.refused(card_message(), prepared="media-0").kind is Kind.BUG
    assert len(bench.meta.asked("messages")) == 2


def test_a_failed_new_upload_says_not_sent() -> None:
    bench = Bench(media=[httpx2.ReadTimeout("late")], messages=[STALE])
    assert bench.refused(card_message(), prepared="media-0").kind is Kind.RETRY
    assert len(bench.meta.asked("messages")) == 1


def test_a_template_message_without_template_is_not_sent_freely() -> None:
    payload = Payload(to=NUMBER, country="SN", mode=Mode.TEMPLATE, text="Votre carte")
    assert Bench().refused(payload).kind is Kind.BUG


def test_a_token_that_no_header_holds_stops() -> None:
    bench = Bench()
    assert bench.refused(card_message(), token="a\nb").reason == "token_invalid"
    assert not bench.meta.requests
