from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="SendersOrder")


@_attrs_define
class SendersOrder:
    """Country → Orange's sender address, if it differs from the usual one.

    Attributes:
        sn (None | str | Unset):
        ci (None | str | Unset):
        ml (None | str | Unset):
        bf (None | str | Unset):
        gn (None | str | Unset):
        cm (None | str | Unset):
        mg (None | str | Unset):
        tn (None | str | Unset):
        eg (None | str | Unset):
    """

    sn: None | str | Unset = UNSET
    ci: None | str | Unset = UNSET
    ml: None | str | Unset = UNSET
    bf: None | str | Unset = UNSET
    gn: None | str | Unset = UNSET
    cm: None | str | Unset = UNSET
    mg: None | str | Unset = UNSET
    tn: None | str | Unset = UNSET
    eg: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        sn: None | str | Unset
        if isinstance(self.sn, Unset):
            sn = UNSET
        else:
            sn = self.sn

        ci: None | str | Unset
        if isinstance(self.ci, Unset):
            ci = UNSET
        else:
            ci = self.ci

        ml: None | str | Unset
        if isinstance(self.ml, Unset):
            ml = UNSET
        else:
            ml = self.ml

        bf: None | str | Unset
        if isinstance(self.bf, Unset):
            bf = UNSET
        else:
            bf = self.bf

        gn: None | str | Unset
        if isinstance(self.gn, Unset):
            gn = UNSET
        else:
            gn = self.gn

        cm: None | str | Unset
        if isinstance(self.cm, Unset):
            cm = UNSET
        else:
            cm = self.cm

        mg: None | str | Unset
        if isinstance(self.mg, Unset):
            mg = UNSET
        else:
            mg = self.mg

        tn: None | str | Unset
        if isinstance(self.tn, Unset):
            tn = UNSET
        else:
            tn = self.tn

        eg: None | str | Unset
        if isinstance(self.eg, Unset):
            eg = UNSET
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
        d = dict(src_dict)

        def _parse_sn(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        sn = _parse_sn(d.pop("SN", UNSET))

        def _parse_ci(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        ci = _parse_ci(d.pop("CI", UNSET))

        def _parse_ml(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        ml = _parse_ml(d.pop("ML", UNSET))

        def _parse_bf(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        bf = _parse_bf(d.pop("BF", UNSET))

        def _parse_gn(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        gn = _parse_gn(d.pop("GN", UNSET))

        def _parse_cm(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cm = _parse_cm(d.pop("CM", UNSET))

        def _parse_mg(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        mg = _parse_mg(d.pop("MG", UNSET))

        def _parse_tn(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        tn = _parse_tn(d.pop("TN", UNSET))

        def _parse_eg(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        eg = _parse_eg(d.pop("EG", UNSET))

        senders_order = cls(
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

        return senders_order
