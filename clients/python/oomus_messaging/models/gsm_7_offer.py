from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.price import Price


T = TypeVar("T", bound="Gsm7Offer")


@_attrs_define
class Gsm7Offer:
    """The message as `gsm7` would send it.

    Attributes:
        text (str):
        segments (int):
        price (None | Price):
        replaced (list[list[str]]):
    """

    text: str
    segments: int
    price: None | Price
    replaced: list[list[str]]

    def to_dict(self) -> dict[str, Any]:
        from ..models.price import Price  # noqa: PLC0415

        text = self.text

        segments = self.segments

        price: dict[str, Any] | None
        if isinstance(self.price, Price):
            price = self.price.to_dict()
        else:
            price = self.price

        replaced = []
        for replaced_item_data in self.replaced:
            replaced_item = replaced_item_data

            replaced.append(replaced_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "text": text,
                "segments": segments,
                "price": price,
                "replaced": replaced,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.price import Price  # noqa: PLC0415

        d = dict(src_dict)
        text = d.pop("text")

        segments = d.pop("segments")

        def _parse_price(data: object) -> None | Price:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                price_type_0 = Price.from_dict(data)

                return price_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Price, data)

        price = _parse_price(d.pop("price"))

        replaced = []
        _replaced = d.pop("replaced")
        for replaced_item_data in _replaced:
            replaced_item = cast(list[str], replaced_item_data)

            replaced.append(replaced_item)

        gsm_7_offer = cls(
            text=text,
            segments=segments,
            price=price,
            replaced=replaced,
        )

        return gsm_7_offer
