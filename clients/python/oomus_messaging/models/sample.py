from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.message_mode import MessageMode

T = TypeVar("T", bound="Sample")


@_attrs_define
class Sample:
    """An accepted row as the phone will show it. Its text and the address of its card hold personal data.

    Attributes:
        row (int): Counts from 1.
        recipient (str): Masked.
        mode (MessageMode): What is sent: a template, a text in an open WhatsApp session, or an SMS.
        text (str): What the person will read.
        language (None | str): The language of the template, or the recipient's; null with a free text for a recipient
            without a language.
        segments (int | None): Null for WhatsApp.
        card_image (None | str): The picture; null without one, and for SMS.
        scheduled_for (datetime.datetime | None): When the row may leave: the start that was asked for, or the end of
            quiet or peak hours in its country. Null: now, or it has been released.
    """

    row: int
    recipient: str
    mode: MessageMode
    text: str
    language: None | str
    segments: int | None
    card_image: None | str
    scheduled_for: datetime.datetime | None

    def to_dict(self) -> dict[str, Any]:
        row = self.row

        recipient = self.recipient

        mode = self.mode.value

        text = self.text

        language: None | str
        language = self.language

        segments: int | None
        segments = self.segments

        card_image: None | str
        card_image = self.card_image

        scheduled_for: None | str
        if isinstance(self.scheduled_for, datetime.datetime):
            scheduled_for = self.scheduled_for.isoformat()
        else:
            scheduled_for = self.scheduled_for

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "row": row,
                "recipient": recipient,
                "mode": mode,
                "text": text,
                "language": language,
                "segments": segments,
                "card_image": card_image,
                "scheduled_for": scheduled_for,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        row = d.pop("row")

        recipient = d.pop("recipient")

        mode = MessageMode(d.pop("mode"))

        text = d.pop("text")

        def _parse_language(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        language = _parse_language(d.pop("language"))

        def _parse_segments(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        segments = _parse_segments(d.pop("segments"))

        def _parse_card_image(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        card_image = _parse_card_image(d.pop("card_image"))

        def _parse_scheduled_for(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                scheduled_for_type_0 = datetime.datetime.fromisoformat(data)

                return scheduled_for_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        scheduled_for = _parse_scheduled_for(d.pop("scheduled_for"))

        sample = cls(
            row=row,
            recipient=recipient,
            mode=mode,
            text=text,
            language=language,
            segments=segments,
            card_image=card_image,
            scheduled_for=scheduled_for,
        )

        return sample
