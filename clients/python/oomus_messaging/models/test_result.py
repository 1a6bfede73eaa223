from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

T = TypeVar("T", bound="TestResult")


@_attrs_define
class TestResult:
    """
    Attributes:
        message_id (str):
        provider_message_id (str):
        status (Literal['sent']):
    """

    message_id: str
    provider_message_id: str
    status: Literal["sent"]

    def to_dict(self) -> dict[str, Any]:
        message_id = self.message_id

        provider_message_id = self.provider_message_id

        status = self.status

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "message_id": message_id,
                "provider_message_id": provider_message_id,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        message_id = d.pop("message_id")

        provider_message_id = d.pop("provider_message_id")

        status = cast(Literal["sent"], d.pop("status"))
        if status != "sent":
            raise ValueError(f"status must match const 'sent', got '{status}'")

        test_result = cls(
            message_id=message_id,
            provider_message_id=provider_message_id,
            status=status,
        )

        return test_result
