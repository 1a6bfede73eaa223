from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ConsentRecord")


@_attrs_define
class ConsentRecord:
    """
    Attributes:
        phone (str): In any form that the number has had: an Ivorian number from before 2021 is read as its present
            form.
        granted (bool):
        source (str): Where the person said so. A possible phone number in it is stored as ***.
        recorded_at (datetime.datetime | None | Unset): If left out: now. At most 5 minutes ahead.
    """

    phone: str
    granted: bool
    source: str
    recorded_at: datetime.datetime | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        phone = self.phone

        granted = self.granted

        source = self.source

        recorded_at: None | str | Unset
        if isinstance(self.recorded_at, Unset):
            recorded_at = UNSET
        elif isinstance(self.recorded_at, datetime.datetime):
            recorded_at = self.recorded_at.isoformat()
        else:
            recorded_at = self.recorded_at

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone": phone,
                "granted": granted,
                "source": source,
            }
        )
        if recorded_at is not UNSET:
            field_dict["recorded_at"] = recorded_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone = d.pop("phone")

        granted = d.pop("granted")

        source = d.pop("source")

        def _parse_recorded_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                recorded_at_type_0 = datetime.datetime.fromisoformat(data)

                return recorded_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        recorded_at = _parse_recorded_at(d.pop("recorded_at", UNSET))

        consent_record = cls(
            phone=phone,
            granted=granted,
            source=source,
            recorded_at=recorded_at,
        )

        return consent_record
