from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.consent_status import ConsentStatus

T = TypeVar("T", bound="ConsentState")


@_attrs_define
class ConsentState:
    """
    Attributes:
        state (ConsentStatus): The latest that is recorded about a person.
        recorded_at (datetime.datetime | None):
        source (None | str):
    """

    state: ConsentStatus
    recorded_at: datetime.datetime | None
    source: None | str

    def to_dict(self) -> dict[str, Any]:
        state = self.state.value

        recorded_at: None | str
        if isinstance(self.recorded_at, datetime.datetime):
            recorded_at = self.recorded_at.isoformat()
        else:
            recorded_at = self.recorded_at

        source: None | str
        source = self.source

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "state": state,
                "recorded_at": recorded_at,
                "source": source,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        state = ConsentStatus(d.pop("state"))

        def _parse_recorded_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                recorded_at_type_0 = datetime.datetime.fromisoformat(data)

                return recorded_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        recorded_at = _parse_recorded_at(d.pop("recorded_at"))

        def _parse_source(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        source = _parse_source(d.pop("source"))

        consent_state = cls(
            state=state,
            recorded_at=recorded_at,
            source=source,
        )

        return consent_state
