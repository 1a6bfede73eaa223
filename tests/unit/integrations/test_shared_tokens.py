"""The token store is made and removed together with its integration."""

import asyncio

import pytest

from shared.base.json import JsonObject
from shared.base.refusal import Refusal
from shared.integrations.administration import Administration, AdministrationDeps
from shared.recipients.number_key import NumberKey
from tests.fakes.office import Office
from tests.fakes.orange import FakeTokenStore
from tests.fakes.world import KilledError, Points

BODY: JsonObject = {"client_id": "c", "client_secret": "s", "sender_name": "PNV", "default_country": "SN"}


class AdapterRig:
    def __init__(self) -> None:
        self.points = Points()
        self.token_store = FakeTokenStore(self.points)
        office = Office(points=self.points)
        self.administration = Administration(
            AdministrationDeps(
                integrations=office.integrations,
                templates=office.templates,
                tokens=self.token_store,
                holding=office.holding,
                members=office.members,
                number_key=NumberKey(b"k" * 64),
                draw=lambda: "drawn",
                clock=office.clock,
            )
        )

    def put(self, body: JsonObject = BODY) -> None:
        asyncio.run(self.administration.put("demo", "sms", body))


def test_saving_creates_the_token_store_and_saving_again_empties_it() -> None:
    adapter = AdapterRig()
    adapter.put()
    assert adapter.token_store.tokens_by_organisation == {"demo": (1, "", None)}
    adapter.put({**BODY, "client_secret": "another"})
    assert adapter.token_store.tokens_by_organisation == {"demo": (2, "", None)}


def test_settings_that_are_not_saved_do_not_change_the_token_store() -> None:
    adapter = AdapterRig()
    with pytest.raises(Refusal):
        adapter.put({**BODY, "sender_name": "far too long a name"})
    asyncio.run(adapter.administration.put("demo", "dhis2", {"attributes": {"phone": "aBcDeFgHiJk"}}))
    assert adapter.token_store.tokens_by_organisation == {}


def test_deleting_removes_it_even_if_the_integration_was_gone_already() -> None:
    """After a worker died between the two deletions, the administrator tries again."""
    adapter = AdapterRig()
    adapter.put()
    adapter.points.kill_before = ("token_store.remove", 1)
    with pytest.raises(KilledError):
        asyncio.run(adapter.administration.delete("demo", "sms"))
    assert adapter.token_store.tokens_by_organisation["demo"][0] == 1
    asyncio.run(adapter.administration.delete("demo", "sms"))
    assert adapter.token_store.tokens_by_organisation["demo"] == (2, "", None), (
        "a late worker cannot fill it with a token from before"
    )


def test_deleting_another_integration_keeps_the_token_store() -> None:
    adapter = AdapterRig()
    adapter.put()
    asyncio.run(adapter.administration.delete("demo", "dhis2"))
    assert set(adapter.token_store.tokens_by_organisation) == {"demo"}
