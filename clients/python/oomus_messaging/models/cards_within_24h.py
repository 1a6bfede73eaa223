from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="CardsWithin24H")


@_attrs_define
class CardsWithin24H:
    """Of the messages that were tried and whose recipient had a `card_generated_at`: how many there are (`of`), and how
    many of them arrived within 24 hours of it.

        Attributes:
            within (int):
            of (int):
    """

    within: int
    of: int

    def to_dict(self) -> dict[str, Any]:
        within = self.within

        of = self.of

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "within": within,
                "of": of,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        within = d.pop("within")

        of = d.pop("of")

        cards_within_24h = cls(
            within=within,
            of=of,
        )

        return cards_within_24h
