"""Identity links and open sessions."""

from datetime import timedelta

from shared.recipients.number_key import IdentityLink
from tests.contract.making import NOON, ORGANISATION
from tests.contract.world import World

MICROSECOND = timedelta(microseconds=1)
NUMBER = "1060001"


async def test_identity_links_lead_one_way_and_are_stored(world: World) -> None:
    for _ in range(2):
        await world.contacts.add_identity_links(ORGANISATION, [("user", IdentityLink(other="person"))])
    assert list(await world.another().contacts.identity_links(ORGANISATION, "user")) == [IdentityLink(other="person")]
    assert list(await world.contacts.identity_links(ORGANISATION, "person")) == []
    assert list(await world.contacts.identity_links("other", "user")) == []


async def test_an_identity_has_several_identity_links_and_each_is_replaced_by_its_next(world: World) -> None:
    await world.contacts.add_identity_links(ORGANISATION, [("user", IdentityLink(other="new", until=NOON))])
    await world.contacts.add_identity_links(ORGANISATION, [("user", IdentityLink(other="person"))])
    await world.contacts.add_identity_links(
        ORGANISATION, [("user", IdentityLink(other="new", until=NOON + MICROSECOND))]
    )
    found = await world.contacts.identity_links(ORGANISATION, "user")
    assert sorted(found, key=lambda identity_link: identity_link.other) == [
        IdentityLink(other="new", until=NOON + MICROSECOND),
        IdentityLink(other="person"),
    ]


async def test_more_identity_links_than_fit_one_request_and_one_of_them_twice(world: World) -> None:
    identity_links = [(f"user-{number}", IdentityLink(other="person")) for number in range(60)]
    await world.contacts.add_identity_links(
        ORGANISATION, [*identity_links, ("user-7", IdentityLink(other="person", until=NOON))]
    )
    await world.contacts.add_identity_links(ORGANISATION, [])
    for one, identity_link in identity_links:
        expected = IdentityLink(other="person", until=NOON) if one == "user-7" else identity_link
        assert list(await world.another().contacts.identity_links(ORGANISATION, one)) == [expected]


async def test_joined_identities_finds_the_linked_pairs(world: World) -> None:
    await world.contacts.add_identity_links(ORGANISATION, [("a", IdentityLink(other="b"))])
    await world.contacts.add_identity_links(ORGANISATION, [("c", IdentityLink(other="d"))])
    asked = (pair for pair in [("a", "b"), ("b", "a"), ("a", "b"), ("c", "d"), ("a", "d")])
    assert await world.contacts.joined_identities(ORGANISATION, asked) == {("a", "b"), ("c", "d")}
    assert await world.contacts.joined_identities("other", [("a", "b")]) == set()
    assert await world.contacts.joined_identities(ORGANISATION, []) == set()


async def test_a_session_is_never_shortened(world: World) -> None:
    for until in (NOON, NOON + MICROSECOND, NOON, NOON - timedelta(days=1)):
        await world.sessions.open(ORGANISATION, NUMBER, "p-1", until)
    found = await world.another().sessions.open_until(ORGANISATION, NUMBER, ["p-1", "p-2", "p-1"])
    assert found == {"p-1": NOON + MICROSECOND}


async def test_sessions_belong_to_one_number_of_one_organisation(world: World) -> None:
    many = [f"p-{number}" for number in range(120)]
    for person in many:
        await world.sessions.open(ORGANISATION, NUMBER, person, NOON)
    assert await world.sessions.open_until(ORGANISATION, NUMBER, (one for one in many)) == dict.fromkeys(many, NOON)
    assert await world.sessions.open_until(ORGANISATION, "another", many) == {}
    assert await world.sessions.open_until("other", NUMBER, many) == {}
    assert await world.sessions.open_until(ORGANISATION, NUMBER, []) == {}
