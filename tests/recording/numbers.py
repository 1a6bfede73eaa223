"""What the providers do with a message: every special number of docs/simulators.md, bad credentials, bad cards.

Each case has an organisation of its own, because some stop a whole account.
"""

from collections.abc import Iterator
from typing import Any

from tests.recording import world
from tests.recording.tape import Json, Scene, Tape

type Order = tuple[Scene, str, Json]
"""An organisation, the channel, and the body of its message."""

WHATSAPP = [
    "0401", "0402", "0403", "0404", "0500", "0502", "0512", "0200", "0603", "0604", "0606", "0429", "0430",
    "0503", "0601", "0602", "0605", "0607", "0700", "0701", "0100", "0190", "0472", "1000", "1016", "1026",
    "1031", "1042", "1047", "1048", "1049", "1050", "1053", "1153", "1056", "1057", "2001", "2015", "2016",
    "9000", "9026", "9042", "9047", "9048", "9049", "9050", "9053", "9153", "9126", "9472",
]  # fmt: skip
SMS = [
    "0401", "0402", "0403", "0404", "0500", "0502", "0512", "0200", "0603", "0604", "0606", "0429", "0430",
    "0503", "0504", "0602", "0605", "0608", "0609", "0610", "0611", "0612", "4002", "4004", "4280", "4301",
    "4350", "4141", "4142", "0613", "0614", "0615", "0431", "0505", "0408", "0501", "0522", "4020", "4025",
    "4140", "4351", "4352", "4460", "4461", "4462", "4464", "4466", "4467", "4468", "4469", "4001", "4003",
    "4102", "4302", "4309", "4310",
]  # fmt: skip
TOKENS = [
    "expired-token", "app-removed", "no-permission", "no-access", "app-limited", "account-locked", "payment-due",
]  # fmt: skip
CLIENTS = [
    "revoked", "expired-token", "blocked", "not-subscribed", "no-balance", "expired-contract", "numeric-expiry",
    "short-token", "old-contracts", "unreadable-contracts",
]  # fmt: skip
CARDS = [
    "broken", "truncated", "garbled", "palette", "grey16", "huge", "missing", "gone", "forbidden", "redirect",
    "page", "down",
]  # fmt: skip
HELD = {
    "whatsapp": ["0190", "1031", "1042", "1048", "2001", "2015", "2016"],
    "sms": [
        "4102", "4140", "4141", "4309", "4310", "4350", "4351", "4352", "4460", "4461", "4462", "4464", "4466", "4467",
        "4468", "4469",
    ],
}  # fmt: skip
"""Refused for a cause of the whole account, although the account looks healthy: the hold ends and begins again and
again."""
FAILING_LATER = ["0701", "9042", "9048"]
"""The same, but the failure comes after the provider has taken the message."""
TRIED_AGAIN = ("hold", "next_attempt_at", "attempts")
MADE_BY_A_SEND = ("provider_message_id", "price")
JUMPS = ({"minutes": 2}, {"minutes": 12})
"""After these jumps the retries have ended and each hold was probed."""
HANG_SECONDS = 14.0


def play(tape: Tape) -> None:
    """All settings first, then all messages: the simulators read the settings again for each account that they do not
    know."""
    tape.stack.control("settings", hang_seconds=HANG_SECONDS)
    orders = [*_numbers(tape), *_credentials(tape), *_cards(tape)]
    sent = [(scene, channel, world.send(scene, body, "one")) for scene, channel, body in orders]
    tape.stack.settle()
    for jump in JUMPS:
        tape.stack.forward(**jump)
    for scene, channel, identity in sent:
        number = scene.name.removeprefix(f"{channel} ")
        if number in FAILING_LATER:
            scene.both("GET", f"/v1/messages/{identity}", varying=(*TRIED_AGAIN, "status", "sent_at", *MADE_BY_A_SEND))
            continue
        varying = TRIED_AGAIN if number in HELD[channel] else ()
        scene.both("GET", f"/v1/messages/{identity}", varying=varying)
        world.ledger(scene, "meta" if channel == "whatsapp" else "orange")
        if any(field in scene.name for field in ("access_token", "client_id")):
            scene.both("GET", f"/v1/integrations/{channel}/health")


def _with_settings(tape: Tape, name: str, channel: str, **changes: Any) -> Scene:
    """Settings without a business account, so that no template needs approval."""
    scene = Scene(tape, f"{channel} {name}")
    _put(scene, channel, **changes)
    return scene


def _put(scene: Scene, channel: str, **changes: Any) -> None:
    no_account = {"business_account_id": None}
    body = world.whatsapp(scene, **(no_account | changes)) if channel == "whatsapp" else world.sms(scene, **changes)
    scene.ok(scene.quietly("PUT", f"/v1/integrations/{channel}", json=body))


def _numbers(tape: Tape) -> Iterator[Order]:
    for channel, numbers in (("whatsapp", WHATSAPP), ("sms", SMS)):
        for number in numbers:
            scene = _with_settings(tape, number, channel)
            yield scene, channel, world.order(scene, int(number), channel)


def _credentials(tape: Tape) -> Iterator[Order]:
    for channel, field, values in (("whatsapp", "access_token", TOKENS), ("sms", "client_id", CLIENTS)):
        for value in values:
            scene = _with_settings(tape, f"{field} {value}", channel, **{field: value})
            scene.both("POST", f"/v1/integrations/{channel}/test", json={"to": "+221770008200"})
            if channel == "whatsapp":
                _put(scene, channel, access_token=value, business_account_id=scene.account)
                scene.both("POST", "/v1/templates/vaccination_card/submit")
                scene.both("GET", "/v1/integrations/whatsapp/health")
                _put(scene, channel, access_token=value)
            yield scene, channel, world.order(scene, world.PLAIN, channel)


def _cards(tape: Tape) -> Iterator[Order]:
    for card in CARDS:
        scene = _with_settings(tape, f"card {card}", "whatsapp")
        picture = f"{scene.stack.simulators_url}/cards/{card}.png"
        person = world.recipient(scene, world.PLAIN, card_image=picture)
        yield scene, "whatsapp", world.order(scene, world.PLAIN, "whatsapp", recipient=person)
