from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.dhis_2_attributes import Dhis2Attributes


T = TypeVar("T", bound="Dhis2IntegrationPatch")


@_attrs_define
class Dhis2IntegrationPatch:
    """What changes; the rest of the mapping stays. Null removes a value.

    Attributes:
        attributes (Dhis2Attributes | Unset): Recipient field → UID of the tracked entity attribute.
        program (None | str | Unset): Accepts only enrolments of this programme; those of another one are
            `dhis2_not_active`.
    """

    attributes: Dhis2Attributes | Unset = UNSET
    program: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        attributes: dict[str, Any] | Unset = UNSET
        if not isinstance(self.attributes, Unset):
            attributes = self.attributes.to_dict()

        program: None | str | Unset
        if isinstance(self.program, Unset):
            program = UNSET
        else:
            program = self.program

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if attributes is not UNSET:
            field_dict["attributes"] = attributes
        if program is not UNSET:
            field_dict["program"] = program

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.dhis_2_attributes import Dhis2Attributes  # noqa: PLC0415

        d = dict(src_dict)
        _attributes = d.pop("attributes", UNSET)
        attributes: Dhis2Attributes | Unset
        if isinstance(_attributes, Unset):
            attributes = UNSET
        else:
            attributes = Dhis2Attributes.from_dict(_attributes)

        def _parse_program(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        program = _parse_program(d.pop("program", UNSET))

        dhis_2_integration_patch = cls(
            attributes=attributes,
            program=program,
        )

        return dhis_2_integration_patch
