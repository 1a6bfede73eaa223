"""Fetches card pictures from allowed buckets and hosts, and from nowhere else.

Names to public addresses: a card's host must not lead into our own network, whatever its DNS says.

A card source that also knows the sample card of test sends.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Protocol

import httpx2

from shared.cards.picture import MAX_BYTES, is_page
from shared.cards.references import (
    SAMPLE_CARD,
    CardHost,
    S3Card,
    WebCard,
    allowed_host,
    bracketed,
    check,
    parse,
    sample_picture,
)
from shared.messages.errors import Kind, Scope, SendError
from shared.providers.answers import Call
from shared.providers.http import exchange
from shared.sending.channel import CardSource

type Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port → addresses, as text. Raises OSError where there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out of IPv6. The rest is reserved, and some of it once meant addresses of IPv4 or of a site:
::127.0.0.1, ::ffff:0:127.0.0.1, fec0::1. Python takes those for global ones."""

_DOCUMENTATION = IPv6Network("3fff::/20")


async def resolve(host: str, port: int) -> Sequence[str]:
    """What the machine's resolver says, IPv4 first: Lambda outside a VPC has no IPv6."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found}, key=lambda address: (":" in address, address))


def is_public(address: str) -> bool:
    """Whether it is on the Internet proper: not private, loopback, link-local (so not the metadata service), shared,
    reserved or multicast; nor one of these inside an IPv6 address that carries an IPv4 one."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        return _is_public_v6(ip)
    return _is_global(ip)


def _is_public_v6(ip: IPv6Address) -> bool:
    inner = ip.ipv4_mapped or ip.sixtofour or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
    if inner:
        return _is_global(inner)
    return ip in _GLOBAL_UNICAST and ip not in _DOCUMENTATION and ip.scope_id is None and _is_global(ip)


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast


UNREACHABLE = "card_unreachable"

TRY_AGAIN = frozenset({408, 425, 429})
"""These and 5xx may pass; every other answer but 200 will not."""


class ObjectReader(Protocol):
    """Reads objects of a bucket."""

    async def read(self, bucket: str, key: str, limit: int) -> bytes:
        """The object's first `limit` bytes, or fewer if it has no more.

        Raises `SendError` with reason `card_unreachable` and `Scope.CARDS`: `recipient` where there is no such object
        or no access to it, `retry` where S3 does not answer.
        """
        ...


class Cards:
    """A `CardSource`. The allow-lists are those of planning; here they are asked again, next to the fetch.

    Whatever may come from the host and not from the one card has `Scope.CARDS`: there is no such card, no access, a
    redirect, a page of HTML, no answer. It is `recipient` where the host says that there is no such card, `retry` where
    the host does not answer or says that it is in trouble.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        objects: ObjectReader,
        hosts: Collection[CardHost],
        buckets: Collection[str],
        *,
        addresses: Resolve = resolve,
    ) -> None:
        self._http = http
        self._objects = objects
        self._hosts = hosts
        self._buckets = buckets
        self._addresses = addresses

    def allowed(self, reference: str, organisation: str) -> str | None:
        """Why the organisation's card may not come from there, as a row code of api.md, or None. Pure."""
        return check(reference, self._hosts, self._buckets, organisation=organisation)

    async def fetch(self, reference: str, organisation: str) -> bytes:
        """The bytes, at most 5 MB of them. Raises `SendError`; whether they are a picture is not looked at."""
        card = parse(reference)
        if card is None or (refused := self.allowed(reference, organisation)):
            code = "card_url_invalid" if card is None else str(refused)
            raise SendError(Kind.RECIPIENT, code, code)
        if isinstance(card, S3Card):
            return _no_page(_whole(await self._objects.read(card.bucket, card.key, MAX_BYTES + 1)))
        try:
            async with exchange(Call.REPEATABLE):
                return await self._download(card)
        except SendError as error:
            raise error if error.reason else unreachable(error.code, error.kind) from None

    async def _download(self, card: WebCard) -> bytes:
        """From the very address that was checked: a name may resolve to another one a moment later.

        The name still goes into `Host` and the TLS handshake, so that its certificate is asked for and verified.
        """
        address = await self._address(card)
        url = f"{card.scheme}://{bracketed(address)}:{card.port}{card.target}"
        headers = {"Host": card.authority, "Accept": "image/png, image/jpeg", "Accept-Encoding": "identity"}
        if len(self._hosts) > 1:
            # Hosts may share an address, and the pool knows addresses only: it would ask one host for another's card.
            headers["Connection"] = "close"
        extensions = {"sni_hostname": card.host}
        async with self._http.stream("GET", url, headers=headers, extensions=extensions) as answer:
            _check(answer)
            content = bytearray()
            async for part in answer.aiter_bytes():
                content += part
                _whole(content)
            return _no_page(bytes(content), answer.headers.get("Content-Type", ""))

    async def _address(self, card: WebCard) -> str:
        found = await self._addresses(card.host, card.port)
        host = allowed_host(card, self._hosts)
        if not found:
            raise unreachable("no_address", Kind.RETRY)
        if not (host and host.local) and not all(is_public(address) for address in found):
            raise SendError(Kind.RECIPIENT, "private_address", "card_host_not_allowed", scope=Scope.CARDS)
        return found[0]


def _check(answer: httpx2.Response) -> None:
    """Refuses compressed bodies, for which we did not ask: 5 MB of them may be gigabytes."""
    if answer.status_code != 200:
        passing = answer.status_code >= 500 or answer.status_code in TRY_AGAIN
        raise unreachable(f"card HTTP {answer.status_code}", Kind.RETRY if passing else Kind.RECIPIENT)
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise SendError(Kind.RECIPIENT, "card_compressed", "card_not_a_picture", scope=Scope.CARDS)


def unreachable(code: str, kind: Kind) -> SendError:
    """The card could not be fetched; `kind` as `Cards` says."""
    return SendError(kind, code, UNREACHABLE, scope=Scope.CARDS)


def _no_page(content: bytes, media_type: str = "") -> bytes:
    """Refuses a login page, or an error that comes with status 200."""
    if is_page(content, media_type):
        raise unreachable("card_is_a_page", Kind.RECIPIENT)
    return content


def _whole[B: (bytes, bytearray)](content: B) -> B:
    if len(content) > MAX_BYTES:
        raise SendError(Kind.RECIPIENT, "too_large", "card_too_large")
    return content


class WithSampleCard:
    """Answers for the sample card itself, and asks `cards` for every other."""

    def __init__(self, cards: CardSource) -> None:
        self._cards = cards

    async def fetch(self, reference: str, organisation: str) -> bytes:
        """As `CardSource` says."""
        return sample_picture() if reference == SAMPLE_CARD else await self._cards.fetch(reference, organisation)
