"""A recipient in a request, a file or an answer of DHIS2's tracker API (reference/dhis2.md), and references of other
systems. This module checks the form only; `shared.policy` decides whether the recipient may get a message.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations

from shared.base.ids import REFERENCE
from shared.base.instants import rfc3339, rfc3339_or_none
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import FieldError
from shared.integrations.integration import Dhis2Integration
from shared.policy.consent import CLOCK_TOLERANCE, Given, is_too_far_ahead, not_after
from shared.texts.content import carriable, carriable_values, unaccented
from shared.texts.templates import VARIABLES

TEXT_FIELDS = ("phone", *VARIABLES, "card_image", "enrollment_id", "language")

FIELDS = (*TEXT_FIELDS, "card_generated_at", "consent")

LANGUAGES = ("fr", "en")

_WORD = re.compile("[a-z]+")

_LANGUAGE_NAMES = {
    **dict.fromkeys(("fr", "fra", "fre", "french", "francais", "francaise"), "fr"),
    **dict.fromkeys(("en", "eng", "english", "anglais", "anglaise"), "en"),
}
"""What registers write, without accents and in small letters: fr_FR and "Français (Sénégal)" begin with one of them."""

_YES = frozenset({"true", "1", "yes", "oui", "vrai"})

_NO = frozenset({"false", "0", "no", "non", "faux"})
"""api.md, Fields of a recipient. Excel in French writes VRAI and FAUX."""


class RecipientError(Exception):
    """The row is no valid recipient; `field_errors` give the reasons. `enrollment_id` is the row's, if it could be
    read.
    """

    def __init__(self, field_errors: tuple[FieldError, ...], enrollment_id: str | None) -> None:
        super().__init__(field_errors)
        self.field_errors = field_errors
        self.enrollment_id = enrollment_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person and card. `values` are the values of the variables, as messages show them."""

    phone: str = field(repr=False)
    values: Mapping[str, str | None] = field(repr=False)
    card_image: str | None = field(repr=False)
    card_generated_at: datetime | None
    enrollment_id: str | None
    language: str | None
    given: Given
    language_fallback: bool = False
    """Whether its language is neither French nor English, so that another one is taken."""
    characters_removed: bool = False
    """Whether a value had characters that no message can carry."""


def read_recipient(
    raw: Mapping[str, JsonValue],
    defaults: Mapping[str, JsonValue],
    dhis2: Dhis2Integration | None,
    received_at: datetime,
) -> Recipient:
    """The recipient of a row. The row's own fields come first, then DHIS2's attributes, then the defaults.

    `received_at`: when the request came; a date of consent may be at most slightly later. Raises `RecipientError` with
    every error found.
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
        # DHIS2's UID of the attribute is not personal data.
        facts = {"attribute": dhis2.attributes["phone"]}
        field_errors.append(FieldError(field="phone", code="dhis2_attribute_missing", facts=facts))
    values = carriable_values(merged)
    reading = _Reading(values, received_at, defaults.get("language"))
    recipient = reading.recipient()
    field_errors += reading.field_errors
    if field_errors:
        raise RecipientError(tuple(field_errors), recipient.enrollment_id)
    return replace(recipient, characters_removed=True) if values != merged else recipient


def _fields_of(record: JsonObject, dhis2: Dhis2Integration, field_errors: Sequence[FieldError]) -> JsonObject:
    """The fields of a DHIS2 record. If the record is not active, only that is reported, because it must be corrected in
    DHIS2.
    """
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
    """Reads fields from a merged row and collects the errors."""

    def __init__(self, merged: Mapping[str, JsonValue], received_at: datetime, default_language: JsonValue) -> None:
        self._merged = merged
        self._received_at = received_at
        self._default_language = default_language
        self.field_errors: list[FieldError] = []

    def recipient(self) -> Recipient:
        texts = {name: self._text(name) for name in TEXT_FIELDS}
        language = language_of(texts["language"] or "")
        return Recipient(
            phone=texts["phone"] or "",
            values={name: texts[name] for name in VARIABLES},
            card_image=texts["card_image"],
            card_generated_at=self._generated_at(self._merged.get("card_generated_at")),
            enrollment_id=self._enrollment(texts["enrollment_id"]),
            language=language or language_of(str(self._default_language or "")),
            language_fallback=texts["language"] is not None and language is None,
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
        """The date of a grant, but never after the time of the request."""
        at = parse_instant(value.get("granted_at"))
        if at is None:
            self._wrong("consent")
            return None
        if is_too_far_ahead(at, self._received_at):
            self.field_errors.append(ahead("consent.granted_at", self._received_at))
        return not_after(at, self._received_at)


def language_of(text: str) -> str | None:
    """The language that a word names, one of `LANGUAGES`; None if it names another one, or none."""
    first = _WORD.search(unaccented(text))
    return _LANGUAGE_NAMES.get(first[0]) if first else None


def ahead(field: str, now: datetime) -> FieldError:
    """The error for a date of consent that is too far in the future."""
    latest = (now + CLOCK_TOLERANCE).replace(microsecond=0)
    return FieldError(field=field, code="field_invalid", facts={"latest": rfc3339(latest)})


def parse_instant(value: JsonValue) -> datetime | None:
    """An RFC 3339 time in UTC, or None. A time without a zone is None. A space may replace the T, as in some files."""
    return rfc3339_or_none(value.strip().replace(" ", "T", 1)) if isinstance(value, str) else None


_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")

_COUNTED = ("ACTIVE", "COMPLETED")
"""The statuses of an enrollment that is used, the preferred one first. A CANCELLED enrollment is never used."""


class NotActiveError(ValueError):
    """The DHIS2 record must not be used: DHIS2 says that it is not active, or it belongs to another programme.

    `facts`: `record` is its UID, `state` says why it is not used, `program` is the UID of the other programme. Each is
    present only if it is known. They contain no personal data.
    """

    def __init__(self, record: JsonObject, **facts: JsonValue) -> None:
        super().__init__("dhis2_not_active")
        reported = {"record": record.get("enrollment") or record.get("trackedEntity"), **facts}
        self.facts: Mapping[str, str] = {
            name: str(value) for name, value in reported.items() if _is_reported(name, value)
        }
        enrollment = record.get("enrollment")
        self.enrollment_id = enrollment if isinstance(enrollment, str) else None


def fields_of(record: JsonObject, integration: Dhis2Integration) -> JsonObject:
    """The mapped attributes as recipient fields, and the enrollment's UID as `enrollment_id`.

    Of several enrollments, the newest ACTIVE one of the mapped programme is used, else the newest COMPLETED one. Its
    attributes have priority over those of the entity, which all programmes share. Raises NotActiveError.
    """
    _refuse_gone(record)
    if "enrollment" in record:
        enrollment: JsonObject | None = _counted([record], integration.program, record)
    else:
        listed = list(_objects(record.get("enrollments")))
        # None: enrollments were not requested, or the entity has none (DHIS2 2.40 then writes an empty list).
        enrollment = _counted(listed, integration.program, record) if listed else None
    values = _attributes(record) | (_attributes(enrollment) if enrollment else {})
    fields: JsonObject = {name: values[uid] for name, uid in integration.attributes.items() if uid in values}
    if enrollment and isinstance(enrollment.get("enrollment"), str):
        fields["enrollment_id"] = enrollment["enrollment"]
    return fields


def _refuse_gone(record: JsonObject) -> None:
    for flag in ("deleted", "inactive"):
        if record.get(flag) is True:
            raise NotActiveError(record, state=flag)


def _counted(enrollments: list[JsonObject], program: str | None, record: JsonObject) -> JsonObject:
    """The enrollment to use. If an export left out `status` or `program`, the enrollment is not refused for that."""
    ours = [one for one in enrollments if program is None or one.get("program") in (None, program)]
    if not ours:
        raise NotActiveError(record, program=max(enrollments, key=_age).get("program"))
    active = [one for one in ours if one.get("deleted") is not True]
    for status in _COUNTED:
        if of_status := [one for one in active if _status(one) == status]:
            return max(of_status, key=_age)
    raise NotActiveError(record, state=_status(max(active, key=_age)).lower() if active else "deleted")


def _status(enrollment: JsonObject) -> str:
    status = enrollment.get("status")
    return status if isinstance(status, str) else _COUNTED[0]


def _age(enrollment: JsonObject) -> tuple[str, str]:
    """A sort key, the newest last. DHIS2 writes all times in its server's zone and in one form."""
    return _text(enrollment.get("enrolledAt")), _text(enrollment.get("createdAt"))


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _is_reported(name: str, value: JsonValue) -> bool:
    """Whether a fact may be reported: only known states and UIDs, because other values could be personal data."""
    if not isinstance(value, str):
        return False
    return value in {"deleted", "inactive", "cancelled"} if name == "state" else _UID.fullmatch(value) is not None


def _is_given(value: JsonValue) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _attributes(holder: JsonObject) -> JsonObject:
    """The values that are not empty, by the attribute's UID."""
    attributes: JsonObject = {}
    for attribute in _objects(holder.get("attributes")):
        uid = attribute.get("attribute")
        if isinstance(uid, str) and _is_given(attribute.get("value")):
            attributes[uid] = attribute.get("value")
    return attributes


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


# References of other systems (organisations, campaigns, enrolments). They contain no personal data. A reference stays
# in the log for months, so it must not be or contain a phone number. Other digits are common in references and are
# allowed: dates, counters, DHIS2's UIDs, UUIDs and other random tokens.


_ONLY_DIGITS = re.compile(r"[0-9_-]{8,20}")

_UUID = re.compile(r"(?<![A-Za-z0-9])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![A-Za-z0-9])")

_DATE = re.compile(
    r"(?<![0-9])(?:"
    r"(?:19|20)[0-9]{2}([-_]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[1-9]|[12][0-9]|3[01])([-_])(?:0[1-9]|1[0-2])\2(?:19|20)[0-9]{2}"
    r")(?![0-9])"
)

_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{16,}(?![A-Za-z0-9])")

_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{16}|[0-9A-Fa-f]{24}|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}")
"""Of 8, 12, 16 or 20 bytes."""

_LONG = 20

_CHANGES = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])")
"""Changes between letters and digits. Random tokens have five to ten."""

_OF_A_NUMBER = 2
"""The changes in a token if a number stands between letters."""

_GROUPS = re.compile(r"[0-9]+(?:[-_][0-9]+)*")

_SHORTEST, _LONGEST = 8, 15
"""Digits of a phone number: from national ones of eight digits (Mali, Burkina Faso, Tunisia) to E.164's maximum."""

_PLACEHOLDER = "x"


def is_reference(value: str) -> bool:
    """Whether `value` may be stored in the log: `[A-Za-z0-9_-]{1,64}` without a phone number.

    - Eight or more digits, alone or with `-` and `_`, count as a phone number.
    - Between letters, eight digits in a row count, except a counter that begins with 00.
    - Between letters, nine to fifteen digits count if they are a mobile number.
    - Digits in groups (`77-000-00-01`) are read together.
    """
    if not REFERENCE.fullmatch(value):
        return False
    rest = _DATE.sub(_PLACEHOLDER, _UUID.sub(_PLACEHOLDER, value))
    if _ONLY_DIGITS.fullmatch(rest):
        return len(_digits(rest)) < _SHORTEST
    rest = _TOKEN.sub(lambda token: _PLACEHOLDER if _is_random(token[0]) else token[0], rest)
    return not any(map(_may_be_number, _groupings(rest)))


def _is_random(token: str) -> bool:
    changes = len(_CHANGES.findall(token))
    if _HEXADECIMAL.fullmatch(token):
        return changes > _OF_A_NUMBER
    return len(token) >= _LONG and changes > _OF_A_NUMBER + 1


def _groupings(text: str) -> Iterator[tuple[str, ...]]:
    """Runs of digits, or neighbouring runs with one separator between them, that together are as long as a number."""
    for found in _GROUPS.finditer(text):
        groups = re.split("[-_]", found[0])
        for first, end in combinations(range(len(groups) + 1), 2):
            if _SHORTEST <= sum(map(len, groups[first:end])) <= _LONGEST:
                yield tuple(groups[first:end])


def _may_be_number(groups: tuple[str, ...]) -> bool:
    digits = "".join(groups)
    if len(digits) > _SHORTEST:
        from shared.recipients.phone import is_mobile_number  # noqa: PLC0415 - at first use, not at every cold start

        return is_mobile_number(digits)
    # Eight digits in groups are a number only if they are grouped like one, 74-07-32-31. CARD-2026-0001 is a counter.
    as_written = len(groups) == 1 or (len(groups) >= 3 and max(map(len, groups)) <= 3)
    return as_written and not digits.startswith("00")


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
