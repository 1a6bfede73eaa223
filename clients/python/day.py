"""An officer's whole day through the generated client, and all screens of the product.

It runs against `make run`: BASE_URL, TOKEN and CARDS name the stack, a token with all scopes of an organisation without
settings, and the simulators' cards. CLOCK is the stack's time. `python -m tests.clients` calls it.
"""

import datetime
import itertools
import os
import sys
import time
from collections.abc import Callable

import httpx
from oomus_messaging import AuthenticatedClient
from oomus_messaging.api.always_there import health
from oomus_messaging.api.bulk import (
    cancel_distribution,
    confirm_distribution,
    create_distribution,
    create_upload,
    get_distribution,
    get_distribution_samples,
    list_distribution_duplicates,
    list_distribution_errors,
    list_distributions,
    pause_distribution,
    resume_distribution,
    retry_distribution,
)
from oomus_messaging.api.consent import erase_person, lookup_consent, record_consents
from oomus_messaging.api.log import (
    create_export,
    get_campaign_statistics,
    get_export,
    get_message,
    get_statistics,
    list_campaign_messages,
    list_campaigns,
    list_dead_letters,
    list_messages,
    list_messages_of_person,
    redrive_dead_letters,
)
from oomus_messaging.api.sending import cancel_message, preview, resend_message, send_message
from oomus_messaging.api.settings import (
    delete_dhis2_integration,
    delete_sms_integration,
    delete_whatsapp_integration,
    get_dhis2_integration,
    get_sms_health,
    get_sms_integration,
    get_whatsapp_health,
    get_whatsapp_integration,
    patch_dhis2_integration,
    patch_sms_integration,
    patch_whatsapp_integration,
    put_dhis2_integration,
    put_sms_integration,
    put_whatsapp_integration,
    test_sms_integration,
    test_whatsapp_integration,
)
from oomus_messaging.api.templates import list_templates, submit_template
from oomus_messaging.models import (
    Channel,
    ConsentBatch,
    ConsentRecord,
    ConsentStatus,
    Country,
    Defaults,
    Dhis2Attributes,
    Dhis2Integration,
    Dhis2IntegrationPatch,
    Distribution,
    DistributionOrder,
    DistributionStatus,
    Export,
    ExportKind,
    ExportOrder,
    ExportStatus,
    Fallback,
    FieldCode,
    GatewayMessage,
    Gsm7Offer,
    HoldScope,
    Language,
    Message,
    MessageList,
    MessageOrder,
    MessageStatus,
    PhoneOrder,
    PreviewInvalid,
    PreviewOrder,
    PreviewValid,
    Price,
    PricePatch,
    Problem,
    ProblemCode,
    Reason,
    Recipient,
    RedriveAll,
    RetryOrder,
    Schedule,
    ScheduleMode,
    SendersOrder,
    SmsIntegration,
    SmsIntegrationPatch,
    Statistics,
    StatusReason,
    TemplateChoice,
    TemplateContent,
    TemplateOrigin,
    TemplateStatus,
    TestOrder,
    TextContent,
    TextEncoding,
    UnitPricesPatch,
    UploadFormat,
    UploadOrder,
    UseCase,
    Via,
    WarningCode,
    WhatsAppIntegration,
    WhatsAppIntegrationPatch,
)
from oomus_messaging.types import UNSET, Unset

BASE_URL, CARDS = os.environ["BASE_URL"], os.environ["CARDS"]
BEGAN, STARTED_AT = time.monotonic(), datetime.datetime.fromisoformat(os.environ["CLOCK"])
CAMPAIGN = "vaccination-2026"
TEXT = TextContent(text="Bonjour {first_name}, votre carte : {verification_url}")
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
minutes, keys = itertools.count(1), itertools.count(1)
client = AuthenticatedClient(
    base_url=BASE_URL, token=os.environ["TOKEN"], raise_on_unexpected_status=True, timeout=httpx.Timeout(300)
)


def main() -> None:
    """Each step is a screen, in the order of a day."""
    settings()
    templates()
    test_send()
    see_before_sending()
    sent = file_to_sent()
    hold_and_resume()
    control()
    single()
    history(sent)
    whole_lists(sent)
    retry(sent)
    people()
    dead_letters()
    statistics()
    tidy()
    sys.stdout.write("the day is over: every screen answered\n")


def ok[T](answer: T | Problem | GatewayMessage | None) -> T:
    """The body of an answer that must be a success."""
    assert answer is not None
    assert not isinstance(answer, Problem | GatewayMessage), answer
    return answer


def refused(answer: object, code: ProblemCode) -> Problem:
    """The problem of an answer that must be a refusal."""
    assert isinstance(answer, Problem), answer
    assert answer.code is code, answer
    return answer


def given[T](value: T | Unset | None) -> T:
    """A value that must be there."""
    assert value is not None
    assert not isinstance(value, Unset)
    return value


def key() -> str:
    return f"day-{next(keys)}"


def minute_later() -> None:
    """What fell due in the next minute happens now (the local stack only)."""
    now = STARTED_AT + datetime.timedelta(seconds=time.monotonic() - BEGAN) + next(minutes) * MINUTE
    httpx.post(f"{BASE_URL}/_local/clock", json={"now": now.isoformat()}, timeout=300).raise_for_status()


def until[T](ask: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    """Asks until the answer is as wanted. Every few questions the stack's clock moves on by a minute."""
    for asked in range(1, 121):
        found = ask()
        if wanted(found):
            return found
        if asked % 12 == 0:
            minute_later()
        else:
            time.sleep(0.25)
    raise AssertionError(ask())


def distribution(distribution_id: str) -> Distribution:
    return ok(get_distribution.sync(distribution_id, client=client, accept_language="fr"))


def recipients(first: int, count: int, card: str | Unset = UNSET) -> list[Recipient]:
    return [
        Recipient(
            phone=f"+22177000{number}",
            first_name="Aminata",
            last_name="Essai",
            programme_name="PNV",
            card_code=f"DKR-VAC-{number}",
            card_image=card,
            verification_url="https://v.example.org/c/{card_code}",
            consent=True,
        )
        for number in range(first, first + count)
    ]


def send(order: DistributionOrder) -> Distribution:
    return ok(create_distribution.sync(client=client, body=order, idempotency_key=key()))


def completed(distribution_id: str, *, delivered: int, failed: int = 0) -> Distribution:
    return until(
        lambda: distribution(distribution_id),
        lambda one: (
            one.status is DistributionStatus.COMPLETED
            and (one.counts.delivered, one.counts.failed) == (delivered, failed)
        ),
    )


def settings() -> None:
    early = patch_sms_integration.sync(client=client, body=SmsIntegrationPatch(rate_per_second=9))
    refused(early, ProblemCode.NOT_FOUND)
    sms = SmsIntegration(client_id="day-py", client_secret="any", sender_name="PNV", default_country=Country.SN)
    assert ok(put_sms_integration.sync(client=client, body=sms)).client_secret.set_
    prices = UnitPricesPatch(sn=PricePatch(amount="12", currency="XOF"))
    patch = SmsIntegrationPatch(rate_per_second=50, unit_prices=prices, senders=SendersOrder(eg="tel:+200000"))
    changed = ok(patch_sms_integration.sync(client=client, body=patch))
    price = given(given(changed.unit_prices).sn)
    assert (changed.rate_per_second, price.amount, changed.sender_name) == (50, "12", "PNV")
    narrow = SmsIntegrationPatch(sender_name="PNV-SN", senders=SendersOrder(eg=None))
    warnings = given(ok(patch_sms_integration.sync(client=client, body=narrow)).warnings)
    assert [warning.code for warning in warnings] == [WarningCode.SENDER_NAME_NARROW]
    ok(patch_sms_integration.sync(client=client, body=SmsIntegrationPatch(sender_name="PNV")))
    whatsapp = WhatsAppIntegration(
        access_token="any",
        phone_number_id="100000000000062",
        sender_number="+221770009962",
        app_secret="any",
        business_account_id="200000000000062",
    )
    assert given(given(ok(put_whatsapp_integration.sync(client=client, body=whatsapp)).verify_token).value)
    default = WhatsAppIntegrationPatch(default_template="vaccination_card")
    ok(patch_whatsapp_integration.sync(client=client, body=default))
    assert ok(get_whatsapp_integration.sync(client=client)).default_template == "vaccination_card"
    dhis2 = Dhis2Integration(attributes=Dhis2Attributes(phone="aPhone00001"))
    ok(put_dhis2_integration.sync(client=client, body=dhis2))
    name = Dhis2IntegrationPatch(attributes=Dhis2Attributes(first_name="aFirst00001"))
    mapping = ok(patch_dhis2_integration.sync(client=client, body=name))
    assert mapping.attributes.additional_properties == {"phone": "aPhone00001", "first_name": "aFirst00001"}
    for found in (ok(get_sms_health.sync(client=client)), ok(get_whatsapp_health.sync(client=client))):
        assert all(check.ok or check.remedy is not None for check in found.checks)


def templates() -> None:
    ready = [one for one in ok(list_templates.sync(client=client)).items if one.origin is TemplateOrigin.READY]
    assert any(one.name == "vaccination_card" and one.use_case is UseCase.VACCINATION for one in ready)
    assert ok(submit_template.sync("vaccination_card", client=client)).status == "pending"
    until(
        lambda: ok(list_templates.sync(client=client)).items,
        lambda items: any(
            (one.name, one.channel, one.status) == ("vaccination_card", Channel.WHATSAPP, TemplateStatus.APPROVED)
            for one in items
        ),
    )


def test_send() -> None:
    sms = TestOrder(to="+221770008300")
    assert ok(test_sms_integration.sync(client=client, body=sms)).status == "sent"
    whatsapp = TestOrder(to="+221770008301", language=Language.FR)
    assert ok(test_whatsapp_integration.sync(client=client, body=whatsapp)).status == "sent"
    wrong = refused(
        test_sms_integration.sync(client=client, body=TestOrder(to="+33612345678"), accept_language="fr"),
        ProblemCode.UNPROCESSABLE,
    )
    assert [(one.field, one.code) for one in given(wrong.errors)] == [("to", FieldCode.COUNTRY_NOT_COVERED)]


def see_before_sending() -> None:
    order = PreviewOrder(
        channel=Channel.SMS,
        content=TextContent(text="Bientôt, {first_name}"),
        recipients=[Recipient(phone="+221770008300", first_name="Aïssa"), Recipient(first_name="Awa")],
    )
    first, second = ok(preview.sync(client=client, body=order)).items
    assert isinstance(first, PreviewValid)
    assert isinstance(second, PreviewInvalid)
    assert (first.recipient, first.encoding) == ("+22177***8300", TextEncoding.UCS2)
    assert isinstance(first.price, Price)
    assert isinstance(first.gsm7, Gsm7Offer)
    assert [one.code for one in second.errors] == [FieldCode.PHONE_MISSING]


def file_to_sent() -> Distribution:
    rows = [
        "Téléphone;Prénom;Code carte;remarque",
        "+221770008310;Awa;C-10;x",
        "77 000 83 11;Baba;C-11;",
        "+221770000610;Coumba;C-12;",
        "+221770008310;Awa;C-10;encore",
        "+22790123456;Djibo;C-13;",
    ]
    file = "\r\n".join(rows).encode()
    upload = ok(create_upload.sync(client=client, body=UploadOrder(format_=UploadFormat.CSV, bytes_=len(file))))
    put = httpx.request(upload.method, upload.url, headers=upload.headers.additional_properties, content=file)
    put.raise_for_status()
    order = DistributionOrder(
        campaign_id=CAMPAIGN,
        channel=Channel.SMS,
        content=TEXT,
        name="Dakar, novembre",
        upload_id=upload.upload_id,
        defaults=Defaults(verification_url="https://v.example.org/c/{card_code}"),
    )
    made = send(order).distribution_id
    planned = until(lambda: distribution(made), lambda one: one.status is not DistributionStatus.PLANNING)
    assert (planned.status, planned.name) == (DistributionStatus.PLANNED, "Dakar, novembre"), planned
    assert (planned.accepted, planned.rejected, planned.duplicates) == (3, 1, 1)
    assert [column.field for column in given(planned.columns)] == ["phone", "first_name", "card_code", None]
    samples = ok(get_distribution_samples.sync(made, client=client)).items
    assert any(sample.text.startswith("Bonjour Awa") for sample in samples)
    errors = ok(list_distribution_errors.sync(made, client=client)).items
    assert [(one.row, one.code) for one in errors] == [(5, FieldCode.COUNTRY_NOT_COVERED)]
    duplicates = ok(list_distribution_duplicates.sync(made, client=client)).items
    assert [(one.row, one.duplicate_of) for one in duplicates] == [(4, 1)]
    ok(confirm_distribution.sync(made, client=client))
    return completed(made, delivered=2, failed=1)


def hold_and_resume() -> None:
    ok(patch_sms_integration.sync(client=client, body=SmsIntegrationPatch(client_id="revoked")))
    order = DistributionOrder(
        campaign_id=CAMPAIGN, channel=Channel.SMS, content=TEXT, recipients=recipients(8320, 3), confirm=True
    )
    made = send(order).distribution_id
    held = until(lambda: distribution(made), lambda one: one.status is DistributionStatus.PAUSED)
    assert held.status_reason is StatusReason.TOKEN_INVALID
    assert held.status_reason_text
    assert [(hold.scope, hold.messages) for hold in held.holds] == [(HoldScope.ACCOUNT, 3)]
    ok(patch_sms_integration.sync(client=client, body=SmsIntegrationPatch(client_id="day-py")))
    ok(resume_distribution.sync(made, client=client))
    completed(made, delivered=3)


def control() -> None:
    order = DistributionOrder(
        campaign_id=CAMPAIGN,
        channel=Channel.WHATSAPP,
        content=TemplateContent(template=TemplateChoice(name="vaccination_card")),
        recipients=recipients(8330, 2, f"{CARDS}/1.png"),
        schedule=Schedule(mode=ScheduleMode.AT, at=STARTED_AT + DAY),
        fallback=Fallback(channel="sms", after_minutes=60, content=TextContent(text="Carte : {verification_url}")),
    )
    made = send(order)
    assert made.status is DistributionStatus.PLANNED, made
    assert made.fallback is not None
    for act, status in (
        (confirm_distribution.sync, DistributionStatus.SCHEDULED),
        (pause_distribution.sync, DistributionStatus.PAUSED),
        (resume_distribution.sync, DistributionStatus.SCHEDULED),
        (cancel_distribution.sync, DistributionStatus.CANCELLED),
    ):
        assert ok(act(made.distribution_id, client=client)).status is status
    refused(resume_distribution.sync(made.distribution_id, client=client), ProblemCode.STATE_CONFLICT)


def single() -> None:
    [recipient] = recipients(8340, 1)
    order = MessageOrder(
        channel=Channel.SMS, campaign_id=CAMPAIGN, recipient=recipient, content=TEXT, send_at=STARTED_AT + DAY
    )
    made = ok(send_message.sync(client=client, body=order, idempotency_key=key()))
    cancelled = ok(cancel_message.sync(made.message_id, client=client))
    assert (cancelled.status, cancelled.reason) == (MessageStatus.FAILED, Reason.CANCELLED)
    again = ok(resend_message.sync(made.message_id, client=client)).message_id

    def look() -> Message:
        return ok(get_message.sync(again, client=client))

    sent = until(look, lambda one: one.status is MessageStatus.DELIVERED)
    assert (sent.via, sent.parent_message_id, sent.country) == (Via.RESEND, made.message_id, Country.SN)


def history(sent: Distribution) -> None:
    failed = list_messages.sync(
        client=client,
        distribution_id=sent.distribution_id,
        status=MessageStatus.FAILED,
        reason=Reason.UNDELIVERABLE,
        accept_language="fr",
    )
    assert [(one.via, bool(one.reason_text)) for one in ok(failed).items] == [(Via.DISTRIBUTION, True)]
    seen, cursor = 0, page_of_campaign()
    while True:
        seen += len(cursor.items)
        if cursor.next_cursor is None:
            break
        cursor = page_of_campaign(cursor.next_cursor)
    assert seen >= 8, seen
    known = list_distributions.sync(client=client, campaign_id=CAMPAIGN, status=DistributionStatus.COMPLETED)
    assert sent.distribution_id in {one.distribution_id for one in ok(known).items}
    mine = list_messages_of_person.sync(client=client, body=PhoneOrder(phone="77 000 83 10"))
    assert [one.recipient for one in ok(mine).items] == ["+22177***8310"]


def page_of_campaign(cursor: str | Unset = UNSET) -> MessageList:
    return ok(list_campaign_messages.sync(CAMPAIGN, client=client, limit=2, cursor=cursor))


def whole_lists(sent: Distribution) -> None:
    whole_list(ExportOrder(kind=ExportKind.MESSAGES, campaign_id=CAMPAIGN, language=Language.FR))
    whole_list(ExportOrder(kind=ExportKind.REJECTED_ROWS, distribution_id=sent.distribution_id))


def whole_list(order: ExportOrder) -> None:
    export_id = ok(create_export.sync(client=client, body=order)).export_id

    def look() -> Export:
        return ok(get_export.sync(export_id, client=client))

    made = until(look, lambda one: one.status is not ExportStatus.RUNNING)
    assert made.status is ExportStatus.DONE
    assert len(httpx.get(given(made.url)).text.rstrip().split("\r\n")) == made.rows + 1


def retry(sent: Distribution) -> None:
    order = RetryOrder(reasons=[Reason.UNDELIVERABLE], confirm=True)
    made = ok(retry_distribution.sync(sent.distribution_id, client=client, body=order, idempotency_key=key()))
    over = completed(made.distribution_id, delivered=0, failed=1)
    assert (over.accepted, over.by_reason.additional_properties) == (1, {"undeliverable": 1})


def people() -> None:
    phone = "+221770008390"
    granted = ConsentRecord(phone=phone, granted=True, source="registre")
    assert record_consents.sync_detailed(client=client, body=granted).status_code == 204
    assert ok(lookup_consent.sync(client=client, body=PhoneOrder(phone=phone))).state is ConsentStatus.GRANTED
    revoked = ConsentBatch(items=[ConsentRecord(phone=phone, granted=False, source="appel")])
    assert record_consents.sync_detailed(client=client, body=revoked).status_code == 204
    assert ok(lookup_consent.sync(client=client, body=PhoneOrder(phone=phone))).state is ConsentStatus.REVOKED
    erased = erase_person.sync_detailed(client=client, body=PhoneOrder(phone="+221770008320"))
    assert erased.status_code == 202


def dead_letters() -> None:
    assert ok(list_dead_letters.sync(client=client, channel=Channel.SMS)).items == []
    assert ok(redrive_dead_letters.sync(client=client, body=RedriveAll(all_=True))).redriven == 0


def statistics() -> None:
    def look() -> Statistics:
        return ok(get_campaign_statistics.sync(CAMPAIGN, client=client, from_=STARTED_AT, group="day"))

    found = until(look, lambda one: one.counts.delivered >= 6)
    assert given(found.by_channel.sms).counts.delivered >= 6
    assert given(found.series)
    assert (found.delivery_rate or 0) > 0.5
    ok(get_statistics.sync(client=client))
    campaigns = ok(list_campaigns.sync(client=client, limit=10)).items
    assert [(one.campaign_id, one.name) for one in campaigns] == [(CAMPAIGN, "Dakar, novembre")]
    assert all(one.distributions >= 3 for one in campaigns)


def tidy() -> None:
    assert ok(get_sms_integration.sync(client=client)).client_id == "day-py"
    assert delete_sms_integration.sync_detailed(client=client).status_code == 204
    assert delete_whatsapp_integration.sync_detailed(client=client).status_code == 204
    assert delete_dhis2_integration.sync_detailed(client=client).status_code == 204
    refused(get_dhis2_integration.sync(client=client), ProblemCode.NOT_FOUND)
    assert ok(health.sync(client=client)).status == "ok"


if __name__ == "__main__":
    main()
