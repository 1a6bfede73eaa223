from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.reason import Reason
from ..types import UNSET, Unset

T = TypeVar("T", bound="RetryOrder")


@_attrs_define
class RetryOrder:
    """Which failed messages are sent again.

    Attributes:
        reasons (list[Reason] | None | Unset): Only messages that failed for one of these reasons. Without it, all
            except `outcome_unknown`, `already_sent`, `opted_out`, `cancelled` and `erased`. A message whose outcome is
            unknown may have arrived: naming `outcome_unknown` is your decision. `erased` and `receipt_missing` cannot be
            named.
        confirm (bool | None | Unset): Send without a separate confirmation. Default: False.
    """

    reasons: list[Reason] | None | Unset = UNSET
    confirm: bool | None | Unset = False

    def to_dict(self) -> dict[str, Any]:
        reasons: list[str] | None | Unset
        if isinstance(self.reasons, Unset):
            reasons = UNSET
        elif isinstance(self.reasons, list):
            reasons = []
            for reasons_type_0_item_data in self.reasons:
                reasons_type_0_item = reasons_type_0_item_data.value
                reasons.append(reasons_type_0_item)

        else:
            reasons = self.reasons

        confirm: bool | None | Unset
        if isinstance(self.confirm, Unset):
            confirm = UNSET
        else:
            confirm = self.confirm

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if reasons is not UNSET:
            field_dict["reasons"] = reasons
        if confirm is not UNSET:
            field_dict["confirm"] = confirm

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_reasons(data: object) -> list[Reason] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                reasons_type_0 = []
                _reasons_type_0 = data
                for reasons_type_0_item_data in _reasons_type_0:
                    reasons_type_0_item = Reason(reasons_type_0_item_data)

                    reasons_type_0.append(reasons_type_0_item)

                return reasons_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Reason] | None | Unset, data)

        reasons = _parse_reasons(d.pop("reasons", UNSET))

        def _parse_confirm(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        confirm = _parse_confirm(d.pop("confirm", UNSET))

        retry_order = cls(
            reasons=reasons,
            confirm=confirm,
        )

        return retry_order
