"""A recipient as the request, a file or DHIS2 tells of one. Nothing here is judged but its shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.base.instants import rfc3339, rfc3339_or_none
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import FieldError
from shared.integrations.integration import Dhis2Integration
from shared.policy.consent import CLOCK_TOLERANCE, Given, is_too_far_ahead, not_after
from shared.recipients.dhis2 import NotActiveError, fields_of
from shared.recipients.references import is_reference
from shared.texts.characters import carriable, carriable_values
from shared.texts.variables import VARIABLES

TEXT_FIELDS = ("phone", *VARIABLES, "card_image", "enrollment_id", "language")

FIELDS = (*TEXT_FIELDS, "card_generated_at", "consent")

LANGUAGES = ("fr", "en")

_YES = frozenset({"true", "1", "yes", "oui", "vrai"})

_NO = frozenset({"false", "0", "no", "non", "faux"})
"""api.md, Fields of a recipient. Excel in French writes VRAI and FAUX."""


class RecipientError(Exception):
    """The row cannot be read as a recipient; `field_errors` say why. `enrollment_id` is the row's where it could be
    read."""

    def __init__(self, field_errors: tuple[FieldError, ...], enrollment_id: str | None) -> None:
        super().__init__(field_errors)
        self.field_errors = field_errors
        self.enrollment_id = enrollment_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person and card. `values` are the variables' values, as they will be shown."""

    phone: str = field(repr=False)
    values: Mapping[str, str | None] = field(repr=False)
    card_image: str | None = field(repr=False)
    card_generated_at: datetime | None
    enrollment_id: str | None
    language: str | None
    given: Given
    characters_removed: bool = False
    """Whether a value held characters that no message can carry."""


def read_recipient(
    raw: Mapping[str, JsonValue],
    defaults: Mapping[str, JsonValue],
    dhis2: Dhis2Integration | None,
    received_at: datetime,
) -> Recipient:
    """The recipient in a row: what the row says wins over DHIS2's attributes, those over the defaults.

    `received_at`: when the request came; a date of consent may hardly be later. Raises `RecipientError` with every
    fault found.
    """
    field_errors = [
        FieldError(field=name, code="field_unknown") for name in raw if name not in FIELDS and name != "dhis2"
    ]
    merged: dict[str, JsonValue] = dict(defaults)
    entity = raw.get("dhis2")
    if isinstance(entity, dict) and dhis2 is not None:
        merged |= _fields_of(entity, dhis2, field_errors)
    elif entity is not None:
        field_errors.append(FieldError(field="dhis2", code="field_invalid"))
    merged |= {name: value for name, value in raw.items() if name in FIELDS and _filled(value)}
    if isinstance(entity, dict) and dhis2 is not None and "phone" in dhis2.attributes and "phone" not in merged:
        # DHIS2's UID of the attribute is no personal data.
        facts = {"attribute": dhis2.attributes["phone"]}
        field_errors.append(FieldError(field="phone", code="dhis2_attribute_missing", facts=facts))
    values = carriable_values(merged)
    reading = _Reading(values, received_at)
    recipient = reading.recipient()
    field_errors += reading.field_errors
    if field_errors:
        raise RecipientError(tuple(field_errors), recipient.enrollment_id)
    return replace(recipient, characters_removed=True) if values != merged else recipient


def _fields_of(record: JsonObject, dhis2: Dhis2Integration, field_errors: Sequence[FieldError]) -> JsonObject:
    """What a record that counts says. Of one that does not, nothing else is told: it is not to be mended here."""
    try:
        return fields_of(record, dhis2)
    except NotActiveError as error:
        field_error = FieldError(field="dhis2", code="dhis2_not_active", facts=error.facts)
        its = error.enrollment_id
        raise RecipientError(
            (*field_errors, field_error), its if its is not None and is_reference(its) else None
        ) from None


def _filled(value: JsonValue) -> bool:
    return value is not None and not (isinstance(value, str) and not carriable(value).strip())


class _Reading:
    """Takes fields out of a merged row and keeps what is wrong with them."""

    def __init__(self, merged: Mapping[str, JsonValue], received_at: datetime) -> None:
        self._merged = merged
        self._received_at = received_at
        self.field_errors: list[FieldError] = []

    def recipient(self) -> Recipient:
        texts = {name: self._text(name) for name in TEXT_FIELDS}
        return Recipient(
            phone=texts["phone"] or "",
            values={name: texts[name] for name in VARIABLES},
            card_image=texts["card_image"],
            card_generated_at=self._generated_at(self._merged.get("card_generated_at")),
            enrollment_id=self._enrollment(texts["enrollment_id"]),
            language=self._language(texts["language"]),
            given=self._given(self._merged.get("consent")),
        )

    def _wrong(self, name: str) -> None:
        self.field_errors.append(FieldError(field=name, code="field_invalid"))

    def _text(self, name: str) -> str | None:
        value = self._merged.get(name)
        if value is None or isinstance(value, str):
            return value.strip() or None if value else None
        self._wrong(name)
        return None

    def _enrollment(self, value: str | None) -> str | None:
        if value is not None and not is_reference(value):
            self.field_errors.append(
                FieldError(field="enrollment_id", code="field_invalid", facts={"format": "identifier"})
            )
            return None
        return value

    def _language(self, value: str | None) -> str | None:
        if value is not None and value.lower() not in LANGUAGES:
            self._wrong("language")
            return None
        return value.lower() if value else None

    def _generated_at(self, value: JsonValue) -> datetime | None:
        if not _filled(value):
            return None
        instant = parse_instant(value)
        if instant is None:
            self._wrong("card_generated_at")
        return instant

    def _given(self, value: JsonValue) -> Given:
        if isinstance(value, dict):
            return Given(granted=True, at=self._granted_at(value), received_at=self._received_at)
        if isinstance(value, bool) or not _filled(value):
            return Given(granted=value if isinstance(value, bool) else None)
        word = str(value).strip().lower()
        if word not in _YES | _NO:
            self._wrong("consent")
        return Given(granted=word in _YES)

    def _granted_at(self, value: Mapping[str, JsonValue]) -> datetime | None:
        """The date of a grant, at the latest the time of the request."""
        at = parse_instant(value.get("granted_at"))
        if at is None:
            self._wrong("consent")
            return None
        if is_too_far_ahead(at, self._received_at):
            self.field_errors.append(ahead("consent.granted_at", self._received_at))
        return not_after(at, self._received_at)


def ahead(field: str, now: datetime) -> FieldError:
    """What is told of a date of consent that lies too far ahead."""
    latest = (now + CLOCK_TOLERANCE).replace(microsecond=0)
    return FieldError(field=field, code="field_invalid", facts={"latest": rfc3339(latest)})


def parse_instant(value: JsonValue) -> datetime | None:
    """An RFC 3339 instant in UTC, or None: one without a zone names no instant. Files may write a blank for the T."""
    return rfc3339_or_none(value.strip().replace(" ", "T", 1)) if isinstance(value, str) else None
