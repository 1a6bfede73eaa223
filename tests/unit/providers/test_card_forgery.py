"""A card's address is a client's input: no address leads to an internal host or to an endless read."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import httpx2
import pytest

from shared.cards.picture import kind
from shared.cards.references import parse_hosts
from shared.messages.errors import Kind, SendError
from shared.providers.cards import Cards, is_public, resolve
from shared.providers.http import WHOLE_CALL_SECONDS, client
from tests.fakes.virtual import VirtualLoop
from tests.fakes.world import MORNING, FakeClock
from tests.unit.providers.test_cards import PUBLIC, Bucket, Web, web

METADATA = "169.254.169.254"


@pytest.mark.parametrize(
    "host",
    [
        METADATA, "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.16689662", "127.1",
        "0", "[::1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "[fe80::1]", "[::127.0.0.1]",
        "localhost", "metadata", "instance-data", "metadata.google.internal", "cards.example.evil.example",
        "evil.example", "xcards.example", "cards.example.", "cards.example..", ".cards.example", "CARDS.EXAMPLE.evil",
        "cards。example", "ｃards.example", "cards.example%2eevil.example", "cards.example%00.evil.example",
    ],
)  # fmt: skip
def test_only_listed_hosts_get_a_request(host: str) -> None:
    server = web()
    server.names |= {"evil.example": [PUBLIC], "localhost": ["127.0.0.1"], "metadata": [METADATA]}
    if host == "cards.example.":  # the root at the end of every name
        assert server.fetch(f"https://{host}/a.png") == b"picture"
        return
    assert server.refused(f"https://{host}/a.png").reason in {"card_host_not_allowed", "card_url_invalid"}
    assert not server.requests


@pytest.mark.parametrize(
    "reference",
    [
        f"https://cards.example@{METADATA}/", f"https://cards.example:443@{METADATA}/", "https://u:p@cards.example/",
        f"https://{METADATA}#@cards.example/", f"https://{METADATA}?@cards.example/", f"https://{METADATA}/@cards.example/",
        f"https://{METADATA}\\@cards.example/", "https://cards.example\\@evil.example/", "https:\\\\cards.example/",
        f"https://cards.example%40{METADATA}/", f"https://cards.example\t@{METADATA}/", "https:///cards.example/a.png",
        "https:cards.example/a.png", "//cards.example/a.png", "cards.example/a.png", "http://cards.example/a.png",
        "ftp://cards.example/a.png", "file:///etc/passwd", "gopher://cards.example/", "data:image/png;base64,iVBORw0K",
        "https://cards.example:22/", "https://cards.example:0/", "https://cards.example:65536/", "https://cards.example:443x/",
        "https://cards.example:８４４３/", "https://cards.example/\r\nHost: evil.example", "https://cards.example/a b",
        "https://cards.example/\x00", "https://[cards.example]/", "https://[::1", "https://" + "a" * 3_000,
    ],
)  # fmt: skip
def test_no_notation_bypasses_the_list(reference: str) -> None:
    server = web()
    assert server.refused(reference).reason in {"card_host_not_allowed", "card_url_invalid"}
    assert not server.requests


@pytest.mark.parametrize(
    "address",
    [
        "::7f00:1", "::a9fe:a9fe", "::ffff:0:7f00:1", "::ffff:0:a9fe:a9fe", "fec0::1", "fec0:0:0:ffff::1", "4000::1",
        "5f00::1", "3fff::1", "2001:db8::1", "2001::1", "64:ff9b:1::a9fe:a9fe", "64:ff9b::a00:1", "2002:7f00:1::",
        "::ffff:7f00:1", "2606:2800:220:1::1%eth0", "100::1", "192.0.0.8", "198.18.0.1", "240.0.0.1", "169.254.170.2",
        "100.100.100.200", "2852039166", "0x7f.1", "127.1", "",
    ],
)  # fmt: skip
def test_addresses_that_only_look_public(address: str) -> None:
    assert not is_public(address)
    server = web(None, address)
    assert server.refused("https://cards.example/a.png").reason == "card_host_not_allowed"
    assert not server.requests


@pytest.mark.enable_socket  # makes no request: a number is its own address
@pytest.mark.parametrize("written", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0"])
def test_numbers_that_resolve_to_addresses_are_checked(written: str) -> None:
    """If such a host were on the list, its address would still be refused."""
    found = asyncio.run(resolve(written, 443))
    assert found
    assert not any(map(is_public, found))


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize(
    "location",
    [f"http://{METADATA}/latest/meta-data/", "https://evil.example/", "https://cards.example/b", "file:///x", "//evil"],
)  # fmt: skip
def test_a_redirect_is_not_followed(status: int, location: str) -> None:
    server = web(httpx2.Response(status, headers={"Location": location}))
    error = server.refused("https://cards.example/a.png")
    assert (error.kind, error.reason) == (Kind.RECIPIENT, "card_unreachable")
    assert [request.url.host for request in server.requests] == [PUBLIC]


def test_a_name_is_resolved_once_and_the_request_goes_to_the_checked_address() -> None:
    lookups: list[str] = []

    async def rebound(host: str, port: int) -> Sequence[str]:
        lookups.append(host)
        return [PUBLIC] if len(lookups) % 2 else [METADATA]

    server = web()
    cards = Cards(client(httpx2.MockTransport(server)), Bucket(), parse_hosts("cards.example"), (), addresses=rebound)

    async def fetch_twice() -> SendError:
        assert await cards.fetch("https://cards.example/a.png", "pnv-sn") == b"picture"
        with pytest.raises(SendError) as caught:
            await cards.fetch("https://cards.example/a.png", "pnv-sn")
        return caught.value

    assert asyncio.run(fetch_twice()).reason == "card_host_not_allowed"
    assert lookups == ["cards.example", "cards.example"]
    assert [request.url.host for request in server.requests] == [PUBLIC]


@pytest.mark.parametrize(
    "coding", ["gzip", "GZIP", "br", "deflate", "zstd", "gzip, gzip", "identity, gzip", "x-gzip", "aes128gcm"]
)
def test_a_compressed_body_is_not_decompressed(coding: str) -> None:
    read = 0

    async def packed() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"\x1f\x8b"

    answer = httpx2.Response(200, headers={"Content-Encoding": coding}, content=packed())
    assert web(answer).refused("https://cards.example/a.png").reason == "card_not_a_picture"
    assert read == 0


@pytest.mark.parametrize("length", [None, "7", "0", "99999999999"])
def test_an_oversized_body_ends_at_the_limit_with_any_claimed_length(length: str | None) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * (1 << 18)

    headers = {"Content-Length": length} if length else {}
    answer = httpx2.Response(200, headers=headers, content=endless())
    assert web(answer).refused("https://cards.example/a.png").reason == "card_too_large"


def slowly(pause: float) -> httpx2.Response:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(pause)
            yield b"x"

    return httpx2.Response(200, content=dripping())


def refused_after(server: Web) -> tuple[SendError, timedelta]:
    """The error, and how long it took by the loop's own clock."""
    clock = FakeClock()
    cards = Cards(
        client(httpx2.MockTransport(server)), Bucket(), parse_hosts("cards.example"), (), addresses=server.resolve
    )
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner, pytest.raises(SendError) as caught:
        runner.run(cards.fetch("https://cards.example/a.png", "pnv-sn"))
    return caught.value, clock.now() - MORNING


def test_a_slow_body_has_a_time_limit() -> None:
    error, took = refused_after(web(slowly(4)))
    assert (error.kind, error.reason) == (Kind.RETRY, "card_unreachable")
    assert took == timedelta(seconds=WHOLE_CALL_SECONDS)


def test_a_slow_resolver_has_the_same_time_limit() -> None:
    class Silent(Web):
        async def resolve(self, host: str, port: int) -> Sequence[str]:
            await asyncio.sleep(3600)
            return [PUBLIC]

    server = Silent(httpx2.Response(200, content=b"picture"))
    error, took = refused_after(server)
    assert (error.kind, error.reason, server.requests) == (Kind.RETRY, "card_unreachable", [])
    assert took == timedelta(seconds=WHOLE_CALL_SECONDS)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<html>", b"%PDF-1.7", b"GIF89a", b"RIFF\x00\x00\x00\x00WEBPVP8 ", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"II*\x00", b"BM", b"\x1f\x8b\x08", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"MZ", b"{}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "text/html"])
def test_a_content_type_does_not_make_a_picture(content: bytes, content_type: str) -> None:
    answer = httpx2.Response(200, headers={"Content-Type": content_type}, content=content)
    with pytest.raises(SendError) as caught:
        kind(web(answer).fetch("https://cards.example/a.png"))
    assert caught.value.reason in ("card_not_a_picture", "card_unreachable")
