from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.upload_format import UploadFormat

T = TypeVar("T", bound="UploadOrder")


@_attrs_define
class UploadOrder:
    """
    Attributes:
        format_ (UploadFormat): `csv`: UTF-8, UTF-16 or Windows-1252; the separator is `,`, `;`, a tab or `|`; titles in
            French or English, up to five lines above them. `xlsx`: the first sheet, at most 100,000 rows, 50 MB and 400 MB
            unpacked. `ndjson`: a recipient a line. `dhis2`: what DHIS2's tracker API answers, one answer after the other,
            or an array.
        bytes_ (int): The file's exact length; more than 2 GB: 413.
    """

    format_: UploadFormat
    bytes_: int

    def to_dict(self) -> dict[str, Any]:
        format_ = self.format_.value

        bytes_ = self.bytes_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "format": format_,
                "bytes": bytes_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        format_ = UploadFormat(d.pop("format"))

        bytes_ = d.pop("bytes")

        upload_order = cls(
            format_=format_,
            bytes_=bytes_,
        )

        return upload_order
