from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.channel import Channel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.defaults import Defaults
    from ..models.fallback import Fallback
    from ..models.recipient import Recipient
    from ..models.schedule import Schedule
    from ..models.template_content import TemplateContent
    from ..models.text_content import TextContent


T = TypeVar("T", bound="DistributionOrder")


@_attrs_define
class DistributionOrder:
    """Needs either `recipients` or `upload_id`.

    Attributes:
        campaign_id (str): The front end's reference of the campaign; no personal data. A phone number is refused (see
            the Identifier rule in the introduction).
        channel (Channel): How a message reaches the person.
        content (TemplateContent | TextContent): A text or a template.
        name (None | str | Unset): What people call it, in one line; no personal data. A phone number is refused (8
            digits or more; write a date as 2026-11-30).
        recipients (list[Recipient] | None | Unset): At most 5,000, and 4 MB for the whole body (4,000,000 bytes); more
            is 413 `use_upload`.
        upload_id (None | str | Unset): From POST /v1/uploads.
        defaults (Defaults | None | Unset):
        schedule (None | Schedule | Unset):
        fallback (Fallback | None | Unset):
        confirm (bool | None | Unset): Send without a separate confirmation. Default: False.
        skip_already_sent (bool | None | Unset): Skip rows that the campaign has sent already. A row counts as a
            duplicate if a message of this campaign that has not failed has it, or a confirmed distribution is still to send
            it. Rows are compared like the rows of one file (see Distribution). Unconfirmed distributions do not count.

            The check runs at planning and again before a row is logged: a row found only then is accepted and ends as
            `failed` with the reason `already_sent`. If two distributions ask for it, the one that begins to send first
            sends the rows that both have. Default: False.
    """

    campaign_id: str
    channel: Channel
    content: TemplateContent | TextContent
    name: None | str | Unset = UNSET
    recipients: list[Recipient] | None | Unset = UNSET
    upload_id: None | str | Unset = UNSET
    defaults: Defaults | None | Unset = UNSET
    schedule: None | Schedule | Unset = UNSET
    fallback: Fallback | None | Unset = UNSET
    confirm: bool | None | Unset = False
    skip_already_sent: bool | None | Unset = False

    def to_dict(self) -> dict[str, Any]:
        from ..models.defaults import Defaults  # noqa: PLC0415
        from ..models.fallback import Fallback  # noqa: PLC0415
        from ..models.schedule import Schedule  # noqa: PLC0415
        from ..models.text_content import TextContent  # noqa: PLC0415

        campaign_id = self.campaign_id

        channel = self.channel.value

        content: dict[str, Any]
        if isinstance(self.content, TextContent):
            content = self.content.to_dict()
        else:
            content = self.content.to_dict()

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        recipients: list[dict[str, Any]] | None | Unset
        if isinstance(self.recipients, Unset):
            recipients = UNSET
        elif isinstance(self.recipients, list):
            recipients = []
            for recipients_type_0_item_data in self.recipients:
                recipients_type_0_item = recipients_type_0_item_data.to_dict()
                recipients.append(recipients_type_0_item)

        else:
            recipients = self.recipients

        upload_id: None | str | Unset
        if isinstance(self.upload_id, Unset):
            upload_id = UNSET
        else:
            upload_id = self.upload_id

        defaults: dict[str, Any] | None | Unset
        if isinstance(self.defaults, Unset):
            defaults = UNSET
        elif isinstance(self.defaults, Defaults):
            defaults = self.defaults.to_dict()
        else:
            defaults = self.defaults

        schedule: dict[str, Any] | None | Unset
        if isinstance(self.schedule, Unset):
            schedule = UNSET
        elif isinstance(self.schedule, Schedule):
            schedule = self.schedule.to_dict()
        else:
            schedule = self.schedule

        fallback: dict[str, Any] | None | Unset
        if isinstance(self.fallback, Unset):
            fallback = UNSET
        elif isinstance(self.fallback, Fallback):
            fallback = self.fallback.to_dict()
        else:
            fallback = self.fallback

        confirm: bool | None | Unset
        if isinstance(self.confirm, Unset):
            confirm = UNSET
        else:
            confirm = self.confirm

        skip_already_sent: bool | None | Unset
        if isinstance(self.skip_already_sent, Unset):
            skip_already_sent = UNSET
        else:
            skip_already_sent = self.skip_already_sent

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "campaign_id": campaign_id,
                "channel": channel,
                "content": content,
            }
        )
        if name is not UNSET:
            field_dict["name"] = name
        if recipients is not UNSET:
            field_dict["recipients"] = recipients
        if upload_id is not UNSET:
            field_dict["upload_id"] = upload_id
        if defaults is not UNSET:
            field_dict["defaults"] = defaults
        if schedule is not UNSET:
            field_dict["schedule"] = schedule
        if fallback is not UNSET:
            field_dict["fallback"] = fallback
        if confirm is not UNSET:
            field_dict["confirm"] = confirm
        if skip_already_sent is not UNSET:
            field_dict["skip_already_sent"] = skip_already_sent

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.defaults import Defaults  # noqa: PLC0415
        from ..models.fallback import Fallback  # noqa: PLC0415
        from ..models.recipient import Recipient  # noqa: PLC0415
        from ..models.schedule import Schedule  # noqa: PLC0415
        from ..models.template_content import TemplateContent  # noqa: PLC0415
        from ..models.text_content import TextContent  # noqa: PLC0415

        d = dict(src_dict)
        campaign_id = d.pop("campaign_id")

        channel = Channel(d.pop("channel"))

        def _parse_content(data: object) -> TemplateContent | TextContent:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_content_type_0 = TextContent.from_dict(data)

                return componentsschemas_content_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_content_type_1 = TemplateContent.from_dict(data)

            return componentsschemas_content_type_1

        content = _parse_content(d.pop("content"))

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        def _parse_recipients(data: object) -> list[Recipient] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                recipients_type_0 = []
                _recipients_type_0 = data
                for recipients_type_0_item_data in _recipients_type_0:
                    recipients_type_0_item = Recipient.from_dict(recipients_type_0_item_data)

                    recipients_type_0.append(recipients_type_0_item)

                return recipients_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Recipient] | None | Unset, data)

        recipients = _parse_recipients(d.pop("recipients", UNSET))

        def _parse_upload_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        upload_id = _parse_upload_id(d.pop("upload_id", UNSET))

        def _parse_defaults(data: object) -> Defaults | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                defaults_type_0 = Defaults.from_dict(data)

                return defaults_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Defaults | None | Unset, data)

        defaults = _parse_defaults(d.pop("defaults", UNSET))

        def _parse_schedule(data: object) -> None | Schedule | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                schedule_type_0 = Schedule.from_dict(data)

                return schedule_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Schedule | Unset, data)

        schedule = _parse_schedule(d.pop("schedule", UNSET))

        def _parse_fallback(data: object) -> Fallback | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                fallback_type_0 = Fallback.from_dict(data)

                return fallback_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Fallback | None | Unset, data)

        fallback = _parse_fallback(d.pop("fallback", UNSET))

        def _parse_confirm(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        confirm = _parse_confirm(d.pop("confirm", UNSET))

        def _parse_skip_already_sent(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        skip_already_sent = _parse_skip_already_sent(d.pop("skip_already_sent", UNSET))

        distribution_order = cls(
            campaign_id=campaign_id,
            channel=channel,
            content=content,
            name=name,
            recipients=recipients,
            upload_id=upload_id,
            defaults=defaults,
            schedule=schedule,
            fallback=fallback,
            confirm=confirm,
            skip_already_sent=skip_already_sent,
        )

        return distribution_order
