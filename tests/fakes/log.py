"""The message log in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.base.ids import shard_of
from shared.base.instants import from_milliseconds, milliseconds
from shared.campaigns.counts import shown_reason
from shared.holds.hold import ScopeKey
from shared.messages.fallback import next_check_after
from shared.messages.message import ARRIVED, DeadLetter, Message, PayloadRef, Status, earliest, may_move
from shared.messages.payload import Channel, Provider
from shared.messages.ports import AGENDA_SHARDS, Claim, ClaimAnswer, LogQuery, Move, Moved, Page, Single
from shared.storage.dynamodb.message_item import position, singles_of
from tests.fakes.world import Points


class FakeLog:
    """Implements `Log` in memory."""

    def __init__(self, points: Points) -> None:
        self.rows: dict[tuple[str, str], Message] = {}
        self._points = points

    async def add(self, message: Message) -> bool:
        await self._points("log.add")
        key = (message.organisation, message.message_id)
        if key in self.rows:
            return False
        self._keep(message)
        return True

    async def add_all(self, messages: Sequence[Message]) -> None:
        for message in messages:
            await self.add(message)

    async def get(self, organisation: str, message_id: str) -> Message | None:
        await self._points("log.get")
        return self.rows.get((organisation, message_id))

    async def get_many(self, organisation: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        await self._points("log.get_many")
        return {one: self.rows[organisation, one] for one in message_ids if (organisation, one) in self.rows}

    async def claim(
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
        await self._points("log.claim")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.is_open or row.unknown_since is not None:
            return Claim(answer=ClaimAnswer.DONE, message=row)
        if row.claim_token == token:
            return Claim(answer=ClaimAnswer.WON, message=row)
        if row.lease_until is not None:
            held = row.lease_until > now
            return Claim(answer=ClaimAnswer.HELD if held else ClaimAnswer.LAPSED, message=row)
        next_check = lease_until if row.due_at else None
        claimed = replace(
            row,
            lease_until=lease_until,
            claim_token=token,
            attempts=row.attempts + 1,
            due_at=next_check,
            held_by=None,
            probe=probe,
            claimed_at=now,
            sender=sender or row.sender,
            provider=provider or row.provider,
            dead=None,
        )
        return Claim(answer=ClaimAnswer.WON, message=self._keep(claimed))

    async def move(self, organisation: str, message_id: str, move: Move) -> Moved:
        await self._points("log.move")
        row = self.rows.get((organisation, message_id))
        if row is None or not move.is_about(row):
            return Moved(won=False, before=None)
        won = _may_move(row, move)
        if won:
            self._keep(_moved(row, move))
        elif move.status not in (Status.FAILED, Status.PENDING):
            named = move if move.names(row) else replace(move, provider_message_id=None)
            kept = self._keep(_noted(row, named))
            return Moved(won=False, before=row, noted=kept.instant_of(move.status) != row.instant_of(move.status))
        return Moved(won=won, before=row)

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
        await self._points("log.give_back")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.is_open or not _is_held_by(row, token) or row.lease_until is None:
            return False
        attempts = row.attempts if uses_attempt else row.attempts - 1
        self._keep(replace(_freed(row), due_at=due_at, attempts=attempts, card_failed_at=card_failed_at))
        return True

    async def mark_unknown(
        self, organisation: str, message_id: str, *, token: str | None, now: datetime, due_at: datetime
    ) -> bool:
        await self._points("log.mark_unknown")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.is_open or not _is_held_by(row, token):
            return False
        if row.lease_until is None or row.unknown_since is not None:
            return False
        self._keep(replace(row, unknown_since=now, held_by=None, due_at=due_at))
        return True

    async def note_card(self, organisation: str, message_id: str, *, attempt: int) -> bool:
        await self._points("log.note_card")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.is_open or row.attempts != attempt or row.lease_until is None:
            return False
        self._keep(replace(row, card_attempt=attempt))
        return True

    async def card_taken(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        await self._points("log.card_taken")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.is_open or row.card_attempt is not None:
            return False
        if row.unknown_since is not None:
            row = replace(_freed(row), due_at=due_at)
        self._keep(replace(row, card_attempt=attempt))
        return True

    async def retry_message(
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
        await self._points("log.retry_message")
        row = self.rows.get((organisation, message_id))
        if row is None:
            return False
        freed = replace(_freed(row), due_at=due_at, provider_message_id=None, reporting=False, quality_hold=False)
        wanted = replace(freed, as_template=as_template or row.as_template, retrying=True)
        wanted = replace(wanted, card_after=card_after or row.card_after)
        may_be = row.status in (Status.PENDING, Status.SENT) and not row.fell_back
        if as_template:
            may_be = may_be and row.fallback_template is not None and not row.as_template
        else:
            may_be = may_be and not (row.retrying and row.lease_until is None)
            may_be = may_be and (card_after is None or row.card_after is None)
        if not may_be or attempt != _attempt_of(row, card_half=card_half):
            return _shows(row, wanted)
        self._keep(wanted)
        return True

    async def resend(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        await self._points("log.resend")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.is_open or row.attempts != attempt or row.unknown_since is None or row.resent:
            return False
        self._keep(replace(_freed(row), resent=True, due_at=due_at))
        return True

    async def postpone(
        self, organisation: str, message_id: str, *, due_at: datetime | None, scheduled_for: datetime | None = None
    ) -> bool:
        await self._points("log.postpone")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.is_open or row.lease_until is not None:
            return False
        wished = scheduled_for or row.scheduled_for
        self._keep(replace(row, held_by=None, due_at=due_at, scheduled_for=wished, dead=None))
        return True

    async def fall_back(self, organisation: str, message_id: str) -> bool:
        await self._points("log.fall_back")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.awaits_fallback or row.successor_message_id is not None:
            return False
        self._keep(replace(row, fell_back=True))
        return True

    async def note_successor(self, organisation: str, message_id: str, *, successor: str) -> bool:
        await self._points("log.note_successor")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.may_be_sent_again:
            return row is not None and row.successor_message_id == successor
        self._keep(replace(row, successor_message_id=successor))
        return True

    async def note_reached(self, organisation: str, message_id: str) -> Moved:
        await self._points("log.note_reached")
        row = self.rows.get((organisation, message_id))
        if row is None or row.reached:
            return Moved(won=False, before=row)
        self._keep(replace(row, reached=True))
        return Moved(won=True, before=row)

    async def note_reporting(self, organisation: str, message_id: str, *, attempt: int, due_at: datetime) -> bool:
        await self._points("log.note_reporting")
        row = self.rows.get((organisation, message_id))
        if row is None or row.status is not Status.SENT or row.retrying or row.attempts != attempt:
            return False
        if row.due_at is None or row.fell_back:
            return False
        self._keep(replace(row, reporting=True, due_at=due_at))
        return True

    async def move_next_check(
        self, organisation: str, message_id: str, *, seen: datetime, due_at: datetime | None
    ) -> bool:
        await self._points("log.move_next_check")
        row = self.rows.get((organisation, message_id))
        if row is None or row.due_at != seen:
            return False
        self._keep(replace(row, held_by=None, due_at=due_at))
        return True

    async def park(
        self, organisation: str, message_id: str, *, channel: Channel, seen: datetime, scope: ScopeKey
    ) -> bool:
        await self._points("log.park")
        row = self.rows.get((organisation, message_id))
        if row is None or row.due_at != seen or row.lease_until is not None:
            return False
        self._keep(replace(row, held_by=str(scope)))
        return True

    async def parked(self, organisation: str, channel: Channel, scope: ScopeKey, limit: int) -> Sequence[Message]:
        await self._points("log.parked")
        found = [
            (row.due_at, row.message_id, row)
            for row in self.rows.values()
            if (row.organisation, row.channel, row.held_by) == (organisation, channel, str(scope)) and row.due_at
        ]
        return [row for _, _, row in sorted(found, key=lambda one: one[:2])[:limit]]

    async def mark_dead(self, organisation: str, message_id: str, letter: DeadLetter) -> bool:
        await self._points("log.mark_dead")
        row = self.rows.get((organisation, message_id))
        if row is None:
            return False
        wanted = replace(row, dead=letter, held_by=None, due_at=letter.ends_at)
        if not row.is_open or row.lease_until is not None or row.dead is not None:
            return _shows(row, wanted)
        self._keep(wanted)
        return True

    async def redrive(self, organisation: str, message_id: str, *, died_at: datetime, due_at: datetime) -> bool:
        await self._points("log.redrive")
        row = self.rows.get((organisation, message_id))
        if row is None or not row.is_open or row.dead is None or row.dead.received_at != _rounded(died_at):
            return False
        self._keep(replace(row, dead=None, held_by=None, due_at=due_at))
        return True

    async def due(self, shard: int, now: datetime, limit: int) -> Sequence[Message]:
        await self._points("log.due")
        due = [
            (row.due_at, row.message_id, row)
            for row in self.rows.values()
            if row.due_at is not None and row.due_at <= now and row.held_by is None
            if shard_of(row.message_id, AGENDA_SHARDS) == shard
        ]
        return [row for _, _, row in sorted(due, key=lambda one: one[:2])[:limit]]

    async def page(self, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
        await self._points("log.page")
        rows = {_place(row): row for row in self.rows.values() if _matches(row, query)}
        below = [place for place in sorted(rows, reverse=True) if position is None or place < position]
        items = [rows[place] for place in below[:limit]]
        return Page(items=items, position=_place(items[-1]) if len(below) > limit else None)

    async def stretch(self, query: LogQuery, position: str | None, about: int) -> Page[Message]:
        return await self.page(query, position, about)

    async def count_dead_letters(self, most: int) -> Mapping[tuple[str, Channel], int]:
        await self._points("log.count_dead_letters")
        dead = [row for row in self.rows.values() if row.dead is not None][:most]
        return Counter((row.organisation, row.channel) for row in dead)

    async def singles(
        self, organisation: str, campaign_id: str | None, between: tuple[datetime | None, datetime | None]
    ) -> Sequence[Single]:
        await self._points("log.singles")
        query = LogQuery(organisation=organisation, campaign_id=campaign_id, since=between[0], until=between[1])
        return [
            Single(
                message_id=row.message_id,
                accepted_at=row.accepted_at,
                channel=row.channel,
                country=row.country,
                campaign_id=row.campaign_id,
            )
            for row in self.rows.values()
            if row.chunk is None and _matches(row, query)
        ]

    async def unlink(self, organisation: str, message_id: str) -> None:
        await self._points("log.unlink")
        row = self.rows.get((organisation, message_id))
        if row is not None:
            is_single = row.payload.object_key.startswith(singles_of(organisation, row.person))
            payload = PayloadRef(object_key="") if is_single else row.payload
            self._keep(replace(row, person="", dedupe_key=None, payload=payload))

    def _keep(self, row: Message) -> Message:
        kept = _stored(row)
        self.rows[row.organisation, row.message_id] = kept
        return kept


def _stored(row: Message) -> Message:
    """The row with its instants to the millisecond, as in the log table."""
    return replace(
        row,
        accepted_at=from_milliseconds(milliseconds(row.accepted_at)),
        scheduled_for=_rounded(row.scheduled_for),
        sent_at=_rounded(row.sent_at),
        delivered_at=_rounded(row.delivered_at),
        read_at=_rounded(row.read_at),
        failed_at=_rounded(row.failed_at),
        lease_until=_rounded(row.lease_until),
        due_at=_rounded(row.due_at),
        unknown_since=_rounded(row.unknown_since),
        claimed_at=_rounded(row.claimed_at),
        card_at=_rounded(row.card_at),
        card_after=_rounded(row.card_after),
        rests_until=_rounded(row.rests_until),
        dead=_dead(row),
    )


def _freed(row: Message) -> Message:
    """The row without its lease and the lease's other attributes."""
    return replace(row, lease_until=None, claim_token=None, unknown_since=None, held_by=None)


def _shows(row: Message, wanted: Message) -> bool:
    """Whether an earlier attempt of the same write has already made this row."""
    return row == _stored(wanted)


def _is_held_by(row: Message, token: str | None) -> bool:
    return token is not None and row.claim_token == token


def _attempt_of(row: Message, *, card_half: bool) -> int:
    return row.card_attempt if card_half and row.card_attempt is not None else row.attempts


def _may_move(row: Message, move: Move) -> bool:
    waits_again = row.retrying and row.lease_until is None
    if move.attempt is not None and (move.attempt != _attempt_of(row, card_half=move.card_half) or waits_again):
        return False
    if move.attempt is not None and move.card_half and row.as_template:
        return False
    if move.claim is not None and move.claim != row.claim_token:
        return False
    if move.unclaimed:
        is_open = row.status is Status.PENDING if move.only_pending else row.is_open
        return is_open and row.lease_until is None and move.status is not Status.PENDING
    if move.status is Status.SENT and row.retrying:
        return row.lease_until is not None and move.by_attempt == row.attempts
    return may_move(row.status, move.status)


def _dead(row: Message) -> DeadLetter | None:
    if row.dead is None:
        return None
    return replace(row.dead, received_at=from_milliseconds(milliseconds(row.dead.received_at)))


def _rounded(instant: datetime | None) -> datetime | None:
    return from_milliseconds(milliseconds(instant)) if instant is not None else None


def _place(row: Message) -> str:
    return position(row.accepted_at, row.message_id)


def _matches(row: Message, query: LogQuery) -> bool:
    wished = {
        "campaign_id": query.campaign_id,
        "listed_in": query.distribution_id,
        "via": query.via,
        "enrollment_id": query.enrollment_id,
        "person": query.person,
        "provider_message_id": query.provider_message_id,
        "channel": query.channel,
        "status": query.status,
    }
    if row.organisation != query.organisation:
        return False
    if query.dead and row.dead is None:
        return False
    if query.reason is not None and query.reason != (shown_reason(row, query.now) if query.now else row.reason):
        return False
    if (query.since and row.accepted_at < query.since) or (query.until and row.accepted_at >= query.until):
        return False
    return all(value is None or getattr(row, name) == value for name, value in wished.items())


def _moved(row: Message, move: Move) -> Message:
    noted = _noted(row, move)
    due_at = next_check_after(row, move.status, move.at, move.fallback)
    if move.status in ARRIVED:
        noted = replace(noted, failed_at=None)
    ended = replace(_freed(noted), due_at=due_at, retrying=False, dead=None)
    ended = replace(ended, quality_hold=row.quality_hold or move.quality_hold)
    return replace(ended, status=move.status, reason=move.reason, rests_until=move.rests_until or row.rests_until)


def _noted(row: Message, move: Move) -> Message:
    noted = replace(row, provider_message_id=row.provider_message_id or move.provider_message_id)
    at = earliest(row.instant_of(move.status), move.at)
    match move.status:
        case Status.SENT:
            return replace(noted, sent_at=at)
        case Status.DELIVERED:
            return replace(noted, delivered_at=at)
        case Status.READ:
            return replace(noted, read_at=at)
        case Status.FAILED:
            return replace(noted, failed_at=at)
        case Status.PENDING:
            return noted
