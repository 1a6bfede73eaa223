import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

import httpx2
import pytest

from shared.cards.picture import MAX_BYTES
from shared.cards.references import parse_hosts
from shared.messages.errors import Kind, Scope, SendError
from shared.providers.cards import Cards, ObjectReader, is_public
from shared.providers.http import client
from shared.sending.channel import CardSource

PUBLIC = "93.184.216.34"


class Bucket:
    def __init__(self, content: bytes = b"object") -> None:
        self.content = content
        self.asked: list[tuple[str, str]] = []

    async def read(self, bucket: str, key: str, limit: int) -> bytes:
        self.asked.append((bucket, key))
        return self.content[:limit]


class Web:
    """A web server behind a resolver: names → addresses."""

    def __init__(self, answer: httpx2.Response | Exception, **names: Sequence[str]) -> None:
        self.answer = answer
        self.names = {name.replace("_", "."): addresses for name, addresses in names.items()}
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        if host not in self.names:
            raise socket.gaierror(8, "no such name")
        return self.names[host]

    def fetch(self, reference: str, hosts: str = "cards.example", bucket: ObjectReader | None = None) -> bytes:
        http = client(httpx2.MockTransport(self))
        source: CardSource = Cards(
            http, bucket or Bucket(), parse_hosts(hosts), {"oomus-cards"}, addresses=self.resolve
        )
        return asyncio.run(source.fetch(reference, "pnv-sn"))

    def refused(self, reference: str, hosts: str = "cards.example", bucket: ObjectReader | None = None) -> SendError:
        with pytest.raises(SendError) as caught:
            self.fetch(reference, hosts, bucket)
        return caught.value


def web(answer: httpx2.Response | Exception | None = None, *addresses: str) -> Web:
    return Web(answer or httpx2.Response(200, content=b"picture"), cards_example=addresses or (PUBLIC,))


def test_the_request_goes_to_the_checked_address() -> None:
    server = web()
    assert server.fetch("https://cards.example/a/b.png?v=1") == b"picture"
    (request,) = server.requests
    assert str(request.url) == f"https://{PUBLIC}/a/b.png?v=1"
    assert request.headers["Host"] == "cards.example"
    assert request.extensions["sni_hostname"] == "cards.example"
    assert request.headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in request.headers


def test_connections_are_not_shared_between_hosts() -> None:
    server = web()
    for hosts in ("cards.example", "cards.example,other.example"):
        server.fetch("https://cards.example/a.png", hosts)
    assert [request.headers["Connection"] for request in server.requests] == ["keep-alive", "close"]


def test_ipv6_and_ports() -> None:
    server = web(None, "2606:2800:220:1::1")
    server.fetch("https://cards.example:8443/a.png", "cards.example:8443")
    assert str(server.requests[0].url) == "https://[2606:2800:220:1::1]:8443/a.png"
    assert server.requests[0].headers["Host"] == "cards.example:8443"


PRIVATE = [
    "10.0.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "not an address", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_names_with_internal_addresses_are_refused(address: str) -> None:
    for addresses in ([address], [PUBLIC, address]):
        server = web(None, *addresses)
        error = server.refused("https://cards.example/a.png")
        assert (error.kind, error.reason) == (Kind.RECIPIENT, "card_host_not_allowed")
        assert error.scope is Scope.CARDS
        assert not server.requests


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


def test_the_local_stacks_host_may_be_private() -> None:
    server = Web(httpx2.Response(200, content=b"picture"), **{"127_0_0_1": ["127.0.0.1"]})
    assert server.fetch("http://127.0.0.1:41234/a.png", "http://127.0.0.1") == b"picture"
    assert str(server.requests[0].url) == "http://127.0.0.1:41234/a.png"
    assert server.requests[0].headers["Host"] == "127.0.0.1:41234"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("https://evil.example/a.png", "card_host_not_allowed"),
        ("http://cards.example/a.png", "card_url_invalid"),
        ("https://u@cards.example/a.png", "card_url_invalid"),
        ("s3://other-cards/pnv-sn/a.png", "card_host_not_allowed"),
        ("s3://oomus-cards/pnv-ci/a.png", "card_host_not_allowed"),
        ("s3://oomus-cards/pnv-sn/../pnv-ci/a.png", "card_host_not_allowed"),
        ("nonsense", "card_url_invalid"),
    ],
)
def test_the_allow_list_is_checked_again(reference: str, reason: str) -> None:
    server, bucket = web(), Bucket()
    error = server.refused(reference, bucket=bucket)
    assert error.reason == reason
    assert error.scope is not Scope.CARDS
    assert not server.requests
    assert not bucket.asked


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.Response(404), Kind.RECIPIENT),
        (httpx2.Response(403), Kind.RECIPIENT),
        (httpx2.Response(410), Kind.RECIPIENT),
        (httpx2.Response(204), Kind.RECIPIENT),
        (httpx2.Response(302, headers={"Location": "http://169.254.169.254/"}), Kind.RECIPIENT),
        (httpx2.Response(429), Kind.RETRY),
        (httpx2.Response(500), Kind.RETRY),
        (httpx2.Response(503), Kind.RETRY),
        (httpx2.ConnectError("refused"), Kind.RETRY),
        (httpx2.ReadTimeout("late"), Kind.RETRY),
        (httpx2.RemoteProtocolError("cut"), Kind.RETRY),
    ],
)
def test_unreachable(answer: httpx2.Response | Exception, kind: Kind) -> None:
    server = web(answer)
    error = server.refused("https://cards.example/a.png")
    assert (error.kind, error.reason, error.scope) == (kind, "card_unreachable", Scope.CARDS)
    assert len(server.requests) == 1


PAGE = b"<!DOCTYPE html><html><title>Connexion</title></html>"
PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PAGE, "text/html; charset=utf-8"),
        (PAGE, "image/png"),
        (b"\xef\xbb\xbf\r\n  <html>", ""),
        (b'{"error": "expired"}', "application/json"),
        (b'{"error": "expired"}', ""),
        (b"Session expired", "text/plain"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml"),
        (b"", "image/png"),
    ],
)
def test_a_page_in_place_of_the_picture_may_be_the_hosts_fault(content: bytes, media_type: str) -> None:
    answer = httpx2.Response(200, content=content, headers={"Content-Type": media_type})
    error = web(answer).refused("https://cards.example/a.png")
    assert (error.kind, error.reason, error.scope) == (Kind.RECIPIENT, "card_unreachable", Scope.CARDS)
    if not media_type:
        assert web().refused("s3://oomus-cards/pnv-sn/a.png", bucket=Bucket(content)).scope is Scope.CARDS


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PNG, "text/html"), (PNG, ""), (b"RIFF....WEBPVP8 ", "text/plain"), (b"no picture at all", "image/png")],
)
def test_other_content_is_the_rows_own_fault(content: bytes, media_type: str) -> None:
    """It is fetched. Whether WhatsApp accepts it as a picture is checked later."""
    answer = httpx2.Response(200, content=content, headers={"Content-Type": media_type})
    assert web(answer).fetch("https://cards.example/a.png") == content


def test_a_name_that_does_not_resolve() -> None:
    for server in (Web(httpx2.Response(200)), Web(httpx2.Response(200), cards_example=[])):
        error = server.refused("https://cards.example/a.png")
        assert (error.kind, error.reason, error.scope) == (Kind.RETRY, "card_unreachable", Scope.CARDS)


def test_no_more_than_the_limit_is_read() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1 << 20
            yield b"x" * (1 << 20)

    error = web(httpx2.Response(200, content=endless())).refused("https://cards.example/a.png")
    assert (error.kind, error.reason) == (Kind.RECIPIENT, "card_too_large")
    assert read <= MAX_BYTES + (1 << 20)


def test_compressed_answers_are_not_inflated() -> None:
    answer = httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx2.ByteStream(b"\x1f\x8bbomb"))
    error = web(answer).refused("https://cards.example/a.png")
    assert (error.reason, error.scope) == ("card_not_a_picture", Scope.CARDS)


def test_objects_of_allowed_buckets() -> None:
    bucket = Bucket(b"x" * MAX_BYTES)
    assert web().fetch("s3://oomus-cards/pnv-sn/a/b.png", bucket=bucket) == bucket.content
    assert bucket.asked == [("oomus-cards", "pnv-sn/a/b.png")]


def test_an_object_too_large() -> None:
    assert (
        web().refused("s3://oomus-cards/pnv-sn/a.png", bucket=Bucket(b"x" * (MAX_BYTES + 9))).reason == "card_too_large"
    )
