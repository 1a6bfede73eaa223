"""Clients upload files to signed URLs. A distribution keeps to the file version of its creation."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.campaigns.distribution import Upload
from tests.contract.making import NOON, ORGANISATION
from tests.contract.world import World

FIRST = "phone;first_name\n+221770000001;Zoé\n".encode()
SECOND = b"phone\n+221770000002\n"


async def put(world: World, content: bytes, form: str = "csv", upload_id: str = "u-1") -> None:
    target = await world.uploads.target(ORGANISATION, upload_id, format=form, size=len(content), now=NOON)
    world.hands.put_file(target, form, content)


async def read(world: World, upload: Upload) -> bytes | None:
    file = await world.uploads.open(upload)
    return None if file is None else file.read()


@pytest.mark.parametrize("form", ["csv", "ndjson", "dhis2", "xlsx"])
async def test_an_uploaded_file_is_found_with_its_format(world: World, form: str) -> None:
    assert await world.uploads.find(ORGANISATION, "u-1") is None
    await put(world, FIRST, form)
    upload = await world.another().uploads.find(ORGANISATION, "u-1")
    assert upload is not None
    assert upload.format == form
    file = await world.another().uploads.open(upload)
    assert file is not None
    assert file.read(5) + file.read(1) + file.read() == FIRST
    assert file.read(1) == b""


async def test_a_second_file_does_not_change_the_first_version(world: World) -> None:
    await put(world, FIRST)
    pinned = await world.uploads.find(ORGANISATION, "u-1")
    await put(world, SECOND)
    newest = await world.uploads.find(ORGANISATION, "u-1")
    assert pinned is not None
    assert newest is not None
    assert newest == replace(pinned, version=newest.version) != pinned
    for _ in range(2):
        assert await read(world, pinned) == FIRST
    assert await read(world, newest) == SECOND


async def test_an_erased_file_is_gone_in_every_version(world: World) -> None:
    await put(world, FIRST)
    pinned = await world.uploads.find(ORGANISATION, "u-1")
    await put(world, SECOND)
    newest = await world.uploads.find(ORGANISATION, "u-1")
    await put(world, SECOND, upload_id="u-10")
    assert pinned is not None
    assert newest is not None
    assert world.hands.holds("+221770000001")
    for _ in range(2):
        await world.uploads.erase(ORGANISATION, "u-1")
        assert not world.hands.holds("+221770000001")
        assert await read(world, pinned) is None
        assert await read(world, newest) is None
        assert await world.uploads.find(ORGANISATION, "u-1") is None
    another = await world.uploads.find(ORGANISATION, "u-10")
    assert another is not None
    assert await read(world, another) == SECOND
    await world.uploads.erase(ORGANISATION, "never")


async def test_files_of_other_organisations_are_not_found(world: World) -> None:
    await put(world, FIRST)
    assert await world.uploads.find("other", "u-1") is None
    assert await world.uploads.find(ORGANISATION, "u-2") is None


async def test_a_target_names_the_size_and_expires(world: World) -> None:
    target = await world.uploads.target(ORGANISATION, "u-1", format="csv", size=12, now=NOON)
    assert target.headers["Content-Length"] == "12"
    assert target.expires_at == NOON + timedelta(hours=1)


async def test_the_url_is_signed_for_this_length_and_type_alone(cloud: World) -> None:
    target = await cloud.uploads.target(ORGANISATION, "u-1", format="csv", size=12, now=NOON)
    asked = parse_qs(urlsplit(target.url).query)
    assert asked["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert asked["X-Amz-Expires"] == ["3600"]
