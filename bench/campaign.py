"""A whole campaign on the stub, from the request to the receipts: what it asks of AWS, and what that costs.

    python -m bench.campaign --channel sms --messages 200

The functions run unchanged. This module plays Lambda's poller, API Gateway and the providers' webhooks. The poller uses
the template's batches and windows; each receive that brings messages is a request, and so is each batch's delete.
Nothing is sped up: SMS leave at the product's own pace, because Lambda bills a sender's wait for its send slot.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bench.cards import PNG, Programme
from bench.hooks import MetaCalls, orange_calls
from bench.prices import LAMBDA_GB_SECOND, LOG_LINE_OVERHEAD, LOGS_GB, MILLION, PER_MILLION, VCPU_MB
from bench.scale.figures import EventSource, event_source
from bench.stand import CLOCK, ORGANISATION, Context, Stand, logged, stand, unheard
from functions.bulk_fanout.app import build as build_fanout
from functions.send_sms.app import build as build_sms
from functions.send_whatsapp.app import build as build_whatsapp
from functions.webhook.app import build as build_webhook
from shared.app.runtime import Handler, Loop
from shared.messages.payload import Channel
from tests.template.reading import FUNCTION_FOLDERS, mapping, read
from tests.unit.api.events import event as http_event

RATES = {Channel.SMS: 5, Channel.WHATSAPP: 20}
"""Orange's rate, and as many WhatsApp messages as one process can handle with their statuses. At Meta's rate of 80 the
functions would slow each other down here, and the waiting would be billed. Batches are full at both rates.
"""
PROVIDER_MS, AWS_MS = 100.0, 5.0
TICK_SECONDS = 60.0
WARM_UP_SECONDS = 8
"""Seconds of a campaign before the measured one. It makes the environments and reads the settings, which happens once
and not per message.
"""


type Kind = tuple[str, str]
"""A function, and what woke it: "http", "queue" or "tick"."""


@dataclass(slots=True)
class Bill:
    """What was used, before it is priced."""

    invocations: Counter[Kind] = field(default_factory=Counter)
    seconds: dict[Kind, float] = field(default_factory=dict)
    poller_requests: int = 0
    http_requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        """Set everything to zero."""
        self.invocations.clear()
        self.seconds.clear()
        self.poller_requests = self.http_requests = 0

    def ran(self, kind: Kind, seconds: float) -> None:
        """Count one invocation."""
        with self.lock:
            self.invocations[kind] += 1
            self.seconds[kind] = self.seconds.get(kind, 0.0) + seconds

    def stretched(self, cpu: float) -> dict[Kind, float]:
        """Return the seconds that Lambda would have billed.

        `cpu` seconds of a whole processor are divided among the kinds by the time that each took here. They last longer
        if the function's memory gives it only a part of a processor.
        """
        memory, whole = memory_of_functions(), sum(self.seconds.values()) or 1.0
        return {
            kind: seconds * (1 + cpu / whole * max(VCPU_MB / memory[kind[0]] - 1, 0))
            for kind, seconds in self.seconds.items()
        }


class Poller:
    """Lambda's poller for one queue. A batch leaves when it is full or when its window is over.

    A receive takes only what is there. So a batch that fills one message at a time costs a request for each, which is
    the worst that Lambda may do.
    """

    def __init__(self, place: Stand, queue: str, source: EventSource, bill: "Bill") -> None:
        self._place = place
        self._url = place.queue(queue)
        self._source = source
        self._bill = bill
        self._held: list[object] = []
        self._since = 0.0

    def look(self) -> Iterator[object]:
        """Yield the events of all batches that leave now."""
        while taken := self._place.ask("take", queue=self._url, most=self._source.batch - len(self._held)):
            self._bill.poller_requests += 1
            self._since = self._since if self._held else time.monotonic()
            self._held += taken
            if len(self._held) == self._source.batch:
                yield self._released()
        if self._held and time.monotonic() - self._since >= self._source.window:
            yield self._released()

    @property
    def is_empty(self) -> bool:
        """Whether no batch is being filled."""
        return not self._held

    def _released(self) -> object:
        self._bill.poller_requests += 1
        held, self._held = self._held, []
        return {"Records": held}


class Environments:
    """The environments of one function. Each is a handler with its own loop and handles one invocation at a time."""

    def __init__(self, name: str, build: Callable[..., Handler], place: Stand, bill: Bill) -> None:
        self._name = name
        self._build = build
        self._place = place
        self._idle: list[Handler] = []
        self._lock = threading.Lock()
        self._bill = bill

    def __call__(self, event: object) -> object:
        with self._lock:
            handler = self._idle.pop() if self._idle else None
        handler = handler or self._build(self._place.environment, CLOCK, loop=Loop(unheard))
        began = time.monotonic()
        answer = handler(event, Context())  # type: ignore[arg-type]  # events are built here
        self._bill.ran((self._name, woken_by(event)), time.monotonic() - began)
        with self._lock:
            self._idle.append(handler)
        return answer


class Campaign:
    """One run."""

    def __init__(self, place: Stand, channel: Channel, statuses_a_call: int) -> None:
        self._place = place
        self._channel = channel
        self._meta = MetaCalls(statuses_a_call)
        self.bill = Bill()
        builds: dict[str, Callable[..., Handler]] = {
            "BulkFanoutFunction": build_fanout,
            "SendSmsFunction": build_sms,
            "SendWhatsAppFunction": build_whatsapp,
            "WebhookFunction": build_webhook,
        }
        self._functions = {name: Environments(name, build, place, self.bill) for name, build in builds.items()}
        sender = "SendSmsFunction" if channel is Channel.SMS else "SendWhatsAppFunction"
        sources = {
            ("fanout", "FanoutQueue"): "BulkFanoutFunction",
            (str(channel), "SmsQueue" if channel is Channel.SMS else "WhatsAppQueue"): sender,
            ("status", "StatusQueue"): "WebhookFunction",
        }
        self._pollers = {
            Poller(place, queue, event_source(function, resource), self.bill): function
            for (queue, resource), function in sources.items()
        }
        self._reported = 0
        self._asked = 0
        self._under_way: list[Future[object]] = []
        self._workers = ThreadPoolExecutor(16)

    def forget(self) -> None:
        """Forget everything that was counted so far."""
        self.bill.clear()
        self._reported = 0
        self._place.ask("reset")

    def run(self, messages: int) -> None:
        """Run from the request until every receipt has been handled. Raises RuntimeError if that takes too long."""
        self._ask(messages)
        ticked = time.monotonic()
        give_up = time.monotonic() + messages / RATES[self._channel] * 2 + 60
        while not self._is_through(messages):
            if time.monotonic() > give_up:
                raise RuntimeError(f"only {self._reported} of {messages} messages reached the provider")
            if time.monotonic() - ticked > TICK_SECONDS:
                ticked = time.monotonic()
                self._start("BulkFanoutFunction", {"tick": True})
            for poller, function in self._pollers.items():
                for event in poller.look():
                    self._start(function, event)
            self._tell(messages)
            time.sleep(0.02)

    def _ask(self, messages: int) -> None:
        people = [
            {
                "phone": f"+22177{number:07d}",
                "first_name": "Aminata",
                "last_name": "Essai",
                "card_code": f"DKR-VAC-{number:07d}",
                "enrollment_id": f"ENR{number:08d}",
                "programme_name": "PNV",
                "verification_url": "https://v.example.org/c/{card_code}",
                "card_image": f"s3://cards/{ORGANISATION}/{{card_code}}.png",
                "consent": True,
            }
            for number in range(self._asked, self._asked + messages)
        ]
        self._asked += messages
        body = {
            "campaign_id": "bench",
            "channel": str(self._channel),
            "content": {"template": {"name": "vaccination_card", "language": "fr"}, "sms_encoding": "gsm7"},
            "recipients": people,
            "confirm": True,
        }
        claims = {"organisation_id": ORGANISATION, "scope": "messaging.send"}
        headers = {"idempotency-key": f"up-to-{self._asked}"}
        asked = http_event("POST /v1/distributions", body=body, headers=headers, claims=claims)
        answer = self._functions["BulkFanoutFunction"](asked)
        self.bill.http_requests += 1
        if not isinstance(answer, dict) or answer["statusCode"] != 201:
            raise RuntimeError(f"not planned: {answer}")

    def _tell(self, messages: int) -> None:
        """Call the webhooks for the messages that the providers have accepted since the last time."""
        sent = self._place.ask("sent")[self._reported :]
        self._reported += len(sent)
        now = time.monotonic()
        if self._channel is Channel.WHATSAPP:
            self._meta.owe(sent, now)
        calls = orange_calls(sent) if self._channel is Channel.SMS else ()
        for call in (*calls, *self._meta.due(now, is_last=self._reported >= messages)):
            self.bill.http_requests += 1
            self._start("WebhookFunction", call)

    def _is_through(self, messages: int) -> bool:
        self._under_way = [one for one in self._under_way if not one.done()]
        if self._reported < messages or self._under_way or not self._meta.is_done:
            return False
        if not all(poller.is_empty for poller in self._pollers):
            return False
        return not any(self._place.ask("waiting").values())

    def _start(self, function: str, event: object) -> None:
        self._under_way.append(self._workers.submit(self._functions[function], event))


def woken_by(event: object) -> str:
    """Return what woke a function with this event."""
    assert isinstance(event, dict)  # noqa: S101 - all our events are
    return "queue" if "Records" in event else "http" if "requestContext" in event else "tick"


def measure(channel: Channel, messages: int, statuses_a_call: int = 1) -> dict[str, Any]:
    """Return what 1,000 messages use and cost."""
    with stand(provider_ms=PROVIDER_MS, aws_ms=AWS_MS) as place, logged() as log:
        programme = Programme(place)
        loop = Loop(unheard)
        loop.run(programme.open(rate=RATES[channel]))
        warm_up = WARM_UP_SECONDS * RATES[channel]
        programme.put_cards([f"DKR-VAC-{number:07d}.png" for number in range(warm_up + messages)], PNG)
        loop.close()
        campaign = Campaign(place, channel, statuses_a_call)
        campaign.run(warm_up)
        campaign.forget()
        cpu, already = functions_cpu(), len(log.getvalue())
        campaign.run(messages)
        cpu = functions_cpu() - cpu
        counts = place.ask("counts")
        lines = log.getvalue()[already:].splitlines()
    used = usage(campaign.bill, counts, lines, cpu)
    factor = 1000 / messages
    priced = {name: amount * factor for name, amount in used.items()}
    dollars = cost(priced)
    return {
        "channel": str(channel),
        "messages": messages,
        "statuses_a_call": statuses_a_call,
        "per_1000": {name: round(amount, 2) for name, amount in priced.items()},
        "dollars": {name: round(amount, 6) for name, amount in dollars.items()},
        "dollars_per_1000": round(sum(dollars.values()), 5),
        "requests": {name: round(count * factor, 1) for name, count in counts["requests"].items()},
        "cpu_ms_a_message": round(cpu * factor, 2),
        "lambda": {
            ".".join(kind): {"invocations": campaign.bill.invocations[kind] * factor, "seconds": seconds * factor}
            for kind, seconds in campaign.bill.stretched(cpu).items()
        },
    }


def functions_cpu() -> float:
    """Seconds of processor that the functions have used: all of the process except this thread, which plays Lambda."""
    return time.process_time() - time.thread_time()


def usage(bill: Bill, counts: Mapping[str, Mapping[str, float]], lines: Sequence[str], cpu: float) -> dict[str, float]:
    """Return the amounts that AWS bills. `cpu` is in seconds of a whole processor."""
    requests, memory = Counter(counts["requests"]), memory_of_functions()
    return {
        "DynamoDB write units": counts["units"].get("write", 0),
        "DynamoDB read units": counts["units"].get("read", 0),
        "SQS requests": bill.poller_requests + _of(requests, "sqs."),
        "S3 writes": requests["s3.PUT"],
        "S3 reads": requests["s3.GET"] + requests["s3.HEAD"],
        "Secrets Manager calls": _of(requests, "secretsmanager."),
        "Scheduler calls": _of(requests, "scheduler."),
        "HTTP API requests": bill.http_requests,
        "Lambda invocations": sum(bill.invocations.values()),
        "Lambda GB-seconds": sum(seconds * memory[kind[0]] / 1024 for kind, seconds in bill.stretched(cpu).items()),
        "log bytes": sum(len(line.encode()) + LOG_LINE_OVERHEAD for line in lines),
    }


def cost(per_1000: Mapping[str, float]) -> dict[str, float]:
    """Return the dollars for each billed amount."""
    dollars = {name: amount * PER_MILLION[name] / MILLION for name, amount in per_1000.items() if name in PER_MILLION}
    dollars["Lambda GB-seconds"] = per_1000["Lambda GB-seconds"] * LAMBDA_GB_SECOND
    dollars["logs"] = per_1000["log bytes"] / 1024**3 * LOGS_GB
    return dollars


def memory_of_functions() -> dict[str, int]:
    """Each function's memory in MB, from the template."""
    resources = mapping(read(), "Resources")
    return {name: int(str(mapping(resources[name], "Properties")["MemorySize"])) for name in FUNCTION_FOLDERS}


def _of(requests: Counter[str], service: str) -> int:
    return sum(count for name, count in requests.items() if name.startswith(service))


def main() -> int:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m bench.campaign", description=__doc__)
    parser.add_argument("--channel", type=Channel, choices=list(Channel), default=Channel.SMS)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--statuses-a-call", type=int, default=1)
    arguments = parser.parse_args()
    measured = measure(arguments.channel, arguments.messages, arguments.statuses_a_call)
    sys.stdout.write(json.dumps(measured, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
