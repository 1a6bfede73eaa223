from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

T = TypeVar("T", bound="MessageAccepted")


@_attrs_define
class MessageAccepted:
    """
    Attributes:
        message_id (str):
        status (Literal['pending']):
        scheduled_for (datetime.datetime | None):
    """

    message_id: str
    status: Literal["pending"]
    scheduled_for: datetime.datetime | None

    def to_dict(self) -> dict[str, Any]:
        message_id = self.message_id

        status = self.status

        scheduled_for: None | str
        if isinstance(self.scheduled_for, datetime.datetime):
            scheduled_for = self.scheduled_for.isoformat()
        else:
            scheduled_for = self.scheduled_for

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "message_id": message_id,
                "status": status,
                "scheduled_for": scheduled_for,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        message_id = d.pop("message_id")

        status = cast(Literal["pending"], d.pop("status"))
        if status != "pending":
            raise ValueError(f"status must match const 'pending', got '{status}'")

        def _parse_scheduled_for(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                scheduled_for_type_0 = datetime.datetime.fromisoformat(data)

                return scheduled_for_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        scheduled_for = _parse_scheduled_for(d.pop("scheduled_for"))

        message_accepted = cls(
            message_id=message_id,
            status=status,
            scheduled_for=scheduled_for,
        )

        return message_accepted
