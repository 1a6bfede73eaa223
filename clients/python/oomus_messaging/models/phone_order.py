from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="PhoneOrder")


@_attrs_define
class PhoneOrder:
    """
    Attributes:
        phone (str): In the body, because a URL must never contain a phone number. In any form that the number has had:
            an Ivorian number from before 2021 is read as its present form.
    """

    phone: str

    def to_dict(self) -> dict[str, Any]:
        phone = self.phone

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone": phone,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone = d.pop("phone")

        phone_order = cls(
            phone=phone,
        )

        return phone_order
