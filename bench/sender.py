"""Compares the senders' handlers with loops that do only the POST: messages a second, and processor time per message.

    python -m bench.sender --channel whatsapp --in-flight 50
    python -m bench.sender --in-flight 50 --against pywa

AWS and the provider are `bench.cloud`; the provider answers after 100 ms. Both sides have the same number of messages
in flight and take turns in one run. The median of the ratios counts.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import httpx
from pywa.types.templates import BodyText, HeaderImage, TemplateLanguage
from pywa_async.client import WhatsApp as Pywa

from bench.cards import Programme, batches, event
from bench.stand import CLOCK, Context, Stand, logged, stand, unheard
from functions.send_sms.app import build as build_sms
from functions.send_whatsapp.app import build as build_whatsapp
from shared.app.runtime import Handler, Loop
from shared.messages.payload import Channel
from shared.messages.queue_message import QueueMessage
from shared.providers.meta.client import body_of

PROVIDER_MS = 100.0
BUILDS: Mapping[Channel, Callable[..., Handler]] = {Channel.SMS: build_sms, Channel.WHATSAPP: build_whatsapp}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The result of one turn."""

    messages: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Processor time of this process, in milliseconds per message."""
        return self.cpu_seconds / self.messages * 1000


def timed(messages: int, work: Callable[[], None]) -> Turn:
    """Run `work` and measure it as one turn."""
    began, cpu = time.monotonic(), time.process_time()
    work()
    return Turn(messages=messages, seconds=time.monotonic() - began, cpu_seconds=time.process_time() - cpu)


class Side(Protocol):
    """A sender to measure."""

    def send(self, queue_messages: list[QueueMessage], /) -> Turn:
        """Send all messages."""
        ...


class Ours:
    """Our handler. It gets one batch at a time, as an execution environment does."""

    def __init__(self, channel: Channel, place: Stand, loop: Loop, in_flight: int) -> None:
        self._handler = BUILDS[channel](place.environment, CLOCK, loop=loop)
        self._in_flight = in_flight

    def send(self, queue_messages: list[QueueMessage]) -> Turn:
        """Send all messages."""
        return timed(len(queue_messages), lambda: self._work(queue_messages))

    def _work(self, queue_messages: list[QueueMessage]) -> None:
        for batch in batches(queue_messages, self._in_flight):
            answer = self._handler(event(batch), Context())
            if answer != {"batchItemFailures": []}:
                raise RuntimeError(f"not sent: {answer}")


class Bare:
    """Only the POST, by aiohttp."""

    def __init__(self, channel: Channel, place: Stand, in_flight: int) -> None:
        self._channel = channel
        self._place = place
        self._in_flight = in_flight

    def send(self, queue_messages: list[QueueMessage]) -> Turn:
        """Send all messages."""
        return timed(len(queue_messages), lambda: asyncio.run(self._work(queue_messages)))

    async def _work(self, queue_messages: list[QueueMessage]) -> None:
        connector = aiohttp.TCPConnector(limit=self._in_flight)
        async with aiohttp.ClientSession(connector=connector) as session:
            for batch in batches(queue_messages, self._in_flight):
                await asyncio.gather(*(self._post(session, one) for one in batch))

    async def _post(self, session: aiohttp.ClientSession, queue_message: QueueMessage) -> None:
        url, body = self._request(queue_message)
        async with session.post(url, json=body, headers={"Authorization": "Bearer bench"}) as answer:
            await answer.read()

    def _request(self, queue_message: QueueMessage) -> tuple[str, dict[str, object]]:
        if self._channel is Channel.WHATSAPP:
            return f"{self._place.address}/meta/v25.0/1/messages", body_of(
                queue_message.payload, "1", queue_message.message_id
            )
        sender = "tel%3A%2B2210000"
        request = {
            "address": f"tel:{queue_message.payload.to}",
            "senderAddress": "tel:+2210000",
            "outboundSMSTextMessage": {"message": queue_message.payload.text},
        }
        url = f"{self._place.address}/orange/smsmessaging/v1/outbound/{sender}/requests"
        return url, {"outboundSMSMessageRequest": request}


class ByPywa:
    """Only the POST, by pywa's client, which knows only Meta. The card's ID is given."""

    def __init__(self, channel: Channel, place: Stand, in_flight: int) -> None:
        if channel is not Channel.WHATSAPP:
            raise ValueError("pywa sends by WhatsApp")
        self._place = place
        self._in_flight = in_flight

    def send(self, queue_messages: list[QueueMessage]) -> Turn:
        """Send all messages."""
        return timed(len(queue_messages), lambda: asyncio.run(self._work(queue_messages)))

    async def _work(self, queue_messages: list[QueueMessage]) -> None:
        async with httpx.AsyncClient(timeout=20, trust_env=False) as session:
            client = Pywa(phone_id="1", token="bench", session=session, api_version=25.0)  # noqa: S106 - a stub's
            session.base_url = httpx.URL(f"{self._place.address}/meta/v25.0")
            for batch in batches(queue_messages, self._in_flight):
                await asyncio.gather(*(self._post(client, one) for one in batch))

    async def _post(self, client: Pywa, queue_message: QueueMessage) -> None:
        call = queue_message.payload.template
        if call is None:
            raise ValueError("only a template can be sent here")
        parameters = [HeaderImage.params(image="1"), BodyText.params(**dict(call.parameters))]
        language = TemplateLanguage(call.language)
        await client.send_template(
            queue_message.payload.to, call.name, language, parameters, tracker=queue_message.message_id
        )


RIVALS: Mapping[str, Callable[[Channel, Stand, int], Side]] = {"bare": Bare, "pywa": ByPywa}


def compare(
    channel: Channel, in_flight: int, *, rounds: int = 5, seconds: float = 3.0, against: str = "bare"
) -> dict[str, float]:
    """Let both sides send in turn, `rounds` times. Each turn is long enough for about `seconds`."""
    messages = in_flight * max(1, round(seconds / (PROVIDER_MS / 1000)))
    loop = Loop(unheard)
    with stand(provider_ms=PROVIDER_MS) as place, logged():
        programme = Programme(place)
        loop.run(programme.open())
        ours, rival = Ours(channel, place, loop, in_flight), RIVALS[against](channel, place, in_flight)
        ours.send(loop.run(programme.queue_messages(channel, in_flight)))
        turns = []
        for _ in range(rounds):
            queue_messages = loop.run(programme.queue_messages(channel, messages))
            turns.append((ours.send(queue_messages), rival.send(queue_messages)))
    loop.close()
    return {
        "ratio": round(statistics.median(one.rate / other.rate for one, other in turns), 3),
        "ours_per_second": round(statistics.median(one.rate for one, _ in turns), 1),
        f"{against}_per_second": round(statistics.median(other.rate for _, other in turns), 1),
        "ours_cpu_ms": round(statistics.median(one.cpu_ms for one, _ in turns), 3),
        f"{against}_cpu_ms": round(statistics.median(other.cpu_ms for _, other in turns), 3),
    }


def main() -> int:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m bench.sender", description=__doc__)
    parser.add_argument("--channel", type=Channel, choices=list(Channel), default=Channel.WHATSAPP)
    parser.add_argument("--in-flight", type=int, default=10)
    parser.add_argument("--against", choices=list(RIVALS), default="bare")
    arguments = parser.parse_args()
    found = compare(arguments.channel, arguments.in_flight, against=arguments.against)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
