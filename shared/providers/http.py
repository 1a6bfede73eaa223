"""The HTTP client of all providers, and the one place that turns its exceptions into a `SendError`.

The meaning of an exception depends on the call. If the answer to a send is lost, the message may have been sent. If the
answer to a token request or an upload is lost, the request is made again.
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
"""For each of these steps: waiting for a free connection, connecting, writing, reading."""

WHOLE_CALL_SECONDS = 3 * TIMEOUT_SECONDS
"""For a whole call. It is needed because a server that sends one byte every four seconds never reaches
`TIMEOUT_SECONDS`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTimes:
    """How long one send may take, in seconds: `read` for an answer, `whole` for all its requests together.

    The read time-out of a send is longer than that of other calls. If the client does not wait for the answer, the
    outcome is unknown, and the officer may send the message again. `tests/template/test_times.py` compares these times
    with the functions' time-outs.
    """

    read: float
    whole: float


QUEUED_SENDS = SendTimes(read=21.0, whole=23.0)
"""A provider with problems often answers after 10 to 20 s. A longer time would exceed the senders' time-out."""

TEST_SENDS = SendTimes(read=10.0, whole=12.0)
"""The API's caller waits: API Gateway allows 30 s at most."""


class SendTime:
    """The time limit of one send, counted from now. For the running event loop."""

    def __init__(self, times: SendTimes) -> None:
        self._times = times
        self._ends = asyncio.get_running_loop().time() + times.whole

    @property
    def remaining(self) -> float:
        """The seconds that remain."""
        return max(self._ends - asyncio.get_running_loop().time(), 0.0)

    @property
    def limits(self) -> httpx2.Timeout:
        """The time-outs for the next request."""
        return httpx2.Timeout(TIMEOUT_SECONDS, read=min(self._times.read, max(self.remaining, 0.001)))

    @asynccontextmanager
    async def before_second_try(self) -> AsyncIterator[None]:
        """The time limit for the work between a certain refusal and a second try, which itself needs half of the whole
        time.

        Raises SendError of kind retry if the limit is exceeded: nothing was sent, and the message is sent later.
        """
        try:
            async with asyncio.timeout(self.remaining - self._times.whole / 2):
                yield
        except TimeoutError:
            raise SendError(Kind.RETRY, "no_time_for_a_second_try") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientParts:
    """What a provider's client is built from. `url` is empty if the deployment sets none. `cards` is for WhatsApp
    only.
    """

    http: httpx2.AsyncClient
    url: str
    times: SendTimes
    clock: Clock
    media: MediaCache
    tokens: TokenStore
    cards: CardSource | None = None


IDLE_SECONDS = 3.0
"""Shorter than the time for which servers keep idle connections. A send on a connection that the server has just closed
would end as *unknown*.
"""

CONNECTIONS = 100


NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""With these exceptions, no byte of the request has reached the provider."""

NEVER_BUILT = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError)
"""With these exceptions, the request could not be written; at most a part of it was sent."""

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
    """Make the client: one per execution environment, used on one event loop for all its life.

    It does not follow redirects, because that would send tokens and numbers elsewhere. It makes its own transport, so
    that it ignores the environment's proxies, which would also resolve the names that `Cards` resolves itself.
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
    """Load what httpx2 would load with its first request.

    Otherwise a worker's first call would be some 20 ms late (at full CPU), and the second in which it arrives could
    have one call too many (`shared.pacing.rate_limit`). It is not loaded with this module, because most importers never
    send.
    """
    import anyio.lowlevel  # noqa: PLC0415 - see above

    await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def exchange(call: Call, seconds: float = WHOLE_CALL_SECONDS) -> AsyncIterator[None]:
    """Turn every failure of one request into a `SendError`. `seconds`: the limit for the whole request.

    The original exception is not chained, because it holds the request with the number, the text and the token.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except FAILURES as error:
        raise error_from_exception(error, call) from None


def error_from_exception(error: Exception, call: Call) -> SendError:
    """The `SendError` for any exception. An unexpected exception counts as a lost answer."""
    code = type(error).__name__
    if isinstance(error, NOT_SENT):
        return SendError(Kind.RETRY, code)
    if isinstance(error, NEVER_BUILT):
        return SendError(Kind.BUG, code, "provider_rejected")
    return lost(code, call)


def bearer(token: str) -> dict[str, str]:
    """The authorization header. Raises `SendError` of kind stop if the token cannot be in a header: with such a token,
    every message would fail.
    """
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SendError(Kind.STOP, "token_unusable", "token_invalid")
    return {"Authorization": f"Bearer {token}"}
