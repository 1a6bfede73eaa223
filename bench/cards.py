"""Makes invented people and their messages, ready to be sent."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bench.stand import CLOCK, NUMBER_KEY, ORGANISATION, SECRETS, Stand
from shared.base.instants import microseconds
from shared.campaigns.distribution import Distribution, DistributionStatus, Plan, Run, Schedule
from shared.messages.message import Chunk, Message, PayloadRef, Status
from shared.messages.payload import Channel, Mode, Payload, TemplateCall
from shared.messages.queue_message import QueueMessage
from shared.recipients.number_key import NumberKey
from shared.storage.aws import Aws
from shared.storage.codec import encode
from shared.storage.dynamodb.distributions import DynamoDistributions
from shared.storage.dynamodb.log import DynamoLog
from shared.storage.dynamodb.rate_limits import DynamoRateLimits
from shared.storage.secrets import SecretIntegrations
from tests.fakes.office import SMS, WHATSAPP

DISTRIBUTION = "6f1d3f0e-2b7a-5c49-9d0a-0b5c1f5e7a11"
CHUNK = 100
KEY = NumberKey(b"k" * 64)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc00000030101"
    "00c9fe92ef0000000049454e44ae426082"
)
_TEXT = "[PNV-SN] Bonjour Aminata, votre carte est prete. Telechargez-la: https://v.example.org/c/DKR-VAC-9XQ7LM2A"


class Programme:
    """One organisation with both channels and a distribution that sends. It makes rows as they are asked for."""

    def __init__(self, stand: Stand) -> None:
        self._aws = Aws()
        self._made = 0
        self._log = DynamoLog(self._aws, "LogTable")

    async def open(self, rate: int = 1000) -> None:
        """Store the settings, the number key, a card in its bucket, and the distribution."""
        self._aws.secrets.create_secret(Name=NUMBER_KEY, SecretString="k" * 64)
        self._aws.s3.put_object(Bucket="cards", Key=f"{ORGANISATION}/card.png", Body=PNG)
        integrations = SecretIntegrations(self._aws, SECRETS, CLOCK)
        for one in (SMS, WHATSAPP):
            await integrations.put(replace(one, organisation=ORGANISATION, rate_per_second=rate))
            rate_limit = replace(one.rate_limit, organisation=ORGANISATION)
            await DynamoRateLimits(self._aws, "StateTable", CLOCK).join(rate_limit, rate, version=one.version)
        now = CLOCK.now()
        await DynamoDistributions(self._aws, "StateTable").create(
            Distribution(
                organisation=ORGANISATION,
                distribution_id=DISTRIBUTION,
                campaign_id="bench",
                channel=Channel.SMS,
                schedule=Schedule(),
                confirm=True,
                request_hash="h",
                status=DistributionStatus.SENDING,
                created_at=now,
                due_at=None,
                epoch=1,
                attempt=1,
                plan=Plan(
                    attempt=1,
                    runs=(Run(country="SN", rows=1, chunks=1, logged=1, released=1),),
                    accepted=1,
                    rejected=0,
                    duplicates=0,
                    segments=1,
                    prices=(),
                    warnings=(),
                    peak=(),
                    starts_at=now,
                    estimated_end=now,
                ),
            )
        )

    def put_cards(self, names: Sequence[str], picture: bytes) -> None:
        """Store a picture for each name. They differ only in the bytes after the picture's end."""
        for name in names:
            self._aws.s3.put_object(Bucket="cards", Key=f"{ORGANISATION}/{name}", Body=picture + name.encode())

    async def queue_messages(self, channel: Channel, count: int) -> list[QueueMessage]:
        """Log `count` messages that are due now and return their queue messages."""
        now = CLOCK.now()
        made = [_queue_message(channel, number, now) for number in range(self._made, self._made + count)]
        self._made += count
        await self._log.add_all([_message(one, now) for one in made])
        return made

    async def sent(self, channel: Channel, count: int, apart: timedelta) -> list[QueueMessage]:
        """Log `count` messages that the provider has accepted, `apart` from each other, the last a minute ago."""
        now = CLOCK.now() - timedelta(minutes=1)
        made = [_queue_message(channel, number, now) for number in range(self._made, self._made + count)]
        self._made += count
        claims = [now - apart * (count - place) for place in range(count)]
        rows = [
            replace(
                _message(one, at),
                status=Status.SENT,
                sent_at=at + timedelta(milliseconds=150),
                provider_message_id=f"wamid.{one.message_id}",
                attempts=1,
                claimed_at=at,
                sender="1",
            )
            for one, at in zip(made, claims, strict=True)
        ]
        await self._log.add_all(rows)
        return [one.with_slot(microseconds(at)) for one, at in zip(made, claims, strict=True)]


def event(queue_messages: Sequence[QueueMessage]) -> dict[str, list[dict[str, str]]]:
    """Return the event of Lambda's poller for these queue messages, with send slots that are not past."""
    now = microseconds(CLOCK.now())
    late = [one if one.slot_at > now else one.with_slot(now) for one in queue_messages]
    return {"Records": [{"messageId": one.message_id, "body": encode(one).decode()} for one in late]}


def batches(queue_messages: Sequence[QueueMessage], size: int) -> Iterator[Sequence[QueueMessage]]:
    """Yield batches of `size`, in the queue's order."""
    for start in range(0, len(queue_messages), size):
        yield queue_messages[start : start + size]


def _queue_message(channel: Channel, number: int, now: datetime) -> QueueMessage:
    to = f"+22177{number % 10**7:07d}"
    template = TemplateCall(
        name="vaccination_card",
        language="fr",
        parameters=(("first_name", "Aminata"), ("last_name", "Essai"), ("card_code", f"DKR-{number:07d}")),
    )
    payload = Payload(
        to=to,
        country="SN",
        mode=Mode.SMS if channel is Channel.SMS else Mode.TEMPLATE,
        text=_TEXT,
        template=None if channel is Channel.SMS else template,
        card_image=None if channel is Channel.SMS else f"s3://cards/{ORGANISATION}/card.png",
        consented=True,
    )
    return QueueMessage(
        organisation=ORGANISATION,
        message_id=str(uuid.uuid5(uuid.UUID(DISTRIBUTION), f"{channel}{number}")),
        channel=channel,
        person=KEY.person(ORGANISATION, to),
        slot_at=microseconds(now),
        payload=payload,
        chunk=Chunk(distribution_id=DISTRIBUTION, run=0, number=number // CHUNK),
        epoch=1,
        integration_version=1,
    )


def row_of_a_campaign() -> Message:
    """Return one message of a campaign, as it is logged."""
    now = CLOCK.now()
    return _message(_queue_message(Channel.SMS, 0, now), now)


def _message(queue_message: QueueMessage, now: datetime) -> Message:
    return Message(
        organisation=ORGANISATION,
        message_id=queue_message.message_id,
        channel=queue_message.channel,
        accepted_at=now,
        recipient="+22177***0000",
        person=queue_message.person,
        country="SN",
        payload=PayloadRef(object_key=f"plans/{ORGANISATION}/{DISTRIBUTION}/1/run-00/chunk-000000.ndjson", row=1),
        campaign_id="bench",
        enrollment_id=f"ENR{queue_message.message_id[:8]}",
        chunk=queue_message.chunk,
        segments=1 if queue_message.channel is Channel.SMS else None,
    )
