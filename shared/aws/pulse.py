"""A WhatsApp number's pulse on the state table: one small item a number, written at most once in some seconds."""

from datetime import datetime, timedelta
from functools import partial

from shared.aws.attributes import Item, Plain, whole
from shared.aws.conditional import Update, changed, put_if_absent
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.doubt import Beat
from shared.domain.instants import from_milliseconds, milliseconds
from shared.usecases.pulse import STEP

_KEPT_FOR = timedelta(days=3)
"""A doubt lasts a day."""


class DynamoPulse:
    """`Pulse` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table
        self._written: dict[tuple[str, str], datetime] = {}

    async def heard(self, organisation: str, phone_number_id: str, claimed_at: datetime) -> None:
        """See `Pulse`."""
        owner = (organisation, phone_number_id)
        last = self._written.get(owner)
        if last is not None and claimed_at < last + STEP:
            return
        self._written[owner] = claimed_at  # beforehand: of many who are heard at once, one writes
        try:
            await self._advance(owner, "heard_at", claimed_at)
        except BaseException:
            self._written.pop(owner, None)
            raise

    async def held(self, organisation: str, phone_number_id: str, at: datetime) -> None:
        """See `Pulse`."""
        await self._advance((organisation, phone_number_id), "held_at", at)

    async def read(self, organisation: str, phone_number_id: str) -> Beat:
        """See `Pulse`."""
        found = await get_items(self._aws, self._table, [_key((organisation, phone_number_id))])
        return Beat(heard=_instant(found[0], "heard_at"), held=_instant(found[0], "held_at")) if found else Beat()

    async def _advance(self, owner: tuple[str, str], name: str, at: datetime) -> None:
        """An instant only moves forward. The item is nearly always there."""
        values: dict[str, Plain] = {name: milliseconds(at), "expires_at": int((at + _KEPT_FOR).timestamp())}
        later = f"(attribute_not_exists({name}) OR {name} < :at)"
        update = Update(sets=values, conditions=(later,), values={":at": milliseconds(at)})

        def write() -> None:
            is_absent = changed(self._aws, self._table, _key(owner), update).item is None
            if is_absent and not put_if_absent(self._aws, self._table, {**_key(owner), **values}):
                changed(self._aws, self._table, _key(owner), update)

        await self._aws.run(partial(write))


def _key(owner: tuple[str, str]) -> dict[str, str]:
    organisation, phone_number_id = owner
    return {"pk": f"{organisation}#pulse#{phone_number_id}", "sk": "pulse"}


def _instant(item: Item, name: str) -> datetime | None:
    value = whole(item, name)
    return from_milliseconds(value) if value is not None else None
