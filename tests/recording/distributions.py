"""Distributions: every kind of file, every action in every status, holds, counts and pages."""

import json

from tests.recording import world
from tests.recording.stack import until
from tests.recording.tape import LANGUAGES, Json, Scene, Tape

ACTIONS = ("confirm", "pause", "resume", "cancel")
PHONE = {"attribute": "aPhoneAttr1", "value": "+221770008200"}
ROW = "+221770008200;Aminata;DKR-1\n"
FILES: tuple[tuple[str, str, bytes], ...] = (
    ("plain", "csv", b"phone;first_name;card_code\n" + ROW.encode()),
    ("French headers", "csv", "Téléphone,Prénom,N° carte,Taille\n+221770008200,Awa,1,9\n".encode()),
    ("Windows-1252", "csv", "phone;first_name;card_code\n+221770008200;Aïssatou;1\n".encode("cp1252")),
    ("UTF-16", "csv", ("phone\tfirst_name\n" + "+221770008200\tAwa\n").encode("utf-16")),
    ("lines above", "csv", b"Liste\n\nphone;first_name\n+221770008200;Awa\n"),
    ("bad rows", "csv", b"phone;first_name\nN/A;Awa\n;Awa\n77;Awa\n+33612345678;Awa\n+221770008201;\n"),
    ("twice", "csv", b"phone;first_name;card_code\n" + ROW.encode() * 3),
    ("no header", "csv", ROW.encode()),
    ("no phone column", "csv", b"first_name;card_code\nAwa;1\n"),
    ("a column twice", "csv", b"phone;first_name;telephone\n+221770008200;Awa;+221770008201\n"),
    ("an open quote", "csv", b'phone;first_name\n+221770008200;"Awa\n+221770008201;x\n'),
    ("a torn row", "csv", b'phone;first_name\n"+221770008200"x;Awa\n+221770008201;Awa;1;2;3\n'),
    ("empty", "csv", b" \n"),
    ("only a header", "csv", b"phone;first_name\n"),
    ("no text", "csv", b"\x00\x01\x02\xff" * 40),
    ("lines", "ndjson", b'{"phone": "+221770008200", "first_name": "Awa"}\n{"phone": 7}\n[]\n{"x": 1\n{"a": 1}\n'),
    ("not lines", "ndjson", b"phone;first_name\n+221770008200;Awa\n"),
    ("UTF-16 lines", "ndjson", '{"phone": "+221770008200"}\n'.encode("utf-16")),
    ("a workbook", "csv", b"PK\x03\x04 a workbook"),
    (
        "entities",
        "dhis2",
        json.dumps(
            {
                "pager": {"page": 1, "pageSize": 50, "total": 70, "pageCount": 2},
                "trackedEntities": [
                    {"trackedEntity": "aTrackedEn1", "attributes": [PHONE]},
                    {"trackedEntity": "aTrackedEn2", "inactive": True, "attributes": []},
                    {"trackedEntity": "aTrackedEn3", "attributes": []},
                ],
            }
        ).encode(),
    ),
    ("torn entities", "dhis2", b'{"trackedEntities": [{"trackedEntity": "aTrackedEn1"'),
    ("no entities", "dhis2", b'{"something": "else"}'),
)  # fmt: skip
"""Name, format and content of each file."""
HOLDING: tuple[tuple[str, int, Json], ...] = (
    ("sms", 4102, {}), ("sms", 4350, {}), ("sms", world.PLAIN, {"sender_name": "UNAPPROVED"}),
    ("sms", world.PLAIN, {"client_id": "no-balance"}), ("sms", world.PLAIN, {"client_id": "expired-contract"}),
    ("sms", world.PLAIN, {"client_id": "not-subscribed"}), ("sms", world.PLAIN, {"client_id": "blocked"}),
    ("whatsapp", 2015, {}), ("whatsapp", 2016, {}), ("whatsapp", 1042, {}), ("whatsapp", 1031, {}),
    ("whatsapp", world.PLAIN, {"access_token": "account-locked"}),
    ("whatsapp", world.PLAIN, {"access_token": "expired-token"}),
)  # fmt: skip
"""Special numbers and settings (docs/simulators.md) whose refusal stops a distribution."""
CODES = {"text": "Bonjour {first_name}"}


def play(tape: Tape) -> None:
    with Scene(tape, "files") as scene:
        _files(scene)
    with Scene(tape, "statuses") as scene:
        world.set_up(scene)
        _statuses(scene)
    with Scene(tape, "lists") as scene:
        world.set_up(scene)
        _lists(scene)
    for channel, last, settings in HOLDING:
        cause = "-".join(map(str, settings.values())) or str(last)
        with Scene(tape, f"held {channel} {cause}") as scene:
            world.set_up(scene)
            _hold(scene, channel, last, settings)


def _files(scene: Scene) -> None:
    scene.both("POST", "/v1/distributions", json=world.bulk(scene, upload_id=world.UNKNOWN_ID), headers=_key("none"))
    world.set_up(scene)
    scene.ok(scene.quietly("PUT", "/v1/integrations/dhis2", json={"attributes": {"phone": "aPhoneAttr1"}}))
    made = scene.ok(scene.quietly("POST", "/v1/uploads", json={"format": "csv", "bytes": 10}))["upload_id"]
    for identity in (made, world.UNKNOWN_ID, "x"):
        scene.both("POST", "/v1/distributions", json=world.bulk(scene, upload_id=identity), headers=_key("none"))
    for body in ({"format": "csv", "bytes": 0}, {"format": "csv", "bytes": 2**31 + 1}, {"format": "xlsx", "bytes": 1}):
        scene.both("POST", "/v1/uploads", json=body)
    with scene.stack.closed("FanoutQueue"):
        planned = [(name, _before_planning(scene, name, form, content)) for name, form, content in FILES]
        for action in ACTIONS:
            for language in LANGUAGES:
                made = _before_planning(scene, f"{action} {language}", "csv", FILES[0][2])
                scene.call("POST", f"/v1/distributions/{made}/{action}", language=language, as_text="planning")
    for name, made in planned:
        world.stands(scene, made, "planned", "rejected")
        for part in ("", "/samples", "/errors", "/duplicates"):
            scene.both("GET", f"/v1/distributions/{made}{part}", as_text=f"file: {name}")
    scene.stack.settle()
    scene.both("GET", "/v1/distributions?limit=3")
    scene.both("GET", "/v1/distributions?status=rejected&limit=2")


def _before_planning(scene: Scene, name: str, form: str, content: bytes) -> str:
    """A distribution of a file, requested twice, and not planned yet."""
    plan = world.bulk(scene, upload_id=world.upload(scene, content, form), content=CODES, campaign_id="files")
    answer = scene.both("POST", "/v1/distributions", json=plan, headers=_key(name.replace(" ", "-")))
    return str(scene.ok(answer)["distribution_id"])


def _key(name: str) -> dict[str, str]:
    return {"idempotency-key": name}


def _planned(scene: Scene, key: str, **changes: object) -> str:
    plan = world.bulk(scene, world.recipient(scene, world.PLAIN), **changes)
    return str(world.distribute(scene, plan, key)["distribution_id"])


def _statuses(scene: Scene) -> None:
    """Each action in each status, on a distribution of its own."""
    later = {"mode": "at", "at": world.AT}
    for action in ACTIONS:
        for language in LANGUAGES:
            for state in ("planned", "scheduled", "paused", "cancelled", "completed", "rejected"):
                _act(scene, f"{state}-{action}-{language}", state, later)
    empty = world.bulk(scene, world.recipient(scene, 1, phone="x"))
    scene.both("POST", "/v1/distributions", json=empty, headers=_key("rejected"))


def _act(scene: Scene, key: str, state: str, later: Json) -> None:
    action, language = key.split("-")[1:]
    path = f"/v1/distributions/{{}}/{action}"
    match state:
        case "rejected":
            plan = world.bulk(scene, world.recipient(scene, 1, phone="x"))
            made = world.distribute(scene, plan, key)["distribution_id"]
        case "completed":
            made = _planned(scene, "completed", campaign_id="completed")
            if world.distribution(scene, made)["status"] == "planned":
                scene.quietly("POST", f"/v1/distributions/{made}/confirm")
                world.stands(scene, made, "sending", "completed", delivered=1)
                scene.stack.forward(minutes=2)
                world.stands(scene, made, "completed")
        case _:
            made = _planned(scene, key, schedule=later, campaign_id=key)
            steps = {"scheduled": ["confirm"], "paused": ["confirm", "pause"], "cancelled": ["cancel"]}
            for step in steps.get(state, []):
                scene.ok(scene.quietly("POST", f"/v1/distributions/{made}/{step}"))
    scene.call("POST", path.format(made), language=language, as_text=state)
    scene.stack.settle()
    scene.call("GET", f"/v1/distributions/{made}", language=language, as_text=f"{state}, {action}")


def _lists(scene: Scene) -> None:
    """Inline recipients with every kind of row, sent to their end; warnings; requests that are refused."""
    lasts = (world.PLAIN, world.PLAIN + 1, world.UNDELIVERABLE, 4004, world.SILENT)
    people = [world.recipient(scene, last) for last in lasts]
    bad = [people[0], people[0] | {"phone": "N/A"}, people[0] | {"first_name": ""}, {"last_name": "x"}]
    on_whatsapp = [world.recipient(scene, last) for last in (world.PLAIN, 1026, 9126)]
    unknown = [people[0] | {"consent": None, "phone": "+221770008250"}, people[0] | {"card_image": None}]
    fallback = {"channel": "sms", "after_minutes": 30, "content": world.TEXT}
    for channel, rows, more in (
        ("sms", [*people, *bad], {}),
        ("whatsapp", [*on_whatsapp, *unknown], {"content": world.TEMPLATE, "fallback": fallback}),
    ):
        for language in LANGUAGES:
            plan = world.bulk(scene, *rows, channel=channel, campaign_id=f"all-{channel}", **more)
            made = scene.call(
                "POST", "/v1/distributions", json=plan, headers=_key(f"all-{channel}"), language=language
            ).json()["distribution_id"]  # fmt: skip
        scene.both("POST", f"/v1/distributions/{made}/confirm")
        until(lambda one=made: world.distribution(scene, one)["counts"]["pending"], lambda remaining: remaining == 0)  # type: ignore[misc]
        scene.stack.settle()
        scene.stack.forward(minutes=40)
        scene.both("GET", f"/v1/distributions/{made}")
        scene.both("GET", f"/v1/distributions/{made}/errors?limit=1")
        scene.both("GET", f"/v1/messages?distribution_id={made}", unordered=True)
        scene.both("GET", f"/v1/campaigns/all-{channel}/messages?status=failed", unordered=True)
        scene.both("GET", f"/v1/campaigns/all-{channel}/statistics", keep_hours=False)
        if channel == "sms":
            _exports(scene, made)
        again = plan | {"skip_already_sent": True}
        scene.both("POST", "/v1/distributions", json=again, headers=_key(f"again-{channel}"))
    changes: tuple[Json, ...] = (
        {"campaign_id": "a b"}, {"channel": "fax"}, {"schedule": {"mode": "at"}}, {"schedule": {"mode": "soon"}},
        {"schedule": {"mode": "at", "at": "2026-11-01T10:00:00Z"}},
        {"fallback": {"channel": "sms", "after_minutes": 1}},
        {"upload_id": world.UNKNOWN_ID}, {"recipients": []}, {"recipients": None}, {"content": {"text": "{x}"}},
        {"content": {"template": {"name": "no_such_template"}}}, {"defaults": {"phone": "x"}},
        {"defaults": {"consent": "x"}}, {"name": "x"}, {"dhis2": {"program": "x", "organisation_unit": "y"}},
    )  # fmt: skip
    for change in changes:
        scene.both("POST", "/v1/distributions", json=world.bulk(scene, people[0]) | change, headers=_key("never"))
    too_many = [{"phone": "x"}] * 5001
    scene.both("POST", "/v1/distributions", json=world.bulk(scene, *too_many), headers=_key("never"))
    large = [world.recipient(scene, world.PLAIN, last_name="x" * 3000)] * 1500
    scene.both("POST", "/v1/distributions", json=world.bulk(scene, *large), headers=_key("never"))
    warned = [
        world.recipient(scene, world.PLAIN, card_generated_at="2026-11-01T10:00:00Z", language="Wolof"),
        world.recipient(
            scene, world.PLAIN + 1, first_name="A\u0000ê", card_image="https://elsewhere.example.org/x.png"
        ),
        world.recipient(scene, world.PLAIN + 2, card_image=f"{scene.stack.simulators_url}/cards/missing.png"),
    ]
    for channel, content in (
        ("sms", {"text": "Fête {first_name} مرحبا", "sms_encoding": "gsm7"}),
        ("whatsapp", world.TEMPLATE),
    ):
        for mode in ("auto", "now", "off_peak"):
            plan = world.bulk(scene, *warned, channel=channel, content=content, schedule={"mode": mode})
            scene.both("POST", "/v1/distributions", json=plan, headers=_key(f"warned-{channel}-{mode}"))
    scene.both("GET", "/v1/distributions")
    for query in ("status=planned", "campaign_id=all-sms", "campaign_id=none", "limit=2"):
        scene.both("GET", f"/v1/distributions?{query}")
    scene.both("GET", "/v1/statistics", keep_hours=False)


def _exports(scene: Scene, made: str) -> None:
    """Each list of a distribution as a file, and requests that are refused."""
    listed = [{"kind": kind, "distribution_id": made} for kind in ("messages", "rejected_rows", "duplicates")]
    for order in (*listed, {"kind": "messages", "campaign_id": "all-sms", "status": "failed"}):
        for language in LANGUAGES:
            asked = scene.ok(scene.call("POST", "/v1/exports", json=order, language=language))
            world.has_file(scene, asked["export_id"])
            scene.call("GET", f"/v1/exports/{asked['export_id']}", language=language)
    refused: tuple[Json, ...] = (
        {}, {"kind": "x"}, {"kind": "duplicates"}, {"kind": "rejected_rows", "distribution_id": made, "status": "sent"},
        {"kind": "messages", "distribution_id": made, "campaign_id": "x"},
        {"kind": "messages", "distribution_id": world.UNKNOWN_ID},
        {"kind": "messages", "from": "2026-11-23T10:00:00Z", "to": "2026-11-22T10:00:00Z"},
    )  # fmt: skip
    for order in refused:
        scene.both("POST", "/v1/exports", json=order)
    scene.both("GET", f"/v1/exports/{world.UNKNOWN_ID}")


def _hold(scene: Scene, channel: str, last: int, settings: Json) -> None:
    """A cause that stops a distribution: what the API shows of it, and what a person may do."""
    working = world.sms(scene) if channel == "sms" else world.whatsapp(scene)
    scene.ok(scene.quietly("PUT", f"/v1/integrations/{channel}", json=working | settings))
    content = world.TEXT if channel == "sms" else world.TEMPLATE
    person = world.recipient(scene, last)
    made = world.distribute(scene, world.bulk(scene, person, channel=channel, content=content, confirm=True), "held")
    identity = made["distribution_id"]
    world.stands(scene, identity, "paused", "completed")
    scene.stack.settle()
    scene.both("GET", f"/v1/distributions/{identity}")
    scene.both("GET", f"/v1/messages?distribution_id={identity}", unordered=True)
    for action in ("pause", "cancel"):
        for language in LANGUAGES:
            scene.call("POST", f"/v1/distributions/{identity}/{action}", language=language)
            scene.stack.settle()
            scene.stack.forward(minutes=1)
    scene.both("GET", f"/v1/messages?distribution_id={identity}", unordered=True)
