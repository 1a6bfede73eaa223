"""The recipients of a campaign: an upload of invented people, and the same people for the checker."""

import csv
import io
from collections.abc import Mapping, Sequence

from local.sample.people import person
from tests.simulation.evidence import Person
from tests.stack.programme import Json

COLUMNS = ("phone", "first_name", "last_name", "card_code", "enrollment_id", "language", "consent")
TEXT = {"text": "Bonjour {first_name}, votre carte : {verification_url}", "sms_encoding": "gsm7"}
TEMPLATE = {"template": {"name": "vaccination_card"}}


def upload(name: str, rows: Sequence[tuple[str, str]]) -> bytes:
    """A register's CSV file. `rows`: country and last four digits. The enrolment ID stands for the card."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row, (country, tail) in enumerate(rows, start=1):
        one = person(country, tail)
        writer.writerow(
            (one.number, one.first_name, one.last_name, one.card_code, enrolment(name, row), "fr", "true"),
        )
    return out.getvalue().encode()


def people(name: str, rows: Sequence[tuple[str, str]], channel: str, *, off_peak: bool) -> list[Person]:
    """The same people for the checker, in the same order. `distribution` follows once there is one."""
    return [
        Person(
            card=enrolment(name, row),
            number=person(country, tail).number,
            country=country,
            channel=channel,
            distribution=None,
            not_before=None,
            off_peak=off_peak,
            consent=True,
            skips=False,
            granted_at=None,
            answered=None,
        )
        for row, (country, tail) in enumerate(rows, start=1)
    ]


def request(name: str, channel: str, cards_url: str, *, off_peak: bool) -> Json:
    """The body of the request for an upload."""
    defaults: Mapping[str, str] = {"verification_url": "https://v.example.org/c/{card_code}"}
    if channel == "whatsapp":
        picture = {"card_image": f"{cards_url}/DKR-VAC-CHAOS.png", "programme_name": "PEV", "issue_date": "29/10/2026"}
        defaults = {**defaults, **picture}
    return {
        "campaign_id": name,
        "channel": channel,
        "content": TEXT if channel == "sms" else TEMPLATE,
        "defaults": defaults,
        **({"schedule": {"mode": "off_peak"}} if off_peak else {}),
    }


def enrolment(name: str, row: int) -> str:
    """The enrolment ID of a row, counted from 1."""
    return f"{name}-{row:05}"
