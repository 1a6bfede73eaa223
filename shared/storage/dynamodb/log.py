"""The message log on DynamoDB. Every change is one conditional update; the conditions come from the table of moves."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.base.concurrency import BatchLoader
from shared.base.instants import milliseconds
from shared.holds.hold import ScopeKey
from shared.messages.fallback import next_check_after
from shared.messages.message import ALLOWED_FROM, ARRIVED, DeadLetter, Message, Status, earliest, yields_to
from shared.messages.payload import Channel, Provider
from shared.messages.ports import Claim, ClaimAnswer, LogQuery, Move, Moved, Page, Single
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import (
    Answer,
    Change,
    Item,
    Plain,
    Update,
    attribute,
    attributes,
    changed,
    get_items,
    insert_absent,
    plain,
    put_if_absent,
)
from shared.storage.dynamodb.listing import dead_letters_in, page_of, singles_of, stretch_of
from shared.storage.dynamodb.message_item import (
    DEAD,
    FAILURE,
    KEPT_FOR,
    agenda_shard,
    dead_attributes,
    from_item,
    held_shard,
    key,
    to_item,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef


_OPEN = "(#status = :pending OR attribute_exists(retrying))"

_PENDING_VALUE = {":pending": str(Status.PENDING)}

_UNCLAIMED = "attribute_not_exists(lease_until)"

_CLAIMED = "attribute_exists(lease_until)"

_IS_HELD_BY = "claim_token = :token"

_LEASE = ("lease_until", "claim_token", "unknown_since")
"""The end of a lease also removes its token and the mark of an unknown outcome."""

_NEXT_CHECK = ("due_at", "agenda_shard")

_CARD_IS = "(card_attempt = :attempt OR (attribute_not_exists(card_attempt) AND attempts = :attempt))"

_AS_WRITTEN = "attribute_not_exists(as_template)"

_NO_FALLBACK = "attribute_not_exists(fallback_minutes)"

_NO_SUCCESSOR = "attribute_not_exists(successor_message_id)"

_GONE = ("#status IN (:sent, :failed)", "attribute_not_exists(retrying)")

_GONE_VALUES = {":sent": str(Status.SENT), ":failed": str(Status.FAILED)}

_NOT_SINCE_RETRIED = "(attribute_not_exists(retrying) OR attribute_exists(lease_until))"
"""An earlier attempt's report says nothing about a message that has been retried since."""

_ROUNDED_UP = timedelta(microseconds=999)

_SENT_BY = "(attribute_not_exists(sender) OR sender = :sender)"

_NOT_ITS_OWN = Moved(won=False, before=None)
"""The status names a message of ours but cannot be about it."""

_SENT_AGAIN = "(attribute_exists(retrying) AND attempts = :by_attempt AND attribute_exists(lease_until))"


class DynamoLog:
    """`Log` on one table, which deletes a message `kept_for` after its acceptance."""

    def __init__(self, aws: Aws, table: str, kept_for: timedelta = KEPT_FOR) -> None:
        self._aws = aws
        self._table = table
        self._kept_for = kept_for
        self._seen = BatchLoader(self._glance)

    async def add(self, message: Message) -> bool:
        """The item holds a random token, so that a repeated write recognises its first attempt: another writer may add
        an equal row."""
        item = to_item(message, self._kept_for) | {"added_by": self._aws.draw()}
        return await self._aws.run(lambda: put_if_absent(self._aws, self._table, item))

    async def add_all(self, messages: Sequence[Message]) -> None:
        """Inserted, not written by BatchWriteItem: a late batch write could turn `sent` back into `pending`."""
        await insert_absent(self._aws, self._table, [to_item(message, self._kept_for) for message in messages])

    async def get(self, organisation: str, message_id: str) -> Message | None:
        return (await self.get_many(organisation, [message_id])).get(message_id)

    async def get_many(self, organisation: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        items = await get_items(self._aws, self._table, [{"pk": key(organisation, one)} for one in message_ids])
        return {message.message_id: message for message in map(from_item, items)}

    async def claim(  # noqa: PLR0913 - what a claim notes, by name
        self,
        organisation: str,
        message_id: str,
        *,
        token: str,
        now: datetime,
        lease_until: datetime,
        sender: str | None = None,
        provider: Provider | None = None,
        probe: bool = False,
    ) -> Claim:
        """A row with a next check, also a dead one, takes a second request, which moves `due_at` to the lease's end.
        Raises botocore's errors if no answer comes within about 3 s."""
        ends = milliseconds(lease_until)
        noted: dict[str, Plain] = {"lease_until": ends, "claimed_at": milliseconds(now), "claim_token": token}
        noted |= {name: value for name, value in (("sender", sender), ("provider", provider)) if value}
        noted |= {"probe": 1} if probe else {}
        forgotten = () if probe else ("probe",)
        change = Update(
            sets=noted,
            adds={"attempts": 1},
            removes=forgotten,
            conditions=(_OPEN, _UNCLAIMED, "attribute_not_exists(due_at)"),
            values=_PENDING_VALUE,
        )
        outcome = await self._claimed(organisation, message_id, change)
        if not outcome.done and outcome.item and "due_at" in outcome.item and _is_free(outcome.item):
            with_next_check = Update(
                sets={**noted, "due_at": ends, "agenda_shard": agenda_shard(message_id)},
                adds={"attempts": 1},
                removes=(*DEAD, *forgotten),
                conditions=(_OPEN, _UNCLAIMED),
                values=_PENDING_VALUE,
            )
            outcome = await self._claimed(organisation, message_id, with_next_check)
        return _claim(outcome, token, now)

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        """A message with a fallback, or with an instant of this status, takes a second request: the new values depend
        on the row."""
        if not ALLOWED_FROM[move.status]:
            return Moved(won=False, before=await self.get(organisation, message_id))
        if move.is_duplicate and (seen := await self._seen.get((organisation, message_id))) and _knows(seen, move):
            return await self._note_late(seen, move) if move.is_about(seen) else _NOT_ITS_OWN
        update, before = _moving(move), None
        while True:
            outcome = await self._change(organisation, message_id, update, answer="ALL_OLD")
            before = from_item(outcome.item) if outcome.item else None
            if before is not None and not move.is_about(before):
                return _NOT_ITS_OWN
            if outcome.done or before is None or (again := _moving(move, row=before)) == update:
                break
            update = again
        if not outcome.done and before is not None and move.status is not Status.FAILED:
            return await self._note_late(before, move)
        return Moved(won=outcome.done, before=before)

    async def _glance(self, rows: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Message]:
        """The rows, read eventually consistently."""
        keys = [{"pk": key(*row)} for row in rows]
        found = map(from_item, await get_items(self._aws, self._table, keys, consistent=False))
        return {(message.organisation, message.message_id): message for message in found}

    async def _note_late(self, before: Message, move: Move) -> Moved:
        """A status that came too late still has its instant, and perhaps the provider's ID."""
        name, reported, known = f"{move.status}_at", milliseconds(move.at), before.instant_of(move.status)
        changes: dict[str, Plain] = {name: reported} if earliest(known, move.at) != known else {}
        conditions = [f"(attribute_not_exists({name}) OR {name} > :reported)"] if changes else []
        values: dict[str, Plain] = {":reported": reported} if changes else {}
        if before.provider_message_id is None and move.provider_message_id is not None and move.names(before):
            changes["provider_message_id"] = move.provider_message_id
            conditions.append("attribute_not_exists(provider_message_id)")
        if changes:
            update = Update(sets=changes, conditions=tuple(conditions), values=values)
            outcome = await self._change(before.organisation, before.message_id, update, answer="ALL_OLD")
            if outcome.done and outcome.item:
                return Moved(won=False, before=from_item(outcome.item), noted=name in changes)
        return Moved(won=False, before=before)

    async def give_back(
        self,
        organisation: str,
        message_id: str,
        *,
        token: str | None,
        due_at: datetime | None,
        uses_attempt: bool,
        card_failed_at: datetime | None = None,
    ) -> bool:
        """If the outcome of this claim was unknown, it is known now.

        The token is removed with the lease. So a repeated write finds no token or another claim's, and changes nothing.
        """
        card: dict[str, Plain] = {"card_failed_at": milliseconds(card_failed_at)} if card_failed_at else {}
        forgotten = () if card else ("card_failed_at",)
        update = Update(
            sets=_next_check(message_id, due_at) | card,
            adds={} if uses_attempt else {"attempts": -1},
            removes=(*_LEASE, *(() if due_at else _NEXT_CHECK), *forgotten),
            conditions=(_OPEN, _IS_HELD_BY, _CLAIMED),
            values={**_PENDING_VALUE, ":token": token or ""},
        )
        return (await self._change(organisation, message_id, update)).done

    async def mark_unknown(
        self, organisation: str, message_id: str, *, token: str | None, now: datetime, due_at: datetime
    ) -> bool:
        """The lease stays, so that no other queue message can claim the message."""
        update = Update(
            sets={"unknown_since": milliseconds(now), **_next_check(message_id, due_at)},
            conditions=(_OPEN, _IS_HELD_BY, _CLAIMED, "attribute_not_exists(unknown_since)"),
            values={**_PENDING_VALUE, ":token": token or ""},
        )
        return (await self._change(organisation, message_id, update)).done

    async def note_card(self, organisation: str, message_id: str, *, attempt: int) -> bool:
        update = Update(
            sets={"card_attempt": attempt},
            conditions=(_OPEN, "attempts = :attempt", _CLAIMED),
            values={**_PENDING_VALUE, ":attempt": attempt},
        )
        return (await self._change(organisation, message_id, update)).done

    async def card_taken(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        unheard = (_OPEN, "attribute_not_exists(card_attempt)")
        freed = Update(
            sets={"card_attempt": attempt, **_next_check(message_id, due_at)},
            removes=_LEASE,
            conditions=(*unheard, "attribute_exists(unknown_since)"),
            values=_PENDING_VALUE,
        )
        if (await self._change(organisation, message_id, freed)).done:
            return True
        noted = Update(sets={"card_attempt": attempt}, conditions=unheard, values=_PENDING_VALUE)
        return (await self._change(organisation, message_id, noted)).done

    async def retry_message(  # noqa: PLR0913 - why it goes again, by name
        self,
        organisation: str,
        message_id: str,
        *,
        attempt: int,
        due_at: datetime,
        card_half: bool = False,
        as_template: bool = True,
        card_after: datetime | None = None,
    ) -> bool:
        anew: dict[str, Plain] = {"card_after": milliseconds(card_after)} if card_after else {}
        as_written = (_NOT_SINCE_RETRIED, *(("attribute_not_exists(card_after)",) if anew else ()))
        update = Update(
            sets={
                "retrying": 1,
                **({"as_template": 1} if as_template else {}),
                **anew,
                **_next_check(message_id, due_at),
            },
            removes=(*_LEASE, "provider_message_id", "reporting", "quality_hold"),
            conditions=(
                "#status IN (:pending, :sent)",
                _CARD_IS if card_half else "attempts = :attempt",
                "attribute_not_exists(fell_back)",
                *(("attribute_exists(fallback_template)", _AS_WRITTEN) if as_template else as_written),
            ),
            values={**_PENDING_VALUE, ":sent": str(Status.SENT), ":attempt": attempt},
        )
        return await self._made(organisation, message_id, update)

    async def resend(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        update = Update(
            sets={"resent": 1, **_next_check(message_id, due_at)},
            removes=_LEASE,
            conditions=(
                _OPEN,
                "attempts = :attempt",
                "attribute_exists(unknown_since)",
                "attribute_not_exists(resent)",
            ),
            values={**_PENDING_VALUE, ":attempt": attempt},
        )
        return (await self._change(organisation, message_id, update)).done

    async def postpone(
        self, organisation: str, message_id: str, *, due_at: datetime | None, scheduled_for: datetime | None = None
    ) -> bool:
        sets = _next_check(message_id, due_at)
        if scheduled_for is not None:
            sets["scheduled_for"] = milliseconds(scheduled_for)
        removes = DEAD if due_at else (*DEAD, *_NEXT_CHECK)
        update = Update(sets=sets, removes=removes, conditions=(_OPEN, _UNCLAIMED), values=_PENDING_VALUE)
        return (await self._change(organisation, message_id, update)).done

    async def fall_back(self, organisation: str, message_id: str) -> bool:
        awaited = ("attribute_exists(fallback_minutes)", "attribute_exists(due_at)", _NO_SUCCESSOR)
        update = Update(sets={"fell_back": 1}, conditions=(*_GONE, *awaited), values=_GONE_VALUES)
        return (await self._change(organisation, message_id, update)).done

    async def note_successor(self, organisation: str, message_id: str, *, successor: str) -> bool:
        """One condition on one item decides between a resend, a retry and a fallback."""
        no_fallback = (f"({_NO_FALLBACK} OR attribute_not_exists(due_at))", "attribute_not_exists(fell_back)")
        update = Update(
            sets={"successor_message_id": successor},
            conditions=("#status = :failed", _NO_SUCCESSOR, *no_fallback),
            values={":failed": str(Status.FAILED)},
        )
        return await self._made(organisation, message_id, update)

    async def note_reached(self, organisation: str, message_id: str) -> Moved:
        update = Update(sets={"reached": 1}, conditions=("attribute_not_exists(reached)",))
        outcome = await self._change(organisation, message_id, update, answer="ALL_OLD")
        return Moved(won=outcome.done, before=from_item(outcome.item) if outcome.item else None)

    async def note_reporting(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        waits = ("attempts = :attempt", "attribute_exists(due_at)", "attribute_not_exists(fell_back)")
        update = Update(
            sets={"reporting": 1, "due_at": milliseconds(due_at)},
            conditions=("#status = :sent", "attribute_not_exists(retrying)", *waits),
            values={":sent": str(Status.SENT), ":attempt": attempt},
        )
        return (await self._change(organisation, message_id, update)).done

    async def move_next_check(
        self, organisation: str, message_id: str, *, seen: datetime, due_at: datetime | None
    ) -> bool:
        update = Update(
            sets=_next_check(message_id, due_at),
            removes=() if due_at else _NEXT_CHECK,
            conditions=("due_at = :seen",),
            values={":seen": milliseconds(seen)},
        )
        return (await self._change(organisation, message_id, update)).done

    async def park(
        self, organisation: str, message_id: str, *, channel: Channel, seen: datetime, scope: ScopeKey
    ) -> bool:
        update = Update(
            sets={"agenda_shard": held_shard(organisation, channel, str(scope))},
            conditions=("due_at = :seen", _UNCLAIMED),
            values={":seen": milliseconds(seen)},
        )
        return (await self._change(organisation, message_id, update)).done

    async def parked(self, organisation: str, channel: Channel, scope: ScopeKey, limit: int) -> Sequence[Message]:
        return await self._waiting(held_shard(organisation, channel, str(scope)), None, limit)

    async def mark_dead(self, organisation: str, message_id: str, letter: DeadLetter) -> bool:
        update = Update(
            sets={**dead_attributes(organisation, letter), **_next_check(message_id, letter.ends_at)},
            conditions=(_OPEN, _UNCLAIMED, "attribute_not_exists(dead_at)"),
            values=_PENDING_VALUE,
        )
        return await self._made(organisation, message_id, update)

    async def redrive(self, organisation: str, message_id: str, *, died_at: datetime, due_at: datetime) -> bool:
        update = Update(
            sets=_next_check(message_id, due_at),
            removes=DEAD,
            conditions=(_OPEN, "dead_at = :died_at"),
            values={**_PENDING_VALUE, ":died_at": milliseconds(died_at)},
        )
        return (await self._change(organisation, message_id, update)).done

    async def due(self, shard: int, now: datetime, limit: int) -> Sequence[Message]:
        """The index may be behind; the rows themselves are read consistently."""
        messages = await self._waiting(str(shard), now, limit)
        return [message for message in messages if message.due_at and message.due_at <= now]

    async def _waiting(self, shard: str, until: datetime | None, limit: int) -> Sequence[Message]:
        """Rows of one partition of the agenda, earliest first, read consistently because the index may be behind."""
        wanted: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "agenda",
            "KeyConditionExpression": "agenda_shard = :shard",
            "ExpressionAttributeValues": {":shard": attribute(shard)},
            "Limit": limit,
        }
        if until is not None:
            wanted["KeyConditionExpression"] = "agenda_shard = :shard AND due_at <= :now"
            wanted["ExpressionAttributeValues"] = attributes({":shard": shard, ":now": milliseconds(until)})
        found = await self._aws.run(lambda: self._aws.dynamodb.query(**wanted))
        items = await get_items(self._aws, self._table, [{"pk": str(plain(item)["pk"])} for item in found["Items"]])
        messages = [from_item(item) for item in items if item.get("agenda_shard") == shard]
        return sorted(messages, key=lambda message: (message.due_at, message.message_id))

    async def page(self, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
        return await page_of(self._aws, self._table, query, position, limit)

    async def stretch(self, query: LogQuery, position: str | None, about: int) -> Page[Message]:
        return await stretch_of(self._aws, self._table, query, position, about)

    async def count_dead_letters(self, most: int) -> Mapping[tuple[str, Channel], int]:
        return await self._aws.run(lambda: dead_letters_in(self._aws, self._table, most))

    async def singles(
        self, organisation: str, campaign_id: str | None, between: tuple[datetime | None, datetime | None]
    ) -> Sequence[Single]:
        return await singles_of(self._aws, self._table, organisation, campaign_id, between)

    async def unlink(self, organisation: str, message_id: str) -> None:
        """Without `person_key` the item leaves the index by person."""
        await self._change(organisation, message_id, Update(removes=("person_key", "dedupe_key", "payload_part")))

    async def _made(self, organisation: str, message_id: str, update: Update) -> bool:
        """Whether the row is as the update wants it, by this write or by its own first attempt.

        The other changes need not know this: their callers do not use the answer, or the row is due and the next tick
        reads it.
        """
        return (await self._change(organisation, message_id, update)).has_made(update)

    async def _claimed(self, organisation: str, message_id: str, update: Update) -> Change:
        place, client = {"pk": key(organisation, message_id)}, self._aws.claiming
        return await self._aws.run(lambda: changed(self._aws, self._table, place, update, client=client))

    async def _change(self, organisation: str, message_id: str, update: Update, answer: Answer = "ALL_NEW") -> Change:
        return await self._aws.run(
            lambda: changed(self._aws, self._table, {"pk": key(organisation, message_id)}, update, answer)
        )


def _next_check(message_id: str, due_at: datetime | None) -> dict[str, Plain]:
    return {"due_at": milliseconds(due_at), "agenda_shard": agenda_shard(message_id)} if due_at else {}


def _is_free(item: Item) -> bool:
    return (item["status"] == Status.PENDING or "retrying" in item) and "lease_until" not in item


def _knows(row: Message, move: Move) -> bool:
    """Whether the move certainly changes nothing any more. The row may be old, so it must know the attempt that the
    move reports; otherwise the message may have been retried and claimed since."""
    is_past = row.status not in ALLOWED_FROM[move.status] and not row.retrying
    return is_past and (move.by_attempt is None or move.by_attempt <= row.attempts)


def _claim(outcome: Change, token: str, now: datetime) -> Claim:
    """A row with this token was claimed by the first attempt of the same write, whose answer was lost."""
    if outcome.item is None:
        return Claim(answer=ClaimAnswer.DONE, message=None)
    message = from_item(outcome.item)
    if outcome.done or (message.claim_token == token and message.is_open and message.unknown_since is None):
        return Claim(answer=ClaimAnswer.WON, message=message)
    if not message.is_open or message.unknown_since is not None:
        return Claim(answer=ClaimAnswer.DONE, message=message)
    if message.lease_until is not None and message.lease_until > now:
        return Claim(answer=ClaimAnswer.HELD, message=message)
    return Claim(answer=ClaimAnswer.LAPSED, message=message)


def _said_by(move: Move) -> dict[str, Plain]:
    sets: dict[str, Plain] = {"status": str(move.status)}
    if move.reason is not None:
        sets["reason"] = move.reason
    if move.quality_hold:
        sets["quality_hold"] = 1
    if move.rests_until is not None:
        sets["rests_until"] = milliseconds(move.rests_until)
    return sets


def _own(move: Move) -> list[tuple[str, str, Plain]]:
    """The conditions that correspond to `Move.is_about`, each with its value."""
    found: list[tuple[str, str, Plain]] = []
    if move.channel is not None:
        found.append(("channel = :channel", ":channel", str(move.channel)))
    if move.sender is not None:
        found.append((_SENT_BY, ":sender", move.sender))
    return found


def _moving(move: Move, *, row: Message | None = None) -> Update:
    """The update for a move. Its condition comes from the table of moves: a status never goes backwards.

    A retried message stays `sent` and is sent once more by the attempt that has claimed it since. `row`: the row as it
    was read, if it was.
    """
    origins = ALLOWED_FROM[move.status] & {Status.PENDING} if move.unclaimed else ALLOWED_FROM[move.status]
    allowed = {f":from_{number}": str(status) for number, status in enumerate(sorted(origins))}
    from_allowed = f"#status IN ({', '.join(allowed)})"
    conditions = [from_allowed]
    values: dict[str, Plain] = dict(allowed)
    if move.unclaimed:
        open_status = from_allowed if move.only_pending else f"({from_allowed} OR attribute_exists(retrying))"
        conditions = [open_status, _UNCLAIMED]
    elif move.status is Status.SENT:
        conditions = [f"({from_allowed} AND attribute_not_exists(retrying))"]
        if move.by_attempt is not None:
            conditions = [f"({conditions[0]} OR {_SENT_AGAIN})"]
            values[":by_attempt"] = move.by_attempt
    if move.claim is not None:
        conditions.append(_IS_HELD_BY)
        values[":token"] = move.claim
    if move.attempt is not None:
        conditions += [_CARD_IS, _AS_WRITTEN] if move.card_half else ["attempts = :attempt"]
        conditions.append(_NOT_SINCE_RETRIED)
        values[":attempt"] = move.attempt
    conditions += [condition for condition, _, _ in _own(move)]
    values |= {name: value for _, name, value in _own(move)}
    sets = _said_by(move)
    with_next_check = row if row is not None and row.fallback_minutes is not None else None
    if with_next_check is None and move.status in (Status.SENT, Status.FAILED):
        conditions.append(_NO_FALLBACK)
    due_at = next_check_after(with_next_check, move.status, move.at, move.fallback) if with_next_check else None
    sets |= _next_check(with_next_check.message_id, due_at) if with_next_check else {}
    dated = _dated(move, row)
    once: dict[str, Plain] = dict(dated.sets_once)
    if move.provider_message_id is not None:
        once["provider_message_id"] = move.provider_message_id
    ended = [*_LEASE, "retrying", *DEAD]
    ended += () if due_at else _NEXT_CHECK
    ended += () if move.reason is not None else ("reason",)
    ended += ("failed_at", FAILURE) if move.status in ARRIVED else ()
    return Update(
        same_as={FAILURE: "listed_at"} if move.status is Status.FAILED else {},
        sets={**sets, **dated.sets},
        sets_once=once,
        removes=tuple(ended),
        conditions=(*conditions, *dated.conditions),
        values={**values, **dated.values},
    )


def _dated(move: Move, row: Message | None) -> Update:
    """The part of a move that writes the status's instant. The earliest reported instant is kept. The status may have
    been reported before without a move; then the instant in the row shows whether this one is earlier."""
    name, at = f"{move.status}_at", milliseconds(move.at)
    known = row.instant_of(move.status) if row is not None else None
    if known is not None and earliest(known, move.at) != known:
        values: dict[str, Plain] = {":known": milliseconds(known)}
        return Update(sets={name: at}, conditions=(f"{name} = :known",), values=values)
    yields = milliseconds(yields_to(move.at) + _ROUNDED_UP)
    condition = f"(attribute_not_exists({name}) OR {name} < :yields)"
    return Update(sets_once={name: at}, conditions=(condition,), values={":yields": yields})
