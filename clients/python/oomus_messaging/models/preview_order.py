from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.channel import Channel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.defaults import Defaults
    from ..models.recipient import Recipient
    from ..models.template_content import TemplateContent
    from ..models.text_content import TextContent


T = TypeVar("T", bound="PreviewOrder")


@_attrs_define
class PreviewOrder:
    """
    Attributes:
        channel (Channel): How a message reaches the person.
        content (TemplateContent | TextContent): A text or a template.
        recipients (list[Recipient]):
        defaults (Defaults | None | Unset):
    """

    channel: Channel
    content: TemplateContent | TextContent
    recipients: list[Recipient]
    defaults: Defaults | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.defaults import Defaults  # noqa: PLC0415
        from ..models.text_content import TextContent  # noqa: PLC0415

        channel = self.channel.value

        content: dict[str, Any]
        if isinstance(self.content, TextContent):
            content = self.content.to_dict()
        else:
            content = self.content.to_dict()

        recipients = []
        for recipients_item_data in self.recipients:
            recipients_item = recipients_item_data.to_dict()
            recipients.append(recipients_item)

        defaults: dict[str, Any] | None | Unset
        if isinstance(self.defaults, Unset):
            defaults = UNSET
        elif isinstance(self.defaults, Defaults):
            defaults = self.defaults.to_dict()
        else:
            defaults = self.defaults

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "channel": channel,
                "content": content,
                "recipients": recipients,
            }
        )
        if defaults is not UNSET:
            field_dict["defaults"] = defaults

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.defaults import Defaults  # noqa: PLC0415
        from ..models.recipient import Recipient  # noqa: PLC0415
        from ..models.template_content import TemplateContent  # noqa: PLC0415
        from ..models.text_content import TextContent  # noqa: PLC0415

        d = dict(src_dict)
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

        recipients = []
        _recipients = d.pop("recipients")
        for recipients_item_data in _recipients:
            recipients_item = Recipient.from_dict(recipients_item_data)

            recipients.append(recipients_item)

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

        preview_order = cls(
            channel=channel,
            content=content,
            recipients=recipients,
            defaults=defaults,
        )

        return preview_order
