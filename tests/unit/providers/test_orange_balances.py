"""The remaining units of the contracts: one calculation for planning, health and the sender."""

import asyncio
from datetime import datetime, timedelta

import httpx2
import pytest

from shared.integrations.balances import Balance, Shortage, shortages
from shared.messages.errors import Kind, SendError
from shared.providers.orange.client import Contract, OrangeBalances, OrangeSender, balances_in, what_is_missing
from tests.fakes.orange import FakeTokenStore
from tests.fakes.world import Points
from tests.unit.providers.making import NOON, Answer, Provider, ok, sms

DAY = timedelta(days=1)


def contract(units: int, days: float | None = 1, *, country: str = "SN", active: bool = True) -> Contract:
    expires_at = NOON + timedelta(days=days) if days is not None else None
    return Contract(country=country, units=units, expires_at=expires_at, active=active)


@pytest.mark.parametrize(
    ("contracts", "units", "expires_at", "missing"),
    [
        ([contract(5), contract(7, 3)], 12, NOON + DAY, None),
        ([contract(5), contract(7, -1)], 5, NOON + DAY, None),
        ([contract(5), contract(7, active=False)], 5, NOON + DAY, None),
        ([contract(5), contract(0, 0.5)], 5, NOON + DAY, None),
        ([contract(5), contract(-3)], 5, NOON + DAY, None),
        ([contract(5, None)], 5, None, None),
        ([contract(5, None), contract(1)], 6, NOON + DAY, None),
        ([contract(0)], 0, None, "balance_empty"),
        ([contract(5, 0)], 0, NOON, "contract_expired"),
        ([contract(5, -2), contract(5, -1)], 0, NOON - DAY, "contract_expired"),
        ([contract(5, active=False)], 0, NOON + DAY, "contract_expired"),
        ([contract(5, -1), contract(0)], 0, NOON - DAY, "contract_expired"),
    ],
)
def test_the_units_of_a_countrys_contracts_are_summed(
    contracts: list[Contract], units: int, expires_at: datetime | None, missing: str | None
) -> None:
    [balance] = balances_in(contracts, NOON)
    assert (balance.units, balance.expires_at, balance.ended) == (units, expires_at, missing == "contract_expired")
    assert what_is_missing(contracts, "SN", NOON) == missing


def test_countries_are_counted_separately() -> None:
    listed = [contract(5), contract(7, country="CI")]
    assert [(balance.country, balance.units) for balance in balances_in(listed, NOON)] == [("SN", 5), ("CI", 7)]
    assert what_is_missing(listed, "ML", NOON) == "balance_empty"


def test_shortages() -> None:
    remaining = [Balance(country="SN", units=10), Balance(country="CI", units=3)]
    assert shortages(remaining, {"SN": 10, "CI": 4, "ML": 1}) == [
        Shortage(country="CI", needed=4, available=3),
        Shortage(country="ML", needed=1, available=0),
    ]


def ask(**answers: list[Answer]) -> list[Balance]:
    orange = Provider(token=[ok({"access_token": "t", "expires_in": 3600})], **answers)
    sender = OrangeSender(orange.http(), "https://api.orange.example", lambda: NOON, FakeTokenStore(Points()))
    return list(asyncio.run(OrangeBalances(sender, lambda: NOON).of(sms())))


def test_balances_come_from_the_contracts() -> None:
    row = {"country": "SEN", "availableUnits": 3, "status": "ACTIVE", "expirationDate": "2026-11-24T12:00:00.000Z"}
    assert ask(contracts=[ok([row])]) == [Balance(country="SN", units=3, expires_at=NOON + DAY)]
    assert ask(contracts=[ok([])]) == []


@pytest.mark.parametrize(
    "answer", [httpx2.Response(200, content=b"<html>"), httpx2.Response(500), ok({"code": 1}, 401)]
)
def test_contracts_that_cannot_be_read_raise(answer: Answer) -> None:
    with pytest.raises(SendError):
        ask(contracts=[answer])


def test_a_slow_answer_of_orange_is_not_awaited() -> None:
    class Hanging(OrangeSender):
        async def contracts(self, integration: object) -> list[Contract]:
            await asyncio.Event().wait()
            return []

    sender = Hanging(Provider().http(), "https://x.example", lambda: NOON, FakeTokenStore(Points()))
    with pytest.raises(SendError) as caught:
        asyncio.run(OrangeBalances(sender, lambda: NOON, patience=0).of(sms()))
    assert caught.value.kind is Kind.RETRY
