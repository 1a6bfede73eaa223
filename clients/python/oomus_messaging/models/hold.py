from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.hold_scope import HoldScope
from ..models.status_reason import StatusReason

T = TypeVar("T", bound="Hold")


@_attrs_define
class Hold:
    """A stop of all that has the same cause.

    Attributes:
        scope (HoldScope): How wide a hold is.
        key (None | str): The country, the template with its language (`name/fr`) or the card host; null for the
            account.
        reason (StatusReason): Why a distribution or a part of it does not go on. It says what a person should do.
        reason_text (str): What to do, in the language asked for.
    """

    scope: HoldScope
    key: None | str
    reason: StatusReason
    reason_text: str

    def to_dict(self) -> dict[str, Any]:
        scope = self.scope.value

        key: None | str
        key = self.key

        reason = self.reason.value

        reason_text = self.reason_text

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "scope": scope,
                "key": key,
                "reason": reason,
                "reason_text": reason_text,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        scope = HoldScope(d.pop("scope"))

        def _parse_key(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        key = _parse_key(d.pop("key"))

        reason = StatusReason(d.pop("reason"))

        reason_text = d.pop("reason_text")

        hold = cls(
            scope=scope,
            key=key,
            reason=reason,
            reason_text=reason_text,
        )

        return hold
