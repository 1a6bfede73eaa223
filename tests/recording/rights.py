"""Consent, opt-out and erasure; then dead letters and unreadable settings."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from tests.recording import world
from tests.recording.stack import until
from tests.recording.tape import LANGUAGES, Json, Scene, Tape

VISIBILITY = timedelta(seconds=361)
"""VisibilityTimeout of the channel queues in template.yaml."""
CACHED = timedelta(minutes=6)
"""Longer than a function caches settings."""
MOST_TURNS = 40
"""Three times the maxReceiveCount in template.yaml: after a jump a function may not have polled before the next one."""


def play(tape: Tape) -> None:
    with Scene(tape, "consents") as scene:
        world.set_up(scene)
        _consents(scene)
    with Scene(tape, "erasures") as scene:
        world.set_up(scene)
        _erasures(scene)
    with Scene(tape, "dead letters") as scene:
        world.set_up(scene)
        _dead_letters(scene)


def _consents(scene: Scene) -> None:
    phone = "+221770008200"
    one = {"granted": False, "source": "x"}
    earlier, later = "2026-11-20T10:00:00Z", "2026-11-22T10:00:00Z"
    bodies: tuple[Json, ...] = (
        {"phone": phone, "granted": True, "source": "register", "recorded_at": earlier},
        {"phone": phone, "granted": False, "source": "call", "recorded_at": later},
        {"phone": phone, "granted": True, "source": "old paper", "recorded_at": earlier},
        {"phone": phone, "granted": True, "source": "register"},
        {"items": [one | {"phone": phone}, one | {"phone": "N/A"}]},
        {"items": [{"phone": phone, "granted": False, "source": "batch"}]},
        {"phone": phone, "granted": True, "source": "x", "recorded_at": "2027-11-20T10:00:00Z"},
        {"phone": phone, "granted": True, "source": ""},
        {"phone": phone, "granted": True, "source": "x" * 500},
        {"phone": "N/A", "granted": True, "source": "x"},
        {"items": []},
        {"items": [{"phone": phone, "granted": True, "source": "x"}] * 1001},
    )
    for number, body in enumerate(bodies):
        scene.both("POST", "/v1/consents", json=body)
        token = scene.bearer(subject=f"officer-{number}")
        scene.both("POST", "/v1/consents/lookup", json={"phone": phone}, token=token)
    _send(scene, world.PLAIN, "opted-out")
    failed = world.send(scene, world.order(scene, world.UNDELIVERABLE), "failed")
    world.settled(scene, failed, "failed")
    scene.both("POST", "/v1/consents", json={"phone": "+221770000610", "granted": False, "source": "call"})
    scene.both("POST", f"/v1/messages/{failed}/resend")
    scene.both("POST", "/v1/consents/lookup", json={"phone": "N/A"})
    scene.both("POST", "/v1/consents/lookup", json={"phone": "+221770008298"})
    old, new = "+22507070707", "+2250707070707"
    scene.both("POST", "/v1/consents", json={"phone": new, "granted": False, "source": "call"})
    for form in (old, new):
        scene.both("POST", "/v1/consents/lookup", json={"phone": form})


def _send(scene: Scene, last: int, key: str) -> None:
    for channel in ("sms", "whatsapp"):
        body = world.order(scene, last, channel)
        scene.both("POST", "/v1/messages", json=body, headers={"idempotency-key": f"{key}-{channel}"})


def _erasures(scene: Scene) -> None:
    waiting = world.send(scene, world.order(scene, world.PLAIN, send_at=world.AT), "waiting")
    done = world.send(scene, world.order(scene, world.PLAIN), "done")
    failed = world.send(scene, world.order(scene, world.UNDELIVERABLE), "failed")
    world.settled(scene, done, "delivered")
    world.settled(scene, failed, "failed")
    for phone in ("+221770008200", "+221770000610", "N/A"):
        scene.both("POST", "/v1/erasures", json={"phone": phone})
        scene.stack.settle()
    scene.stack.forward(minutes=2)
    for one in (waiting, done, failed):
        scene.both("GET", f"/v1/messages/{one}")
        scene.both("POST", f"/v1/messages/{one}/resend")
    scene.both("POST", "/v1/messages/lookup", json={"phone": "+221770008200"})
    scene.both("POST", "/v1/consents/lookup", json={"phone": "+221770008200"})
    _send(scene, world.PLAIN, "after")


def _dead_letters(scene: Scene) -> None:
    """The stored settings are unreadable, as after a manual change: no message can be handled, and calls that read them
    fail."""
    scene.both("GET", "/v1/dead-letters")
    scene.both("POST", "/v1/dead-letters/redrive", json={"all": True})
    with ExitStack() as spoiling:
        with scene.stack.closed("SmsQueue"):
            ids = [world.send(scene, world.order(scene, world.PLAIN + number), f"dead-{number}") for number in range(2)]
            spoiling.enter_context(_spoilt(scene))
            scene.stack.jump_to(scene.stack.now() + CACHED)
        _die(scene, len(ids))
    for query in ("", "?channel=sms", "?channel=whatsapp", "?limit=1"):
        scene.both("GET", f"/v1/dead-letters{query}", unordered=True)
    scene.stack.forward(minutes=6)
    letters = sorted(_letters(scene), key=lambda one: ids.index(one["message_id"]))
    orders: tuple[Json, ...] = (
        {"dead_letter_ids": [letters[0]["dead_letter_id"]]}, {"dead_letter_ids": ["x"]}, {"dead_letter_ids": []},
        {"all": False}, {"all": True, "dead_letter_ids": []}, {"all": True},
    )  # fmt: skip
    for body in orders:
        for language in LANGUAGES:
            scene.call("POST", "/v1/dead-letters/redrive", json=body, language=language)
        scene.stack.settle()
    for one in ids:
        world.settled(scene, one, "delivered")
        scene.both("GET", f"/v1/messages/{one}")
    scene.both("GET", "/v1/dead-letters")


def _die(scene: Scene, messages: int) -> None:
    """Lets the functions fail on each message as often as the queue allows."""
    for name in ("sms", "sms/health"):
        scene.both("GET", f"/v1/integrations/{name}", as_text="spoilt settings")
    for _ in range(MOST_TURNS):
        if len(_letters(scene)) == messages:
            return
        scene.stack.jump_to(scene.stack.now() + VISIBILITY)
    until(lambda: _letters(scene), lambda found: len(found) == messages)


def _letters(scene: Scene) -> list[Json]:
    items: list[Json] = scene.ok(scene.quietly("GET", "/v1/dead-letters"))["items"]
    return items


@contextmanager
def _spoilt(scene: Scene) -> Iterator[None]:
    """Meanwhile the secret of the SMS settings is no JSON."""
    secrets = scene.stack.aws("secretsmanager")
    listed = (one for page in secrets.get_paginator("list_secrets").paginate() for one in page["SecretList"])
    (name,) = [one["Name"] for one in listed if one["Name"].endswith(f"/{scene.organisation}/sms")]
    whole = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString="{")
    yield
    secrets.put_secret_value(SecretId=name, SecretString=whole)
