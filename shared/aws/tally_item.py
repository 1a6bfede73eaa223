"""Counts of a chunk ↔ its item: a column a number, so that everybody can add to them at once.

The item stays below 1 KB, and an ADD at one write unit: a hundred messages have at most a hundred times to delivery,
and a chunk leaves within a few minutes, but for what is tried again.
"""

from collections.abc import Mapping

from shared.aws.attributes import Item, whole
from shared.domain.distribution import Counts
from shared.domain.instants import from_milliseconds
from shared.domain.status import Status
from shared.domain.tally import Tally

DELAY = "d."
AWAITING = "s."
ROWS = "rows."
WISHES = "wishes"
_STATUS = "status."
_REASON = "reason."
_SEGMENTS = "segments."
_AMOUNT = "amount."
_CARDS = "cards_24h"


def status_column(status: Status) -> str:
    """The column of a status."""
    return f"{_STATUS}{status}"


def columns_of(counts: Counts) -> dict[str, int]:
    """What to add to which column; zeroes are left out."""
    columns = {status_column(status): count for status, count in counts.by_status.items()}
    columns |= {f"{_REASON}{reason}": count for reason, count in counts.by_reason.items()}
    columns |= {f"{_SEGMENTS}{country}": count for country, count in counts.segments.items()}
    columns |= {f"{_AMOUNT}{country}.{currency}": sum_ for (country, currency), sum_ in counts.amounts.items()}
    columns |= {f"{DELAY}{bucket}": count for bucket, count in counts.delays.items()}
    columns |= {f"{AWAITING}{minute}": count for minute, count in counts.awaiting.items()}
    columns[_CARDS] = counts.cards_within_24h
    return {name: count for name, count in columns.items() if count}


def tally_of(item: Item) -> Tally:
    """The item read back."""
    numbers = {name: value for name, value in item.items() if isinstance(value, int) and value}
    accepted_at, recount_at = whole(item, "accepted_at"), whole(item, "due_at")
    return Tally(
        counts=Counts(
            by_status={Status(name): count for name, count in _under(_STATUS, numbers).items()},
            by_reason=_under(_REASON, numbers),
            segments=_under(_SEGMENTS, numbers),
            amounts={_country_and_currency(name): sum_ for name, sum_ in _under(_AMOUNT, numbers).items()},
            delays={int(name): count for name, count in _under(DELAY, numbers).items()},
            awaiting={int(name): count for name, count in _under(AWAITING, numbers).items()},
            cards_within_24h=numbers.get(_CARDS, 0),
        ),
        accepted_at=from_milliseconds(accepted_at) if accepted_at is not None else None,
        rows=_under(ROWS, numbers),
        recount_at=from_milliseconds(recount_at) if recount_at is not None else None,
        wishes=numbers.get(WISHES, 0),
    )


def _under(prefix: str, numbers: Mapping[str, int]) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in numbers.items() if name.startswith(prefix)}


def _country_and_currency(name: str) -> tuple[str, str]:
    country, _, currency = name.partition(".")
    return country, currency
