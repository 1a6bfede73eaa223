"""Eligibility of rows: which rows can be read, composed and sent. Preview, planning and single sends use the same code,
so they agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import FieldError
from shared.duplicates.dedupe_key import DedupeKey, dedupe_key
from shared.integrations.integration import Dhis2Integration
from shared.messages.payload import Mode, Payload
from shared.policy.consent import given_in
from shared.policy.gate import GateInput, Go, Never, NotBefore, gate
from shared.policy.ports import People, Sessions
from shared.recipients.countries import covered_names
from shared.recipients.number_key import NumberKey
from shared.recipients.recipient import RecipientError, read_recipient
from shared.texts.composition import Composed, CompositionError, Setting, compose, compose_again, with_fallback
from shared.texts.content import Content, FallbackOrder

_FIELD_OF = {"consent_missing": "consent", "template_required": "content.text"}
"""The field of a gate's reason, for reasons that are not about the phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all rows of a request have in common. `not_before`: the requested start."""

    content: Content
    setting: Setting
    defaults: Mapping[str, JsonValue] = field(repr=False)
    dhis2: Dhis2Integration | None
    phone_number_id: str | None = None
    """The WhatsApp number whose sessions count; None for SMS."""
    not_before: datetime | None = None
    fallback: FallbackOrder | None = None
    received_at: datetime | None = None
    """When the request came. The consents in its rows have this time of receipt, because a file is planned later and
    perhaps twice. None means now.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is stored of a row that is planned again. `recipient` is masked; `payload` None: it was erased."""

    recipient: str
    enrollment_id: str | None
    payload: Payload | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as it was read. `field_error` is set if it could not be read. Rows count from 1; 0: its number is unknown.

    `line`: the line of the file where the row begins, from 1; None if the source has no lines. `weight`: about the
    number of characters that the row takes in its file; 0 for a row of a request.
    """

    number: int
    raw: JsonObject | None = field(repr=False)
    field_error: FieldError | None = None
    line: int | None = None
    weight: int = field(default=0, compare=False)
    stored: Stored | None = None
    """Instead of `raw`, for a row that is planned again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A row that may be sent, now or from `scheduled_for` on."""

    row: int
    composed: Composed
    person: str
    scheduled_for: datetime | None

    @property
    def dedupe_key(self) -> DedupeKey:
        """The key that finds the same message in other rows and distributions."""
        composed = self.composed
        return dedupe_key(self.person, composed.card_code, composed.enrollment_id, composed.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that may not be sent, with all reasons. They carry the row, the enrolment and the masked recipient."""

    row: int
    recipient: str | None
    field_errors: tuple[FieldError, ...]


class Eligibility:
    """Checks rows. It reads the consents of many rows at once."""

    def __init__(self, people: People, sessions: Sessions, number_key: NumberKey) -> None:
        self._people = people
        self._sessions = sessions
        self._number_key = number_key

    async def check_rows(
        self, organisation: str, rows: Sequence[Row], frame: Frame, now: datetime
    ) -> list[Accepted | Rejected]:
        """One result per row, in the same order."""
        read = [_composed(row, frame, frame.received_at or now) for row in rows]
        persons = {
            row.number: self._number_key.person(organisation, one.phone.e164)
            for row, one in zip(rows, read, strict=True)
            if isinstance(one, Composed)
        }
        consents = await self._people.consents(organisation, set(persons.values()))
        sessions = await self._open_sessions(organisation, frame, set(persons.values()))
        row_results: list[Accepted | Rejected] = []
        for row, one in zip(rows, read, strict=True):
            if isinstance(one, Rejected):
                row_results.append(one)
                continue
            person = persons[row.number]
            gate_input = GateInput(
                channel=frame.setting.channel,
                country=one.phone.country,
                given=given_in(one.payload),
                recorded=consents.get(person),
                not_before=frame.not_before,
                session_text=one.payload.mode is Mode.SESSION,
                session_until=sessions.get(person),
            )
            row_results.append(_row_result(row, one, person, gate_input, now))
        return row_results

    async def _open_sessions(self, organisation: str, frame: Frame, persons: set[str]) -> Mapping[str, datetime]:
        """The ends of the persons' sessions. Read only if the content is a free WhatsApp text.

        The organisation's default template does not help here: outside a session the text is refused, because the
        officer can still choose another content.
        """
        if frame.phone_number_id is None or frame.content.template is not None or not persons:
            return {}
        return await self._sessions.open_until(organisation, frame.phone_number_id, persons)


def _composed(row: Row, frame: Frame, received_at: datetime) -> Composed | Rejected:
    if row.stored is not None and row.stored.payload is not None:
        return _composed_again(row, row.stored, row.stored.payload, frame)
    if row.raw is None:
        field_error = row.field_error or FieldError(field="row", code="row_unreadable", facts={"unread": "broken"})
        if row.stored is not None:
            return _rejected(row, (field_error,), row.stored.recipient, row.stored.enrollment_id)
        return _rejected(row, (field_error,), None, None)
    enrollment: str | None = None
    try:
        recipient = read_recipient(row.raw, frame.defaults, frame.dhis2, received_at)
        enrollment = recipient.enrollment_id
        composed = compose(recipient, frame.content, frame.setting)
        return with_fallback(composed, recipient, frame.fallback, frame.setting) if frame.fallback else composed
    except RecipientError as error:
        return _rejected(row, error.field_errors, None, error.enrollment_id)
    except CompositionError as error:
        return _rejected(row, error.field_errors, error.masked, enrollment)


def _composed_again(row: Row, stored: Stored, payload: Payload, frame: Frame) -> Composed | Rejected:
    try:
        return compose_again(payload, stored.enrollment_id, frame.setting)
    except CompositionError as error:
        return _rejected(row, error.field_errors, stored.recipient, stored.enrollment_id)


def _row_result(row: Row, composed: Composed, person: str, gate_input: GateInput, now: datetime) -> Accepted | Rejected:
    match gate(gate_input, now):
        case Go():
            return Accepted(row=row.number, composed=composed, person=person, scheduled_for=None)
        case NotBefore(at=at):
            return Accepted(row=row.number, composed=composed, person=person, scheduled_for=at)
        case Never(reason=reason):
            return _rejected(row, (field_error_of(reason),), composed.phone.masked, composed.enrollment_id)


def field_error_of(reason: str) -> FieldError:
    """The gate's reason as an error for the API's answer."""
    facts = {"countries_fr": covered_names("fr"), "countries_en": covered_names("en")}
    return FieldError(field=_FIELD_OF.get(reason, "phone"), code=reason, facts=facts)


def _rejected(row: Row, field_errors: tuple[FieldError, ...], masked: str | None, enrollment: str | None) -> Rejected:
    reported = tuple(
        replace(field_error, row=row.number or None, line=row.line, recipient=masked, enrollment_id=enrollment)
        for field_error in field_errors
    )
    return Rejected(row=row.number, recipient=masked, field_errors=reported)
