from __future__ import annotations

from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.field_error import FieldError


T = TypeVar("T", bound="PreviewInvalid")


@_attrs_define
class PreviewInvalid:
    """
    Attributes:
        valid (Literal[False]):
        recipient (None | str): Masked: country code, two digits, three asterisks, the last four.
        errors (list[FieldError]):
    """

    valid: Literal[False]
    recipient: None | str
    errors: list[FieldError]

    def to_dict(self) -> dict[str, Any]:
        valid = self.valid

        recipient: None | str
        recipient = self.recipient

        errors = []
        for errors_item_data in self.errors:
            errors_item = errors_item_data.to_dict()
            errors.append(errors_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "valid": valid,
                "recipient": recipient,
                "errors": errors,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.field_error import FieldError  # noqa: PLC0415

        d = dict(src_dict)
        valid = cast(Literal[False], d.pop("valid"))
        if valid != False:
            raise ValueError(f"valid must match const False, got '{valid}'")

        def _parse_recipient(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        recipient = _parse_recipient(d.pop("recipient"))

        errors = []
        _errors = d.pop("errors")
        for errors_item_data in _errors:
            errors_item = FieldError.from_dict(errors_item_data)

            errors.append(errors_item)

        preview_invalid = cls(
            valid=valid,
            recipient=recipient,
            errors=errors,
        )

        return preview_invalid
