from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.channel import Channel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.fallback import Fallback
    from ..models.recipient import Recipient
    from ..models.template_content import TemplateContent
    from ..models.text_content import TextContent


T = TypeVar("T", bound="MessageOrder")


@_attrs_define
class MessageOrder:
    """
    Attributes:
        channel (Channel): How a message reaches the person.
        campaign_id (str): The front end's reference of the campaign; no personal data. A phone number is refused (see
            the Identifier rule in the introduction).
        recipient (Recipient): Needs `phone`, or `dhis2` with a mapped phone. A null field counts as absent.
        content (TemplateContent | TextContent): A text or a template.
        send_at (datetime.datetime | None | Unset): If left out: now. At most 28 days ahead. A time in the last 60 s
            means now; an earlier one is `send_at_past`.
        fallback (Fallback | None | Unset):
    """

    channel: Channel
    campaign_id: str
    recipient: Recipient
    content: TemplateContent | TextContent
    send_at: datetime.datetime | None | Unset = UNSET
    fallback: Fallback | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.fallback import Fallback  # noqa: PLC0415
        from ..models.text_content import TextContent  # noqa: PLC0415

        channel = self.channel.value

        campaign_id = self.campaign_id

        recipient = self.recipient.to_dict()

        content: dict[str, Any]
        if isinstance(self.content, TextContent):
            content = self.content.to_dict()
        else:
            content = self.content.to_dict()

        send_at: None | str | Unset
        if isinstance(self.send_at, Unset):
            send_at = UNSET
        elif isinstance(self.send_at, datetime.datetime):
            send_at = self.send_at.isoformat()
        else:
            send_at = self.send_at

        fallback: dict[str, Any] | None | Unset
        if isinstance(self.fallback, Unset):
            fallback = UNSET
        elif isinstance(self.fallback, Fallback):
            fallback = self.fallback.to_dict()
        else:
            fallback = self.fallback

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "channel": channel,
                "campaign_id": campaign_id,
                "recipient": recipient,
                "content": content,
            }
        )
        if send_at is not UNSET:
            field_dict["send_at"] = send_at
        if fallback is not UNSET:
            field_dict["fallback"] = fallback

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.fallback import Fallback  # noqa: PLC0415
        from ..models.recipient import Recipient  # noqa: PLC0415
        from ..models.template_content import TemplateContent  # noqa: PLC0415
        from ..models.text_content import TextContent  # noqa: PLC0415

        d = dict(src_dict)
        channel = Channel(d.pop("channel"))

        campaign_id = d.pop("campaign_id")

        recipient = Recipient.from_dict(d.pop("recipient"))

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

        def _parse_send_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                send_at_type_0 = datetime.datetime.fromisoformat(data)

                return send_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        send_at = _parse_send_at(d.pop("send_at", UNSET))

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

        message_order = cls(
            channel=channel,
            campaign_id=campaign_id,
            recipient=recipient,
            content=content,
            send_at=send_at,
            fallback=fallback,
        )

        return message_order
