from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="Duplicate")


@_attrs_define
class Duplicate:
    """A row that is neither accepted nor rejected, because another message has the same content for the same phone.

    Attributes:
        row (int): Counts from 1.
        duplicate_of (int | None): The first accepted row of the same distribution that matches. Null with
            `skip_already_sent`, if an earlier message of the campaign matches.
        recipient (str): Masked.
        enrollment_id (None | str):
    """

    row: int
    duplicate_of: int | None
    recipient: str
    enrollment_id: None | str

    def to_dict(self) -> dict[str, Any]:
        row = self.row

        duplicate_of: int | None
        duplicate_of = self.duplicate_of

        recipient = self.recipient

        enrollment_id: None | str
        enrollment_id = self.enrollment_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "row": row,
                "duplicate_of": duplicate_of,
                "recipient": recipient,
                "enrollment_id": enrollment_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        row = d.pop("row")

        def _parse_duplicate_of(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        duplicate_of = _parse_duplicate_of(d.pop("duplicate_of"))

        recipient = d.pop("recipient")

        def _parse_enrollment_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        enrollment_id = _parse_enrollment_id(d.pop("enrollment_id"))

        duplicate = cls(
            row=row,
            duplicate_of=duplicate_of,
            recipient=recipient,
            enrollment_id=enrollment_id,
        )

        return duplicate
