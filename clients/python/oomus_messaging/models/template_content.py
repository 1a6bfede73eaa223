from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.sms_encoding import SmsEncoding
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.template_choice import TemplateChoice


T = TypeVar("T", bound="TemplateContent")


@_attrs_define
class TemplateContent:
    """
    Attributes:
        template (TemplateChoice):
        sms_encoding (None | SmsEncoding | Unset): SMS only; left out: `exact`.
    """

    template: TemplateChoice
    sms_encoding: None | SmsEncoding | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        template = self.template.to_dict()

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
                "template": template,
            }
        )
        if sms_encoding is not UNSET:
            field_dict["sms_encoding"] = sms_encoding

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.template_choice import TemplateChoice  # noqa: PLC0415

        d = dict(src_dict)
        template = TemplateChoice.from_dict(d.pop("template"))

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

        template_content = cls(
            template=template,
            sms_encoding=sms_encoding,
        )

        return template_content
