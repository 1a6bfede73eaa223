"""The shelf of tokens lives and dies with its integration."""

import asyncio

import pytest

from shared.base.json import JsonObject
from shared.base.refusal import Refusal
from shared.integrations.administration import Administration, AdministrationDeps
from shared.recipients.number_key import NumberKey
from tests.fakes.office import Office
from tests.fakes.orange import FakeTokenShelf
from tests.fakes.world import KilledError, Points

BODY: JsonObject = {"client_id": "c", "client_secret": "s", "sender_name": "PNV", "default_country": "SN"}


class Desk:
    def __init__(self) -> None:
        self.points = Points()
        self.shelf = FakeTokenShelf(self.points)
        office = Office(points=self.points)
        self.administration = Administration(
            AdministrationDeps(
                integrations=office.integrations,
                templates=office.templates,
                tokens=self.shelf,
                holding=office.holding,
                members=office.members,
                number_key=NumberKey(b"k" * 64),
                draw=lambda: "drawn",
                clock=office.clock,
            )
        )

    def put(self, body: JsonObject = BODY) -> None:
        asyncio.run(self.administration.put("demo", "sms", body))


def test_saving_makes_the_shelf_and_saving_again_empties_it() -> None:
    desk = Desk()
    desk.put()
    assert desk.shelf.shelves == {"demo": (1, "", None)}
    desk.put({**BODY, "client_secret": "another"})
    assert desk.shelf.shelves == {"demo": (2, "", None)}


def test_what_is_not_saved_leaves_the_shelf_alone() -> None:
    desk = Desk()
    with pytest.raises(Refusal):
        desk.put({**BODY, "sender_name": "far too long a name"})
    asyncio.run(desk.administration.put("demo", "dhis2", {"attributes": {"phone": "aBcDeFgHiJk"}}))
    assert desk.shelf.shelves == {}


def test_deleting_removes_it_even_if_the_integration_was_gone_already() -> None:
    """A worker that died between the two is followed by the administrator's second try."""
    desk = Desk()
    desk.put()
    desk.points.kill_before = ("shelf.remove", 1)
    with pytest.raises(KilledError):
        asyncio.run(desk.administration.delete("demo", "sms"))
    assert desk.shelf.shelves["demo"][0] == 1
    asyncio.run(desk.administration.delete("demo", "sms"))
    assert desk.shelf.shelves["demo"] == (2, "", None), "a late worker cannot fill it with a token from before"


def test_another_integrations_end_is_not_its() -> None:
    desk = Desk()
    desk.put()
    asyncio.run(desk.administration.delete("demo", "dhis2"))
    assert set(desk.shelf.shelves) == {"demo"}
