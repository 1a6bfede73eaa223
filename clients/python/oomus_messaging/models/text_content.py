from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.sms_encoding import SmsEncoding
from ..types import UNSET, Unset

T = TypeVar("T", bound="TextContent")


@_attrs_define
class TextContent:
    """
    Attributes:
        text (str): May use {first_name}, {last_name}, {card_code}, {programme_name}, {issue_date}, {verification_url}.
            Any other name in braces is `variable_unknown`. `{{` and `}}` are braces, and so is a brace that belongs to no
            variable, as in `{5 000 F}`. WhatsApp accepts a text only inside the recipient's 24-hour session.
        sms_encoding (None | SmsEncoding | Unset): SMS only; left out: `exact`.
    """

    text: str
    sms_encoding: None | SmsEncoding | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        text = self.text

        sms_encoding: None | str | Unset
        if isinstance(self.sms_encoding, Unset):
            sms_encoding = UNSET
        elif isinstance(self.sms_encoding, SmsEncoding):
            sms_encoding = self.sms_encoding.value
        else:
            sms_encoding = self.sms_encoding

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "text": text,
            }
        )
        if sms_encoding is not UNSET:
            field_dict["sms_encoding"] = sms_encoding

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        text = d.pop("text")

        def _parse_sms_encoding(data: object) -> None | SmsEncoding | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                sms_encoding_type_0 = SmsEncoding(data)

                return sms_encoding_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SmsEncoding | Unset, data)

        sms_encoding = _parse_sms_encoding(d.pop("sms_encoding", UNSET))

        text_content = cls(
            text=text,
            sms_encoding=sms_encoding,
        )

        return text_content
