"""Measures a single send on the local stack: from the POST until the provider's simulator accepts the message.

    python -m bench.latency

The stack is `make run` in a process of its own, with the rate limits at their usual rates (5 SMS and 80 WhatsApp
messages a second). Messages go one after another, both channels in turn, so slowly that no rate limit is ever full.
Each WhatsApp message has its own card, which the sender first fetches and uploads. moto replaces AWS, and all processes
share the same processors. So the figures are not those of AWS, but they contain the waits of the product's design: the
queue, and the next send slot of the rate limit (at most 0.2 s for SMS).

The POST's instant is read from this process's clock. The acceptance is read from the ledger, by the simulators' clock.
The difference of the two clocks is asked several times, and the quickest answer counts.
"""

import argparse
import json
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from statistics import quantiles

import httpx2

from bench.stand import NotMeasuredError
from local.demo import WHATSAPP
from local.load import Target, own_stack
from local.processes import PROJECT_ROOT

LOG = PROJECT_ROOT / ".local" / "latency.log"
PROVIDERS = {"sms": "orange", "whatsapp": "meta"}
APART = 0.3
"""Seconds between two POSTs."""
PATIENCE = 15.0
"""Seconds after the last POST until the provider must have accepted all messages."""
FIRST = 8200
"""From this number on, the last digits are no special numbers."""
SMS = {"client_id": "client-of-a-bench", "client_secret": "s", "sender_name": "PNV", "default_country": "SN"}
CONTENT: Mapping[str, Mapping[str, object]] = {
    "sms": {"text": "Bonjour {first_name}, votre carte : {verification_url}", "sms_encoding": "gsm7"},
    "whatsapp": {"template": {"name": "vaccination_card", "language": "fr"}},
}


class NotTakenError(NotMeasuredError):
    """The provider did not get a message in time."""


class RefusedError(Exception):
    """A send was refused. That is a bug in the bench or in the product; the machine is not too slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One POST. `at` is in seconds since 1970 on this process's clock; `answered` is in seconds until the 202."""

    channel: str
    number: str
    at: float
    answered: float


class Sends:
    """Sends for one organisation of a running stack."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._http = httpx2.Client(
            base_url=target.base_url,
            headers={"Authorization": f"Bearer {target.token}"},
            timeout=30,
            trust_env=False,
        )
        self._numbers = count(FIRST)

    def set_up(self) -> None:
        """Save both integrations with their default rates."""
        for name, body in (("sms", SMS), ("whatsapp", WHATSAPP)):
            self._http.put(f"/v1/integrations/{name}", json=body).raise_for_status()

    def send(self, channel: str) -> Sent:
        """Send one message to a new person. Raises RefusedError."""
        number = next(self._numbers)
        recipient = {
            "phone": f"+22177000{number:04d}",
            "first_name": "Aminata",
            "last_name": "Essai",
            "programme_name": "PNV",
            "card_code": f"DKR-VAC-{number:06d}",
            "verification_url": "https://v.example.org/c/{card_code}",
            "card_image": f"{self._target.simulators_url}/cards/{{card_code}}.png",
            "consent": True,
        }
        body = {"channel": channel, "campaign_id": "bench", "recipient": recipient, "content": CONTENT[channel]}
        at, began = time.time(), time.monotonic()
        answer = self._http.post("/v1/messages", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        answered = time.monotonic() - began
        if answer.status_code != 202:
            raise RefusedError(f"{channel}: {answer.status_code} {answer.text[:300]}")
        return Sent(channel=channel, number=str(recipient["phone"]), at=at, answered=answered)

    def taken(self) -> dict[tuple[str, str], float]:
        """When each message was accepted: provider and number → seconds since 1970 on the ledger's clock."""
        entries = self._control("ledger")["messages"]
        assert isinstance(entries, list)  # noqa: S101 - docs/simulators.md
        return {
            (one["provider"], one["recipient"]): datetime.fromisoformat(one["at"]).timestamp()
            for one in entries
            if one["organisation"] == self._target.organisation
        }

    def ahead(self) -> float:
        """The seconds by which the ledger's clock is ahead of this process's clock."""
        asked = [self._asked_clock() for _ in range(7)]
        return min(asked)[1]

    def _asked_clock(self) -> tuple[float, float]:
        """Return how long the answer took, and how far ahead the clock was at half of that time."""
        began = time.time()
        now = datetime.fromisoformat(str(self._control("clock")["now"])).timestamp()
        took = time.time() - began
        return took, now - (began + took / 2)

    def _control(self, name: str) -> dict[str, object]:
        answer = self._http.get(f"{self._target.simulators_url}/_control/{name}").raise_for_status()
        reported: dict[str, object] = answer.json()
        return reported


def latencies(sent: Sequence[Sent], taken: Mapping[tuple[str, str], float], ahead: float) -> dict[str, list[float]]:
    """Return the seconds from each POST to its acceptance, by channel. Raises NotTakenError if a message was not
    accepted.
    """
    missing = [one for one in sent if (PROVIDERS[one.channel], one.number) not in taken]
    if missing:
        raise NotTakenError(f"{len(missing)} of {len(sent)} messages did not reach the provider")
    found: dict[str, list[float]] = {}
    for one in sent:
        at = taken[PROVIDERS[one.channel], one.number]
        found.setdefault(one.channel, []).append(at - (one.at + ahead))
    return found


def _all_taken(sends: Sends, sent: Sequence[Sent]) -> dict[tuple[str, str], float]:
    give_up = time.monotonic() + PATIENCE
    taken = sends.taken()
    while len(taken) < len(sent) and time.monotonic() < give_up:
        time.sleep(0.3)
        taken = sends.taken()
    return taken


def measure(messages: int = 40, log_path: Path = LOG) -> dict[str, dict[str, float]]:
    """Measure `messages` per channel, after two per channel that warm the functions up."""
    with own_stack("latency", log_path) as target:
        sends = Sends(target)
        sends.set_up()
        warm = [sends.send(channel) for channel in 2 * tuple(PROVIDERS)]
        _all_taken(sends, warm)
        sent = []
        for channel in messages * tuple(PROVIDERS):
            began = time.monotonic()
            sent.append(sends.send(channel))
            time.sleep(max(0.0, APART - (time.monotonic() - began)))
        found = latencies(sent, _all_taken(sends, [*warm, *sent]), sends.ahead())
    answered = {channel: [one.answered for one in sent if one.channel == channel] for channel in found}
    return {channel: _summary(found[channel], answered[channel]) for channel in found}


def _summary(seconds: Sequence[float], answered: Sequence[float]) -> dict[str, float]:
    percents, posts = (quantiles(each, n=100, method="inclusive") for each in (seconds, answered))
    return {
        "messages": len(seconds),
        "p50_ms": round(percents[49] * 1000, 1),
        "p95_ms": round(percents[94] * 1000, 1),
        "answer_p50_ms": round(posts[49] * 1000, 1),
    }


def main() -> int:
    """Print one JSON object."""
    argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__).parse_args()
    sys.stdout.write(json.dumps(measure(), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
