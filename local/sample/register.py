"""The SMS campaign: the CSV of a register, with phone numbers in all the forms of real registers.

Its default country is Senegal.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.sample.expected import Campaign, Expected, RowDecision
from local.sample.people import PLACES, Person, person

COLUMNS = ("phone", "first_name", "last_name", "card_code", "issue_date", "enrollment_id", "language")
SENDERS = {"EG": "tel:+200000"}
"""Orange publishes no sender address for Egypt. This one is the simulator's (docs/simulators.md)."""
_TEXT = "[PNV] Bonjour {first_name}, votre carte de vaccination est prête. À télécharger : {verification_url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row. `phone` is the text in the register."""

    person: Person
    phone: str
    decision: RowDecision = RowDecision.ACCEPTED
    status: str | None = "delivered"
    reason: str | None = None


def _written(one: Person, how: int) -> str:
    """Write a good number in one of the forms that registers use."""
    digits = one.number.removeprefix("+")
    forms = (
        one.number,
        f"00{digits}",
        digits,
        f"+{digits[:3]} {digits[3:5]} {digits[5:8]} {digits[8:]}",
        f"(+{digits[:3]}) {digits[3:]}",
        f"+{digits[:3]}.{digits[3:6]}.{digits[6:]}",
        f"00 {digits[:3]} {digits[3:6]}-{digits[6:]}",
    )
    return forms[how % len(forms)]


def _good() -> Iterator[Case]:
    at_home = ("77 000 21 01", "770002102", "77-000-21-03", "(77) 000.21.04", "77/000/21/05")
    for place, phone in enumerate(at_home):
        yield Case(person=person("SN", f"210{place + 1}"), phone=phone)
    for how in range(3):
        for place, country in enumerate(each for each in PLACES if each != "SN"):
            one = person(country, f"220{how + 1}")
            yield Case(person=one, phone=_written(one, how * 8 + place))


def _special() -> Iterator[Case]:
    for country, tail in (
        ("SN", "0429"),
        ("CI", "0604"),
        ("ML", "0605"),
        ("GN", "0606"),
        ("CM", "0608"),
        ("TN", "0609"),
    ):
        one = person(country, tail)
        yield Case(person=one, phone=one.number)
    for country, tail, status, reason in (
        ("BF", "0610", "failed", "undeliverable"),
        ("MG", "0611", "sent", None),
        ("SN", "0402", "failed", "outcome_unknown"),
        ("SN", "4002", "failed", "phone_invalid"),
    ):
        one = person(country, tail)
        yield Case(person=one, phone=one.number, status=status, reason=reason)


def _bad() -> Iterator[Case]:
    for country, tail, phone, reason in (
        ("CI", "2301", "+225 07 00 23 01", "phone_obsolete"),
        ("CI", "2302", "22507002302", "phone_obsolete"),
        ("SN", "2301", "N/A", "phone_missing"),
        ("SN", "2302", "", "phone_missing"),
        ("SN", "2303", "77 000 23 03 / 77 000 23 04", "phone_several"),
        ("SN", "2305", "33 800 23 05", "phone_not_mobile"),
        ("SN", "2306", "77 000 23", "phone_invalid"),
        ("ML", "2307", "+227 90 00 23 07", "country_not_covered"),
    ):
        yield Case(person=person(country, tail), phone=phone, decision=RowDecision.REJECTED, status=None, reason=reason)
    for tail, phone in (("2101", "+221770002101"), ("2102", "00221 77 000 21 02")):
        yield Case(person=person("SN", tail), phone=phone, decision=RowDecision.DUPLICATE, status=None)


def _enrollment_id(row: int) -> str:
    return f"REG-{row:04}"


def _csv(cases: Sequence[Case | None]) -> bytes:
    """Write the CSV as Excel saves it in French: semicolons, a byte order mark, and a line of semicolons for a blank
    row.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(COLUMNS)
    for row, case in enumerate(cases, start=1):
        if case is None:
            writer.writerow([""] * len(COLUMNS))
            continue
        one = case.person
        issued = f"{1 + row % 22:02}/11/2026"
        language = "en" if one.country == "EG" else "fr"
        writer.writerow(
            (case.phone, one.first_name, one.last_name, one.card_code, issued, _enrollment_id(row), language)
        )
    return out.getvalue().encode("utf-8-sig")


def sms_campaign() -> Campaign:
    """Return the campaign.

    The duplicates are rows of people who come earlier in the file, with their numbers in another form. Blank rows
    separate the sections of the register. They are no recipients, but the row numbers of errors count them.
    """
    cases = [*_good(), None, *_special(), None, *_bad()]
    expected = tuple(
        Expected(
            row=row,
            decision=case.decision,
            enrollment_id=_enrollment_id(row),
            status=case.status,
            reason=case.reason,
            number=case.person.number if case.decision is RowDecision.ACCEPTED else None,
        )
        for row, case in enumerate(cases, start=1)
        if case is not None
    )
    return Campaign(
        campaign_id="PEV-2026-11-rappels",
        channel="sms",
        form="csv",
        upload=_csv(cases),
        content={"text": _TEXT, "sms_encoding": "gsm7"},
        defaults={"verification_url": "https://v.oomus.health/c/{card_code}"},
        expected=expected,
    )
