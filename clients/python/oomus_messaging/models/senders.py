from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="Senders")


@_attrs_define
class Senders:
    """Country → Orange's sender address, if it differs from the usual one.

    Attributes:
        sn (str | Unset):
        ci (str | Unset):
        ml (str | Unset):
        bf (str | Unset):
        gn (str | Unset):
        cm (str | Unset):
        mg (str | Unset):
        tn (str | Unset):
        eg (str | Unset):
    """

    sn: str | Unset = UNSET
    ci: str | Unset = UNSET
    ml: str | Unset = UNSET
    bf: str | Unset = UNSET
    gn: str | Unset = UNSET
    cm: str | Unset = UNSET
    mg: str | Unset = UNSET
    tn: str | Unset = UNSET
    eg: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        sn = self.sn

        ci = self.ci

        ml = self.ml

        bf = self.bf

        gn = self.gn

        cm = self.cm

        mg = self.mg

        tn = self.tn

        eg = self.eg

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if sn is not UNSET:
            field_dict["SN"] = sn
        if ci is not UNSET:
            field_dict["CI"] = ci
        if ml is not UNSET:
            field_dict["ML"] = ml
        if bf is not UNSET:
            field_dict["BF"] = bf
        if gn is not UNSET:
            field_dict["GN"] = gn
        if cm is not UNSET:
            field_dict["CM"] = cm
        if mg is not UNSET:
            field_dict["MG"] = mg
        if tn is not UNSET:
            field_dict["TN"] = tn
        if eg is not UNSET:
            field_dict["EG"] = eg

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        sn = d.pop("SN", UNSET)

        ci = d.pop("CI", UNSET)

        ml = d.pop("ML", UNSET)

        bf = d.pop("BF", UNSET)

        gn = d.pop("GN", UNSET)

        cm = d.pop("CM", UNSET)

        mg = d.pop("MG", UNSET)

        tn = d.pop("TN", UNSET)

        eg = d.pop("EG", UNSET)

        senders = cls(
            sn=sn,
            ci=ci,
            ml=ml,
            bf=bf,
            gn=gn,
            cm=cm,
            mg=mg,
            tn=tn,
            eg=eg,
        )

        return senders
