from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.warning_code import WarningCode
from ..types import UNSET, Unset

T = TypeVar("T", bound="Warning_")


@_attrs_define
class Warning_:
    """
    Attributes:
        code (WarningCode): What to know although the request goes on. `units_missing`: a country of the list has no SMS
            units left, or its price of a unit is not set, so that a price is null; `message` says which.
        message (str):
        count (int | Unset):
    """

    code: WarningCode
    message: str
    count: int | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        code = self.code.value

        message = self.message

        count = self.count

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "code": code,
                "message": message,
            }
        )
        if count is not UNSET:
            field_dict["count"] = count

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        code = WarningCode(d.pop("code"))

        message = d.pop("message")

        count = d.pop("count", UNSET)

        warning = cls(
            code=code,
            message=message,
            count=count,
        )

        return warning
