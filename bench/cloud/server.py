"""An HTTP/1.1 server with as little work as possible between socket and answer."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import override

_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found"}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. The header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer. The server sends it `after` seconds and serves other connections meanwhile."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0

    @classmethod
    def json(cls, status: int, value: object, *, after: float = 0.0) -> "Answered":
        """Return an answer with a JSON body, as AWS and the providers send it."""
        return cls(
            status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json"}, after=after
        )


type Handler = Callable[[Asked], Answered]


class Connection(asyncio.Protocol):
    """One client. It has one request under way at a time, as HTTP clients do."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._head: tuple[str, str, dict[str, str]] | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server's
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._head is None and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            self._head = _head(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
            if self._head[2].get("expect", "").lower() == "100-continue":
                self._write(_CONTINUE)
        if self._head is None:
            return
        method, target, headers = self._head
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < length:
            return
        path, _, query = target.partition("?")
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        reported = self._handler(Asked(method=method, path=path, query=query, headers=headers, body=body))
        whole = _bytes_of(reported, with_body=method != "HEAD")
        if reported.after:
            asyncio.get_running_loop().call_later(reported.after, self._write, whole)
        else:
            self._write(whole)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _head(raw: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines)
    return method, target, {name.strip().lower(): value.strip() for name, value in pairs}


def _bytes_of(reported: Answered, *, with_body: bool) -> bytes:
    lines = [f"HTTP/1.1 {reported.status} {_REASONS.get(reported.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in reported.headers.items()]
    lines.append(f"Content-Length: {len(reported.body)}")
    return "\r\n".join((*lines, "", "")).encode() + (reported.body if with_body else b"")
