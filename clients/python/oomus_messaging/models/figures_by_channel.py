from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.figures import Figures


T = TypeVar("T", bound="FiguresByChannel")


@_attrs_define
class FiguresByChannel:
    """The figures of each channel. A channel without messages is left out.

    Attributes:
        whatsapp (Figures | Unset): The figures of a channel or of a country.
        sms (Figures | Unset): The figures of a channel or of a country.
    """

    whatsapp: Figures | Unset = UNSET
    sms: Figures | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        whatsapp: dict[str, Any] | Unset = UNSET
        if not isinstance(self.whatsapp, Unset):
            whatsapp = self.whatsapp.to_dict()

        sms: dict[str, Any] | Unset = UNSET
        if not isinstance(self.sms, Unset):
            sms = self.sms.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if whatsapp is not UNSET:
            field_dict["whatsapp"] = whatsapp
        if sms is not UNSET:
            field_dict["sms"] = sms

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.figures import Figures  # noqa: PLC0415

        d = dict(src_dict)
        _whatsapp = d.pop("whatsapp", UNSET)
        whatsapp: Figures | Unset
        if isinstance(_whatsapp, Unset):
            whatsapp = UNSET
        else:
            whatsapp = Figures.from_dict(_whatsapp)

        _sms = d.pop("sms", UNSET)
        sms: Figures | Unset
        if isinstance(_sms, Unset):
            sms = UNSET
        else:
            sms = Figures.from_dict(_sms)

        figures_by_channel = cls(
            whatsapp=whatsapp,
            sms=sms,
        )

        return figures_by_channel
