from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Counts")


@_attrs_define
class Counts:
    """Messages by current status.

    Attributes:
        pending (int):
        sent (int):
        delivered (int):
        read (int):
        failed (int):
    """

    pending: int
    sent: int
    delivered: int
    read: int
    failed: int

    def to_dict(self) -> dict[str, Any]:
        pending = self.pending

        sent = self.sent

        delivered = self.delivered

        read = self.read

        failed = self.failed

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "pending": pending,
                "sent": sent,
                "delivered": delivered,
                "read": read,
                "failed": failed,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pending = d.pop("pending")

        sent = d.pop("sent")

        delivered = d.pop("delivered")

        read = d.pop("read")

        failed = d.pop("failed")

        counts = cls(
            pending=pending,
            sent=sent,
            delivered=delivered,
            read=read,
            failed=failed,
        )

        return counts
