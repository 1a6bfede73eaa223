"""Recording consents, one or thousands in a request, and looking one up by number. Numbers are not stored and are not
in URLs: a person is a keyed hash.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.base.instants import Clock
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.integrations.integration import Integrations
from shared.policy.consent import Consent, ConsentState, is_too_far_ahead, not_after
from shared.policy.ports import People
from shared.policy.setting import default_country
from shared.recipients.masking import without_numbers
from shared.recipients.number_key import NumberKey
from shared.recipients.phone import PhoneError, PhoneNumber, normalise_any_form
from shared.recipients.recipient import ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEntry:
    """One consent or revocation in a request. `recorded_at` None means now."""

    phone: str = field(repr=False)
    granted: bool
    source: str
    recorded_at: datetime | None


class Numbers:
    """Finds the person of a phone number as a user types it, also in an older format of the country's numbers."""

    def __init__(self, integrations: Integrations, number_key: NumberKey) -> None:
        self._integrations = integrations
        self._number_key = number_key

    async def person(self, organisation: str, raw: str) -> str:
        """The person's keyed hash. A number without a country code is read as one of the organisation's default
        country.

        Raises Refusal if the number is invalid.
        """
        try:
            phone = normalise_any_form(raw, await default_country(self._integrations, organisation))
        except PhoneError as error:
            raise Refusal(ProblemCode.UNPROCESSABLE, (FieldError(field="phone", code=error.code),)) from None
        return self._number_key.person(organisation, phone.e164)


class Consents:
    """Records and looks up consents."""

    def __init__(self, people: People, integrations: Integrations, number_key: NumberKey, clock: Clock) -> None:
        self._people = people
        self._integrations = integrations
        self._number_key = number_key
        self._numbers = Numbers(integrations, number_key)
        self._clock = clock

    async def record(self, organisation: str, entries: Sequence[ConsentEntry], *, several: bool) -> None:
        """Record all entries or none. Raises Refusal with the rows whose number is invalid or whose date is in the
        future.

        All entries have the same time of receipt, so their dates decide which one counts; without dates, their order
        does.
        """
        country = await default_country(self._integrations, organisation)
        now = self._clock.now()
        field_errors: list[FieldError] = []
        consents: dict[str, list[Consent]] = defaultdict(list)
        for number, entry in enumerate(entries, start=1):
            try:
                phone = normalise_any_form(entry.phone, country)
            except PhoneError as error:
                field_errors.append(FieldError(field="phone", code=error.code, row=number if several else None))
                continue
            if entry.recorded_at is not None and is_too_far_ahead(entry.recorded_at, now):
                field_errors.append(replace(ahead("recorded_at", now), row=number if several else None))
                continue
            person = self._person(organisation, phone)
            consents[person].append(_statement(entry, now, len(consents[person])))
        if field_errors:
            raise Refusal(ProblemCode.UNPROCESSABLE, tuple(field_errors))
        # One after the other, a thousand writes would outlast the gateway's time-out.
        kept = (self._people.record(organisation, person, statements) for person, statements in consents.items())
        await asyncio.gather(*kept)

    async def look_up(self, organisation: str, raw: str) -> Consent | None:
        """The recorded consent that counts; None if nothing is recorded. Raises Refusal if the number is invalid."""
        person = await self._numbers.person(organisation, raw)
        record = (await self._people.consents(organisation, [person])).get(person)
        return record.latest if record is not None else None

    def _person(self, organisation: str, phone: PhoneNumber) -> str:
        return self._number_key.person(organisation, phone.e164)


def _statement(entry: ConsentEntry, now: datetime, position: int) -> Consent:
    """The statement of an entry. `position`: the number of earlier entries for the same person in the request.

    Each entry without a date gets a slightly later time than the one before, so the last one counts.
    """
    received_at = now if entry.recorded_at is not None else now + position * timedelta(microseconds=1)
    return Consent(
        state=ConsentState.GRANTED if entry.granted else ConsentState.REVOKED,
        recorded_at=not_after(entry.recorded_at or received_at, received_at),
        received_at=received_at,
        source=without_numbers(entry.source),
    )
