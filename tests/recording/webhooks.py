"""Every webhook of Meta and Orange, signed and unsigned, and what the API shows afterwards."""

import json
from typing import Any

from tests.recording import world
from tests.recording.every_operation import signed
from tests.recording.tape import Json, Scene, Tape

GIANT = 3 * 1024 * 1024 + 1
FAILURES = (
    131026,
    131047,
    131049,
    131050,
    131053,
    130472,
    131000,
    132001,
    132015,
    131042,
    131048,
    131031,
    999999,
    None,
)
"""Meta's codes in a `failed` status; one undocumented, and none at all."""
NONSENSE = (
    b"", b"hello", b"[]", b"null", b"{}", b'{"entry": 5}', b'{"entry": [{"changes": [7]}]}', b"\xff\xfe",
    b'{"object": "page", "entry": [{"id": "1", "changes": [{"field": "feed", "value": {}}]}]}',
)  # fmt: skip
STOP_WORDS = (
    "STOP", "Arrêt", "arrêtez", "UNSUBSCRIBE", "Stop svp", "توقف", "stop 🙏", "ne pas arrêter", "bus stop", "Merci",
    "désabonner", "STOP PNV", "",
)  # fmt: skip
STOP = {"type": "text", "text": {"body": "STOP"}}
NEW_NUMBER = {"type": "user_changed_number", "wa_id": "221770008999", "body": "x"}
TEMPLATE_EVENTS = (
    "PAUSED", "APPROVED", "DISABLED", "REINSTATED", "REJECTED", "PENDING", "IN_APPEAL", "FLAGGED", "LIMIT_EXCEEDED",
    "PENDING_DELETION", "DELETED", "UNPAUSED", "ARCHIVED", "UNARCHIVED", "LOCKED", "X", "APPROVED",
)  # fmt: skip
RECEIPTS = (
    "DeliveredToTerminal", "DeliveredToNetwork", "MessageWaiting", "DeliveryImpossible", "DeliveryUncertain",
    "DeliveryNotificationNotSupported", "SomethingElse", "", "Delivered to +221770008200",
)  # fmt: skip


def play(tape: Tape) -> None:
    with Scene(tape, "meta door") as scene:
        world.set_up(scene)
        _door(scene)
    with Scene(tape, "meta statuses") as scene:
        world.set_up(scene)
        _statuses(scene)
    _failures(tape)
    with Scene(tape, "meta inbound") as scene:
        world.set_up(scene)
        _inbound(scene)
    with Scene(tape, "meta account") as scene:
        world.set_up(scene)
        _account(scene)
    with Scene(tape, "orange") as scene:
        world.set_up(scene)
        _orange(scene)


def _post(scene: Scene, body: Any, as_text: str = "") -> None:
    """Posts a body as Meta signs it, and waits until it is handled. The answer has no text, so one language is
    enough."""
    content = json.dumps(body).encode()
    path = f"/webhooks/whatsapp/{scene.organisation}"
    scene.call("POST", path, content=content, token={}, headers=signed(content), as_text=as_text)
    scene.stack.settle()


def _post_twice(scene: Scene, content: bytes, as_text: str, **headers: str) -> None:
    """Posts in both languages; `headers` replace Meta's own."""
    path = f"/webhooks/whatsapp/{scene.organisation}"
    scene.both("POST", path, content=content, token={}, headers=signed(content) | headers, as_text=as_text)
    scene.stack.settle()


def _door(scene: Scene) -> None:
    path = f"/webhooks/whatsapp/{scene.organisation}"
    good = {"hub.mode": "subscribe", "hub.verify_token": world.VERIFY_TOKEN, "hub.challenge": "1158201444"}
    for change in ({}, {"hub.verify_token": "other"}, {"hub.mode": "unsubscribe"}, {"hub.challenge": ""}):
        query = "&".join(f"{name}={value}" for name, value in (good | change).items())
        scene.both("GET", f"{path}?{query}", token={})
        scene.both("GET", f"/webhooks/whatsapp/nobody-here?{query}", token={})
    scene.both("GET", path, token={})
    for content in NONSENSE:
        _post_twice(scene, content, "nonsense")
    body = json.dumps(_messages(scene, statuses=[])).encode()
    for secret in ("another secret", ""):
        _post_twice(
            scene, body, "another signature", **{"x-hub-signature-256": signed(body, secret)["x-hub-signature-256"]}
        )
    for header in ("", "sha256=00", "sha1=00"):
        _post_twice(scene, body, "no signature", **{"x-hub-signature-256": header})
    scene.both("POST", "/webhooks/whatsapp/nobody-here", content=body, token={}, headers=signed(body))
    scene.both("POST", "/webhooks/whatsapp/%2e%2e", content=body, token={}, headers=signed(body))
    _post_twice(scene, b"{" + b" " * GIANT + b"}", "3 MiB")
    _post_twice(scene, b"{" + b" " * 3 * GIANT + b"}", "9 MiB")
    scene.ok(scene.quietly("PUT", "/v1/integrations/whatsapp", json=world.whatsapp(scene, app_secret="the new one")))
    scene.stack.forward(minutes=6)  # settings are cached for five minutes
    _post_twice(scene, body, "the old secret")
    _post_twice(scene, body, "the new secret", **signed(body, "the new one"))
    scene.stack.forward(minutes=6)
    _post_twice(scene, body, "another secret", **signed(body, "a third one"))


def _messages(scene: Scene, **value: Any) -> Json:
    """A body of the field `messages`."""
    metadata = {"display_phone_number": "221770009999", "phone_number_id": scene.phone_number_id}
    return _change(scene, "messages", {"messaging_product": "whatsapp", "metadata": metadata} | value)


def _change(scene: Scene, field: str, value: Json, account: str | None = None) -> Json:
    change = {"field": field, "value": value}
    entry = {"id": account or scene.account, "time": _seconds(scene), "changes": [change]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def _seconds(scene: Scene) -> int:
    return int(scene.stack.now().timestamp())


def _silent(scene: Scene, key: str, channel: str = "whatsapp") -> Json:
    """A message that the provider takes and never reports, with the `phone` of its own recipient."""
    phone = f"+22177{scene.serial():03d}{world.SILENT:04d}"
    person = world.recipient(scene, world.SILENT, phone=phone)
    identity = world.send(scene, world.order(scene, world.SILENT, channel, recipient=person), key)
    return world.settled(scene, identity, "sent") | {"phone": phone}


def _status(scene: Scene, message: Json, name: str, **more: Any) -> Json:
    about = {"timestamp": str(_seconds(scene)), "recipient_id": message["phone"].removeprefix("+")}
    key = {"biz_opaque_callback_data": f"{message['message_id']}.{message['attempts']}"}
    return {"id": "wamid.OTHER", "status": name} | about | key | more


def _statuses(scene: Scene) -> None:
    """Each status for a message of its own; then late, repeated and foreign ones."""
    for name in ("sent", "delivered", "read", "played", "deleted", "warning", "failed", "SENT", "something"):
        message = _silent(scene, f"status-{name}")
        _post(scene, _messages(scene, statuses=[_status(scene, message, name)]))
        scene.both("GET", f"/v1/messages/{message['message_id']}", as_text=f"status {name}")
    message = _silent(scene, "in any order")
    early = [_status(scene, message, "read"), _status(scene, message, "delivered")]
    late = [_status(scene, message, "sent"), _status(scene, message, "failed", errors=[{"code": 131026}])]
    for statuses in (early, late, early, [*late, *early]):
        _post(scene, _messages(scene, statuses=statuses))
        scene.both("GET", f"/v1/messages/{message['message_id']}", as_text="late and early")
    message = _silent(scene, "by another way")
    for change, as_text in (
        ({"biz_opaque_callback_data": f"{world.UNKNOWN_ID}.1"}, "a key of none"),
        ({"biz_opaque_callback_data": "not ours"}, "no key of ours"),
        ({"biz_opaque_callback_data": None}, "no key, an unknown ID"),
        ({"recipient_type": "group"}, "a group"),
        ({"timestamp": "x"}, "no time"),
    ):
        _post(scene, _messages(scene, statuses=[_status(scene, message, "read") | change]), as_text)
    foreign = {"display_phone_number": "221770009998", "phone_number_id": "100200300"}
    _post(scene, _messages(scene, statuses=[_status(scene, message, "read")], metadata=foreign), "another number")
    scene.both("GET", f"/v1/messages/{message['message_id']}")
    real = _by_meta(scene, message)
    nameless = {name: value for name, value in _status(scene, message, "read", id=real).items() if "biz" not in name}
    _post(scene, _messages(scene, statuses=[nameless]), "by its message ID")
    scene.stack.forward(minutes=2)
    scene.both("GET", f"/v1/messages/{message['message_id']}")
    scene.both("GET", f"/v1/messages?provider_message_id={real.replace('=', '%3D')}")
    scene.both("GET", "/v1/integrations/whatsapp/health")
    world.ledger(scene, "meta")


def _failures(tape: Tape) -> None:
    """Each code for an organisation of its own, because some stop a template or the account. At once and later."""
    reported = []
    for code in FAILURES:
        scene = Scene(tape, f"meta failed {code}")
        settings = world.whatsapp(scene, business_account_id=None)
        scene.ok(scene.quietly("PUT", "/v1/integrations/whatsapp", json=settings))
        message = _silent(scene, "failed")
        errors = [{"code": code, "title": "x", "error_data": {"details": "y"}}] if code else []
        _post(scene, _messages(scene, statuses=[_status(scene, message, "failed", errors=errors)]))
        reported.append((scene, f"/v1/messages/{message['message_id']}"))
        scene.both("GET", reported[-1][1])
    tape.stack.forward(minutes=3)
    for scene, path in reported:
        scene.both("GET", path, as_text="three minutes later")
        scene.both("GET", "/v1/integrations/whatsapp/health")
        world.ledger(scene, "meta")


def _by_meta(scene: Scene, message: Json) -> str:
    url = f"{scene.stack.simulators_url}/_control/ledger?provider=meta&organisation={scene.organisation}"
    taken = scene.stack.client.get(url).json()["messages"]
    [found] = [one for one in taken if (one["key"] or "").startswith(message["message_id"])]
    return str(found["provider_message_id"])


def _inbound(scene: Scene) -> None:
    """Messages from people, each from a person of their own; then whether they may get messages."""
    kinds: list[tuple[str, Json]] = [
        *((f"text: {words}", {"type": "text", "text": {"body": words}}) for words in STOP_WORDS),
        ("button", {"type": "button", "button": {"payload": "STOP", "text": "Stop"}}),
        ("button reply", _interactive("button_reply", {"id": "STOP", "title": "Stop"})),
        ("list reply", _interactive("list_reply", {"id": "x", "title": "Oui"})),
        ("image", {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "stop"}}),
        ("edit", {"type": "edit", "edit": {"original_message_id": "wamid.X", "message": STOP}}),
        ("audio", {"type": "audio", "audio": {"id": "1", "mime_type": "audio/ogg", "sha256": "x"}}),
        ("location", {"type": "location", "location": {"latitude": 14.6, "longitude": -17.4}}),
        ("reaction", {"type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "👍"}}),
        ("sticker", {"type": "sticker", "sticker": {"id": "1", "mime_type": "image/webp", "sha256": "x"}}),
        ("unsupported", {"type": "unsupported", "errors": [{"code": 131051}]}),
        ("revoke", {"type": "revoke", "revoke": {"original_message_id": "wamid.X"}}),
        ("request_welcome", {"type": "request_welcome"}),
        ("group", {"type": "text", "text": {"body": "STOP"}, "group_id": "g"}),
        ("new number", {"type": "system", "system": NEW_NUMBER}),
    ]  # fmt: skip
    last = 8300
    for name, said in kinds:
        last += 1
        message = {"from": f"22177000{last}", "id": f"wamid.IN{last}", "timestamp": str(_seconds(scene)), **said}
        _post(scene, _messages(scene, contacts=[_contact(last)], messages=[message]), name)
        _about(scene, last, name)
    for value in ("stop", "resume", "signup", "something"):
        last += 1
        wish = {
            "wa_id": f"22177000{last}",
            "category": "marketing_messages",
            "value": value,
            "timestamp": _seconds(scene),
        }
        _post(scene, _messages(scene, contacts=[_contact(last)], user_preferences=[wish]), f"preference {value}")
        _about(scene, last, f"preference {value}")
    for name, update in (
        ("calls", {"id": "wacid.X", "direction": "USER_INITIATED"}),
        ("calls", {"id": "wacid.Y", "direction": "BUSINESS_INITIATED"}),
        ("user_id_update", {"user_id": {"previous": "XX.1", "current": "XX.2"}}),
        ("something", {}),
    ):
        last += 1
        reported = {"from": f"22177000{last}", "wa_id": f"22177000{last}", "timestamp": str(_seconds(scene)), **update}
        _post(scene, _messages(scene, contacts=[_contact(last)], **{name: [reported]}), name)
        _about(scene, last, name)
    said = {"type": "text", "text": {"body": "STOP"}, "id": "wamid.NONUMBER", "timestamp": str(_seconds(scene))}
    _post(
        scene,
        _messages(scene, messages=[said | {"from_user_id": "XX.77"}], contacts=[{"user_id": "XX.77"}]),
        "no number",
    )
    foreign = {"display_phone_number": "221770009998", "phone_number_id": "100200300"}
    message = {
        "from": "221770008200",
        "id": "wamid.F",
        "timestamp": str(_seconds(scene)),
        "type": "text",
        "text": {"body": "STOP"},
    }
    _post(scene, _messages(scene, contacts=[_contact(8200)], messages=[message], metadata=foreign), "another number")
    _about(scene, 8200, "another number")
    scene.both("GET", "/v1/messages", unordered=True)
    world.ledger(scene, "meta")


def _interactive(kind: str, reply: Json) -> Json:
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def _contact(last: int) -> Json:
    return {"profile": {"name": "x"}, "wa_id": f"22177000{last}", "user_id": f"XX.{last}"}


def _about(scene: Scene, last: int, as_text: str) -> None:
    """Consent, and whether a free text may follow."""
    token = scene.bearer(subject=f"officer-{last}")
    scene.both("POST", "/v1/consents/lookup", json={"phone": f"+22177000{last}"}, token=token, as_text=as_text)
    person = world.recipient(scene, last)
    preview = {"channel": "whatsapp", "content": {"text": "Bonjour {first_name}"}, "recipients": [person]}
    scene.both("POST", "/v1/preview", json=preview, as_text=as_text)


def _account(scene: Scene) -> None:
    """Each account update; then a waiting distribution, the templates and health."""
    later = {"mode": "at", "at": world.AT}
    plan = world.bulk(
        scene,
        world.recipient(scene, world.PLAIN),
        channel="whatsapp",
        content=world.TEMPLATE,
        schedule=later,
        confirm=True,
    )
    waiting = world.distribute(scene, plan, "waiting")["distribution_id"]
    template = {
        "message_template_id": 1,
        "message_template_name": "vaccination_card",
        "message_template_language": "fr",
    }
    number = {"display_phone_number": "221770009999"}
    restriction = {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_900_000_000}
    over = restriction | {"expiration": 1_700_000_000}
    alerted = {"entity_type": "PHONE_NUMBER", "entity_id": scene.phone_number_id}
    other = restriction | {"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"}
    warnings: list[tuple[str, Json]] = [
        *(
            ("message_template_status_update", template | {"event": event, "reason": "NONE"})
            for event in TEMPLATE_EVENTS
        ),
        ("message_template_quality_update", template | {"new_quality_score": "YELLOW"}),
        ("template_category_update", template | {"previous_category": "UTILITY", "new_category": "MARKETING"}),
        ("template_category_update", template | {"previous_category": "MARKETING", "new_category": "UTILITY"}),
        ("message_template_status_update", template | {"event": "APPROVED", "message_template_name": "another_one"}),
        ("message_template_status_update", template | {"event": "APPROVED"}),
        ("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": [restriction]}),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}),
        ("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": [other]}),
        ("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": [over]}),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}}),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}),
        ("account_update", {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}),
        ("account_update", {"event": "PARTNER_REMOVED"}),
        ("account_update", {"event": "VERIFIED_ACCOUNT"}),
        ("account_alerts", alerted | {"alert_info": {"alert_type": "OBA_APPROVED"}}),
        ("business_capability_update", {"max_daily_conversations_per_business": "TIER_2K"}),
        ("business_capability_update", {"max_daily_conversation_per_phone": 1}),
        ("business_capability_update", {"max_daily_conversations_per_business": -1}),
        ("business_capability_update", {"max_daily_conversations_per_business": "much"}),
        ("phone_number_quality_update", number | {"event": "FLAGGED", "current_limit": "TIER_250"}),
        ("phone_number_quality_update", number | {"event": "UNFLAGGED", "current_limit": "TIER_UNLIMITED"}),
        ("phone_number_quality_update", number | {"event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"}),
        ("phone_number_quality_update", number | {"event": "ONBOARDING", "new_quality_score": "GREEN"}),
        ("phone_number_name_update", number | {"decision": "APPROVED", "requested_verified_name": "PNV"}),
        ("security", number | {"event": "PIN_CHANGED", "requester": "1"}),
        ("something_new", {"event": "SOMETHING"}),
        ("account_update", {"event": "ACCOUNT_DELETED"}),
    ]  # fmt: skip
    for field, value in warnings:
        as_text = f"{field} {value.get('event', '')}"
        _post(scene, _change(scene, field, value, "900000000000901"), f"{as_text}, another account")
        _post(scene, _change(scene, field, value), as_text)
        scene.stack.forward(seconds=5)
        scene.both("GET", f"/v1/distributions/{waiting}", as_text=as_text)
        scene.both("GET", "/v1/integrations/whatsapp/health", as_text=as_text)
        if "template" in field:
            scene.both("GET", "/v1/templates", as_text=as_text, unordered=True)
            preview = {"channel": "whatsapp", "content": world.TEMPLATE, "recipients": plan["recipients"]}
            scene.both("POST", "/v1/preview", json=preview, as_text=as_text)
        if "capability" in field or "number_quality" in field:
            people = [world.recipient(scene, world.PLAIN + number) for number in range(3)]
            many = world.bulk(scene, *people, channel="whatsapp", content=world.TEMPLATE)
            headers = {"idempotency-key": f"limit-{scene.serial()}"}
            scene.both("POST", "/v1/distributions", json=many, headers=headers, as_text=as_text)


def _orange(scene: Scene) -> None:
    """Each receipt for a message of its own; every shape; receipts without a message; the secret path and the
    addresses."""
    url = scene.ok(scene.quietly("GET", "/v1/integrations/sms"))["webhook_url"].removeprefix(scene.stack.base_url)

    def post(body: Any, as_text: str, path: str = url) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        scene.both("POST", path, content=content, token={}, headers=headers, as_text=as_text)
        scene.stack.settle()

    def reported(message: Json, info: Any) -> Json:
        return {"deliveryInfoNotification": {"callbackData": message["provider_message_id"], "deliveryInfo": info}}

    for name in RECEIPTS:
        message = _silent(scene, f"receipt-{name}", "sms")
        post(reported(message, {"address": f"tel:{message['phone']}", "deliveryStatus": name}), f"receipt {name}")
        scene.both("GET", f"/v1/messages/{message['message_id']}", as_text=f"receipt {name}")
        post(
            reported(message, {"address": f"tel:{message['phone']}", "deliveryStatus": "DeliveredToTerminal"}),
            "then delivered",
        )
        scene.both("GET", f"/v1/messages/{message['message_id']}", as_text=f"receipt {name}, then delivered")
    for info in (
        [{"deliveryStatus": "DeliveredToTerminal"}], {"deliveryStatus": "DeliveredToTerminal"}, {}, "x", None,
        {"delivery": {"deliveryStatus": "DeliveredToTerminal"}}, {"address": 7, "deliveryStatus": ["x"]},
        {"address": "tel:+221770008299", "deliveryStatus": "DeliveredToTerminal"},
    ):  # fmt: skip
        message = _silent(scene, f"shape-{json.dumps(info)[:60].replace(' ', '')}", "sms")
        post(reported(message, info), "a shape")
        scene.both("GET", f"/v1/messages/{message['message_id']}", as_text="a shape")
    message = _silent(scene, "secret", "sms")
    body = reported(message, {"address": f"tel:{message['phone']}", "deliveryStatus": "DeliveredToTerminal"})
    post(
        reported({"provider_message_id": world.UNKNOWN_ID}, body["deliveryInfoNotification"]["deliveryInfo"]),
        "unmatched",
    )
    for content in NONSENSE:
        post(content, "nonsense")
    post(b"{" + b" " * GIANT + b"}", "3 MiB")
    post(body, "wrong secret", url[:-4] + "AAAA")
    post(body, "unknown organisation", url.replace(scene.organisation, "nobody-here"))
    scene.ok(scene.quietly("PUT", "/v1/integrations/sms", json=world.sms(scene, receipt_addresses=["192.0.2.0/24"])))
    scene.stack.forward(minutes=6)
    post(body, "wrong address")
    scene.both("GET", f"/v1/messages/{message['message_id']}", as_text="refused receipts")
    scene.ok(scene.quietly("PUT", "/v1/integrations/sms", json=world.sms(scene, receipt_addresses=["127.0.0.0/8"])))
    scene.stack.forward(minutes=6)
    post(body, "right address")
    scene.both("GET", f"/v1/messages/{message['message_id']}", as_text="taken receipt")
    scene.both("GET", "/v1/integrations/sms/health")
    scene.both("GET", "/v1/statistics", keep_hours=False)
    world.ledger(scene, "orange")
