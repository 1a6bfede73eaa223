from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.channel import Channel
from ..models.message_status import MessageStatus
from ..models.reason import Reason
from ..models.via import Via

if TYPE_CHECKING:
    from ..models.hold import Hold
    from ..models.price import Price


T = TypeVar("T", bound="Message")


@_attrs_define
class Message:
    """A message of the log, without personal data.

    Attributes:
        message_id (str):
        timestamp (datetime.datetime): When it was accepted.
        channel (Channel): How a message reaches the person.
        status (MessageStatus): How far a message is.
        reason (None | Reason): Why it failed, or what is wrong with it.
        reason_text (None | str): The reason as a sentence, with what to do, in the language asked for; null without a
            reason.
        provider_message_id (None | str): Meta's ID with the number in it blanked, or Orange's ID.
        recipient (str): Masked: country code, two digits, three asterisks, the last four.
        country (str): The country of the number, ISO 3166-1. An answer to a person may go to a country that is not
            covered; `001` is unknown.
        campaign_id (None | str):
        enrollment_id (None | str):
        template (None | str): The name of the template that it was made with. A text whose session had closed shows the
            template that it went as. Null: a text of the client's own.
        language (None | str): The language of its text, ISO 639-1: `fr`, `en`, or that of an own template. Null: the
            request does not say it.
        distribution_id (None | str): For the rows of a distribution and for their fallbacks.
        parent_message_id (None | str): For a resend, a row of a retry, or a fallback: the message that it replaces.
        successor_message_id (None | str): For a failed message that was sent again, by a resend or a retry: the message
            that took its place.
        segments (int | None):
        price (None | Price):
        scheduled_for (datetime.datetime | None):
        sent_at (datetime.datetime | None):
        delivered_at (datetime.datetime | None):
        read_at (datetime.datetime | None):
        failed_at (datetime.datetime | None):
        attempts (int):
        next_attempt_at (datetime.datetime | None): When we look at it next, if it waits for a time; null while a hold
            or its distribution keeps it waiting.
        hold (Hold | None): The hold that keeps it pending; null if there is none.
        via (Via): How a message was made.
        created_by (None | str): The person or program that asked for it: `sub` of the token, or `client_id`. A row has
            its distribution's; `system` is what the product sends by itself; null: the token named none.
    """

    message_id: str
    timestamp: datetime.datetime
    channel: Channel
    status: MessageStatus
    reason: None | Reason
    reason_text: None | str
    provider_message_id: None | str
    recipient: str
    country: str
    campaign_id: None | str
    enrollment_id: None | str
    template: None | str
    language: None | str
    distribution_id: None | str
    parent_message_id: None | str
    successor_message_id: None | str
    segments: int | None
    price: None | Price
    scheduled_for: datetime.datetime | None
    sent_at: datetime.datetime | None
    delivered_at: datetime.datetime | None
    read_at: datetime.datetime | None
    failed_at: datetime.datetime | None
    attempts: int
    next_attempt_at: datetime.datetime | None
    hold: Hold | None
    via: Via
    created_by: None | str

    def to_dict(self) -> dict[str, Any]:
        from ..models.hold import Hold  # noqa: PLC0415
        from ..models.price import Price  # noqa: PLC0415

        message_id = self.message_id

        timestamp = self.timestamp.isoformat()

        channel = self.channel.value

        status = self.status.value

        reason: None | str
        if isinstance(self.reason, Reason):
            reason = self.reason.value
        else:
            reason = self.reason

        reason_text: None | str
        reason_text = self.reason_text

        provider_message_id: None | str
        provider_message_id = self.provider_message_id

        recipient = self.recipient

        country = self.country

        campaign_id: None | str
        campaign_id = self.campaign_id

        enrollment_id: None | str
        enrollment_id = self.enrollment_id

        template: None | str
        template = self.template

        language: None | str
        language = self.language

        distribution_id: None | str
        distribution_id = self.distribution_id

        parent_message_id: None | str
        parent_message_id = self.parent_message_id

        successor_message_id: None | str
        successor_message_id = self.successor_message_id

        segments: int | None
        segments = self.segments

        price: dict[str, Any] | None
        if isinstance(self.price, Price):
            price = self.price.to_dict()
        else:
            price = self.price

        scheduled_for: None | str
        if isinstance(self.scheduled_for, datetime.datetime):
            scheduled_for = self.scheduled_for.isoformat()
        else:
            scheduled_for = self.scheduled_for

        sent_at: None | str
        if isinstance(self.sent_at, datetime.datetime):
            sent_at = self.sent_at.isoformat()
        else:
            sent_at = self.sent_at

        delivered_at: None | str
        if isinstance(self.delivered_at, datetime.datetime):
            delivered_at = self.delivered_at.isoformat()
        else:
            delivered_at = self.delivered_at

        read_at: None | str
        if isinstance(self.read_at, datetime.datetime):
            read_at = self.read_at.isoformat()
        else:
            read_at = self.read_at

        failed_at: None | str
        if isinstance(self.failed_at, datetime.datetime):
            failed_at = self.failed_at.isoformat()
        else:
            failed_at = self.failed_at

        attempts = self.attempts

        next_attempt_at: None | str
        if isinstance(self.next_attempt_at, datetime.datetime):
            next_attempt_at = self.next_attempt_at.isoformat()
        else:
            next_attempt_at = self.next_attempt_at

        hold: dict[str, Any] | None
        if isinstance(self.hold, Hold):
            hold = self.hold.to_dict()
        else:
            hold = self.hold

        via = self.via.value

        created_by: None | str
        created_by = self.created_by

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "message_id": message_id,
                "timestamp": timestamp,
                "channel": channel,
                "status": status,
                "reason": reason,
                "reason_text": reason_text,
                "provider_message_id": provider_message_id,
                "recipient": recipient,
                "country": country,
                "campaign_id": campaign_id,
                "enrollment_id": enrollment_id,
                "template": template,
                "language": language,
                "distribution_id": distribution_id,
                "parent_message_id": parent_message_id,
                "successor_message_id": successor_message_id,
                "segments": segments,
                "price": price,
                "scheduled_for": scheduled_for,
                "sent_at": sent_at,
                "delivered_at": delivered_at,
                "read_at": read_at,
                "failed_at": failed_at,
                "attempts": attempts,
                "next_attempt_at": next_attempt_at,
                "hold": hold,
                "via": via,
                "created_by": created_by,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.hold import Hold  # noqa: PLC0415
        from ..models.price import Price  # noqa: PLC0415

        d = dict(src_dict)
        message_id = d.pop("message_id")

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        channel = Channel(d.pop("channel"))

        status = MessageStatus(d.pop("status"))

        def _parse_reason(data: object) -> None | Reason:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = Reason(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Reason, data)

        reason = _parse_reason(d.pop("reason"))

        def _parse_reason_text(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reason_text = _parse_reason_text(d.pop("reason_text"))

        def _parse_provider_message_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        provider_message_id = _parse_provider_message_id(d.pop("provider_message_id"))

        recipient = d.pop("recipient")

        country = d.pop("country")

        def _parse_campaign_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        campaign_id = _parse_campaign_id(d.pop("campaign_id"))

        def _parse_enrollment_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        enrollment_id = _parse_enrollment_id(d.pop("enrollment_id"))

        def _parse_template(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        template = _parse_template(d.pop("template"))

        def _parse_language(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        language = _parse_language(d.pop("language"))

        def _parse_distribution_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        distribution_id = _parse_distribution_id(d.pop("distribution_id"))

        def _parse_parent_message_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        parent_message_id = _parse_parent_message_id(d.pop("parent_message_id"))

        def _parse_successor_message_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        successor_message_id = _parse_successor_message_id(d.pop("successor_message_id"))

        def _parse_segments(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        segments = _parse_segments(d.pop("segments"))

        def _parse_price(data: object) -> None | Price:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                price_type_0 = Price.from_dict(data)

                return price_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Price, data)

        price = _parse_price(d.pop("price"))

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

        def _parse_sent_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                sent_at_type_0 = datetime.datetime.fromisoformat(data)

                return sent_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        sent_at = _parse_sent_at(d.pop("sent_at"))

        def _parse_delivered_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                delivered_at_type_0 = datetime.datetime.fromisoformat(data)

                return delivered_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        delivered_at = _parse_delivered_at(d.pop("delivered_at"))

        def _parse_read_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                read_at_type_0 = datetime.datetime.fromisoformat(data)

                return read_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        read_at = _parse_read_at(d.pop("read_at"))

        def _parse_failed_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                failed_at_type_0 = datetime.datetime.fromisoformat(data)

                return failed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        failed_at = _parse_failed_at(d.pop("failed_at"))

        attempts = d.pop("attempts")

        def _parse_next_attempt_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_attempt_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_attempt_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        next_attempt_at = _parse_next_attempt_at(d.pop("next_attempt_at"))

        def _parse_hold(data: object) -> Hold | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                hold_type_0 = Hold.from_dict(data)

                return hold_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Hold | None, data)

        hold = _parse_hold(d.pop("hold"))

        via = Via(d.pop("via"))

        def _parse_created_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        created_by = _parse_created_by(d.pop("created_by"))

        message = cls(
            message_id=message_id,
            timestamp=timestamp,
            channel=channel,
            status=status,
            reason=reason,
            reason_text=reason_text,
            provider_message_id=provider_message_id,
            recipient=recipient,
            country=country,
            campaign_id=campaign_id,
            enrollment_id=enrollment_id,
            template=template,
            language=language,
            distribution_id=distribution_id,
            parent_message_id=parent_message_id,
            successor_message_id=successor_message_id,
            segments=segments,
            price=price,
            scheduled_for=scheduled_for,
            sent_at=sent_at,
            delivered_at=delivered_at,
            read_at=read_at,
            failed_at=failed_at,
            attempts=attempts,
            next_attempt_at=next_attempt_at,
            hold=hold,
            via=via,
            created_by=created_by,
        )

        return message
