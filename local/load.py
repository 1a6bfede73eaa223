"""`make load`: sends many SMS, from the upload to the receipts, and compares the provider's ledger with the log.

On request it pauses and resumes the distribution, or cancels it, after a third of the messages. It uses the stack that
`make run` has on PORT, or starts its own. It does not move the clock, so the stack's clock must show an hour at which
all nine countries may get messages. Its own stack's clock does.
"""

import argparse
import csv
import io
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import httpx2

from local.demo.api import Api, ApiError
from local.load_outcome import Held, Outcome, Turn, table
from local.processes import PROJECT_ROOT
from local.running import NoStackError, RunningStack, find
from local.sample.expected import Campaign, Expected, RowDecision
from local.sample.people import PLACES, person
from local.sample.register import SENDERS
from local.settings import Settings
from local.stack import STACK_NAME
from local.tokens import TokenRequest

MOST = 10_000 * len(PLACES)
"""As many phone numbers as it can invent."""
MORNING = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""At this hour all nine countries may get messages, so the load works at any hour of the day."""
LOG = PROJECT_ROOT / ".local" / "load.log"
UNDER_WAY = ("pending", "sent")
_LOOK_SECONDS = 0.5
_HELD_SECONDS = 3.0
"""Seconds. Longer than a sender keeps what it knows of a distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running stack, and a token for one of its organisations."""

    base_url: str
    aws_url: str
    simulators_url: str
    organisation: str
    token: str


def campaign(rows: int, name: str) -> Campaign:
    """Make a register of invented people, from the nine countries in turn. Raises ValueError for too many rows."""
    if not 0 < rows <= MOST:
        raise ValueError(f"messages must be from 1 to {MOST}, not {rows}")
    people = [
        person(country, f"{number // len(PLACES):04}") for number, country in enumerate(islice(cycle(PLACES), rows))
    ]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("phone", "first_name", "last_name", "card_code", "enrollment_id", "language"))
    expected = []
    for row, one in enumerate(people, start=1):
        enrollment = f"LOAD-{row:06}"
        writer.writerow((one.number, one.first_name, one.last_name, one.card_code, enrollment, "fr"))
        expected.append(
            Expected(
                row=row, decision=RowDecision.ACCEPTED, enrollment_id=enrollment, status="delivered", number=one.number
            )
        )
    return Campaign(
        campaign_id=name,
        channel="sms",
        form="csv",
        upload=out.getvalue().encode(),
        content={"text": "Bonjour {first_name}, votre carte : {verification_url}", "sms_encoding": "gsm7"},
        defaults={"verification_url": "https://v.example.org/c/{card_code}"},
        expected=tuple(expected),
    )


class Run:
    """One campaign through a running stack."""

    def __init__(self, target: Target, campaign: Campaign, say: Callable[[str], None]) -> None:
        self._target = target
        self._campaign = campaign
        self._say = say
        self._seconds: dict[str, float] = {}
        self._began = time.monotonic()

    def carry(self, rate: int, patience: float, *, at_a_third: Turn | None = None) -> tuple[str, Outcome]:
        """Send the campaign until all messages have ended, or `patience` seconds have passed.

        Returns the distribution's ID and its outcome.
        """
        with Api(self._target.base_url, self._target.token, self._target.simulators_url) as api:
            self._set_up(api, rate)
            before = self._requests()
            self._began = time.monotonic()
            give_up = self._began + patience
            identity = self._plan(api, give_up)
            if at_a_third:
                self._leave_a_third()
            api.act(identity, "confirm")
            held = self._turn(api, identity, at_a_third, give_up) if at_a_third else None
            rows = len(self._campaign.expected)
            self._wait(api, identity, lambda _, counts: _ended(counts) >= rows, give_up)
            self._phase("send and receipts")
            return identity, self._outcome(api, identity, before, held, at_a_third)

    def begin(self, rate: int, patience: float) -> str:
        """Send the first third and return while the rest is still to be sent. Returns the distribution's ID."""
        with Api(self._target.base_url, self._target.token, self._target.simulators_url) as api:
            self._set_up(api, rate)
            self._began = time.monotonic()
            give_up = self._began + patience
            identity = self._plan(api, give_up)
            self._leave_a_third()
            api.act(identity, "confirm")
            self._first_third(api, identity, give_up)
            self._take_up(None)
            return identity

    def _plan(self, api: Api, give_up: float) -> str:
        upload_id = api.upload(self._campaign.form, self._campaign.upload)
        identity = api.distribute(self._campaign, upload_id)
        self._phase("upload")
        self._wait(api, identity, lambda status, _: status != "planning", give_up)
        self._phase("plan")
        return identity

    def _leave_a_third(self) -> None:
        """Let the stack take only two thirds off the queue, so that a third is left even if this process looks late.

        One third would not be enough: some of the messages that the stack takes must wait for a new send slot.
        """
        self._take_up(2 * len(self._campaign.expected) // 3)

    def _take_up(self, messages: int | None) -> None:
        body = {"queue": f"{STACK_NAME}-SmsQueue", "messages": messages}
        httpx2.post(f"{self._target.base_url}/_local/valve", json=body).raise_for_status()

    def _first_third(self, api: Api, identity: str, give_up: float) -> None:
        third = len(self._campaign.expected) // 3
        self._wait(api, identity, lambda _, counts: counts.get("delivered", 0) >= third, give_up)
        self._phase("first third")

    def _turn(self, api: Api, identity: str, turn: Turn, give_up: float) -> Held | None:
        """Pause and resume, or cancel, after a third has arrived.

        During a pause it reads the ledger twice: the provider must get nothing in between.
        """
        self._first_third(api, identity, give_up)
        if turn is Turn.CANCEL:
            api.act(identity, "cancel")
            self._take_up(None)
            return None
        api.act(identity, "pause")
        self._take_up(None)
        # Receipts still come for the messages that were under way at the pause.
        self._wait(api, identity, lambda _, counts: _ended(counts) == len(self._ledger()), give_up)
        time.sleep(_HELD_SECONDS)
        early = len(self._ledger())
        time.sleep(_HELD_SECONDS)
        held = Held(taken=early, escaped=len(self._ledger()) - early)
        self._phase("pause")
        api.act(identity, "resume")
        return held

    def _set_up(self, api: Api, rate: int) -> None:
        settings = {"orange_rate_per_second": 10 * rate, "special_numbers": False}
        httpx2.post(f"{self._target.simulators_url}/_control/settings", json=settings).raise_for_status()
        body = {
            "client_id": f"client-{self._target.organisation}",
            "client_secret": "client-secret-of-a-load",
            "sender_name": "PEV",
            "default_country": "SN",
            "senders": SENDERS,
            "rate_per_second": rate,
        }
        api.put("/v1/integrations/sms", body)

    def _wait(self, api: Api, identity: str, there: Callable[[str, Mapping[str, int]], bool], give_up: float) -> None:
        reported = 0.0
        while not there((found := api.distribution(identity)).status, found.counts):
            now = time.monotonic()
            if now > give_up:
                return
            if now - reported > 5:
                reported = now
                self._say(f"{now - self._began:5.0f} s  {found.status:9} {_shown(found.counts)}")
            time.sleep(_LOOK_SECONDS)

    def _phase(self, name: str) -> None:
        self._seconds[name] = time.monotonic() - self._began - sum(self._seconds.values())

    def _outcome(self, api: Api, identity: str, before: Counter[str], held: Held | None, turn: Turn | None) -> Outcome:
        requests = self._requests() - before
        found = api.distribution(identity)
        logged = api.messages(identity)
        listed, counted = Counter(one.status for one in logged), Counter(found.counts)
        taken = self._ledger()
        by_number = Counter(number for number, _ in taken)
        ours = {row.number for row in self._campaign.expected}
        named = Counter(one.provider_message_id for one in logged if one.provider_message_id)
        reported = Counter(provider_id for _, provider_id in taken)
        return Outcome(
            rows=len(self._campaign.expected),
            accepted=found.accepted,
            by_status={status: count for status, count in found.counts.items() if count},
            under_way=max(
                sum(found.counts.get(status, 0) for status in UNDER_WAY), sum(one.status in UNDER_WAY for one in logged)
            ),
            cancelled=found.by_reason.get("cancelled", 0),
            miscounted=(listed - counted).total() + (counted - listed).total(),
            turn=turn,
            held=held,
            ledger=len(taken),
            doubled=sum(1 for times in by_number.values() if times > 1),
            lost=len(ours - by_number.keys()) - found.by_reason.get("cancelled", 0),
            unlogged=(reported - named).total(),
            unsent=(named - reported).total(),
            seconds=dict(self._seconds),
            requests=requests,
        )

    def _ledger(self) -> list[tuple[str, str]]:
        """The number and the provider's ID of each message that the simulated Orange took from this organisation."""
        query = {"provider": "orange", "organisation": self._target.organisation}
        answer = httpx2.get(f"{self._target.simulators_url}/_control/ledger", params=query, timeout=60)
        entries = answer.raise_for_status().json()["messages"]
        return [(entry["recipient"], entry["provider_message_id"]) for entry in entries]

    def _requests(self) -> Counter[str]:
        return Counter(httpx2.get(f"{self._target.aws_url}/_stack/requests").raise_for_status().json())


def main(argv: Sequence[str]) -> int:
    """Return 0 if the ledger equals the log and every message was delivered or cancelled."""
    parser = argparse.ArgumentParser(prog="python -m local load", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=1000, help="rate_per_second of the integration, 1 to 1000")
    parser.add_argument("--patience", type=float, default=300, help="seconds")
    parser.add_argument("--at-a-third", type=Turn, choices=list(Turn), help="what to do after a third has arrived")
    parser.add_argument("--port", type=int, help="of a running stack; default: PORT, else a stack of its own")
    arguments = parser.parse_args(argv)
    name = f"load-{uuid.uuid4().hex[:8]}"
    try:
        asked = arguments.port or int(os.environ.get("PORT") or 0)
        with _target(asked, name) as target:
            run = Run(target, campaign(arguments.messages, name), lambda line: print(line, file=sys.stderr))
            _, outcome = run.carry(arguments.rate, arguments.patience, at_a_third=arguments.at_a_third)
    except (ApiError, NoStackError, ValueError, httpx2.HTTPError) as error:
        print(error, file=sys.stderr)
        return 2
    print(table(outcome))
    for shortfall in outcome.shortfalls:
        print(f"wrong: {shortfall}", file=sys.stderr)
    return 1 if outcome.shortfalls else 0


@contextmanager
def _target(port: int, organisation: str) -> Iterator[Target]:
    if port:
        yield target_of(find(Settings().state_root, port), organisation)
        return
    with own_stack(organisation) as target:
        yield target


@contextmanager
def own_stack(organisation: str, log_path: Path = LOG) -> Iterator[Target]:
    """Start `make run` as a process of its own, so that this process and the stack do not share an interpreter.

    Raises NoStackError if the stack does not start.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PORT": "0", "NOW": f"{MORNING:%Y-%m-%dT%H:%M:%SZ}"}
    with (
        log_path.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [sys.executable, "-m", "local", "run"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=PROJECT_ROOT,
            env=environment,
        ) as process,
    ):
        try:
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            base_url = process.stdout.readline().strip()
            if not base_url:
                raise NoStackError(f"the stack did not start; its log is in {log_path}")
            yield target_of(find(Settings().state_root, int(base_url.rpartition(":")[2])), organisation)
        finally:
            process.terminate()


def target_of(stack: RunningStack, organisation: str) -> Target:
    """Return the target of a running stack for one organisation. Raises NoStackError if the stack has no simulators."""
    if stack.simulators_url is None:
        raise NoStackError("that stack has no simulators, so it has no ledger")
    return Target(
        base_url=stack.base_url,
        aws_url=stack.aws_url,
        simulators_url=stack.simulators_url,
        organisation=organisation,
        token=stack.token(TokenRequest(issuer=stack.base_url, organisation=organisation)),
    )


def _shown(counts: Mapping[str, int]) -> str:
    return "  ".join(f"{count} {status}" for status, count in counts.items() if count)


def _ended(counts: Mapping[str, int]) -> int:
    """How many messages have ended. All these numbers are delivered to, so `failed` means cancelled."""
    return counts.get("delivered", 0) + counts.get("failed", 0)
