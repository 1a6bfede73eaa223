"""The message log on DynamoDB. Every change is one conditional update; the conditions come from the domain's table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from shared.aws.attributes import Item, Plain, attribute, plain
from shared.aws.conditional import Answer, Change, Update, changed, put_if_absent
from shared.aws.listing import page_of
from shared.aws.message_item import agenda_shard, from_item, key, to_item
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.instants import milliseconds
from shared.domain.message import Message
from shared.domain.status import ALLOWED_FROM, Status
from shared.usecases.ports import Claim, ClaimAnswer, LogQuery, Move, Moved, Page

_PENDING = "#status = :pending"
_PENDING_VALUE = {":pending": str(Status.PENDING)}
_UNCLAIMED = "attribute_not_exists(lease_until)"
_CLAIMED = "attribute_exists(lease_until)"
_WATCH = ("due_at", "agenda_shard")


class DynamoLog:
    """`Log` on one table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def add(self, message: Message) -> bool:
        """See `Log`."""
        return await self._aws.run(lambda: put_if_absent(self._aws, self._table, to_item(message)))

    async def add_all(self, messages: Sequence[Message]) -> None:
        """See `Log`. Conditional puts on threads: a batch write could turn `sent` back into `pending`."""
        await self._aws.run_all(
            [partial(put_if_absent, self._aws, self._table, to_item(message)) for message in messages]
        )

    async def get(self, organisation: str, message_id: str) -> Message | None:
        """See `Log`."""
        return (await self.get_many(organisation, [message_id])).get(message_id)

    async def get_many(self, organisation: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        """See `Log`."""
        items = await get_items(self._aws, self._table, [{"pk": key(organisation, one)} for one in message_ids])
        return {message.message_id: message for message in map(from_item, items)}

    async def claim(self, organisation: str, message_id: str, *, now: datetime, lease_until: datetime) -> Claim:
        """See `Log`. A watched row's watch moves to the end of the lease, which takes a second try."""
        ends = milliseconds(lease_until)
        change = Update(
            sets={"lease_until": ends},
            adds={"attempts": 1},
            conditions=(_PENDING, _UNCLAIMED, "attribute_not_exists(due_at)"),
            values=_PENDING_VALUE,
        )
        outcome = await self._change(organisation, message_id, change)
        if not outcome.done and outcome.item and "due_at" in outcome.item and _is_free(outcome.item):
            watched = Update(
                sets={"lease_until": ends, "due_at": ends},
                adds={"attempts": 1},
                conditions=(_PENDING, _UNCLAIMED),
                values=_PENDING_VALUE,
            )
            outcome = await self._change(organisation, message_id, watched)
        return _claim(outcome, now)

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        """See `Log`."""
        if not ALLOWED_FROM[move.status]:
            return Moved(won=False, before=await self.get(organisation, message_id))
        outcome = await self._change(organisation, message_id, _moving(move), answer="ALL_OLD")
        before = from_item(outcome.item) if outcome.item else None
        if not outcome.done and before is not None and move.status is not Status.FAILED:
            await self._note_late(before, move)
        return Moved(won=outcome.done, before=before)

    async def _note_late(self, before: Message, move: Move) -> None:
        """A status that others overtook still has its instant, and maybe the provider's ID."""
        missing = {
            name: value
            for name, value in (
                (f"{move.status}_at", milliseconds(move.at)),
                ("provider_message_id", move.provider_message_id),
            )
            if value is not None and getattr(before, name) is None
        }
        if missing:
            update = Update(sets=missing, conditions=tuple(f"attribute_not_exists({name})" for name in missing))
            await self._change(before.organisation, before.message_id, update)

    async def give_back(
        self, organisation: str, message_id: str, *, attempt: int, due_at: datetime | None, uses_attempt: bool
    ) -> bool:
        """See `Log`. Whoever was in doubt of this attempt need no longer be."""
        update = Update(
            sets=_watch(message_id, due_at),
            adds={} if uses_attempt else {"attempts": -1},
            removes=("lease_until", "unknown_since", *(() if due_at else _WATCH)),
            conditions=(_PENDING, "attempts = :attempt", _CLAIMED),
            values={**_PENDING_VALUE, ":attempt": attempt},
        )
        return (await self._change(organisation, message_id, update)).done

    async def doubt(self, organisation: str, message_id: str, *, attempt: int, now: datetime, due_at: datetime) -> bool:
        """See `Log`. The lease stays: no other copy may ever claim the message."""
        update = Update(
            sets={"unknown_since": milliseconds(now), **_watch(message_id, due_at)},
            conditions=(_PENDING, "attempts = :attempt", _CLAIMED, "attribute_not_exists(unknown_since)"),
            values={**_PENDING_VALUE, ":attempt": attempt},
        )
        return (await self._change(organisation, message_id, update)).done

    async def postpone(
        self, organisation: str, message_id: str, *, due_at: datetime | None, scheduled_for: datetime | None = None
    ) -> bool:
        """See `Log`."""
        sets = _watch(message_id, due_at)
        if scheduled_for is not None:
            sets["scheduled_for"] = milliseconds(scheduled_for)
        update = Update(
            sets=sets, removes=() if due_at else _WATCH, conditions=(_PENDING, _UNCLAIMED), values=_PENDING_VALUE
        )
        return (await self._change(organisation, message_id, update)).done

    async def rewatch(self, organisation: str, message_id: str, *, seen: datetime, due_at: datetime) -> bool:
        """See `Log`."""
        update = Update(
            sets={"due_at": milliseconds(due_at)}, conditions=("due_at = :seen",), values={":seen": milliseconds(seen)}
        )
        return (await self._change(organisation, message_id, update)).done

    async def due(self, shard: int, now: datetime, limit: int) -> Sequence[Message]:
        """See `Log`. The index may be a moment behind; the rows themselves are read as they stand."""
        found = await self._aws.run(
            lambda: self._aws.dynamodb.query(
                TableName=self._table,
                IndexName="agenda",
                KeyConditionExpression="agenda_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": attribute(str(shard)), ":now": attribute(milliseconds(now))},
                Limit=limit,
            )
        )
        items = await get_items(self._aws, self._table, [{"pk": str(plain(item)["pk"])} for item in found["Items"]])
        messages = [message for message in map(from_item, items) if message.due_at and message.due_at <= now]
        return sorted(messages, key=lambda message: (message.due_at, message.message_id))

    async def page(self, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
        """See `Log`."""
        return await page_of(self._aws, self._table, query, position, limit)

    async def _change(self, organisation: str, message_id: str, update: Update, answer: Answer = "ALL_NEW") -> Change:
        return await self._aws.run(
            lambda: changed(self._aws, self._table, {"pk": key(organisation, message_id)}, update, answer)
        )


def _watch(message_id: str, due_at: datetime | None) -> dict[str, Plain]:
    return {"due_at": milliseconds(due_at), "agenda_shard": agenda_shard(message_id)} if due_at else {}


def _is_free(item: Item) -> bool:
    return item["status"] == Status.PENDING and "lease_until" not in item


def _claim(outcome: Change, now: datetime) -> Claim:
    if outcome.item is None:
        return Claim(answer=ClaimAnswer.DONE, message=None)
    message = from_item(outcome.item)
    if outcome.done:
        return Claim(answer=ClaimAnswer.WON, message=message)
    if message.status is not Status.PENDING or message.unknown_since is not None:
        return Claim(answer=ClaimAnswer.DONE, message=message)
    if message.lease_until is not None and message.lease_until > now:
        return Claim(answer=ClaimAnswer.HELD, message=message)
    return Claim(answer=ClaimAnswer.LAPSED, message=message)


def _moving(move: Move) -> Update:
    """The condition comes from the table of moves: a status never goes backwards."""
    origins = ALLOWED_FROM[move.status] & {Status.PENDING} if move.unclaimed else ALLOWED_FROM[move.status]
    allowed = {f":from_{number}": str(status) for number, status in enumerate(sorted(origins))}
    conditions = [f"#status IN ({', '.join(allowed)})"]
    values: dict[str, Plain] = dict(allowed)
    if move.attempt is not None:
        conditions.append("attempts = :attempt")
        values[":attempt"] = move.attempt
    if move.unclaimed:
        conditions.append(_UNCLAIMED)
    sets: dict[str, Plain] = {"status": str(move.status)}
    if move.reason is not None:
        sets["reason"] = move.reason
    once: dict[str, Plain] = {f"{move.status}_at": milliseconds(move.at)}
    if move.provider_message_id is not None:
        once["provider_message_id"] = move.provider_message_id
    ended = ("lease_until", "unknown_since", *_WATCH, *(() if move.reason is not None else ("reason",)))
    return Update(sets=sets, sets_once=once, removes=ended, conditions=tuple(conditions), values=values)
