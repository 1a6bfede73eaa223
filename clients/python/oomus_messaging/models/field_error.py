from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.field_code import FieldCode
from ..types import UNSET, Unset

T = TypeVar("T", bound="FieldError")


@_attrs_define
class FieldError:
    """
    Attributes:
        field (str):
        code (FieldCode): What is wrong with a field or a row.
        message (str): For the officer; in French if Accept-Language prefers it.
        row (int | Unset): From 1; of a file the file's own: in CSV and XLSX the first row below the titles is 1 and
            blank rows count, in NDJSON it is the line.
        enrollment_id (str | Unset):
        recipient (str | Unset): Masked.
        line (int | Unset): Of a CSV or NDJSON file: the line on which the row begins, from 1. Of an XLSX: the row's
            number that the spreadsheet shows.
    """

    field: str
    code: FieldCode
    message: str
    row: int | Unset = UNSET
    enrollment_id: str | Unset = UNSET
    recipient: str | Unset = UNSET
    line: int | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        field = self.field

        code = self.code.value

        message = self.message

        row = self.row

        enrollment_id = self.enrollment_id

        recipient = self.recipient

        line = self.line

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "field": field,
                "code": code,
                "message": message,
            }
        )
        if row is not UNSET:
            field_dict["row"] = row
        if enrollment_id is not UNSET:
            field_dict["enrollment_id"] = enrollment_id
        if recipient is not UNSET:
            field_dict["recipient"] = recipient
        if line is not UNSET:
            field_dict["line"] = line

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        field = d.pop("field")

        code = FieldCode(d.pop("code"))

        message = d.pop("message")

        row = d.pop("row", UNSET)

        enrollment_id = d.pop("enrollment_id", UNSET)

        recipient = d.pop("recipient", UNSET)

        line = d.pop("line", UNSET)

        field_error = cls(
            field=field,
            code=code,
            message=message,
            row=row,
            enrollment_id=enrollment_id,
            recipient=recipient,
            line=line,
        )

        return field_error
