from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.recipient_field import RecipientField

T = TypeVar("T", bound="Column")


@_attrs_define
class Column:
    """How a column of a file was read.

    Attributes:
        header (str): The title as it stands in the file; `…` in place of one that may be a number of a person.
        field (None | RecipientField): The field of the recipient that it fills; null: the column is not read.
    """

    header: str
    field: None | RecipientField

    def to_dict(self) -> dict[str, Any]:
        header = self.header

        field: None | str
        if isinstance(self.field, RecipientField):
            field = self.field.value
        else:
            field = self.field

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "header": header,
                "field": field,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        header = d.pop("header")

        def _parse_field(data: object) -> None | RecipientField:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                field_type_0 = RecipientField(data)

                return field_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RecipientField, data)

        field = _parse_field(d.pop("field"))

        column = cls(
            header=header,
            field=field,
        )

        return column
