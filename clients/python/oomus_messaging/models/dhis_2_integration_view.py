from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.dhis_2_integration_view_attributes import Dhis2IntegrationViewAttributes
    from ..models.warning import Warning_


T = TypeVar("T", bound="Dhis2IntegrationView")


@_attrs_define
class Dhis2IntegrationView:
    """
    Attributes:
        attributes (Dhis2IntegrationViewAttributes):
        program (None | str | Unset):
        webhook_url (None | str | Unset):
        warnings (list[Warning_] | Unset):
    """

    attributes: Dhis2IntegrationViewAttributes
    program: None | str | Unset = UNSET
    webhook_url: None | str | Unset = UNSET
    warnings: list[Warning_] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        attributes = self.attributes.to_dict()

        program: None | str | Unset
        if isinstance(self.program, Unset):
            program = UNSET
        else:
            program = self.program

        webhook_url: None | str | Unset
        if isinstance(self.webhook_url, Unset):
            webhook_url = UNSET
        else:
            webhook_url = self.webhook_url

        warnings: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.warnings, Unset):
            warnings = []
            for warnings_item_data in self.warnings:
                warnings_item = warnings_item_data.to_dict()
                warnings.append(warnings_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "attributes": attributes,
            }
        )
        if program is not UNSET:
            field_dict["program"] = program
        if webhook_url is not UNSET:
            field_dict["webhook_url"] = webhook_url
        if warnings is not UNSET:
            field_dict["warnings"] = warnings

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.dhis_2_integration_view_attributes import (
            Dhis2IntegrationViewAttributes,  # noqa: PLC0415
        )
        from ..models.warning import Warning_  # noqa: PLC0415

        d = dict(src_dict)
        attributes = Dhis2IntegrationViewAttributes.from_dict(d.pop("attributes"))

        def _parse_program(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        program = _parse_program(d.pop("program", UNSET))

        def _parse_webhook_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        webhook_url = _parse_webhook_url(d.pop("webhook_url", UNSET))

        _warnings = d.pop("warnings", UNSET)
        warnings: list[Warning_] | Unset = UNSET
        if _warnings is not UNSET:
            warnings = []
            for warnings_item_data in _warnings:
                warnings_item = Warning_.from_dict(warnings_item_data)

                warnings.append(warnings_item)

        dhis_2_integration_view = cls(
            attributes=attributes,
            program=program,
            webhook_url=webhook_url,
            warnings=warnings,
        )

        return dhis_2_integration_view
