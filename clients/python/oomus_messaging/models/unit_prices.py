from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.price import Price


T = TypeVar("T", bound="UnitPrices")


@_attrs_define
class UnitPrices:
    """Country → price of a segment.

    Attributes:
        sn (Price | Unset):
        ci (Price | Unset):
        ml (Price | Unset):
        bf (Price | Unset):
        gn (Price | Unset):
        cm (Price | Unset):
        mg (Price | Unset):
        tn (Price | Unset):
        eg (Price | Unset):
    """

    sn: Price | Unset = UNSET
    ci: Price | Unset = UNSET
    ml: Price | Unset = UNSET
    bf: Price | Unset = UNSET
    gn: Price | Unset = UNSET
    cm: Price | Unset = UNSET
    mg: Price | Unset = UNSET
    tn: Price | Unset = UNSET
    eg: Price | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        sn: dict[str, Any] | Unset = UNSET
        if not isinstance(self.sn, Unset):
            sn = self.sn.to_dict()

        ci: dict[str, Any] | Unset = UNSET
        if not isinstance(self.ci, Unset):
            ci = self.ci.to_dict()

        ml: dict[str, Any] | Unset = UNSET
        if not isinstance(self.ml, Unset):
            ml = self.ml.to_dict()

        bf: dict[str, Any] | Unset = UNSET
        if not isinstance(self.bf, Unset):
            bf = self.bf.to_dict()

        gn: dict[str, Any] | Unset = UNSET
        if not isinstance(self.gn, Unset):
            gn = self.gn.to_dict()

        cm: dict[str, Any] | Unset = UNSET
        if not isinstance(self.cm, Unset):
            cm = self.cm.to_dict()

        mg: dict[str, Any] | Unset = UNSET
        if not isinstance(self.mg, Unset):
            mg = self.mg.to_dict()

        tn: dict[str, Any] | Unset = UNSET
        if not isinstance(self.tn, Unset):
            tn = self.tn.to_dict()

        eg: dict[str, Any] | Unset = UNSET
        if not isinstance(self.eg, Unset):
            eg = self.eg.to_dict()

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
        from ..models.price import Price  # noqa: PLC0415

        d = dict(src_dict)
        _sn = d.pop("SN", UNSET)
        sn: Price | Unset
        if isinstance(_sn, Unset):
            sn = UNSET
        else:
            sn = Price.from_dict(_sn)

        _ci = d.pop("CI", UNSET)
        ci: Price | Unset
        if isinstance(_ci, Unset):
            ci = UNSET
        else:
            ci = Price.from_dict(_ci)

        _ml = d.pop("ML", UNSET)
        ml: Price | Unset
        if isinstance(_ml, Unset):
            ml = UNSET
        else:
            ml = Price.from_dict(_ml)

        _bf = d.pop("BF", UNSET)
        bf: Price | Unset
        if isinstance(_bf, Unset):
            bf = UNSET
        else:
            bf = Price.from_dict(_bf)

        _gn = d.pop("GN", UNSET)
        gn: Price | Unset
        if isinstance(_gn, Unset):
            gn = UNSET
        else:
            gn = Price.from_dict(_gn)

        _cm = d.pop("CM", UNSET)
        cm: Price | Unset
        if isinstance(_cm, Unset):
            cm = UNSET
        else:
            cm = Price.from_dict(_cm)

        _mg = d.pop("MG", UNSET)
        mg: Price | Unset
        if isinstance(_mg, Unset):
            mg = UNSET
        else:
            mg = Price.from_dict(_mg)

        _tn = d.pop("TN", UNSET)
        tn: Price | Unset
        if isinstance(_tn, Unset):
            tn = UNSET
        else:
            tn = Price.from_dict(_tn)

        _eg = d.pop("EG", UNSET)
        eg: Price | Unset
        if isinstance(_eg, Unset):
            eg = UNSET
        else:
            eg = Price.from_dict(_eg)

        unit_prices = cls(
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

        return unit_prices
