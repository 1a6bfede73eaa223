"""Invented values with every field set, or with as few fields as possible."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from shared.base.refusal import ApiWarning
from shared.campaigns.distribution import (
    CountryPrice,
    Distribution,
    DistributionStatus,
    Plan,
    Run,
    SampleRow,
    Schedule,
    ScheduleMode,
)
from shared.messages.message import Chunk, DeadLetter, DeadReason, Message, PayloadRef, Price
from shared.messages.payload import Channel, Fallback, Mode, Payload, TemplateCall
from shared.messages.ports import Log

ORGANISATION = "demo"
TEMPLATE = "vaccination_card/fr"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PERSON = "0123456789abcdef0123456789abcdef"
CHUNK = Chunk(distribution_id="d-1", run=0, number=0)


def message(
    message_id: str = "m-1",
    *,
    organisation: str = ORGANISATION,
    accepted_at: datetime = NOON,
    due_at: datetime | None = None,
    channel: Channel = Channel.SMS,
    campaign_id: str | None = "c-1",
    enrollment_id: str | None = None,
    chunk: Chunk | None = None,
) -> Message:
    """A pending message without a next check."""
    return Message(
        organisation=organisation,
        message_id=message_id,
        channel=channel,
        accepted_at=accepted_at,
        recipient="+221 77 *** ** 01",
        person=PERSON,
        country="SN",
        payload=PayloadRef(object_key=f"messages/{organisation}/{PERSON}/{message_id}.abc"),
        campaign_id=campaign_id,
        enrollment_id=enrollment_id,
        chunk=chunk,
        due_at=due_at,
    )


FULL_MESSAGE = Message(
    organisation=ORGANISATION,
    message_id="m-full",
    channel=Channel.WHATSAPP,
    accepted_at=NOON,
    recipient="+225 07 *** *** 01",
    person="fedcba9876543210fedcba9876543210",
    country="CI",
    payload=PayloadRef(object_key="plans/demo/d-1/1/chunk", row=7),
    provider_message_id="wamid.ÉÀ==",
    campaign_id="c-1",
    enrollment_id="e-1",
    chunk=Chunk(distribution_id="d-1", run=2, number=41),
    parent_message_id="m-0",
    successor_message_id="m-9",
    segments=3,
    price=Price(amount=Decimal("12.3450"), currency="XOF"),
    scheduled_for=NOON + 1 * SECOND,
    sent_at=NOON + 2 * SECOND,
    delivered_at=NOON + 3 * SECOND,
    read_at=NOON + 4 * SECOND,
    failed_at=NOON + 5 * SECOND,
    attempts=2,
    lease_until=NOON + 6 * SECOND,
    due_at=NOON + 7 * SECOND,
    unknown_since=NOON + 8 * SECOND,
    claimed_at=NOON + 9 * SECOND,
    claim_token="t-full",
    sender="1060001",
    card_attempt=1,
    fallback_template="vaccination_card/fr",
    as_template=True,
    retrying=True,
    resent=True,
    fallback_minutes=90,
    rests_until=NOON + 10 * SECOND,
    card_after=NOON + 11 * SECOND,
    reporting=True,
    quality_hold=True,
    fell_back=True,
    dead=DeadLetter(received_at=NOON + 10 * SECOND, reason=DeadReason.HANDLING_FAILED, attempts=12),
    reason="undeliverable",
    request_hash="ab" * 32,
    template="nutrition_card/en",
    created_by="officer-7",
)

BARE_PAYLOAD = Payload(to="+221770000001", country="SN", mode=Mode.SMS, text="Bonjour")
FULL_PAYLOAD = Payload(
    to="+2250700000001",
    country="CI",
    mode=Mode.TEMPLATE,
    text="Carte de Zoé 🎉 — « prête »\nà 10 h",
    template=TemplateCall(name="vaccination_card", language="fr", parameters=(("first_name", "Zoé"), ("empty", ""))),
    card_image="https://cards.example.org/été.png",
    card_generated_at=NOON,
    card_after=datetime(2026, 11, 23, 9, 30, 2, 123456, tzinfo=UTC),
    consented=False,
    consented_at=datetime(2026, 11, 23, 9, 30, 1, 123456, tzinfo=UTC),
    fallback_template=TemplateCall(name="nutrition_card", language="en", parameters=()),
    fallback_template_shows_card=False,
    exempt=True,
    fallback=Fallback(text="Votre carte — « prête »", after_minutes=90, template="nutrition_card"),
    fallback_of="5a1e0000-0000-5000-8000-000000000001",
    resend_of="5a1e0000-0000-5000-8000-000000000002",
)


def distribution(
    distribution_id: str = "d-1",
    *,
    organisation: str = ORGANISATION,
    campaign_id: str = "c-1",
    status: DistributionStatus = DistributionStatus.PLANNED,
    created_at: datetime = NOON,
    due_at: datetime | None = None,
    channel: Channel = Channel.SMS,
) -> Distribution:
    """A distribution without a plan."""
    return Distribution(
        organisation=organisation,
        distribution_id=distribution_id,
        campaign_id=campaign_id,
        channel=channel,
        schedule=Schedule(),
        confirm=False,
        request_hash="h",
        status=status,
        created_at=created_at,
        due_at=due_at,
    )


FULL_DISTRIBUTION = Distribution(
    organisation=ORGANISATION,
    distribution_id="d-full",
    campaign_id="c-1",
    channel=Channel.WHATSAPP,
    schedule=Schedule(mode=ScheduleMode.AT, at=NOON + timedelta(days=1)),
    confirm=True,
    request_hash="h",
    status=DistributionStatus.PAUSED,
    created_at=datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC),
    created_by="officer-1",
    name="Deuxième tour",
    confirmed_by="officer-2",
    controlled_by="system",
    attempt=2,
    planning_until=NOON,
    planner="t-full",
    epoch=3,
    status_reason="paused_by_user",
    plan=Plan(
        attempt=2,
        runs=(Run(country="SN", rows=150, chunks=2, logged=2, released=1),),
        accepted=150,
        rejected=2,
        duplicates=1,
        segments=300,
        prices=(CountryPrice(country="SN", currency="XOF", amount=Decimal("3600.50"), segments=300),),
        warnings=(ApiWarning(code="unknown_columns", count=2, facts={"names": "prénom"}),),
        peak=(("08:00", "10:00"),),
        starts_at=NOON,
        estimated_end=None,
        samples=(SampleRow(run=0, chunk=1, row=101),),
    ),
    completed_at=None,
    due_at=NOON + SECOND,
    last_send_slot=NOON,
    swept=True,
    revision=0,
)


async def stored_row(log: Log, message_id: str = "m-1") -> Message:
    """The row; fails if it is missing."""
    row = await log.get(ORGANISATION, message_id)
    assert row is not None
    return row
