"""All workers of an organisation share one token, also if workers start, die, or ask at the same time."""

import asyncio
import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import override

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.integrations.integration import SmsIntegration, StoredToken
from shared.providers.orange.client import Tokens
from tests.fakes.orange import FakeTokenStore
from tests.fakes.world import KilledError, Points
from tests.unit.providers.making import NOON, Provider, ok, secret, sms

SMS = sms()


class Orange(Provider):
    """Gives a new token each time. `living`: the valid ones. With `single` a new token ends the others."""

    def __init__(self, *, single: bool = False, expires_in: object = "3600") -> None:
        super().__init__()
        self.given: list[str] = []
        self.living: set[str] = set()
        self._single = single
        self._expires_in = expires_in

    @override
    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        value = f"token-{len(self.given) + 1}"
        self.given.append(value)
        self.living = {value} if self._single else {*self.living, value}
        return ok({"access_token": value, "expires_in": self._expires_in})


class AdapterRig:
    def __init__(self, *, single: bool = False, expires_in: object = "3600") -> None:
        self.now: datetime = NOON
        self.points = Points()
        self.orange = Orange(single=single, expires_in=expires_in)
        self.token_store = FakeTokenStore(self.points)
        asyncio.run(self.token_store.open(SMS.organisation))

    def worker(self) -> Tokens:
        return Tokens(self.orange.http(), "https://api.orange.example", lambda: self.now, self.token_store)

    def token(self, worker: Tokens, integration: SmsIntegration = SMS, *, refused: str | None = None) -> str:
        return asyncio.run(worker.token(integration, refused=refused))


@pytest.mark.parametrize("expires_in", ["3600", 3600])
def test_a_new_worker_reads_the_token_of_another(expires_in: object) -> None:
    adapter = AdapterRig(expires_in=expires_in)
    warm = adapter.worker()
    assert [adapter.token(worker) for worker in (warm, adapter.worker(), adapter.worker(), warm)] == ["token-1"] * 4
    assert (adapter.points.passed["token_store.read"], adapter.points.passed["token_store.put"]) == (3, 1)


def test_a_token_is_refreshed_once_for_all_before_it_expires() -> None:
    adapter = AdapterRig()
    workers = [adapter.worker() for _ in range(3)]
    assert {adapter.token(worker) for worker in workers} == {"token-1"}
    adapter.now = NOON + timedelta(seconds=3540)
    assert {adapter.token(worker) for worker in workers} == {"token-2"}
    assert adapter.orange.given == ["token-1", "token-2"]


def test_after_a_refusal_the_token_store_is_read_before_orange_is_asked() -> None:
    adapter = AdapterRig()
    one, other = adapter.worker(), adapter.worker()
    assert adapter.token(one) == adapter.token(other) == "token-1"
    assert adapter.token(one, refused="token-1") == "token-2"
    assert adapter.token(other, refused="token-1") == "token-2"
    assert adapter.orange.given == ["token-1", "token-2"]


def test_new_credentials_never_get_the_old_token() -> None:
    adapter = AdapterRig()
    adapter.token(adapter.worker())
    changed = replace(SMS, client_secret=secret("another"))
    assert adapter.token(adapter.worker(), changed) == "token-2"
    assert adapter.token(adapter.worker(), changed) == "token-2"
    assert adapter.token(adapter.worker(), replace(SMS, organisation="other")) == "token-3"


def test_without_a_token_store_each_worker_has_its_own() -> None:
    adapter = AdapterRig()
    asyncio.run(adapter.token_store.remove(SMS.organisation))
    worker = adapter.worker()
    assert [adapter.token(worker), adapter.token(worker), adapter.token(adapter.worker())] == [
        "token-1",
        "token-1",
        "token-2",
    ]


def test_workers_that_ask_at_once_share_one_token() -> None:
    adapter = AdapterRig()
    workers = [adapter.worker() for _ in range(5)]

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(worker.token(SMS) for worker in workers))

    asyncio.run(all_at_once())
    assert adapter.token(adapter.worker()) in adapter.orange.given
    assert len({adapter.token(worker) for worker in workers} | {adapter.token(adapter.worker())}) == 1


@given(st.booleans(), st.integers(1, 4), st.data())
def test_every_token_that_is_used_is_good_after_one_refusal(
    single: bool,
    count: int,
    data: st.DataObject,
) -> None:
    """Even if Orange ends the older token with each new one. A worker's token may be invalid: then it asks once."""
    adapter = AdapterRig(single=single)
    workers = [adapter.worker() for _ in range(count)]
    for _ in range(data.draw(st.integers(1, 8))):
        adapter.now += timedelta(seconds=data.draw(st.sampled_from([0, 1, 1800, 3540, 3600])))
        worker = workers[data.draw(st.integers(0, count - 1))]
        held = adapter.token(worker)
        if held not in adapter.orange.living:
            held = adapter.token(worker, refused=held)
        assert held in adapter.orange.living


@pytest.mark.parametrize("point", [("token_store.read", 1), ("token_store.put", 1)])
def test_a_worker_that_dies_leaves_the_token_store_usable(point: tuple[str, int]) -> None:
    adapter = AdapterRig()
    adapter.points.kill_before = point
    with pytest.raises(KilledError):
        adapter.token(adapter.worker())
    adapter.points.kill_before = None
    survivors = [adapter.token(adapter.worker()) for _ in range(2)]
    assert survivors[0] == survivors[1]


def test_a_worker_that_is_always_overtaken_keeps_its_own_token() -> None:
    adapter = AdapterRig()
    serial = itertools.count()

    class Busy(FakeTokenStore):
        @override
        async def read(self, organisation: str, application: str) -> StoredToken:
            found = await super().read(organisation, application)
            version, owner, token = self.tokens_by_organisation[organisation]
            self.tokens_by_organisation[organisation] = (version + 1 + next(serial), owner, token)
            return found

    adapter.token_store = Busy(Points())
    asyncio.run(adapter.token_store.open(SMS.organisation))
    assert adapter.token(adapter.worker()) == "token-1"
