from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

T = TypeVar("T", bound="ExportAccepted")


@_attrs_define
class ExportAccepted:
    """
    Attributes:
        export_id (str):
        status (Literal['running']):
    """

    export_id: str
    status: Literal["running"]

    def to_dict(self) -> dict[str, Any]:
        export_id = self.export_id

        status = self.status

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "export_id": export_id,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        export_id = d.pop("export_id")

        status = cast(Literal["running"], d.pop("status"))
        if status != "running":
            raise ValueError(f"status must match const 'running', got '{status}'")

        export_accepted = cls(
            export_id=export_id,
            status=status,
        )

        return export_accepted
