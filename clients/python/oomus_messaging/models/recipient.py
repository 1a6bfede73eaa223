from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.language import Language
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.consent_grant import ConsentGrant
    from ..models.recipient_dhis_2_type_0 import RecipientDhis2Type0


T = TypeVar("T", bound="Recipient")


@_attrs_define
class Recipient:
    """Needs `phone`, or `dhis2` with a mapped phone. A null field counts as absent.

    Attributes:
        phone (None | str | Unset): National (default country) or international, with spaces, dots, brackets or 00.
        first_name (None | str | Unset):
        last_name (None | str | Unset):
        card_code (None | str | Unset):
        programme_name (None | str | Unset):
        issue_date (None | str | Unset): Shown as given.
        verification_url (None | str | Unset): `{card_code}` in it is replaced.
        card_image (None | str | Unset): `s3://bucket/<organisation_id>/…` in an allowed bucket, or `https://…` on an
            allowed host; any other address is `card_host_not_allowed`. PNG or JPEG, at most 5 MB; WhatsApp needs it.
            `{card_code}` in it is replaced.
        card_generated_at (datetime.datetime | None | Unset): A warning follows if it is older than 24 hours.
        enrollment_id (None | str | Unset): The front end's reference of the enrolment; no personal data. A phone number
            is refused (see the Identifier rule in the introduction).
        language (Language | None | Unset):
        consent (bool | ConsentGrant | None | Unset):
        dhis2 (None | RecipientDhis2Type0 | Unset): A tracked entity or an enrolment as DHIS2's tracker API returns it.
            Mapped attributes fill the fields; a field given directly wins. Of several enrolments the newest ACTIVE one is
            used, of the mapped `program` if one is set; else the newest COMPLETED one. A deleted or CANCELLED enrolment, a
            deleted or inactive tracked entity and another programme's enrolment are `dhis2_not_active`.
    """

    phone: None | str | Unset = UNSET
    first_name: None | str | Unset = UNSET
    last_name: None | str | Unset = UNSET
    card_code: None | str | Unset = UNSET
    programme_name: None | str | Unset = UNSET
    issue_date: None | str | Unset = UNSET
    verification_url: None | str | Unset = UNSET
    card_image: None | str | Unset = UNSET
    card_generated_at: datetime.datetime | None | Unset = UNSET
    enrollment_id: None | str | Unset = UNSET
    language: Language | None | Unset = UNSET
    consent: bool | ConsentGrant | None | Unset = UNSET
    dhis2: None | RecipientDhis2Type0 | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.consent_grant import ConsentGrant  # noqa: PLC0415
        from ..models.recipient_dhis_2_type_0 import RecipientDhis2Type0  # noqa: PLC0415

        phone: None | str | Unset
        if isinstance(self.phone, Unset):
            phone = UNSET
        else:
            phone = self.phone

        first_name: None | str | Unset
        if isinstance(self.first_name, Unset):
            first_name = UNSET
        else:
            first_name = self.first_name

        last_name: None | str | Unset
        if isinstance(self.last_name, Unset):
            last_name = UNSET
        else:
            last_name = self.last_name

        card_code: None | str | Unset
        if isinstance(self.card_code, Unset):
            card_code = UNSET
        else:
            card_code = self.card_code

        programme_name: None | str | Unset
        if isinstance(self.programme_name, Unset):
            programme_name = UNSET
        else:
            programme_name = self.programme_name

        issue_date: None | str | Unset
        if isinstance(self.issue_date, Unset):
            issue_date = UNSET
        else:
            issue_date = self.issue_date

        verification_url: None | str | Unset
        if isinstance(self.verification_url, Unset):
            verification_url = UNSET
        else:
            verification_url = self.verification_url

        card_image: None | str | Unset
        if isinstance(self.card_image, Unset):
            card_image = UNSET
        else:
            card_image = self.card_image

        card_generated_at: None | str | Unset
        if isinstance(self.card_generated_at, Unset):
            card_generated_at = UNSET
        elif isinstance(self.card_generated_at, datetime.datetime):
            card_generated_at = self.card_generated_at.isoformat()
        else:
            card_generated_at = self.card_generated_at

        enrollment_id: None | str | Unset
        if isinstance(self.enrollment_id, Unset):
            enrollment_id = UNSET
        else:
            enrollment_id = self.enrollment_id

        language: None | str | Unset
        if isinstance(self.language, Unset):
            language = UNSET
        elif isinstance(self.language, Language):
            language = self.language.value
        else:
            language = self.language

        consent: bool | dict[str, Any] | None | Unset
        if isinstance(self.consent, Unset):
            consent = UNSET
        elif isinstance(self.consent, ConsentGrant):
            consent = self.consent.to_dict()
        else:
            consent = self.consent

        dhis2: dict[str, Any] | None | Unset
        if isinstance(self.dhis2, Unset):
            dhis2 = UNSET
        elif isinstance(self.dhis2, RecipientDhis2Type0):
            dhis2 = self.dhis2.to_dict()
        else:
            dhis2 = self.dhis2

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if phone is not UNSET:
            field_dict["phone"] = phone
        if first_name is not UNSET:
            field_dict["first_name"] = first_name
        if last_name is not UNSET:
            field_dict["last_name"] = last_name
        if card_code is not UNSET:
            field_dict["card_code"] = card_code
        if programme_name is not UNSET:
            field_dict["programme_name"] = programme_name
        if issue_date is not UNSET:
            field_dict["issue_date"] = issue_date
        if verification_url is not UNSET:
            field_dict["verification_url"] = verification_url
        if card_image is not UNSET:
            field_dict["card_image"] = card_image
        if card_generated_at is not UNSET:
            field_dict["card_generated_at"] = card_generated_at
        if enrollment_id is not UNSET:
            field_dict["enrollment_id"] = enrollment_id
        if language is not UNSET:
            field_dict["language"] = language
        if consent is not UNSET:
            field_dict["consent"] = consent
        if dhis2 is not UNSET:
            field_dict["dhis2"] = dhis2

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.consent_grant import ConsentGrant  # noqa: PLC0415
        from ..models.recipient_dhis_2_type_0 import RecipientDhis2Type0  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_phone(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        phone = _parse_phone(d.pop("phone", UNSET))

        def _parse_first_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        first_name = _parse_first_name(d.pop("first_name", UNSET))

        def _parse_last_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        last_name = _parse_last_name(d.pop("last_name", UNSET))

        def _parse_card_code(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        card_code = _parse_card_code(d.pop("card_code", UNSET))

        def _parse_programme_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        programme_name = _parse_programme_name(d.pop("programme_name", UNSET))

        def _parse_issue_date(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        issue_date = _parse_issue_date(d.pop("issue_date", UNSET))

        def _parse_verification_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        verification_url = _parse_verification_url(d.pop("verification_url", UNSET))

        def _parse_card_image(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        card_image = _parse_card_image(d.pop("card_image", UNSET))

        def _parse_card_generated_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                card_generated_at_type_0 = datetime.datetime.fromisoformat(data)

                return card_generated_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        card_generated_at = _parse_card_generated_at(d.pop("card_generated_at", UNSET))

        def _parse_enrollment_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        enrollment_id = _parse_enrollment_id(d.pop("enrollment_id", UNSET))

        def _parse_language(data: object) -> Language | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                language_type_0 = Language(data)

                return language_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Language | None | Unset, data)

        language = _parse_language(d.pop("language", UNSET))

        def _parse_consent(data: object) -> bool | ConsentGrant | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_consent_given_type_1 = ConsentGrant.from_dict(data)

                return componentsschemas_consent_given_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(bool | ConsentGrant | None | Unset, data)

        consent = _parse_consent(d.pop("consent", UNSET))

        def _parse_dhis2(data: object) -> None | RecipientDhis2Type0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                dhis2_type_0 = RecipientDhis2Type0.from_dict(data)

                return dhis2_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RecipientDhis2Type0 | Unset, data)

        dhis2 = _parse_dhis2(d.pop("dhis2", UNSET))

        recipient = cls(
            phone=phone,
            first_name=first_name,
            last_name=last_name,
            card_code=card_code,
            programme_name=programme_name,
            issue_date=issue_date,
            verification_url=verification_url,
            card_image=card_image,
            card_generated_at=card_generated_at,
            enrollment_id=enrollment_id,
            language=language,
            consent=consent,
            dhis2=dhis2,
        )

        return recipient
