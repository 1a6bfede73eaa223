"""The token store: one token for each organisation. The first of two writers wins, and a failure never stops a send."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from shared.integrations.integration import AccessToken, StoredToken
from shared.storage.aws import Aws
from shared.storage.secrets import SecretTokenStore
from tests.contract.making import NOON, ORGANISATION
from tests.contract.world import World
from tests.fakes.world import FakeTelemetry

APPLICATION = "a" * 64
NOTHING = StoredToken(token=None, version="")


def token(value: str) -> AccessToken:
    return AccessToken(value=value, refresh_at=NOON + timedelta(minutes=59))


async def test_a_token_is_found_by_another_worker(world: World) -> None:
    await world.token_store.open(ORGANISATION)
    empty = await world.token_store.read(ORGANISATION, APPLICATION)
    assert empty.token is None
    assert await world.token_store.put(ORGANISATION, APPLICATION, token("t-1"), version=empty.version)
    found = await world.another().token_store.read(ORGANISATION, APPLICATION)
    assert found.token == token("t-1")
    assert found.version != empty.version


async def test_the_first_of_two_replacements_of_a_token_wins(world: World) -> None:
    await world.token_store.open(ORGANISATION)
    for turn in range(3):
        seen = await world.token_store.read(ORGANISATION, APPLICATION)
        assert await world.token_store.put(ORGANISATION, APPLICATION, token(f"first-{turn}"), version=seen.version)
        late = await world.another().token_store.put(
            ORGANISATION, APPLICATION, token(f"second-{turn}"), version=seen.version
        )
        assert not late
        assert (await world.token_store.read(ORGANISATION, APPLICATION)).token == token(f"first-{turn}")


async def test_a_token_of_other_credentials_is_not_read_but_may_be_replaced(world: World) -> None:
    await world.token_store.open(ORGANISATION)
    seen = await world.token_store.read(ORGANISATION, APPLICATION)
    await world.token_store.put(ORGANISATION, APPLICATION, token("old"), version=seen.version)
    other = await world.token_store.read(ORGANISATION, "b" * 64)
    assert other.token is None
    assert await world.token_store.put(ORGANISATION, "b" * 64, token("new"), version=other.version)
    assert (await world.token_store.read(ORGANISATION, APPLICATION)).token is None


async def test_new_credentials_empty_the_token_store(world: World) -> None:
    await world.token_store.open(ORGANISATION)
    seen = await world.token_store.read(ORGANISATION, APPLICATION)
    await world.token_store.put(ORGANISATION, APPLICATION, token("t-1"), version=seen.version)
    await world.token_store.open(ORGANISATION)
    emptied = await world.token_store.read(ORGANISATION, APPLICATION)
    assert emptied.token is None
    assert await world.token_store.put(ORGANISATION, APPLICATION, token("t-2"), version=emptied.version)


async def test_without_a_token_store_nothing_is_stored_or_raised(world: World) -> None:
    assert await world.token_store.read(ORGANISATION, APPLICATION) == NOTHING
    assert await world.token_store.put(ORGANISATION, APPLICATION, token("t-1"), version="")
    for _ in range(2):
        await world.token_store.open(ORGANISATION)
    seen = await world.token_store.read(ORGANISATION, APPLICATION)
    for _ in range(2):
        await world.token_store.remove(ORGANISATION)
    assert await world.token_store.read(ORGANISATION, APPLICATION) == NOTHING
    # A worker with the old settings stores its token after the integration was deleted, twice.
    assert not await world.token_store.put(ORGANISATION, APPLICATION, token("late"), version=seen.version)
    again = await world.token_store.read(ORGANISATION, APPLICATION)
    assert again == NOTHING
    assert await world.token_store.put(ORGANISATION, APPLICATION, token("late"), version=again.version)
    assert await world.token_store.read(ORGANISATION, APPLICATION) == NOTHING


async def test_a_removed_token_store_opens_again_at_once_and_accepts_no_older_token(world: World) -> None:
    await world.token_store.open(ORGANISATION)
    before = await world.token_store.read(ORGANISATION, APPLICATION)
    await world.token_store.remove(ORGANISATION)
    await world.token_store.open(ORGANISATION)
    assert not await world.token_store.put(ORGANISATION, APPLICATION, token("late"), version=before.version)
    opened = await world.token_store.read(ORGANISATION, APPLICATION)
    assert await world.token_store.put(ORGANISATION, APPLICATION, token("new"), version=opened.version)
    assert (await world.token_store.read(ORGANISATION, APPLICATION)).token == token("new")


async def test_token_stores_of_organisations_are_separate(world: World) -> None:
    await world.token_store.open("other")
    seen = await world.token_store.read("other", APPLICATION)
    await world.token_store.put("other", APPLICATION, token("t-1"), version=seen.version)
    assert await world.token_store.read(ORGANISATION, APPLICATION) == NOTHING


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue"),
        EndpointConnectionError(endpoint_url="https://secretsmanager.example"),
    ],
)
async def test_an_unreachable_token_store_is_reported_and_reads_as_empty(error: Exception) -> None:
    class Broken(Aws):
        async def run[T](self, call: object) -> T:
            raise error

    telemetry = FakeTelemetry()
    token_store = SecretTokenStore(Broken(), "prefix", telemetry)
    assert await token_store.read(ORGANISATION, APPLICATION) == NOTHING
    assert await token_store.put(ORGANISATION, APPLICATION, token("t-1"), version="v")
    await token_store.open(ORGANISATION)
    await token_store.remove(ORGANISATION)
    assert telemetry.warning_events == ["token_store_unreachable"] * 4
