"""The HTTP client of both providers, and the one place that turns its exceptions into a decision.

What an exception means depends on the call: an answer lost after a send may hide a message that went out; lost after a
token request or an upload it is merely a reason to ask again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from shared.base.instants import Clock
from shared.integrations.integration import TokenStore
from shared.messages.errors import Kind, SendError
from shared.providers.answers import Call, lost
from shared.sending.channel import CardSource, MediaCache

TIMEOUT_SECONDS = 5.0
"""For each of: a free connection, connecting, writing, reading."""

WHOLE_CALL_SECONDS = 3 * TIMEOUT_SECONDS
"""For all of a call: a server that drips one byte every four seconds never runs into the time-outs above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTimes:
    """How long one send may take, in seconds: `read` for an answer, `whole` for all of its requests together.

    A send has a longer read time-out than other calls: an answer that is not waited for makes the outcome unknown, and
    people send the message again. `tests/template/test_times.py` holds the times against the functions' time-outs.
    """

    read: float
    whole: float


QUEUED_SENDS = SendTimes(read=21.0, whole=23.0)
"""A provider in trouble often answers after 10 to 20 s. More would not fit the senders' time-out."""

TEST_SENDS = SendTimes(read=10.0, whole=12.0)
"""Its caller waits: API Gateway answers after 30 s at most."""


class SendTime:
    """The time of one send, from now on. For the running event loop."""

    def __init__(self, times: SendTimes) -> None:
        self._times = times
        self._ends = asyncio.get_running_loop().time() + times.whole

    @property
    def remaining(self) -> float:
        """Seconds."""
        return max(self._ends - asyncio.get_running_loop().time(), 0.0)

    @property
    def limits(self) -> httpx2.Timeout:
        """Of the next request."""
        return httpx2.Timeout(TIMEOUT_SECONDS, read=min(self._times.read, max(self.remaining, 0.001)))

    @asynccontextmanager
    async def before_second_try(self) -> AsyncIterator[None]:
        """Surrounds what has to be done between a sure refusal and a second try, which needs half of the time itself.

        Raises SendError where that is not left: nothing was sent, and the message goes once more later.
        """
        try:
            async with asyncio.timeout(self.remaining - self._times.whole / 2):
                yield
        except TimeoutError:
            raise SendError(Kind.RETRY, "no_time_for_a_second_try") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientParts:
    """What a provider's client is built from. `url` is empty where the deployment sets none; `cards` are WhatsApp's."""

    http: httpx2.AsyncClient
    url: str
    times: SendTimes
    clock: Clock
    media: MediaCache
    tokens: TokenStore
    cards: CardSource | None = None


IDLE_SECONDS = 3.0
"""Shorter than any server keeps an idle connection: a send into one that just closed would end as *unknown*."""

CONNECTIONS = 100


NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""No byte of the request reached the provider."""

NEVER_BUILT = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError)
"""The request itself cannot be written; at most a part of it went out."""

FAILURES = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    httpx2.CookieConflict,
    UnicodeError,
    TimeoutError,
    OSError,
)


def client(transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncClient:
    """One per execution environment, used on one event loop for all its life.

    A redirect is an answer, not an order: following one would send tokens and numbers elsewhere. The transport is made
    here so that the environment's proxies are left alone (they would also resolve the names that `Cards` pins).
    """
    limits = httpx2.Limits(
        max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=IDLE_SECONDS
    )
    return httpx2.AsyncClient(
        transport=transport or httpx2.AsyncHTTPTransport(limits=limits),
        timeout=httpx2.Timeout(TIMEOUT_SECONDS),
        follow_redirects=False,
        headers={"User-Agent": "oomus-messaging"},
    )


async def warm_up() -> None:
    """Loads what httpx2 would load with its first request, on the loop that will make it.

    A worker's first call would else come some 20 ms (of a whole processor) after its departure, and the second in which
    it arrives may have one too many (`shared.pacing.rate_limit`). Not loaded with this module: most who import it never
    send.
    """
    import anyio.lowlevel  # noqa: PLC0415 - see above

    await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def exchange(call: Call, seconds: float = WHOLE_CALL_SECONDS) -> AsyncIterator[None]:
    """Surrounds one request: whatever goes wrong on the way leaves as a `SendError`. `seconds`: for all of it.

    The cause is cut off: it holds the request, and with it the number, the text and the token.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except FAILURES as error:
        raise error_from_exception(error, call) from None


def error_from_exception(error: Exception, call: Call) -> SendError:
    """Total: an exception that nobody foresaw counts as an answer that was lost."""
    code = type(error).__name__
    if isinstance(error, NOT_SENT):
        return SendError(Kind.RETRY, code)
    if isinstance(error, NEVER_BUILT):
        return SendError(Kind.BUG, code, "provider_rejected")
    return lost(code, call)


def bearer(token: str) -> dict[str, str]:
    """The authorization header. A token that no header can hold was pasted wrongly: every message would fail."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SendError(Kind.STOP, "token_unusable", "token_invalid")
    return {"Authorization": f"Bearer {token}"}
