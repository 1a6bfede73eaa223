"""Messages from people, in shapes that the product's own reader understands."""

import json
from dataclasses import replace
from typing import Any

import pytest

from local.simulators.meta.inbound import KINDS, user_id_of
from shared.providers.meta.webhook import read
from shared.webhooks.updates import Acquaintance, Contact, Inbound, Preference, Source, WebhookUpdates
from tests.simulators.world import World, play, template

WA_ID = "221770001234"
PHONE = f"+{WA_ID}"
USER_ID = user_id_of(WA_ID)


async def received(world: World, **body: Any) -> WebhookUpdates:
    """What the product reads of a person's message or preference."""
    action = "preferences" if "value" in body else "inbound"
    await world.control(action, organisation="demo", **{"from": PHONE}, **body)
    await world.clock.settle()
    changes = [{"field": "messages", "value": world.product.values[-1]}]
    return read(json.dumps({"entry": [{"id": "1", "changes": changes}]}))


def messages(found: WebhookUpdates) -> list[Inbound]:
    return [one for one in found.webhook_events if isinstance(one, Inbound)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": "Salut"}, ("Salut",)),
        ({"text": "Voici", "type": "image"}, ("Voici",)),
        ({"text": "Ne plus recevoir", "type": "button", "payload": "STOP"}, ("Ne plus recevoir", "STOP")),
        ({"text": "Oui", "type": "button_reply", "payload": "yes"}, ("Oui", "yes")),
        ({"text": "Oui", "type": "list_reply"}, ("Oui", "Oui")),
        ({"text": "Stop", "type": "edit"}, ("Stop",)),
        *(({"type": kind}, ()) for kind in KINDS),
    ],
)
def test_every_kind_is_read_by_the_product(body: dict[str, str], words: tuple[str, ...]) -> None:
    async def scene(world: World) -> None:
        found = await received(world, **body)
        [message] = messages(found)
        assert (message.contact, message.words) == (Contact(phone=PHONE, user_id=USER_ID), words)
        assert Acquaintance(phone=PHONE, user_id=USER_ID) in [
            replace(one, source=Source()) for one in found.webhook_events
        ]
        assert found.ignored == 0

    play(scene)


def test_a_person_without_a_number_is_answered_by_user_id() -> None:
    async def scene(world: World) -> None:
        text = template(type="text", template=None, text={"body": "Bonjour"}, recipient="XX.9")
        del text["to"]
        assert (await world.message(text)).json()["error"]["code"] == 131026
        found = await received(world, text="Salut", without_phone=True, user_id="XX.9")
        assert found.webhook_events == messages(found)
        assert messages(found)[0].contact == Contact(user_id="XX.9")
        answer = await world.message(text)
        assert answer.status_code == 200
        assert answer.json()["contacts"] == [{"input": "XX.9", "user_id": "XX.9"}]

    play(scene)


def question(**changes: object) -> dict[str, object]:
    """A text with one reply button; `changes` replace parts of its `interactive`."""
    buttons = [{"type": "reply", "reply": {"id": "STOP", "title": "Arrêter"}}]
    interactive = {"type": "button", "body": {"text": "Arrêter ?"}, "action": {"buttons": buttons}, **changes}
    return template(type="interactive", template=None, interactive=interactive)


def test_reply_buttons_are_accepted_inside_a_session() -> None:
    async def scene(world: World) -> None:
        assert (await world.message(question())).json()["error"]["code"] == 131047
        await received(world, text="Salut")
        assert (await world.message(question())).status_code == 200
        [entry] = await world.ledger()
        assert (entry["kind"], entry["text"]) == ("interactive", "Arrêter ?")

    play(scene)


def buttons(*replies: tuple[object, object]) -> dict[str, object]:
    return {"action": {"buttons": [{"type": "reply", "reply": {"id": one, "title": title}} for one, title in replies]}}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "list"}, 100),
        ({"body": {"text": ""}}, 131008),
        ({"body": {"text": "x" * 1025}}, 100),
        ({"action": {}}, 131008),
        ({"footer": {"text": "x" * 61}}, 100),
        ({"surprise": 1}, 100),
        (buttons(), 131009),
        (buttons(("a", "x" * 21)), 100),
        (buttons(("a" * 257, "x")), 100),
        (buttons(("", "x")), 131008),
        (buttons((1, "x")), 100),
        (buttons(("a", "x"), ("a", "y")), 131009),
        (buttons(("a", "x"), ("b", "x")), 131009),
        (buttons(*((str(one), str(one)) for one in range(4))), 131009),
    ],
)
def test_reply_buttons_that_meta_would_refuse(changes: dict[str, object], code: int) -> None:
    async def scene(world: World) -> None:
        await received(world, text="Salut")
        assert (await world.message(question(**changes))).json()["error"]["code"] == code

    play(scene)


@pytest.mark.parametrize("to", ["+22505123458", "+2250505123458"])
def test_either_form_of_an_ivorian_number_reaches_an_account_from_before_2021(to: str) -> None:
    async def scene(world: World) -> None:
        await world.control("inbound", organisation="demo", text="Salut", **{"from": "+22505123458"})
        answer = await world.message(template(type="text", template=None, text={"body": "Bonjour"}, to=to))
        assert answer.status_code == 200
        assert answer.json()["contacts"] == [{"input": to, "wa_id": "22505123458"}]
        other = template(type="text", template=None, text={"body": "Bonjour"}, to="+2250705123458")
        assert (await world.message(other)).json()["error"]["code"] == 131047

    play(scene)


@pytest.mark.parametrize(("value", "stopped"), [("stop", True), ("resume", False), ("signup", False)])
def test_preferences(value: str, stopped: bool) -> None:
    async def scene(world: World) -> None:
        [choice] = [one for one in (await received(world, value=value)).webhook_events if isinstance(one, Preference)]
        assert (choice.contact.phone, choice.stopped) == (PHONE, stopped)
        [hidden] = (await received(world, value=value, without_phone=True)).webhook_events
        assert isinstance(hidden, Preference)
        assert hidden.contact == Contact(user_id=USER_ID)

    play(scene)


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("inbound", {"organisation": "demo", "text": "x"}),
        ("inbound", {"organisation": "demo", "from": PHONE}),
        ("inbound", {"organisation": "nobody", "from": PHONE, "text": "x"}),
        ("inbound", {"organisation": "demo", "from": PHONE, "text": "x", "type": "hologram"}),
        ("preferences", {"organisation": "demo", "from": PHONE}),
        ("preferences", {"organisation": "demo", "value": "stop"}),
    ],
)
def test_control_refuses_an_unreadable_body(action: str, body: dict[str, str]) -> None:
    async def scene(world: World) -> None:
        assert (await world.http.post(f"/_control/{action}", json=body)).status_code == 400
        assert world.product.values == []

    play(scene)
