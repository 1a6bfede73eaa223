from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.balance import Balance
    from ..models.health_check import HealthCheck
    from ..models.template_review import TemplateReview


T = TypeVar("T", bound="ChannelHealth")


@_attrs_define
class ChannelHealth:
    """
    Attributes:
        ok (bool): Whether every check is ok.
        checks (list[HealthCheck]):
        sender (None | str): The name that recipients see.
        quality (None | str): Meta's rating of the number: GREEN, YELLOW, RED or UNKNOWN.
        daily_limit (int | None): People in any 24 hours outside their sessions.
        used_24h (int | None):
        templates (list[TemplateReview] | None):
        balances (list[Balance] | None):
    """

    ok: bool
    checks: list[HealthCheck]
    sender: None | str
    quality: None | str
    daily_limit: int | None
    used_24h: int | None
    templates: list[TemplateReview] | None
    balances: list[Balance] | None

    def to_dict(self) -> dict[str, Any]:
        ok = self.ok

        checks = []
        for checks_item_data in self.checks:
            checks_item = checks_item_data.to_dict()
            checks.append(checks_item)

        sender: None | str
        sender = self.sender

        quality: None | str
        quality = self.quality

        daily_limit: int | None
        daily_limit = self.daily_limit

        used_24h: int | None
        used_24h = self.used_24h

        templates: list[dict[str, Any]] | None
        if isinstance(self.templates, list):
            templates = []
            for templates_type_0_item_data in self.templates:
                templates_type_0_item = templates_type_0_item_data.to_dict()
                templates.append(templates_type_0_item)

        else:
            templates = self.templates

        balances: list[dict[str, Any]] | None
        if isinstance(self.balances, list):
            balances = []
            for balances_type_0_item_data in self.balances:
                balances_type_0_item = balances_type_0_item_data.to_dict()
                balances.append(balances_type_0_item)

        else:
            balances = self.balances

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "ok": ok,
                "checks": checks,
                "sender": sender,
                "quality": quality,
                "daily_limit": daily_limit,
                "used_24h": used_24h,
                "templates": templates,
                "balances": balances,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.balance import Balance  # noqa: PLC0415
        from ..models.health_check import HealthCheck  # noqa: PLC0415
        from ..models.template_review import TemplateReview  # noqa: PLC0415

        d = dict(src_dict)
        ok = d.pop("ok")

        checks = []
        _checks = d.pop("checks")
        for checks_item_data in _checks:
            checks_item = HealthCheck.from_dict(checks_item_data)

            checks.append(checks_item)

        def _parse_sender(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        sender = _parse_sender(d.pop("sender"))

        def _parse_quality(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        quality = _parse_quality(d.pop("quality"))

        def _parse_daily_limit(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        daily_limit = _parse_daily_limit(d.pop("daily_limit"))

        def _parse_used_24h(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        used_24h = _parse_used_24h(d.pop("used_24h"))

        def _parse_templates(data: object) -> list[TemplateReview] | None:
            if data is None:
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                templates_type_0 = []
                _templates_type_0 = data
                for templates_type_0_item_data in _templates_type_0:
                    templates_type_0_item = TemplateReview.from_dict(templates_type_0_item_data)

                    templates_type_0.append(templates_type_0_item)

                return templates_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[TemplateReview] | None, data)

        templates = _parse_templates(d.pop("templates"))

        def _parse_balances(data: object) -> list[Balance] | None:
            if data is None:
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                balances_type_0 = []
                _balances_type_0 = data
                for balances_type_0_item_data in _balances_type_0:
                    balances_type_0_item = Balance.from_dict(balances_type_0_item_data)

                    balances_type_0.append(balances_type_0_item)

                return balances_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Balance] | None, data)

        balances = _parse_balances(d.pop("balances"))

        channel_health = cls(
            ok=ok,
            checks=checks,
            sender=sender,
            quality=quality,
            daily_limit=daily_limit,
            used_24h=used_24h,
            templates=templates,
            balances=balances,
        )

        return channel_health
