from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.language import Language
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.consent_grant import ConsentGrant


T = TypeVar("T", bound="Defaults")


@_attrs_define
class Defaults:
    """For recipients without these fields.

    Attributes:
        programme_name (None | str | Unset):
        issue_date (None | str | Unset):
        verification_url (None | str | Unset):
        card_image (None | str | Unset):
        language (Language | None | Unset):
        consent (bool | ConsentGrant | None | Unset):
    """

    programme_name: None | str | Unset = UNSET
    issue_date: None | str | Unset = UNSET
    verification_url: None | str | Unset = UNSET
    card_image: None | str | Unset = UNSET
    language: Language | None | Unset = UNSET
    consent: bool | ConsentGrant | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.consent_grant import ConsentGrant  # noqa: PLC0415

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

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if programme_name is not UNSET:
            field_dict["programme_name"] = programme_name
        if issue_date is not UNSET:
            field_dict["issue_date"] = issue_date
        if verification_url is not UNSET:
            field_dict["verification_url"] = verification_url
        if card_image is not UNSET:
            field_dict["card_image"] = card_image
        if language is not UNSET:
            field_dict["language"] = language
        if consent is not UNSET:
            field_dict["consent"] = consent

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.consent_grant import ConsentGrant  # noqa: PLC0415

        d = dict(src_dict)

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

        defaults = cls(
            programme_name=programme_name,
            issue_date=issue_date,
            verification_url=verification_url,
            card_image=card_image,
            language=language,
            consent=consent,
        )

        return defaults
