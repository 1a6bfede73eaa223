from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="ConsentGrant")


@_attrs_define
class ConsentGrant:
    """When and where the person agreed.

    Attributes:
        granted_at (datetime.datetime): When the person agreed; at most 5 minutes ahead.
        source (str):
    """

    granted_at: datetime.datetime
    source: str

    def to_dict(self) -> dict[str, Any]:
        granted_at = self.granted_at.isoformat()

        source = self.source

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "granted_at": granted_at,
                "source": source,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        granted_at = datetime.datetime.fromisoformat(d.pop("granted_at"))

        source = d.pop("source")

        consent_grant = cls(
            granted_at=granted_at,
            source=source,
        )

        return consent_grant
