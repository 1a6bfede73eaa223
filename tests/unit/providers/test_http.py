import asyncio
import inspect
import ssl
import subprocess
import sys

import httpx2
import pytest

from shared.messages.errors import Kind, SendError
from shared.providers.answers import Call
from shared.providers.http import QUEUED_SENDS, SendTime, SendTimes, bearer, client, error_from_exception, exchange

NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"}
NEVER_BUILT = {"InvalidURL", "UnsupportedProtocol", "LocalProtocolError"}
ALL = sorted(
    (value for value in vars(httpx2).values() if inspect.isclass(value) and issubclass(value, Exception)),
    key=lambda value: value.__name__,
)


def made(error: type[Exception]) -> Exception:
    """The classes take different arguments, which the mapper does not read."""
    return error.__new__(error)


async def raising(error: Exception, call: Call) -> None:
    async with exchange(call):
        raise error


def raised(error: Exception, call: Call) -> SendError:
    with pytest.raises(SendError) as caught:
        asyncio.run(raising(error, call))
    return caught.value


def test_the_test_covers_all_exceptions() -> None:
    assert len(ALL) >= 29
    assert {error.__name__ for error in ALL} >= NOT_SENT | NEVER_BUILT | {"ReadTimeout", "RemoteProtocolError"}


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_exception_of_a_send_is_a_decision(error: type[Exception]) -> None:
    decision = raised(made(error), Call.ONCE)
    name = error.__name__
    expected = Kind.RETRY if name in NOT_SENT else Kind.BUG if name in NEVER_BUILT else Kind.UNKNOWN
    assert (decision.kind, decision.code) == (expected, name)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_a_repeatable_call_never_has_an_unknown_outcome(error: type[Exception]) -> None:
    expected = Kind.BUG if error.__name__ in NEVER_BUILT else Kind.RETRY
    assert raised(made(error), Call.REPEATABLE).kind is expected


@pytest.mark.parametrize("error", [TimeoutError(), OSError("reset"), ssl.SSLError("broken")])
def test_an_exception_outside_httpx2_is_a_lost_answer(error: Exception) -> None:
    assert raised(error, Call.ONCE).kind is Kind.UNKNOWN
    assert raised(error, Call.REPEATABLE).kind is Kind.RETRY


def test_an_unexpected_exception_is_a_lost_answer() -> None:
    assert error_from_exception(KeyError("x"), Call.ONCE).kind is Kind.UNKNOWN


def test_a_decision_passes_unchanged() -> None:
    decision = SendError(Kind.STOP, "190", "token_invalid")
    assert raised(decision, Call.ONCE) is decision


def test_a_text_that_utf_8_cannot_hold_is_our_bug() -> None:
    async def send() -> None:
        async with client(httpx2.MockTransport(lambda _: httpx2.Response(200))) as http, exchange(Call.ONCE):
            await http.post("https://graph.example/messages", json={"body": "\ud800"})

    with pytest.raises(SendError) as caught:
        asyncio.run(send())
    assert caught.value.kind is Kind.BUG


def test_the_error_does_not_contain_the_request() -> None:
    request = httpx2.Request("POST", "https://graph.example/messages", content=b"+221770000001")
    decision = raised(httpx2.ReadTimeout("timed out", request=request), Call.ONCE)
    assert decision.__cause__ is None
    assert decision.__suppress_context__
    assert "+221" not in f"{decision}{decision.args}"


@pytest.mark.parametrize("token", ["", "a b", "a\n", "a\r\nX-Evil: 1", "jeton-é"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    with pytest.raises(SendError) as caught:
        bearer(token)
    assert (caught.value.kind, caught.value.reason) == (Kind.STOP, "token_invalid")
    assert not token or token not in str(caught.value)


def test_the_client() -> None:
    http = client()
    assert http.timeout == httpx2.Timeout(5.0)
    assert not http.follow_redirects
    assert http.headers["User-Agent"] == "oomus-messaging"


def test_the_webhook_readers_import_no_http_client() -> None:
    code = (
        "import sys, shared.providers.meta.webhook, shared.providers.orange.receipts;sys.exit('httpx2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_send_waits_longer_than_other_calls() -> None:
    async def limits() -> httpx2.Timeout:
        return SendTime(QUEUED_SENDS).limits

    assert asyncio.run(limits()) == httpx2.Timeout(5.0, read=21.0)


@pytest.mark.parametrize(("whole", "kind"), [(23.0, None), (0.0, Kind.RETRY)])
def test_a_second_try_needs_half_of_a_send_s_time(whole: float, kind: Kind | None) -> None:
    """Without enough time the message is given back: the refusal before it was certain."""

    async def tried() -> None:
        async with SendTime(SendTimes(read=21.0, whole=whole)).before_second_try():
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    if kind is None:
        asyncio.run(tried())
        return
    with pytest.raises(SendError) as caught:
        asyncio.run(tried())
    assert (caught.value.kind, caught.value.code) == (kind, "no_time_for_a_second_try")
