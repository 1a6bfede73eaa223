"""Consent: recorded one by one or by the thousand, looked up by number. A number never stands in a URL or an item."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.clock import Clock
from shared.domain.consent import Consent, ConsentState, not_after
from shared.domain.ids import NumberKey
from shared.domain.masking import without_numbers
from shared.domain.phone import PhoneError, PhoneNumber, normalise
from shared.domain.refusal import Fault, ProblemCode, Refusal
from shared.usecases.ports import Integrations, People
from shared.usecases.setting import default_country


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEntry:
    """One person's word, as the request tells it. `recorded_at` None: now; what lies ahead is now as well."""

    phone: str = field(repr=False)
    granted: bool
    source: str
    recorded_at: datetime | None


class Numbers:
    """Finds people by a number that somebody wrote."""

    def __init__(self, integrations: Integrations, number_key: NumberKey) -> None:
        self._integrations = integrations
        self._number_key = number_key

    async def person(self, organisation: str, raw: str) -> str:
        """The keyed hash; a national number is read by the default country.

        Raises Refusal for a number that cannot be read.
        """
        try:
            phone = normalise(raw, await default_country(self._integrations, organisation))
        except PhoneError as error:
            raise Refusal(ProblemCode.UNPROCESSABLE, (Fault(field="phone", code=error.code),)) from None
        return self._number_key.person(organisation, phone.e164)


class Consents:
    """Records and looks up."""

    def __init__(self, people: People, integrations: Integrations, number_key: NumberKey, clock: Clock) -> None:
        self._people = people
        self._integrations = integrations
        self._number_key = number_key
        self._numbers = Numbers(integrations, number_key)
        self._clock = clock

    async def record(self, organisation: str, entries: Sequence[ConsentEntry], *, several: bool) -> None:
        """Keep all of them, or none: raises Refusal with every row whose number cannot be read."""
        country = await default_country(self._integrations, organisation)
        now = self._clock.now()
        faults: list[Fault] = []
        consents: dict[str, list[Consent]] = defaultdict(list)
        for number, entry in enumerate(entries, start=1):
            try:
                phone = normalise(entry.phone, country)
            except PhoneError as error:
                faults.append(Fault(field="phone", code=error.code, row=number if several else None))
                continue
            state = ConsentState.GRANTED if entry.granted else ConsentState.REVOKED
            at = not_after(entry.recorded_at or now, now)
            consent = Consent(state=state, recorded_at=at, source=without_numbers(entry.source))
            consents[self._person(organisation, phone)].append(consent)
        if faults:
            raise Refusal(ProblemCode.UNPROCESSABLE, tuple(faults))
        # A thousand one after the other would outlast the gateway's patience; one person's words keep their order.
        await asyncio.gather(*(self._keep(organisation, person, words) for person, words in consents.items()))

    async def _keep(self, organisation: str, person: str, words: Iterable[Consent]) -> None:
        for word in words:
            await self._people.record(organisation, person, word)

    async def look_up(self, organisation: str, raw: str) -> Consent | None:
        """The recorded word; None where nothing is known. Raises Refusal for a number that cannot be read."""
        person = await self._numbers.person(organisation, raw)
        return (await self._people.consents(organisation, [person])).get(person)

    def _person(self, organisation: str, phone: PhoneNumber) -> str:
        return self._number_key.person(organisation, phone.e164)
