"""A message ↔ its item in the log table. No personal data: the number is masked and its hash keyed."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import get_type_hints

from shared.base.ids import shard_of
from shared.base.instants import from_milliseconds, milliseconds
from shared.messages.message import Chunk, DeadLetter, DeadReason, Message, PayloadRef, Price, Status
from shared.messages.payload import Channel, Provider
from shared.messages.ports import AGENDA_SHARDS
from shared.storage.dynamodb.items import Item, Plain, text, whole

_HELD = "held#"

LIST_SHARDS = 4
"""The index of a list has this many partitions, with 1,000 writes/s each."""

KEPT_FOR = timedelta(days=400)

INSTANTS = tuple(name for name, kind in get_type_hints(Message).items() if kind in (datetime, datetime | None))
"""The instants among a message's fields: attributes of the same names, in milliseconds since 1970."""

_TEXTS = (
    "reason",
    "provider_message_id",
    "campaign_id",
    "enrollment_id",
    "parent_message_id",
    "successor_message_id",
    "request_hash",
    "sender",
    "provider",
    "dedupe_key",
    "template",
    "fallback_template",
    "claim_token",
    "language",
    "created_by",
)

_MARKS = (
    *("as_template", "retrying", "resent", "reporting", "quality_hold"),
    *("fell_back", "probe", "reached"),
)
"""True if the attribute exists, with any value, so that a condition can ask for it."""

FAILURE = "failure"
"""The position of a failed message in lists (`listed_at`). Only failed ones have it, so the indexes sorted by it are
sparse."""

_PARENTS = "parents_chunk"
"""The chunk is that of the message which this one replaces."""


DEAD = ("dead_at", "dead_reason", "dead_attempts", "dead_key")
"""Attributes of a dead message. `dead_key` puts it into the index of dead letters."""


def key(organisation: str, message_id: str) -> str:
    """The log table's key."""
    return f"{organisation}#{message_id}"


def person_key(organisation: str, person: str) -> str:
    """The partition of the index by person."""
    return f"{organisation}#{person}"


def singles_of(organisation: str, person: str) -> str:
    """The S3 prefix of a person's single messages. S3's keys may have 1,024 bytes; this needs about 180."""
    return f"messages/{organisation}/{person}/"


def single_key(organisation: str, person: str, message_id: str, part: str) -> str:
    """The S3 key of a single message's stored content. The row keeps only `part`; its other attributes give the
    rest."""
    return f"{singles_of(organisation, person)}{message_id}.{part}"


def agenda_shard(message_id: str) -> str:
    """The agenda partition of a message."""
    return str(shard_of(message_id, AGENDA_SHARDS))


def held_shard(organisation: str, channel: Channel, scope: str) -> str:
    """The agenda partition of messages that wait for the end of a hold."""
    return f"{_HELD}{organisation}#{channel}#{scope}"


def list_shard(message_id: str) -> int:
    """The list partition of a message."""
    return shard_of(message_id, LIST_SHARDS)


def position(accepted_at: datetime, message_id: str) -> str:
    """Sorts by acceptance, in milliseconds since 1970."""
    return f"{milliseconds(accepted_at):013d}#{message_id}"


def shard_keys(owner: str, *, single: bool) -> list[str]:
    """The list partitions of an organisation or of one of its campaigns.

    Messages without a distribution have partitions of their own, so that listing them does not read a million others.
    """
    return [f"{owner}#single#{shard}" if single else f"{owner}#{shard}" for shard in range(LIST_SHARDS)]


def campaign_key(organisation: str, campaign_id: str) -> str:
    """The owner of a campaign's list partitions."""
    return f"{organisation}#{campaign_id}"


def to_item(message: Message, kept_for: timedelta) -> dict[str, Plain | None]:
    """The whole item with its index keys. The table deletes it `kept_for` after its acceptance.

    A value in a key is not stored again: above 1 KB every change would cost two write units, and the organisation alone
    is in the item five times (`tests/contract/test_log_rows.py` measures it).
    """
    shard = list_shard(message.message_id)
    chunk = message.chunk or message.parent_chunk
    single = message.chunk is None
    values: dict[str, Plain | None] = {name: getattr(message, name) for name in _TEXTS}
    values |= {name: _ms(getattr(message, name)) for name in INSTANTS}
    values |= {name: 1 for name in _MARKS if getattr(message, name)}
    values |= {
        "pk": key(message.organisation, message.message_id),
        "channel": str(message.channel),
        "status": str(message.status),
        "recipient": message.recipient,
        "country": message.country,
        **_payload_attributes(message),
        "attempts": message.attempts,
        "card_attempt": message.card_attempt,
        "fallback_minutes": message.fallback_minutes,
        "segments": message.segments,
        "price_amount": str(message.price.amount) if message.price else None,
        "price_currency": message.price.currency if message.price else None,
        "distribution_id": message.listed_in,
        "run": chunk.run if chunk else None,
        "chunk": chunk.number if chunk else None,
        _PARENTS: 1 if message.parent_chunk else None,
        "listed_at": position(message.accepted_at, message.message_id),
        FAILURE: position(message.accepted_at, message.message_id) if message.status is Status.FAILED else None,
        "organisation_shard": shard_keys(message.organisation, single=single)[shard],
        "campaign_shard": shard_keys(campaign_key(message.organisation, message.campaign_id), single=single)[shard]
        if message.campaign_id
        else None,
        "person_key": person_key(message.organisation, message.person) if message.person else None,
        "enrollment_key": f"{message.organisation}#{message.enrollment_id}" if message.enrollment_id else None,
        "agenda_shard": _agenda_shard(message) if message.due_at else None,
        **dead_attributes(message.organisation, message.dead),
        "expires_at": int((message.accepted_at + kept_for).timestamp()),
    }
    return values


def from_item(item: Item) -> Message:
    """The message in an item."""
    organisation, _, message_id = str(item["pk"]).partition("#")
    return Message(
        organisation=organisation,
        message_id=message_id,
        channel=Channel(str(item["channel"])),
        status=Status(str(item["status"])),
        accepted_at=from_milliseconds(int(item["accepted_at"])),
        recipient=str(item["recipient"]),
        person=_person(item),
        country=str(item["country"]),
        payload=_payload(item, organisation, message_id),
        attempts=int(item.get("attempts", 0)),
        segments=whole(item, "segments"),
        price=_price(item),
        reason=text(item, "reason"),
        provider_message_id=text(item, "provider_message_id"),
        campaign_id=text(item, "campaign_id"),
        enrollment_id=text(item, "enrollment_id"),
        parent_message_id=text(item, "parent_message_id"),
        successor_message_id=text(item, "successor_message_id"),
        request_hash=text(item, "request_hash"),
        chunk=None if _PARENTS in item else _chunk(item),
        parent_chunk=_chunk(item) if _PARENTS in item else None,
        resend_in=text(item, "distribution_id") if "run" not in item else None,
        **{name: _instant(item, name) for name in INSTANTS if name != "accepted_at"},
        dedupe_key=text(item, "dedupe_key"),
        sender=text(item, "sender"),
        provider=Provider(found) if (found := text(item, "provider")) else None,
        claim_token=text(item, "claim_token"),
        card_attempt=whole(item, "card_attempt"),
        fallback_template=text(item, "fallback_template"),
        as_template="as_template" in item,
        retrying="retrying" in item,
        resent="resent" in item,
        fallback_minutes=whole(item, "fallback_minutes"),
        reporting="reporting" in item,
        quality_hold="quality_hold" in item,
        fell_back="fell_back" in item,
        probe="probe" in item,
        reached="reached" in item,
        template=text(item, "template"),
        language=text(item, "language"),
        created_by=text(item, "created_by"),
        held_by=_held_by(item),
        dead=_dead(item),
    )


def _payload_attributes(message: Message) -> dict[str, Plain | None]:
    beginning = single_key(message.organisation, message.person, message.message_id, "")
    if message.payload.object_key.startswith(beginning):
        return {"payload_part": message.payload.object_key.removeprefix(beginning)}
    return {"payload_key": message.payload.object_key or None, "payload_row": message.payload.row}


def _payload(item: Item, organisation: str, message_id: str) -> PayloadRef:
    part = text(item, "payload_part")
    if part is not None:
        return PayloadRef(object_key=single_key(organisation, _person(item), message_id, part))
    return PayloadRef(object_key=text(item, "payload_key") or "", row=whole(item, "payload_row"))


def _person(item: Item) -> str:
    return str(item.get("person_key", "")).partition("#")[2]


def dead_attributes(organisation: str, letter: DeadLetter | None) -> dict[str, Plain]:
    """None: the message is not dead."""
    if letter is None:
        return {}
    values: tuple[Plain, ...] = (milliseconds(letter.received_at), str(letter.reason), letter.attempts, organisation)
    return dict(zip(DEAD, values, strict=True))


def _dead(item: Item) -> DeadLetter | None:
    received_at = whole(item, "dead_at")
    if received_at is None:
        return None
    return DeadLetter(
        received_at=from_milliseconds(received_at),
        reason=DeadReason(str(item["dead_reason"])),
        attempts=int(item["dead_attempts"]),
    )


def _agenda_shard(message: Message) -> str:
    if message.held_by is None:
        return agenda_shard(message.message_id)
    return held_shard(message.organisation, message.channel, message.held_by)


def _held_by(item: Item) -> str | None:
    shard = text(item, "agenda_shard")
    return shard.split("#", 3)[3] if shard is not None and shard.startswith(_HELD) else None


def _price(item: Item) -> Price | None:
    amount = text(item, "price_amount")
    return Price(amount=Decimal(amount), currency=str(item["price_currency"])) if amount else None


def _chunk(item: Item) -> Chunk | None:
    distribution_id = text(item, "distribution_id")
    if distribution_id is None or "run" not in item:
        return None
    return Chunk(distribution_id=distribution_id, run=int(item["run"]), number=int(item["chunk"]))


def _instant(item: Item, name: str) -> datetime | None:
    value = whole(item, name)
    return from_milliseconds(value) if value is not None else None


def _ms(instant: datetime | None) -> int | None:
    return milliseconds(instant) if instant else None
