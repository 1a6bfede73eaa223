from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="Secret")


@_attrs_define
class Secret:
    """A secret is never shown. The one exception: a `verify_token` that this PUT or PATCH made comes back once, as
    `value`, to be entered at Meta.

        Attributes:
            set_ (bool):
            updated_at (datetime.datetime | None):
            value (str | Unset):
    """

    set_: bool
    updated_at: datetime.datetime | None
    value: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        set_ = self.set_

        updated_at: None | str
        if isinstance(self.updated_at, datetime.datetime):
            updated_at = self.updated_at.isoformat()
        else:
            updated_at = self.updated_at

        value = self.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "set": set_,
                "updated_at": updated_at,
            }
        )
        if value is not UNSET:
            field_dict["value"] = value

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        set_ = d.pop("set")

        def _parse_updated_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                updated_at_type_0 = datetime.datetime.fromisoformat(data)

                return updated_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        updated_at = _parse_updated_at(d.pop("updated_at"))

        value = d.pop("value", UNSET)

        secret = cls(
            set_=set_,
            updated_at=updated_at,
            value=value,
        )

        return secret
