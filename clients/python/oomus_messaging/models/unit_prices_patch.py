from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.price_patch import PricePatch


T = TypeVar("T", bound="UnitPricesPatch")


@_attrs_define
class UnitPricesPatch:
    """Country → what changes of its price; null removes the price. Other countries stay.

    Attributes:
        sn (None | PricePatch | Unset):
        ci (None | PricePatch | Unset):
        ml (None | PricePatch | Unset):
        bf (None | PricePatch | Unset):
        gn (None | PricePatch | Unset):
        cm (None | PricePatch | Unset):
        mg (None | PricePatch | Unset):
        tn (None | PricePatch | Unset):
        eg (None | PricePatch | Unset):
    """

    sn: None | PricePatch | Unset = UNSET
    ci: None | PricePatch | Unset = UNSET
    ml: None | PricePatch | Unset = UNSET
    bf: None | PricePatch | Unset = UNSET
    gn: None | PricePatch | Unset = UNSET
    cm: None | PricePatch | Unset = UNSET
    mg: None | PricePatch | Unset = UNSET
    tn: None | PricePatch | Unset = UNSET
    eg: None | PricePatch | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.price_patch import PricePatch  # noqa: PLC0415

        sn: dict[str, Any] | None | Unset
        if isinstance(self.sn, Unset):
            sn = UNSET
        elif isinstance(self.sn, PricePatch):
            sn = self.sn.to_dict()
        else:
            sn = self.sn

        ci: dict[str, Any] | None | Unset
        if isinstance(self.ci, Unset):
            ci = UNSET
        elif isinstance(self.ci, PricePatch):
            ci = self.ci.to_dict()
        else:
            ci = self.ci

        ml: dict[str, Any] | None | Unset
        if isinstance(self.ml, Unset):
            ml = UNSET
        elif isinstance(self.ml, PricePatch):
            ml = self.ml.to_dict()
        else:
            ml = self.ml

        bf: dict[str, Any] | None | Unset
        if isinstance(self.bf, Unset):
            bf = UNSET
        elif isinstance(self.bf, PricePatch):
            bf = self.bf.to_dict()
        else:
            bf = self.bf

        gn: dict[str, Any] | None | Unset
        if isinstance(self.gn, Unset):
            gn = UNSET
        elif isinstance(self.gn, PricePatch):
            gn = self.gn.to_dict()
        else:
            gn = self.gn

        cm: dict[str, Any] | None | Unset
        if isinstance(self.cm, Unset):
            cm = UNSET
        elif isinstance(self.cm, PricePatch):
            cm = self.cm.to_dict()
        else:
            cm = self.cm

        mg: dict[str, Any] | None | Unset
        if isinstance(self.mg, Unset):
            mg = UNSET
        elif isinstance(self.mg, PricePatch):
            mg = self.mg.to_dict()
        else:
            mg = self.mg

        tn: dict[str, Any] | None | Unset
        if isinstance(self.tn, Unset):
            tn = UNSET
        elif isinstance(self.tn, PricePatch):
            tn = self.tn.to_dict()
        else:
            tn = self.tn

        eg: dict[str, Any] | None | Unset
        if isinstance(self.eg, Unset):
            eg = UNSET
        elif isinstance(self.eg, PricePatch):
            eg = self.eg.to_dict()
        else:
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
        from ..models.price_patch import PricePatch  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_sn(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                sn_type_0 = PricePatch.from_dict(data)

                return sn_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        sn = _parse_sn(d.pop("SN", UNSET))

        def _parse_ci(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                ci_type_0 = PricePatch.from_dict(data)

                return ci_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        ci = _parse_ci(d.pop("CI", UNSET))

        def _parse_ml(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                ml_type_0 = PricePatch.from_dict(data)

                return ml_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        ml = _parse_ml(d.pop("ML", UNSET))

        def _parse_bf(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                bf_type_0 = PricePatch.from_dict(data)

                return bf_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        bf = _parse_bf(d.pop("BF", UNSET))

        def _parse_gn(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                gn_type_0 = PricePatch.from_dict(data)

                return gn_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        gn = _parse_gn(d.pop("GN", UNSET))

        def _parse_cm(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                cm_type_0 = PricePatch.from_dict(data)

                return cm_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        cm = _parse_cm(d.pop("CM", UNSET))

        def _parse_mg(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                mg_type_0 = PricePatch.from_dict(data)

                return mg_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        mg = _parse_mg(d.pop("MG", UNSET))

        def _parse_tn(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                tn_type_0 = PricePatch.from_dict(data)

                return tn_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        tn = _parse_tn(d.pop("TN", UNSET))

        def _parse_eg(data: object) -> None | PricePatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                eg_type_0 = PricePatch.from_dict(data)

                return eg_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PricePatch | Unset, data)

        eg = _parse_eg(d.pop("EG", UNSET))

        unit_prices_patch = cls(
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

        return unit_prices_patch
