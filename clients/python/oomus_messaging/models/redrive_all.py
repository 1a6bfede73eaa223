from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

T = TypeVar("T", bound="RedriveAll")


@_attrs_define
class RedriveAll:
    """
    Attributes:
        all_ (Literal[True]):
    """

    all_: Literal[True]

    def to_dict(self) -> dict[str, Any]:
        all_ = self.all_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "all": all_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        all_ = cast(Literal[True], d.pop("all"))
        if all_ != True:
            raise ValueError(f"all must match const True, got '{all_}'")

        redrive_all = cls(
            all_=all_,
        )

        return redrive_all
