from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.channel import Channel
from ..models.distribution_status import DistributionStatus
from ..models.status_reason import StatusReason

if TYPE_CHECKING:
    from ..models.column import Column
    from ..models.country_price import CountryPrice
    from ..models.counts import Counts
    from ..models.distribution_by_reason import DistributionByReason
    from ..models.distribution_fallback import DistributionFallback
    from ..models.distribution_hold import DistributionHold
    from ..models.field_error import FieldError
    from ..models.warning import Warning_


T = TypeVar("T", bound="Distribution")


@_attrs_define
class Distribution:
    """`accepted + rejected + duplicates` is the number of rows. A row is a duplicate of an accepted row of the same phone
    with the same `card_code`; if one of the two has no code, with the same `enrollment_id`; if one has neither, with
    the same text and picture. An accepted row without a code takes over the code of the first row that matches it.

        Attributes:
            distribution_id (str):
            campaign_id (str):
            name (None | str):
            channel (Channel): How a message reaches the person.
            status (DistributionStatus): How far a distribution is.
            status_reason (None | StatusReason): Null if it goes on.
            status_reason_text (None | str): The reason as a sentence, with what to do, in the language asked for; null
                without a reason.
            accepted (int):
            rejected (int):
            duplicates (int):
            counts (Counts): Messages by current status.
            by_reason (DistributionByReason):
            segments (int | None):
            prices (list[CountryPrice]):
            starts_at (datetime.datetime | None):
            estimated_end (datetime.datetime | None):
            warnings (list[Warning_]):
            errors (list[FieldError]): The first 20. With `file_unreadable`, why and where the file as a whole could not be
                read.
            created_at (datetime.datetime):
            created_by (None | str): The person or program that asked for it: `sub` of the token, or `client_id`. Null: the
                token named none.
            confirmed_by (None | str): Who confirmed it; null before.
            controlled_by (None | str): Who paused, resumed or cancelled it last. `system`: the product did, because of a
                hold or because it expired. An action that did not change the status leaves the name.
            completed_at (datetime.datetime | None):
            columns (list[Column] | None): How each column of an uploaded CSV or XLSX was read (the first 100); null where
                there was no table, or its titles were not found.
            holds (list[DistributionHold]): What keeps some of its messages pending, each hold with the scope of its cause.
                The other messages continue. When none are left, the status is `paused`, except for Meta's daily limit. A hold
                ends by itself once its cause has ended; `resume` checks it at once.
            reached (int): How many rows reached their person: the message itself, its fallback or a resend was delivered or
                read. Each row counts once.
            fallback (DistributionFallback | None): Null if none was asked for.
    """

    distribution_id: str
    campaign_id: str
    name: None | str
    channel: Channel
    status: DistributionStatus
    status_reason: None | StatusReason
    status_reason_text: None | str
    accepted: int
    rejected: int
    duplicates: int
    counts: Counts
    by_reason: DistributionByReason
    segments: int | None
    prices: list[CountryPrice]
    starts_at: datetime.datetime | None
    estimated_end: datetime.datetime | None
    warnings: list[Warning_]
    errors: list[FieldError]
    created_at: datetime.datetime
    created_by: None | str
    confirmed_by: None | str
    controlled_by: None | str
    completed_at: datetime.datetime | None
    columns: list[Column] | None
    holds: list[DistributionHold]
    reached: int
    fallback: DistributionFallback | None

    def to_dict(self) -> dict[str, Any]:
        from ..models.distribution_fallback import DistributionFallback  # noqa: PLC0415

        distribution_id = self.distribution_id

        campaign_id = self.campaign_id

        name: None | str
        name = self.name

        channel = self.channel.value

        status = self.status.value

        status_reason: None | str
        if isinstance(self.status_reason, StatusReason):
            status_reason = self.status_reason.value
        else:
            status_reason = self.status_reason

        status_reason_text: None | str
        status_reason_text = self.status_reason_text

        accepted = self.accepted

        rejected = self.rejected

        duplicates = self.duplicates

        counts = self.counts.to_dict()

        by_reason = self.by_reason.to_dict()

        segments: int | None
        segments = self.segments

        prices = []
        for prices_item_data in self.prices:
            prices_item = prices_item_data.to_dict()
            prices.append(prices_item)

        starts_at: None | str
        if isinstance(self.starts_at, datetime.datetime):
            starts_at = self.starts_at.isoformat()
        else:
            starts_at = self.starts_at

        estimated_end: None | str
        if isinstance(self.estimated_end, datetime.datetime):
            estimated_end = self.estimated_end.isoformat()
        else:
            estimated_end = self.estimated_end

        warnings = []
        for warnings_item_data in self.warnings:
            warnings_item = warnings_item_data.to_dict()
            warnings.append(warnings_item)

        errors = []
        for errors_item_data in self.errors:
            errors_item = errors_item_data.to_dict()
            errors.append(errors_item)

        created_at = self.created_at.isoformat()

        created_by: None | str
        created_by = self.created_by

        confirmed_by: None | str
        confirmed_by = self.confirmed_by

        controlled_by: None | str
        controlled_by = self.controlled_by

        completed_at: None | str
        if isinstance(self.completed_at, datetime.datetime):
            completed_at = self.completed_at.isoformat()
        else:
            completed_at = self.completed_at

        columns: list[dict[str, Any]] | None
        if isinstance(self.columns, list):
            columns = []
            for columns_type_0_item_data in self.columns:
                columns_type_0_item = columns_type_0_item_data.to_dict()
                columns.append(columns_type_0_item)

        else:
            columns = self.columns

        holds = []
        for holds_item_data in self.holds:
            holds_item = holds_item_data.to_dict()
            holds.append(holds_item)

        reached = self.reached

        fallback: dict[str, Any] | None
        if isinstance(self.fallback, DistributionFallback):
            fallback = self.fallback.to_dict()
        else:
            fallback = self.fallback

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "distribution_id": distribution_id,
                "campaign_id": campaign_id,
                "name": name,
                "channel": channel,
                "status": status,
                "status_reason": status_reason,
                "status_reason_text": status_reason_text,
                "accepted": accepted,
                "rejected": rejected,
                "duplicates": duplicates,
                "counts": counts,
                "by_reason": by_reason,
                "segments": segments,
                "prices": prices,
                "starts_at": starts_at,
                "estimated_end": estimated_end,
                "warnings": warnings,
                "errors": errors,
                "created_at": created_at,
                "created_by": created_by,
                "confirmed_by": confirmed_by,
                "controlled_by": controlled_by,
                "completed_at": completed_at,
                "columns": columns,
                "holds": holds,
                "reached": reached,
                "fallback": fallback,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.column import Column  # noqa: PLC0415
        from ..models.country_price import CountryPrice  # noqa: PLC0415
        from ..models.counts import Counts  # noqa: PLC0415
        from ..models.distribution_by_reason import DistributionByReason  # noqa: PLC0415
        from ..models.distribution_fallback import DistributionFallback  # noqa: PLC0415
        from ..models.distribution_hold import DistributionHold  # noqa: PLC0415
        from ..models.field_error import FieldError  # noqa: PLC0415
        from ..models.warning import Warning_  # noqa: PLC0415

        d = dict(src_dict)
        distribution_id = d.pop("distribution_id")

        campaign_id = d.pop("campaign_id")

        def _parse_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        name = _parse_name(d.pop("name"))

        channel = Channel(d.pop("channel"))

        status = DistributionStatus(d.pop("status"))

        def _parse_status_reason(data: object) -> None | StatusReason:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                status_reason_type_0 = StatusReason(data)

                return status_reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | StatusReason, data)

        status_reason = _parse_status_reason(d.pop("status_reason"))

        def _parse_status_reason_text(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        status_reason_text = _parse_status_reason_text(d.pop("status_reason_text"))

        accepted = d.pop("accepted")

        rejected = d.pop("rejected")

        duplicates = d.pop("duplicates")

        counts = Counts.from_dict(d.pop("counts"))

        by_reason = DistributionByReason.from_dict(d.pop("by_reason"))

        def _parse_segments(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        segments = _parse_segments(d.pop("segments"))

        prices = []
        _prices = d.pop("prices")
        for prices_item_data in _prices:
            prices_item = CountryPrice.from_dict(prices_item_data)

            prices.append(prices_item)

        def _parse_starts_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                starts_at_type_0 = datetime.datetime.fromisoformat(data)

                return starts_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        starts_at = _parse_starts_at(d.pop("starts_at"))

        def _parse_estimated_end(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                estimated_end_type_0 = datetime.datetime.fromisoformat(data)

                return estimated_end_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        estimated_end = _parse_estimated_end(d.pop("estimated_end"))

        warnings = []
        _warnings = d.pop("warnings")
        for warnings_item_data in _warnings:
            warnings_item = Warning_.from_dict(warnings_item_data)

            warnings.append(warnings_item)

        errors = []
        _errors = d.pop("errors")
        for errors_item_data in _errors:
            errors_item = FieldError.from_dict(errors_item_data)

            errors.append(errors_item)

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_created_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        created_by = _parse_created_by(d.pop("created_by"))

        def _parse_confirmed_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        confirmed_by = _parse_confirmed_by(d.pop("confirmed_by"))

        def _parse_controlled_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        controlled_by = _parse_controlled_by(d.pop("controlled_by"))

        def _parse_completed_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                completed_at_type_0 = datetime.datetime.fromisoformat(data)

                return completed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        completed_at = _parse_completed_at(d.pop("completed_at"))

        def _parse_columns(data: object) -> list[Column] | None:
            if data is None:
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                columns_type_0 = []
                _columns_type_0 = data
                for columns_type_0_item_data in _columns_type_0:
                    columns_type_0_item = Column.from_dict(columns_type_0_item_data)

                    columns_type_0.append(columns_type_0_item)

                return columns_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Column] | None, data)

        columns = _parse_columns(d.pop("columns"))

        holds = []
        _holds = d.pop("holds")
        for holds_item_data in _holds:
            holds_item = DistributionHold.from_dict(holds_item_data)

            holds.append(holds_item)

        reached = d.pop("reached")

        def _parse_fallback(data: object) -> DistributionFallback | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                fallback_type_0 = DistributionFallback.from_dict(data)

                return fallback_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(DistributionFallback | None, data)

        fallback = _parse_fallback(d.pop("fallback"))

        distribution = cls(
            distribution_id=distribution_id,
            campaign_id=campaign_id,
            name=name,
            channel=channel,
            status=status,
            status_reason=status_reason,
            status_reason_text=status_reason_text,
            accepted=accepted,
            rejected=rejected,
            duplicates=duplicates,
            counts=counts,
            by_reason=by_reason,
            segments=segments,
            prices=prices,
            starts_at=starts_at,
            estimated_end=estimated_end,
            warnings=warnings,
            errors=errors,
            created_at=created_at,
            created_by=created_by,
            confirmed_by=confirmed_by,
            controlled_by=controlled_by,
            completed_at=completed_at,
            columns=columns,
            holds=holds,
            reached=reached,
            fallback=fallback,
        )

        return distribution
