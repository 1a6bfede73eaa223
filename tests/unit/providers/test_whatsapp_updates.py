"""Each webhook shape of reference/whatsapp.md, sections 5.2 to 5.6, as a row."""

import copy
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.providers.meta.webhook import pieces, read
from shared.webhooks.updates import (
    AccountUpdate,
    Acquaintance,
    Contact,
    Inbound,
    LimitUpdate,
    NumberUpdate,
    Preference,
    Source,
    Succession,
    TemplateStatus,
    TemplateUpdate,
    WebhookEvent,
    WebhookUpdates,
)
from tests.unit.providers.webhooks import (
    ACCOUNT_ID,
    AT,
    NUMBER_ID,
    PHONE,
    SECONDS,
    USER_ID,
    WA_ID,
    WAMID,
    Json,
    change,
    contact,
    document,
    inbound,
    message,
    text,
    value,
)

BOTH = Contact(phone=PHONE, user_id=USER_ID)
KNOWN = Acquaintance(phone=PHONE, user_id=USER_ID)


def reading(reported: Json) -> WebhookUpdates:
    """The updates without their source, which is the same in all these documents."""
    found = read(json.dumps(reported), received=AT + timedelta(hours=1))
    return replace(found, webhook_events=[replace(one, source=Source()) for one in found.webhook_events])


def written(*words: str, contact: Contact | None = None) -> Inbound:
    sender = contact or Contact(phone=PHONE)
    return Inbound(contact=sender, message_id=WAMID, at=AT, words=words)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (text("Bonjour"), ("Bonjour",)),
        (message("button", button={"payload": "STOP", "text": "Ne plus recevoir"}), ("Ne plus recevoir", "STOP")),
        (
            message("interactive", interactive={"type": "button_reply", "button_reply": {"id": "STOP", "title": "N"}}),
            ("N", "STOP"),
        ),
        (
            message("interactive", interactive={"type": "list_reply", "list_reply": {"id": "a", "title": "A"}}),
            ("A", "a"),
        ),
        (
            message("interactive", interactive={"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent"}}),
            (),
        ),
        (message("image", image={"id": "1", "mime_type": "image/jpeg", "caption": "stop"}), ("stop",)),
        (message("audio", audio={"id": "1"}), ()),
        (message("video", video={"id": "1"}), ()),
        (message("document", document={"id": "1", "filename": "a.pdf"}), ()),
        (message("sticker", sticker={"id": "1"}), ()),
        (message("location", location={"latitude": 14.7, "longitude": -17.4}), ()),
        (message("contacts", contacts=[{"phones": [{"phone": "+221770000002"}]}]), ()),
        (message("reaction", reaction={"message_id": WAMID, "emoji": "👍"}), ()),
        (message("order", order={"catalog_id": "1"}), ()),
        (message("unsupported", errors=[{"code": 131051, "title": "Message type unknown"}]), ()),
        (message("next_year", next_year={"body": "stop"}), ()),
        (text("Bonjour", context={"from": "221770009999", "id": WAMID, "forwarded": True}), ("Bonjour",)),
        (text("Bonjour", **{"from": int(WA_ID)}, timestamp=SECONDS), ("Bonjour",)),
        (text("Bonjour", timestamp=SECONDS * 1000), ("Bonjour",)),
        (text("Bonjour", timestamp="soon"), ("Bonjour",)),
    ],
)  # fmt: skip
def test_every_message_of_a_person_opens_a_session(sent: Json, words: tuple[str, ...]) -> None:
    assert reading(inbound(sent, contacts=[contact()])) == WebhookUpdates(webhook_events=[written(*words)])
    assert reading(inbound(sent)) == WebhookUpdates(webhook_events=[written(*words)])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"type": "text", "text": {"body": "stop"}}, ("stop",)),
        ({"text": {"body": "stop"}}, ("stop",)),
        ({"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "caption": "arrêt"}}, ("arrêt",)),
        ({"type": "audio", "audio": {"id": "1"}}, ()),
        (None, ()),
    ],
)
def test_an_edited_message_has_its_new_words_and_opens_no_session(changed: Json, words: tuple[str, ...]) -> None:
    edit = {"original_message_id": "wamid.BEFORE", "message": changed}
    expected = replace(written(*words), is_edit=True)
    assert reading(inbound(message("edit", edit=edit), contacts=[contact()])) == WebhookUpdates(
        webhook_events=[expected]
    )


@pytest.mark.parametrize(
    "sent",
    [
        message("system", system={"type": "customer_identity_changed", "body": "x"}),
        message("revoke", revoke={"original_message_id": WAMID}),
        message("request_welcome"),
        text("Bonjour", group_id="g"),
        {**text("Bonjour"), "from": "someone"},
        {},
        None,
        "text",
    ],
)
def test_other_events_of_a_person_open_no_session(sent: Json) -> None:
    assert reading(inbound(sent)) == WebhookUpdates(ignored=1)


@pytest.mark.parametrize(
    ("sent", "contacts", "sender"),
    [
        ({"from": WA_ID, "from_user_id": USER_ID, "from_parent_user_id": "SN.ENT.9"}, [], BOTH),
        ({"from_user_id": USER_ID}, [], Contact(user_id=USER_ID)),
        ({"from": USER_ID}, [], Contact(user_id=USER_ID)),
        ({"from": USER_ID, "from_user_id": USER_ID}, [], Contact(user_id=USER_ID)),
        ({"from": "", "from_user_id": USER_ID}, [], Contact(user_id=USER_ID)),
        ({"from": PHONE}, [], Contact(phone=PHONE)),
        ({}, [contact(user_id=USER_ID)], BOTH),
        ({}, [{"user_id": USER_ID}], Contact(user_id=USER_ID)),
        ({}, [{"wa_id": USER_ID}], Contact(user_id=USER_ID)),
    ],
)
def test_senders_with_and_without_a_number(sent: Json, contacts: Json, sender: Contact) -> None:
    reported = text("Bonjour")
    del reported["from"]
    found = reading(inbound({**reported, **sent}, contacts=contacts))
    assert [one for one in found.webhook_events if isinstance(one, Inbound)] == [written("Bonjour", contact=sender)]
    assert (KNOWN in found.webhook_events) is (sender == BOTH)
    assert found.ignored == 0


def test_a_message_without_a_sender_among_several_contacts_is_counted() -> None:
    reported = text("Bonjour")
    del reported["from"]
    assert reading(inbound(reported, contacts=[contact(), contact(wa_id="221770000002")])) == WebhookUpdates(ignored=1)


@pytest.mark.parametrize("direction", ["USER_INITIATED", None])
def test_a_persons_call_opens_a_session(direction: str | None) -> None:
    call = {"from": WA_ID, "id": WAMID, "timestamp": str(SECONDS), "event": "connect", "direction": direction}
    assert reading(document(change(value(calls=[call]), "calls"))) == WebhookUpdates(webhook_events=[written()])
    ours = {**call, "direction": "BUSINESS_INITIATED"}
    assert reading(document(change(value(calls=[ours]), "calls"))) == WebhookUpdates(ignored=1)


def status(**fields: Json) -> dict[str, Json]:
    return {"id": WAMID, "status": "delivered", "timestamp": str(SECONDS), "recipient_id": WA_ID, **fields}


@pytest.mark.parametrize(
    ("sent", "contacts", "webhook_event"),
    [
        (status(), None, []),
        (status(), [contact(user_id=USER_ID)], [KNOWN]),
        (status(recipient_user_id=USER_ID), [], [KNOWN]),
        (status(recipient_user_id=USER_ID), [contact(user_id=USER_ID)], [KNOWN]),
        (status(recipient_id=USER_ID, recipient_user_id=USER_ID), [{"user_id": USER_ID}], []),
        (status(recipient_id=None), [{"profile": {}}], []),
        (status(recipient_user_id=USER_ID, recipient_type="group"), [], []),
        (status(recipient_user_id=USER_ID, status="failed"), None, [KNOWN]),
        (status(recipient_user_id=USER_ID, type="message", recipient_logical_id="x"), None, [KNOWN]),
        (status(conversation={"id": "1", "expiration_timestamp": SECONDS}, pricing={"model": 1}), None, []),
    ],
)
def test_statuses_link_the_identities_of_people(sent: Json, contacts: Json, webhook_event: list[WebhookEvent]) -> None:
    found = reading(document(change(value(statuses=[sent], contacts=contacts))))
    assert (len(found.reports), found.webhook_events, found.ignored) == (1, webhook_event, 0)


def test_an_unknown_status_still_links_identities_and_is_counted() -> None:
    found = reading(document(change(value(statuses=[status(status="warning", recipient_user_id=USER_ID)]))))
    assert found == WebhookUpdates(webhook_events=[KNOWN], ignored=1)


@pytest.mark.parametrize(
    ("reported", "webhook_event"),
    [
        ({"wa_id": WA_ID, "value": "stop"}, Preference(contact=Contact(phone=PHONE), stopped=True, at=AT)),
        ({"user_id": USER_ID, "value": "stop"}, Preference(contact=Contact(user_id=USER_ID), stopped=True, at=AT)),
        ({"wa_id": WA_ID, "value": "resume"}, Preference(contact=Contact(phone=PHONE), stopped=False, at=AT)),
        ({"wa_id": WA_ID, "value": "signup"}, Preference(contact=Contact(phone=PHONE), stopped=False, at=AT)),
        ({"wa_id": WA_ID, "value": "perhaps"}, None),
        ({"value": "stop"}, None),
    ],
)
def test_preferences(reported: Json, webhook_event: WebhookEvent | None) -> None:
    preference = {"detail": "x", "category": "marketing_messages", "timestamp": SECONDS, **reported}
    found = reading(document(change(value(user_preferences=[preference]), "user_preferences")))
    assert found == WebhookUpdates(
        webhook_events=[webhook_event] if webhook_event else [], ignored=0 if webhook_event else 1
    )


NEW = Contact(phone="+221770000002", user_id="SN.2")
NEW_KNOWN = Acquaintance(phone="+221770000002", user_id="SN.2")


@pytest.mark.parametrize(
    ("reported", "webhook_event"),
    [
        (
            inbound(message("system", system={"type": "user_changed_number", "wa_id": "221770000002", "body": "x"})),
            [Succession(previous=Contact(phone=PHONE), current=Contact(phone="+221770000002"), at=AT)],
        ),
        (
            inbound(
                message(
                    "system",
                    from_user_id=USER_ID,
                    system={"type": "user_changed_number", "wa_id": "221770000002", "user_id": "SN.2"},
                )
            ),
            [NEW_KNOWN, Succession(previous=BOTH, current=NEW, at=AT)],
        ),
        (
            inbound(
                {
                    "id": WAMID,
                    "timestamp": str(SECONDS),
                    "type": "system",
                    "system": {"type": "user_changed_user_id", "previous_user_id": USER_ID, "user_id": "SN.2"},
                }
            ),
            [Succession(previous=Contact(user_id=USER_ID), current=Contact(user_id="SN.2"), at=AT)],
        ),
        (
            document(
                change(
                    value(
                        contacts=[contact(wa_id="221770000002")],
                        user_id_update=[
                            {
                                "wa_id": "221770000002",
                                "detail": "User id has been updated.",
                                "user_id": {"previous": USER_ID, "current": "SN.2"},
                                "parent_user_id": {"previous": "SN.ENT.1", "current": "SN.ENT.2"},
                                "timestamp": str(SECONDS),
                            }
                        ],
                    ),
                    "user_id_update",
                )
            ),
            [NEW_KNOWN, Succession(previous=Contact(user_id=USER_ID), current=NEW, at=AT)],
        ),
    ],
)
def test_new_numbers_and_user_ids(reported: Json, webhook_event: list[WebhookEvent]) -> None:
    assert reading(reported) == WebhookUpdates(webhook_events=webhook_event)


def template(**fields: Json) -> dict[str, Json]:
    return {
        "message_template_id": 12345678,
        "message_template_name": "vaccination_card",
        "message_template_language": "fr",
        **fields,
    }


def of_template(
    status: TemplateStatus | None = None, category: str | None = None, quality: str | None = None
) -> TemplateUpdate:
    name, language = "vaccination_card", "fr"
    return TemplateUpdate(name=name, language=language, status=status, category=category, quality=quality, at=AT)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("APPROVED", TemplateStatus.APPROVED),
        ("REINSTATED", TemplateStatus.APPROVED),
        ("UNARCHIVED", TemplateStatus.APPROVED),
        ("REJECTED", TemplateStatus.REJECTED),
        ("LIMIT_EXCEEDED", TemplateStatus.REJECTED),
        ("PENDING", TemplateStatus.PENDING),
        ("IN_APPEAL", TemplateStatus.PENDING),
        ("PAUSED", TemplateStatus.PAUSED),
        ("DISABLED", TemplateStatus.DISABLED),
        ("ARCHIVED", TemplateStatus.DISABLED),
        ("PENDING_DELETION", TemplateStatus.NOT_SUBMITTED),
        ("DELETED", TemplateStatus.NOT_SUBMITTED),
        ("FLAGGED", None),
        ("LOCKED", None),
        ("SOMETHING_NEW", None),
    ],
)
def test_template_statuses(event: str, status: TemplateStatus | None) -> None:
    reported = template(
        event=event,
        message_template_category="UTILITY",
        reason=None,
        disable_info={"disable_date": "x"},
        other_info={"title": "FIRST_PAUSE", "description": "x"},
    )
    found = reading(document(change(reported, "message_template_status_update")))
    assert found == WebhookUpdates(webhook_events=[of_template(status, "UTILITY")])


@pytest.mark.parametrize("field", ["message_template_quality_update", "message_template_status_update", "", None])
def test_a_template_updates_content_decides_not_its_field(field: Json) -> None:
    reported = template(previous_quality_score="GREEN", new_quality_score="YELLOW")
    assert reading(document(change(reported, field))) == WebhookUpdates(webhook_events=[of_template(quality="YELLOW")])


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_template_name": "x" * 513},
        {"message_template_name": "a#b"},
        {"message_template_name": "\ud800"},
        {"message_template_name": ["vaccination_card"]},
        {"message_template_language": "x" * 2000},
        {"message_template_language": ""},
        {"message_template_language": None},
    ],
)
def test_a_template_with_an_impossible_name_is_ignored(wrong: Json) -> None:
    """The name would be part of a key. The store refused it, and the document came again until it was a dead letter."""
    reported = template(event="PAUSED") | wrong
    assert reading(document(change(reported, "message_template_status_update"))) == WebhookUpdates(ignored=1)


@pytest.mark.parametrize(
    ("reported", "language"),
    [("en-US", "en_US"), ("en_US", "en_US"), ("EN-us", "en_US"), ("FR", "fr"), ("pt-br", "pt_BR"), ("fil", "fil")],
)
def test_a_language_is_named_as_in_a_send_with_either_spelling(reported: str, language: str) -> None:
    found = reading(document(change(template(event="PAUSED", message_template_language=reported))))
    assert [one.language for one in found.webhook_events if isinstance(one, TemplateUpdate)] == [language]


@pytest.mark.parametrize("word", ["x" * 600, "\ud800", {"a": 1}])
def test_a_category_or_quality_that_cannot_be_stored_is_left_out(word: Json) -> None:
    reported = template(new_category=word, new_quality_score=word)
    assert reading(document(change(reported, "template_category_update"))) == WebhookUpdates(
        webhook_events=[of_template()]
    )


@pytest.mark.parametrize("more", [{"previous_category": "UTILITY"}, {"correct_category": "UTILITY"}, {}])
def test_template_categories(more: Json) -> None:
    reported = template(new_category="MARKETING", **more)
    found = reading(document(change(reported, "template_category_update")))
    assert found == WebhookUpdates(webhook_events=[of_template(category="MARKETING")])


def restricted_by(*kinds: str, expiration: Json = SECONDS, event: str = "ACCOUNT_RESTRICTION") -> Json:
    return {
        "event": event,
        "restriction_info": [{"restriction_type": kind, "expiration": expiration} for kind in kinds],
    }


NEW_NUMBERS = "RESTRICTED_ADD_PHONE_NUMBER_ACTION"
MESSAGING = "RESTRICTED_BIZ_INITIATED_MESSAGING"
OTHER_RESTRICTIONS = (
    NEW_NUMBERS,
    "RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING",
    "RESTRICTED_BUSINESS_INITIATED_CALLING",
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
    "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES",
    "RESTRICTED_USER_INITIATED_CALLING",
    "RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN",
    "RESTRICTED_UTILITY_TEMPLATES",
    "RESTRICTED_BY_SOMETHING_NEW",
)
"""Meta's list of 2026-04 without the restriction that stops campaigns, and one future restriction."""


def of_account(reported: Json, restricted: bool | None, **more: Any) -> AccountUpdate:
    return AccountUpdate(restricted=restricted, event=reported["event"], at=AT, **more)


@pytest.mark.parametrize(
    ("reported", "restricted"),
    [
        ({"event": "ACCOUNT_RESTRICTION"}, None),
        ({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SPAM"}}, None),
        ({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "LOW_PICKUP_RATE"}}, None),
        ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "x"}}, True),
        ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": ["SCHEDULE_FOR_DISABLE"]}}, None),
        ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}, False),
        ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SOMETHING_NEW"}}, None),
        ({"event": "ACCOUNT_DELETED"}, True),
        ({"event": "ACCOUNT_OFFBOARDED"}, None),
        ({"event": "PARTNER_REMOVED"}, None),
    ],
)
def test_account_updates(reported: Json, restricted: bool | None) -> None:
    """Updates that are known to stop campaigns stop them. For the others Meta has to be asked."""
    assert reading(document(change(reported, "account_update"))) == WebhookUpdates(
        webhook_events=[of_account(reported, restricted)]
    )


@pytest.mark.parametrize("event", ["VERIFIED_ACCOUNT", "PARTNER_ADDED", "ACCOUNT_RECONNECTED", "SOMETHING_NEW", "a b"])
def test_updates_unrelated_to_sending_are_left_out(event: str) -> None:
    reported = {"event": event, "phone_number": "221770009999"}
    assert reading(document(change(reported, "account_update"))) == WebhookUpdates(ignored=1)


@pytest.mark.parametrize("kind", OTHER_RESTRICTIONS)
def test_another_kind_of_restriction_stops_nothing(kind: str) -> None:
    """Issue 14, line 2: calls, the call button, direct send, answers to people who have written."""
    reported = restricted_by(kind)
    assert reading(document(change(reported, "account_update"))) == WebhookUpdates(
        webhook_events=[of_account(reported, None, restriction=kind)]
    )
    both = restricted_by(kind, MESSAGING)
    words = ", ".join(sorted((kind, MESSAGING)))
    expected = of_account(both, True, until=AT, restriction=words)
    assert reading(document(change(both, "account_update"))) == WebhookUpdates(webhook_events=[expected])


@pytest.mark.parametrize(("expiration", "until"), [(SECONDS, AT), (str(SECONDS), AT), (None, None), ("x", None)])
def test_when_a_restriction_ends(expiration: Json, until: datetime | None) -> None:
    reported = restricted_by(MESSAGING, expiration=expiration)
    expected = of_account(reported, True, until=until, restriction=MESSAGING)
    assert reading(document(change(reported, "account_update"))) == WebhookUpdates(webhook_events=[expected])


@pytest.mark.parametrize("word", ["+221770009999", "Aminata", "RESTRICTED 1", "X" * 200, None, {"a": 1}])
def test_a_restriction_with_an_unknown_word_is_reported_without_it(word: Json) -> None:
    reported = restricted_by(word)
    assert reading(document(change(reported, "account_update"))) == WebhookUpdates(
        webhook_events=[of_account(reported, None)]
    )


@pytest.mark.parametrize(
    ("reported", "limit"),
    [
        (2000, 2000),
        ("2000", 2000),
        (-1, None),
        ("TIER_250", 250),
        ("TIER_2K", 2_000),
        ("TIER_10K", 10_000),
        ("TIER_100K", 100_000),
        ("TIER_UNLIMITED", None),
    ],
)
def test_limits(reported: Json, limit: int | None) -> None:
    held = {"max_daily_conversations_per_business": reported, "max_phone_numbers_per_waba": 25}
    assert reading(document(change(held, "business_capability_update"))) == WebhookUpdates(
        webhook_events=[LimitUpdate(limit=limit, at=AT)]
    )


@pytest.mark.parametrize("reported", ["TIER_NOT_SET", "", None, 0, {}, "lots", 10**40, float("inf")])
def test_limits_that_cannot_be_read(reported: Json) -> None:
    held = {"max_daily_conversations_per_business": reported}
    assert reading(document(change(held, "business_capability_update"))) == WebhookUpdates(ignored=1)


def of_number(event: str, quality: str | None = None) -> NumberUpdate:
    return NumberUpdate(event=event, quality=quality, at=AT)


@pytest.mark.parametrize(
    ("reported", "webhook_event"),
    [
        (
            {"event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"},
            [LimitUpdate(limit=None, at=AT), of_number("THROUGHPUT_UPGRADE")],
        ),
        (
            {"event": "ONBOARDING", "old_limit": "TIER_NOT_SET", "current_limit": "TIER_250"},
            [LimitUpdate(limit=250, at=AT), of_number("ONBOARDING")],
        ),
        (
            {"event": "UPGRADE", "max_daily_conversations_per_business": 10000, "current_limit": "TIER_2K"},
            [LimitUpdate(limit=10_000, at=AT), of_number("UPGRADE")],
        ),
        (
            {"event": "FLAGGED", "current_limit": "TIER_1K"},
            [LimitUpdate(limit=1000, at=AT), of_number("FLAGGED", "RED")],
        ),
        ({"event": "THROUGHPUT_UPGRADE"}, [of_number("THROUGHPUT_UPGRADE")]),
    ],
)
def test_number_updates(reported: Json, webhook_event: list[WebhookEvent]) -> None:
    held = {"display_phone_number": "221770009999", **reported}
    assert reading(document(change(held, "phone_number_quality_update"))) == WebhookUpdates(
        webhook_events=webhook_event
    )


@pytest.mark.parametrize(("kind", "number"), [("PHONE_NUMBER", "1060001"), ("BUSINESS", "")])
def test_alerts(kind: str, number: str) -> None:
    reported = {
        "entity_type": kind,
        "entity_id": "1060001",
        "alert_info": {"alert_severity": "INFORMATIONAL", "alert_type": "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED"},
    }
    by_attempt = document(change(reported, "account_alerts"))
    assert reading(by_attempt) == WebhookUpdates(
        webhook_events=[of_number("INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED")]
    )
    [alert] = read(json.dumps(by_attempt)).webhook_events
    assert alert.source == Source(account=ACCOUNT_ID, phone_number_id=number)


def test_a_batch_of_all_shapes_is_read_in_order() -> None:
    first = change(value(messages=[text("A"), text("B")], statuses=[status()], contacts=[contact(user_id=USER_ID)]))
    reported = document(first, change(template(event="PAUSED"), "message_template_status_update"))
    reported["entry"] += document(change(value(messages=[text("C")])))["entry"]
    found = reading(reported)
    assert [one.words[0] for one in found.webhook_events if isinstance(one, Inbound)] == ["A", "B", "C"]
    assert [type(one) for one in found.webhook_events if not isinstance(one, Inbound)] == [Acquaintance, TemplateUpdate]
    assert (len(found.reports), found.ignored) == (1, 0)


def test_an_update_without_a_time_needs_the_time_of_receipt() -> None:
    reported = document(change(template(event="PAUSED")))
    del reported["entry"][0]["time"]
    assert read(json.dumps(reported)) == WebhookUpdates(ignored=1)
    assert len(read(json.dumps(reported), received=AT).webhook_events) == 1


def test_pieces_keep_what_their_updates_need() -> None:
    words = [f"{number} " + "é" * 1000 for number in range(400)]
    reported = inbound(*(text(one, **{"from": None}) for one in words), contacts=[contact()])
    cut = pieces(json.dumps(reported, ensure_ascii=False).encode())
    assert len(cut) > 2
    received = [one for piece in cut for one in read(piece).webhook_events]
    assert received == [replace(written(one), source=FROM_OUR_NUMBER) for one in words]


FROM_OUR_NUMBER = Source(account=ACCOUNT_ID, phone_number_id=NUMBER_ID, shown_number="221770009999")


@pytest.mark.parametrize(
    ("reported", "source"),
    [
        (value(messages=[text("STOP")]), FROM_OUR_NUMBER),
        (value(user_preferences=[{"wa_id": WA_ID, "value": "stop"}]), FROM_OUR_NUMBER),
        (value(contacts=[contact(user_id=USER_ID)]), FROM_OUR_NUMBER),
        (template(event="PAUSED"), Source(account=ACCOUNT_ID)),
        ({"event": "ACCOUNT_DELETED"}, Source(account=ACCOUNT_ID)),
        ({"max_daily_conversations_per_business": 250}, Source(account=ACCOUNT_ID)),
        (
            {"display_phone_number": "+221 77 000-99 99", "event": "FLAGGED"},
            Source(account=ACCOUNT_ID, shown_number="221770009999"),
        ),
        ({"display_phone_number": ["x"], "event": "FLAGGED"}, Source(account=ACCOUNT_ID)),
    ],
)
def test_every_update_names_its_account_or_number(reported: Json, source: Source) -> None:
    found = read(json.dumps(document(change(reported, "whatever"))))
    assert {one.source for one in found.webhook_events} == {source}


@pytest.mark.parametrize("account", [None, 7, "", "a b", ["1"], "\ud800"])
def test_an_entry_without_an_account_has_no_account(account: Json) -> None:
    reported = document(change({"event": "ACCOUNT_DELETED"}))
    reported["entry"][0]["id"] = account
    [webhook_event] = read(json.dumps(reported)).webhook_events
    assert webhook_event.source == Source()


EVERY_SHAPE = (
    inbound(text("STOP", from_user_id=USER_ID), contacts=[contact(user_id=USER_ID)]),
    inbound(message("interactive", interactive={"type": "button_reply", "button_reply": {"id": "a", "title": "b"}})),
    inbound(message("system", system={"type": "user_changed_number", "wa_id": "221770000002"})),
    document(change(value(statuses=[status(recipient_user_id=USER_ID)]))),
    document(change(value(user_preferences=[{"wa_id": WA_ID, "value": "stop", "timestamp": SECONDS}]))),
    document(change(value(user_id_update=[{"user_id": {"previous": USER_ID, "current": "SN.2"}}]))),
    document(change(template(event="PAUSED", new_quality_score="RED", new_category="MARKETING"))),
    document(change({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}})),
    document(change({"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "x"}]})),
    document(change({"display_phone_number": "1", "event": "FLAGGED", "current_limit": "TIER_2K"})),
    document(change({"entity_id": "1", "alert_info": {"alert_type": "x"}})),
)
ANYTHING: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([WA_ID, USER_ID, "STOP"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mangled(draw: st.DrawFn) -> Json:
    """A real webhook with parts removed, moved into others or replaced by any value."""
    reported = copy.deepcopy(draw(st.sampled_from(EVERY_SHAPE)))
    for _ in range(draw(st.integers(1, 4))):
        node: Json = reported
        while isinstance(node, dict | list) and node:
            key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if not draw(st.booleans()) and isinstance(node[key], dict | list):
                node = node[key]
                continue
            wraps = (lambda part: [part], lambda part: {"value": part}, lambda _: draw(ANYTHING), lambda _: None)
            node[key] = draw(st.sampled_from(wraps))(node[key])
            break
    return reported


@given(mangled())
def test_no_document_raises(reported: Json) -> None:
    written_out = json.dumps(reported)
    reading(reported)
    read(written_out)
    for piece in pieces(written_out.encode()):
        read(piece, received=AT)


@given(st.sampled_from(EVERY_SHAPE), st.data())
def test_no_truncated_document_raises(reported: Json, data: st.DataObject) -> None:
    body = json.dumps(reported)
    cut = body[: data.draw(st.integers(0, len(body)))]
    assert read(cut, received=AT).ignored == (0 if cut == body else 1)
    pieces(cut.encode())
