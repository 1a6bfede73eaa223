from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.export_status import ExportStatus

T = TypeVar("T", bound="Export")


@_attrs_define
class Export:
    """
    Attributes:
        status (ExportStatus): `running`: it is being made or waits for its turn. `failed`: ask again; with a million
            `rows` the list is too long for one file.
        rows (int): Rows that have been written so far, without the header.
        url (None | str): GET the CSV here, without a token, within 15 minutes; null until it is done.
        expires_at (datetime.datetime): From then on the export and its file are gone: 7 days after the request.
    """

    status: ExportStatus
    rows: int
    url: None | str
    expires_at: datetime.datetime

    def to_dict(self) -> dict[str, Any]:
        status = self.status.value

        rows = self.rows

        url: None | str
        url = self.url

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "status": status,
                "rows": rows,
                "url": url,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        status = ExportStatus(d.pop("status"))

        rows = d.pop("rows")

        def _parse_url(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        url = _parse_url(d.pop("url"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        export = cls(
            status=status,
            rows=rows,
            url=url,
            expires_at=expires_at,
        )

        return export
