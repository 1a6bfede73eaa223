from __future__ import annotations

from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.template_content import TemplateContent
    from ..models.text_content import TextContent


T = TypeVar("T", bound="Fallback")


@_attrs_define
class Fallback:
    """At most one SMS in place of a WhatsApp message that failed or did not arrive in time; never after it was delivered
    or read. `content` is the message's own if absent: a text, or a template that exists as SMS. The SMS passes the same
    gate and is logged as a message of its own (`parent_message_id` names the first, `distribution_id` is the first
    one's).

    The SMS ends as failed, `cancelled`, if the first message arrives before the SMS is sent or if its distribution is
    cancelled. A message whose fallback has begun or is due is not resent (409). The SMS is stored with the message. If
    it cannot be composed, the row keeps its WhatsApp message and counts in the warning `fallback_invalid`; POST
    /v1/messages refuses it (422).

        Attributes:
            channel (Literal['sms']): From WhatsApp to SMS only.
            after_minutes (int): Minutes after `sent_at` without delivery, at most 7 days. A failure that is the
                recipient's, and an outcome that is unknown after 24 hours, start it at once. An opt-out, a cancel or an erasure
                never starts it.
            content (None | TemplateContent | TextContent | Unset): Left out: the message's own.
    """

    channel: Literal["sms"]
    after_minutes: int
    content: None | TemplateContent | TextContent | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.template_content import TemplateContent  # noqa: PLC0415
        from ..models.text_content import TextContent  # noqa: PLC0415

        channel = self.channel

        after_minutes = self.after_minutes

        content: dict[str, Any] | None | Unset
        if isinstance(self.content, Unset):
            content = UNSET
        elif isinstance(self.content, TextContent):
            content = self.content.to_dict()
        elif isinstance(self.content, TemplateContent):
            content = self.content.to_dict()
        else:
            content = self.content

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "channel": channel,
                "after_minutes": after_minutes,
            }
        )
        if content is not UNSET:
            field_dict["content"] = content

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.template_content import TemplateContent  # noqa: PLC0415
        from ..models.text_content import TextContent  # noqa: PLC0415

        d = dict(src_dict)
        channel = cast(Literal["sms"], d.pop("channel"))
        if channel != "sms":
            raise ValueError(f"channel must match const 'sms', got '{channel}'")

        after_minutes = d.pop("after_minutes")

        def _parse_content(data: object) -> None | TemplateContent | TextContent | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_content_type_0 = TextContent.from_dict(data)

                return componentsschemas_content_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_content_type_1 = TemplateContent.from_dict(data)

                return componentsschemas_content_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | TemplateContent | TextContent | Unset, data)

        content = _parse_content(d.pop("content", UNSET))

        fallback = cls(
            channel=channel,
            after_minutes=after_minutes,
            content=content,
        )

        return fallback
