from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Redriven")


@_attrs_define
class Redriven:
    """
    Attributes:
        redriven (int): How many were dead and are handled again now. With `all`, about the first 1,000 count; the rest
            follows by itself.
    """

    redriven: int

    def to_dict(self) -> dict[str, Any]:
        redriven = self.redriven

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "redriven": redriven,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        redriven = d.pop("redriven")

        redriven = cls(
            redriven=redriven,
        )

        return redriven
