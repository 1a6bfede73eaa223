from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="RedriveSome")


@_attrs_define
class RedriveSome:
    """
    Attributes:
        dead_letter_ids (list[str]):
    """

    dead_letter_ids: list[str]

    def to_dict(self) -> dict[str, Any]:
        dead_letter_ids = self.dead_letter_ids

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "dead_letter_ids": dead_letter_ids,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        dead_letter_ids = cast(list[str], d.pop("dead_letter_ids"))

        redrive_some = cls(
            dead_letter_ids=dead_letter_ids,
        )

        return redrive_some
