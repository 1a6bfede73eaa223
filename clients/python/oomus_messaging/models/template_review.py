from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.template_status import TemplateStatus

T = TypeVar("T", bound="TemplateReview")


@_attrs_define
class TemplateReview:
    """
    Attributes:
        name (str):
        language (str):
        status (None | TemplateStatus): Null if Meta did not answer.
    """

    name: str
    language: str
    status: None | TemplateStatus

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        language = self.language

        status: None | str
        if isinstance(self.status, TemplateStatus):
            status = self.status.value
        else:
            status = self.status

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "language": language,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        language = d.pop("language")

        def _parse_status(data: object) -> None | TemplateStatus:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                status_type_0 = TemplateStatus(data)

                return status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TemplateStatus, data)

        status = _parse_status(d.pop("status"))

        template_review = cls(
            name=name,
            language=language,
            status=status,
        )

        return template_review
