from __future__ import annotations

import datetime
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
    from ..models.upload_headers import UploadHeaders


T = TypeVar("T", bound="Upload")


@_attrs_define
class Upload:
    """
    Attributes:
        upload_id (str):
        url (str): PUT the file here, with `headers`.
        method (Literal['PUT']):
        headers (UploadHeaders):
        expires_at (datetime.datetime):
    """

    upload_id: str
    url: str
    method: Literal["PUT"]
    headers: UploadHeaders
    expires_at: datetime.datetime

    def to_dict(self) -> dict[str, Any]:
        upload_id = self.upload_id

        url = self.url

        method = self.method

        headers = self.headers.to_dict()

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "upload_id": upload_id,
                "url": url,
                "method": method,
                "headers": headers,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.upload_headers import UploadHeaders  # noqa: PLC0415

        d = dict(src_dict)
        upload_id = d.pop("upload_id")

        url = d.pop("url")

        method = cast(Literal["PUT"], d.pop("method"))
        if method != "PUT":
            raise ValueError(f"method must match const 'PUT', got '{method}'")

        headers = UploadHeaders.from_dict(d.pop("headers"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        upload = cls(
            upload_id=upload_id,
            url=url,
            method=method,
            headers=headers,
            expires_at=expires_at,
        )

        return upload
