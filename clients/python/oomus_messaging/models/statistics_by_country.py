from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.figures import Figures


T = TypeVar("T", bound="StatisticsByCountry")


@_attrs_define
class StatisticsByCountry:
    """The figures of each country (ISO 3166-1); their counts add up to all counts. A country without messages is left out.
    `ZZ` has the rows of the further countries of a list with more than fifty.

    """

    additional_properties: dict[str, Figures] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.figures import Figures  # noqa: PLC0415

        d = dict(src_dict)
        statistics_by_country = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = Figures.from_dict(prop_dict)

            additional_properties[prop_name] = additional_property

        statistics_by_country.additional_properties = additional_properties
        return statistics_by_country

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Figures:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Figures) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
