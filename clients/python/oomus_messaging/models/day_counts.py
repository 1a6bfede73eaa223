from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.counts import Counts


T = TypeVar("T", bound="DayCounts")


@_attrs_define
class DayCounts:
    """The counts of a day (UTC).

    Attributes:
        day (datetime.date):
        counts (Counts): Messages by current status.
    """

    day: datetime.date
    counts: Counts

    def to_dict(self) -> dict[str, Any]:
        day = self.day.isoformat()

        counts = self.counts.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "day": day,
                "counts": counts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.counts import Counts  # noqa: PLC0415

        d = dict(src_dict)
        day = datetime.date.fromisoformat(d.pop("day"))

        counts = Counts.from_dict(d.pop("counts"))

        day_counts = cls(
            day=day,
            counts=counts,
        )

        return day_counts
