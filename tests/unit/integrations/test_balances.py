"""Whether the remaining units suffice: shown before a campaign is confirmed, and not shown if the balance is
unknown."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from shared.api.texts.sentences import Language, TextKind, text
from shared.base.refusal import ApiWarning
from shared.integrations.balances import Balance, units_warnings
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Channel
from tests.fakes.office import DEMO, SMS, Office, recipient
from tests.fakes.orange import FakeBalances


def warned(remaining: Sequence[Balance] | SendError, segments: Mapping[str, int]) -> tuple[tuple[ApiWarning, ...], int]:
    balances = FakeBalances()
    balances.answer = remaining
    return asyncio.run(units_warnings(balances, SMS, segments)), balances.asked


def warning(country: str, needed: int, available: int) -> ApiWarning:
    facts = {"country": country, "needed": str(needed), "available": str(available)}
    return ApiWarning(code="units_insufficient", count=needed - available, facts=facts)


def missing(*countries: str) -> ApiWarning:
    return ApiWarning(code="units_missing", facts={"without_units": ", ".join(countries)})


@pytest.mark.parametrize(
    ("remaining", "segments", "warnings"),
    [
        ([Balance(country="SN", units=10)], {"SN": 10}, ()),
        ([Balance(country="SN", units=9)], {"SN": 10}, (warning("SN", 10, 9),)),
        ([Balance(country="SN", units=0, ended=True)], {"SN": 1}, (warning("SN", 1, 0), missing("SN"))),
        (
            [Balance(country="SN", units=99), Balance(country="ML", units=1)],
            {"SN": 1, "CI": 2, "BF": 1, "ML": 2},
            (warning("BF", 1, 0), warning("CI", 2, 0), warning("ML", 2, 1), missing("BF", "CI")),
        ),
        ([], {"SN": 1}, (warning("SN", 1, 0), missing("SN"))),
        (SendError(Kind.RETRY, "contracts_unreadable"), {"SN": 1}, ()),
        (SendError(Kind.STOP, "401/41", "token_invalid"), {"SN": 1}, ()),
    ],
)
def test_warnings(
    remaining: Sequence[Balance] | SendError, segments: Mapping[str, int], warnings: tuple[ApiWarning, ...]
) -> None:
    assert warned(remaining, segments) == (warnings, 1)


@pytest.mark.parametrize("segments", [{}, {"SN": 0}])
def test_without_rows_orange_is_not_asked(segments: Mapping[str, int]) -> None:
    assert warned([], segments) == ((), 0)


@pytest.mark.parametrize(("language", "words"), [("en", "Needed: 12"), ("fr", "12")])
def test_the_warning_names_country_need_and_rest(language: Language, words: str) -> None:
    reported = text(TextKind.WARNING, "units_insufficient", language, warning("SN", 12, 5).facts)
    assert words in reported
    assert "5" in reported


def planned(office: Office, channel: Channel = Channel.SMS) -> list[ApiWarning]:
    rows = [recipient(1), recipient(2), recipient(3, phone="+2250700000003")]
    distribution = office.run(office.planning().create(office.new_distribution(rows, channel=channel)))
    assert distribution.planned is not None
    return [one for one in distribution.planned.warnings if one.code == "units_insufficient"]


def test_a_plan_counts_segments_by_country() -> None:
    office = Office()
    office.integrations.kept[DEMO, "sms"] = SMS
    office.balances.answer = [Balance(country="SN", units=0), Balance(country="CI", units=1_000)]
    [reported] = planned(office)
    assert reported.facts["country"] == "SN"
    assert int(reported.facts["needed"]) == reported.count
    assert int(reported.facts["needed"]) >= 2


def test_a_plan_for_whatsapp_does_not_ask_orange() -> None:
    office = Office()
    office.balances.answer = []
    assert planned(office, Channel.WHATSAPP) == []
    assert office.balances.asked == 0


@pytest.mark.parametrize(("language", "words"), [("en", "Guinea, Mali"), ("fr", "Guinée, Mali")])
def test_the_countries_without_units_are_named(language: Language, words: str) -> None:
    reported = text(TextKind.WARNING, "units_missing", language, missing("GN", "ML").facts)
    assert words in reported
    assert "price is set" not in reported
    assert "prix n’est" not in reported


def test_a_plan_tells_missing_units_and_missing_prices_apart() -> None:
    office = Office()
    office.integrations.kept[DEMO, "sms"] = SMS
    office.balances.answer = [Balance(country="SN", units=1_000)]
    rows = [recipient(1), recipient(2, phone="+2250700000003")]
    plan = office.run(office.planning().create(office.new_distribution(rows))).planned
    both = [warning for warning in plan.warnings if warning.code == "units_missing"]
    assert both == [ApiWarning(code="units_missing", count=2, facts={"unpriced": "CI, SN"}), missing("CI")]
