"""Card references: where a card may come from (an allowed bucket or host), and the sample card of a test send.

The code is pure: it fetches nothing and resolves no names. The sample card needs no storage and shows no person's data.
"""

import re
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import unquote

URL_INVALID = "card_url_invalid"

HOST_NOT_ALLOWED = "card_host_not_allowed"

MAX_LENGTH = 2048

DEFAULT_PORTS = {"https": 443, "http": 80}

_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.{1,1024})")

_WEB = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?([/?].*)?", re.IGNORECASE)

_HOST = re.compile(r"(http://)?(\[[0-9a-f:.]+\]|[a-z0-9][a-z0-9.-]*)(?::([0-9]{1,5}))?")

# Characters that two URL parsers may read differently: spaces, controls, backslashes, delimiters outside RFC 3986.
_AMBIGUOUS = re.compile(r"[\s\x00-\x20\x7f\\<>\"^`{|}\ud800-\udfff]")

_S3_HOST = re.compile(r"(?:(.+)\.)?s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?")
"""S3's host names for a bucket over HTTPS. The bucket is either the first part of the name or the start of the path."""

_LEAVES = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|\\|%(?:25)*(?:2e|2f|5c)", re.IGNORECASE)
"""Empty and dotted path segments, also encoded: a reader that simplifies the path may end in another folder."""

_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardHost:
    """One entry of the allow-list. Without `port`, the scheme's default port is allowed; any port if the host is
    `local`.
    """

    name: str
    port: int | None = None
    local: bool = False
    """This host may use plain http and private addresses. Only the local stack has such hosts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Card:
    """A card in a bucket."""

    bucket: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebCard:
    """A card on a web server. `host` is lower case, without the brackets of IPv6. `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)

    @property
    def authority(self) -> str:
        """The value of the `Host` header: with the port, unless it is the scheme's default."""
        name = bracketed(self.host)
        return name if self.port == DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"


def bracketed(host: str) -> str:
    """The host or address as a URL needs it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def parse_hosts(text: str) -> tuple[CardHost, ...]:
    """The allow-list in CARD_HOSTS: `host` or `host:port`, separated by commas. "http://" in front makes a host
    `local`.

    Raises ValueError for any other entry, so that a typing error does not pass for a narrower list.
    """
    return tuple(_host(entry.strip()) for entry in text.split(",") if entry.strip())


def parse_buckets(text: str) -> frozenset[str]:
    """The allow-list in CARD_BUCKETS: names, separated by commas."""
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def check(reference: str, hosts: Collection[CardHost], buckets: Collection[str], *, organisation: str) -> str | None:
    """Why this organisation may not use this card, as a row code of api.md; None if it may.

    A bucket holds the cards of several organisations, each under `<organisation>/`. An organisation may use only its
    own folder, also if the reference is S3's https address of the object.
    """
    card = parse(reference)
    if card is None:
        return URL_INVALID
    if isinstance(card, S3Card):
        return None if card.bucket in buckets and is_owned(card.key, organisation) else HOST_NOT_ALLOWED
    allowed = allowed_host(card, hosts)
    if card.scheme == "http" and (allowed is None or not allowed.local):
        return URL_INVALID
    stored = _as_object(card)
    if stored is not None and stored.bucket in buckets and not is_owned(stored.key, organisation):
        return HOST_NOT_ALLOWED
    return None if allowed else HOST_NOT_ALLOWED


def is_owned(key: str, organisation: str) -> bool:
    """Whether an object's key lies in the organisation's folder, even if a reader simplifies the path."""
    return bool(organisation) and key.startswith(f"{organisation}/") and not _LEAVES.search(key)


def allowed_host(card: WebCard, hosts: Collection[CardHost]) -> CardHost | None:
    """The entry of the allow-list that allows this card; None if there is none."""
    return next((host for host in hosts if host.name == card.host and _port_fits(card, host)), None)


def parse(reference: str) -> S3Card | WebCard | None:
    """The parts of a reference; None if it is not `s3://bucket/key`, `https://…` or `http://…`.

    User names and passwords in the URL are refused, and so are characters that two URL parsers read differently: the
    host that is checked here must be the host that is called later.
    """
    if len(reference) > MAX_LENGTH:
        return None
    if found := _S3.fullmatch(reference):
        return None if _UNWRITABLE.search(found[2]) else S3Card(bucket=found[1], key=found[2])
    if _AMBIGUOUS.search(reference):
        return None
    return _web(reference.partition("#")[0])


def _web(reference: str) -> WebCard | None:
    found = _WEB.fullmatch(reference)
    if not found:
        return None
    scheme, host = found[1].lower(), found[2].strip("[]").lower().removesuffix(".")
    port = int(found[3] or DEFAULT_PORTS[scheme])
    if not host or ".." in host or host.startswith(".") or not 0 < port < 65536:
        return None
    target = found[4] or "/"
    return WebCard(scheme=scheme, host=host, port=port, target=target if target.startswith("/") else f"/{target}")


def _as_object(card: WebCard) -> S3Card | None:
    """The object that one of S3's https addresses names; None for every other address."""
    found = _S3_HOST.fullmatch(card.host)
    if not found:
        return None
    path = unquote(card.target.partition("?")[0]).removeprefix("/")
    if found[1]:
        return S3Card(bucket=found[1], key=path)
    bucket, _, key = path.partition("/")
    return S3Card(bucket=bucket, key=key)


def _port_fits(card: WebCard, host: CardHost) -> bool:
    if host.port is None:
        return host.local or card.port == DEFAULT_PORTS[card.scheme]
    return card.port == host.port


def _host(entry: str) -> CardHost:
    found = _HOST.fullmatch(entry.lower())
    port = int(found[3]) if found and found[3] else None
    if not found or port == 0 or (port or 0) > 65535:
        raise ValueError(f"Not a host or host:port: {entry!r}")
    return CardHost(name=found[2].strip("[]").removesuffix("."), port=port, local=found[1] is not None)


SAMPLE_CARD = "sample:card"
"""The reference of the sample card. A client cannot use it: planning accepts `s3://` and `https://` only."""

_WIDTH, _HEIGHT, _BORDER = 600, 380, 24

_EDGE, _FACE = b"\x0b\x6e\x4f", b"\xf4\xf1\xe8"


def sample_picture() -> bytes:
    """A PNG, 8-bit RGB, 600 × 380: a plain card with a green border."""
    edge_row = b"\0" + _EDGE * _WIDTH
    face_row = b"\0" + _EDGE * _BORDER + _FACE * (_WIDTH - 2 * _BORDER) + _EDGE * _BORDER
    rows = edge_row * _BORDER + face_row * (_HEIGHT - 2 * _BORDER) + edge_row * _BORDER
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, body) for kind, body in chunks)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
