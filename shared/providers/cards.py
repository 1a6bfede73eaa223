"""Fetches card pictures, only from allowed buckets and hosts.

A card's host must have a public address: its DNS entry must not lead into our own network. `WithSampleCard` adds the
sample card of test sends.
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
"""Host and port → addresses, as text. Raises OSError if there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""The part of IPv6 that IANA has assigned. The rest is reserved; some of it once meant addresses of IPv4 or of a site
(::127.0.0.1, ::ffff:0:127.0.0.1, fec0::1), and Python takes those for global addresses.
"""

_DOCUMENTATION = IPv6Network("3fff::/20")


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses from the machine's resolver, IPv4 first: Lambda outside a VPC has no IPv6."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found}, key=lambda address: (":" in address, address))


def is_public(address: str) -> bool:
    """Whether the address is public: not private, loopback, link-local (such as the metadata service), shared, reserved
    or multicast, and not an IPv6 form of such an IPv4 address.
    """
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
"""After these and 5xx, another try may succeed; after every other status but 200 it will not."""


class ObjectReader(Protocol):
    """Reads objects of a bucket."""

    async def read(self, bucket: str, key: str, limit: int) -> bytes:
        """The object's first `limit` bytes, or all if it is shorter.

        Raises `SendError` with the reason `card_unreachable` and `Scope.CARDS`: of kind recipient if the object does
        not exist or access is denied, of kind retry if S3 does not answer.
        """
        ...


class Cards:
    """A `CardSource`. It checks the allow-lists again, right before the fetch; planning checks the same lists.

    An error that may concern the whole host has `Scope.CARDS`: the card does not exist, access is denied, a redirect,
    an HTML page, no answer. Its kind is recipient if the host says that the card does not exist, and retry if the host
    does not answer or reports an error of its own.
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
        """Why the organisation may not use this card, as a row code of api.md; None if it may. Pure."""
        return check(reference, self._hosts, self._buckets, organisation=organisation)

    async def fetch(self, reference: str, organisation: str) -> bytes:
        """The bytes of the card, at most 5 MB. Raises `SendError`. It does not check that they are a picture."""
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
        """Fetch from exactly the address that was checked, because the name may resolve to another one a moment later.

        `Host` and the TLS handshake still have the name, so the certificate is verified against it.
        """
        address = await self._address(card)
        url = f"{card.scheme}://{bracketed(address)}:{card.port}{card.target}"
        headers = {"Host": card.authority, "Accept": "image/png, image/jpeg", "Accept-Encoding": "identity"}
        if len(self._hosts) > 1:
            # Hosts may share an address, and the connection pool knows only addresses: it would ask one host for
            # another's card.
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
    """Refuse every status but 200, and compressed bodies: 5 MB of these could be gigabytes, and we did not ask for
    them.
    """
    if answer.status_code != 200:
        passing = answer.status_code >= 500 or answer.status_code in TRY_AGAIN
        raise unreachable(f"card HTTP {answer.status_code}", Kind.RETRY if passing else Kind.RECIPIENT)
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise SendError(Kind.RECIPIENT, "card_compressed", "card_not_a_picture", scope=Scope.CARDS)


def unreachable(code: str, kind: Kind) -> SendError:
    """The error for a card that cannot be fetched. `kind`: see `Cards`."""
    return SendError(kind, code, UNREACHABLE, scope=Scope.CARDS)


def _no_page(content: bytes, media_type: str = "") -> bytes:
    """Refuse a login page, or an error page with status 200."""
    if is_page(content, media_type):
        raise unreachable("card_is_a_page", Kind.RECIPIENT)
    return content


def _whole[B: (bytes, bytearray)](content: B) -> B:
    if len(content) > MAX_BYTES:
        raise SendError(Kind.RECIPIENT, "too_large", "card_too_large")
    return content


class WithSampleCard:
    """A `CardSource` that returns the sample card itself, and asks `cards` for every other card."""

    def __init__(self, cards: CardSource) -> None:
        self._cards = cards

    async def fetch(self, reference: str, organisation: str) -> bytes:
        return sample_picture() if reference == SAMPLE_CARD else await self._cards.fetch(reference, organisation)
