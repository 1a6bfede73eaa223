from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

from ..models.message_mode import MessageMode
from ..models.text_encoding import TextEncoding

if TYPE_CHECKING:
    from ..models.gsm_7_offer import Gsm7Offer
    from ..models.price import Price
    from ..models.warning import Warning_


T = TypeVar("T", bound="PreviewValid")


@_attrs_define
class PreviewValid:
    """
    Attributes:
        valid (Literal[True]):
        recipient (str): Masked: country code, two digits, three asterisks, the last four.
        country (str): The country of the number, ISO 3166-1. WhatsApp may go to a country that SMS does not cover.
        mode (MessageMode): What is sent: a template, a text in an open WhatsApp session, or an SMS.
        text (str): What the person will read.
        encoding (None | TextEncoding):
        segments (int | None):
        characters_left (int | None): In the last segment.
        non_gsm_characters (list[str]):
        price (None | Price):
        gsm7 (Gsm7Offer | None): Null if it changes nothing.
        scheduled_for (datetime.datetime | None): When it would be sent, if quiet hours delay it.
        warnings (list[Warning_]):
    """

    valid: Literal[True]
    recipient: str
    country: str
    mode: MessageMode
    text: str
    encoding: None | TextEncoding
    segments: int | None
    characters_left: int | None
    non_gsm_characters: list[str]
    price: None | Price
    gsm7: Gsm7Offer | None
    scheduled_for: datetime.datetime | None
    warnings: list[Warning_]

    def to_dict(self) -> dict[str, Any]:
        from ..models.gsm_7_offer import Gsm7Offer  # noqa: PLC0415
        from ..models.price import Price  # noqa: PLC0415

        valid = self.valid

        recipient = self.recipient

        country = self.country

        mode = self.mode.value

        text = self.text

        encoding: None | str
        if isinstance(self.encoding, TextEncoding):
            encoding = self.encoding.value
        else:
            encoding = self.encoding

        segments: int | None
        segments = self.segments

        characters_left: int | None
        characters_left = self.characters_left

        non_gsm_characters = self.non_gsm_characters

        price: dict[str, Any] | None
        if isinstance(self.price, Price):
            price = self.price.to_dict()
        else:
            price = self.price

        gsm7: dict[str, Any] | None
        if isinstance(self.gsm7, Gsm7Offer):
            gsm7 = self.gsm7.to_dict()
        else:
            gsm7 = self.gsm7

        scheduled_for: None | str
        if isinstance(self.scheduled_for, datetime.datetime):
            scheduled_for = self.scheduled_for.isoformat()
        else:
            scheduled_for = self.scheduled_for

        warnings = []
        for warnings_item_data in self.warnings:
            warnings_item = warnings_item_data.to_dict()
            warnings.append(warnings_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "valid": valid,
                "recipient": recipient,
                "country": country,
                "mode": mode,
                "text": text,
                "encoding": encoding,
                "segments": segments,
                "characters_left": characters_left,
                "non_gsm_characters": non_gsm_characters,
                "price": price,
                "gsm7": gsm7,
                "scheduled_for": scheduled_for,
                "warnings": warnings,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.gsm_7_offer import Gsm7Offer  # noqa: PLC0415
        from ..models.price import Price  # noqa: PLC0415
        from ..models.warning import Warning_  # noqa: PLC0415

        d = dict(src_dict)
        valid = cast(Literal[True], d.pop("valid"))
        if valid != True:
            raise ValueError(f"valid must match const True, got '{valid}'")

        recipient = d.pop("recipient")

        country = d.pop("country")

        mode = MessageMode(d.pop("mode"))

        text = d.pop("text")

        def _parse_encoding(data: object) -> None | TextEncoding:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                encoding_type_0 = TextEncoding(data)

                return encoding_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TextEncoding, data)

        encoding = _parse_encoding(d.pop("encoding"))

        def _parse_segments(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        segments = _parse_segments(d.pop("segments"))

        def _parse_characters_left(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        characters_left = _parse_characters_left(d.pop("characters_left"))

        non_gsm_characters = cast(list[str], d.pop("non_gsm_characters"))

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

        def _parse_gsm7(data: object) -> Gsm7Offer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                gsm7_type_0 = Gsm7Offer.from_dict(data)

                return gsm7_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Gsm7Offer | None, data)

        gsm7 = _parse_gsm7(d.pop("gsm7"))

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

        warnings = []
        _warnings = d.pop("warnings")
        for warnings_item_data in _warnings:
            warnings_item = Warning_.from_dict(warnings_item_data)

            warnings.append(warnings_item)

        preview_valid = cls(
            valid=valid,
            recipient=recipient,
            country=country,
            mode=mode,
            text=text,
            encoding=encoding,
            segments=segments,
            characters_left=characters_left,
            non_gsm_characters=non_gsm_characters,
            price=price,
            gsm7=gsm7,
            scheduled_for=scheduled_for,
            warnings=warnings,
        )

        return preview_valid
