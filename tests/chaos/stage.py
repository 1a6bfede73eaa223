"""A running stack with one campaign on it, seen and shaken from outside: its API, its simulators, its queues."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx2

from local.clock import format_instant, parse_instant
from local.demo.api import Api
from local.load import Target
from local.sample.expected import Campaign
from local.sample.people import person
from local.sample.register import SENDERS
from tests.simulation.evidence import Call, Deed, Evidence, Person, Row
from tests.stack.running import RunningStack

GRACE = 3.0
"""Seconds between our clock reading and what a worker of the stack did at that time: the machine is busy."""
LONG = 300.0
"""Seconds: a jump of the clock stops where something falls due, and waits there for the functions."""
TEXT = {"text": "Bonjour {first_name}, votre carte : {verification_url}", "sms_encoding": "gsm7"}


def campaign(name: str, rows: Sequence[tuple[str, str]]) -> tuple[Campaign, list[Person]]:
    """An upload of invented people, and the same as the checker wants them. The enrolment stands for the card."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("phone", "first_name", "last_name", "card_code", "enrollment_id", "language"))
    people: list[Person] = []
    for row, (country, tail) in enumerate(rows, start=1):
        one, enrolment = person(country, tail), f"{name}-{row:05}"
        writer.writerow((one.number, one.first_name, one.last_name, one.card_code, enrolment, "fr"))
        people.append(
            Person(
                card=enrolment,
                number=one.number,
                country=country,
                channel="sms",
                distribution=None,
                not_before=None,
                off_peak=False,
                consent=True,
            )
        )
    made = Campaign(
        campaign_id=name,
        channel="sms",
        form="csv",
        upload=out.getvalue().encode(),
        content=TEXT,
        defaults={"verification_url": "https://v.example.org/c/{card_code}"},
        expected=(),
    )
    return made, people


class Stage:
    """One scenario's organisation and campaign."""

    def __init__(self, stack: RunningStack, target: Target, api: Api, name: str, rate: int) -> None:
        self._stack = stack
        self._target = target
        self._name = name
        self._rate = rate
        self._deeds: list[Deed] = []
        self.api = api
        self.identity = ""
        self._people: list[Person] = []

    # ------------------------------------------------------------------------------------------------- what is done

    def begin(self, made: Campaign, people: Sequence[Person]) -> None:
        """Upload, plan, confirm."""
        self.save_settings("client-secret")
        self.identity = self.api.distribute(made, self.api.upload(made.form, made.upload))
        self._people = [Person(**{**one, "distribution": self.identity}) for one in people]

    def save_settings(self, secret: str) -> None:
        """The SMS integration, with another secret."""
        body = {
            "client_id": f"client-{self._target.organisation}",
            "client_secret": secret,
            "sender_name": "PEV",
            "default_country": "SN",
            "senders": SENDERS,
            "rate_per_second": self._rate,
        }
        self.api.put("/v1/integrations/sms", body)

    def act(self, action: str) -> None:
        """Confirm, pause, resume or cancel, unless it is through already."""
        asked = self.now()
        if self.api.distribution(self.identity).status not in ("completed", "cancelled"):
            self.api.act(self.identity, action)
            self._deeds.append(Deed(distribution=self.identity, action=action, asked=asked, done=self.now()))

    def set_simulators(self, **settings: object) -> None:
        """Of the providers."""
        self._post(f"{self._target.simulators_url}/_control/settings", settings)

    def reset_simulators(self) -> None:
        """Settings back to their defaults."""
        self._post(f"{self._target.simulators_url}/_control/reset", {})

    def set_faults(self, faults: Mapping[str, object]) -> None:
        """Of AWS."""
        self._post(f"{self._target.aws_url}/_stack/faults", faults)

    def double_copies(self, queue: str) -> None:
        """Ten of what waits on a queue, put there a second time."""
        sqs, url = self._stack.aws("sqs"), self._stack.output(f"{queue}Url")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
        for message in found:
            sqs.send_message(QueueUrl=url, MessageBody=message["Body"])

    def ask_again(self) -> None:
        """The fan-out's tasks for this distribution, and those of a tick that finds all shards due."""
        sqs, url = self._stack.aws("sqs"), self._stack.output("FanoutQueueUrl")
        advance = {"kind": "advance", "organisation": self._target.organisation, "distribution_id": self.identity}
        for task in (advance, advance, *({"kind": "agenda", "shard": shard} for shard in range(8))):
            sqs.send_message(QueueUrl=url, MessageBody=httpx2.Response(200, json=task).text)

    def forge_receipts(self, turn: int) -> None:
        """Nobody's, and everybody's again."""
        base = f"{self._target.base_url}/webhooks/orange/{self._target.organisation}"
        info = {"address": "tel:+221770000300", "deliveryStatus": "DeliveredToTerminal"}
        body = {"deliveryInfoNotification": {"callbackData": f"unknown-{turn}", "deliveryInfo": info}}
        refused = httpx2.post(f"{base}/a-wrong-token", json=body)
        if refused.status_code != 401:
            raise AssertionError(f"a forged receipt got {refused.status_code}")

    def jump(self, instant: datetime) -> None:
        """Move the stack's clock on."""
        self._post(f"{self._target.base_url}/_local/clock", {"now": format_instant(instant)})

    # ----------------------------------------------------------------------------------------------------- what is seen

    def now(self) -> datetime:
        """By the stack's clock."""
        return parse_instant(self._get(f"{self._target.base_url}/_local/clock")["now"])

    def status(self) -> str:
        """Of the distribution."""
        return self.api.distribution(self.identity).status

    def counts(self) -> Mapping[str, int]:
        """Of the distribution."""
        return self.api.distribution(self.identity).counts

    def evidence(self) -> Evidence:
        """For the checker, once nothing is under way."""
        found = self.api.distribution(self.identity)
        return Evidence(
            people=self._people,
            calls=self._calls(),
            rows=self._rows(),
            deeds=self._deeds,
            states=[],
            words=[],
            told=[],
            changes=[],
            accepted={self.identity: found.accepted},
            counts={self.identity: dict(found.counts)},
            rates={"sms": self._rate},
            grace=GRACE,
        )

    def taken(self) -> int:
        """How many messages the provider has taken."""
        return len(self._ledger())

    def _calls(self) -> list[Call]:
        cards = {one["number"]: one["card"] for one in self._people}
        return [
            Call(
                at=datetime.fromisoformat(entry["at"]),
                channel="sms",
                number=entry["recipient"],
                card=cards.get(entry["recipient"], "nobody's"),
                key="",
                taken=True,
            )
            for entry in self._ledger()
        ]

    def _rows(self) -> list[Row]:
        return [
            Row(
                message_id=str(number),
                parent=None,
                distribution=self.identity,
                channel="sms",
                card=one.enrollment_id,
                status=one.status,
                reason=one.reason if one.status == "failed" else None,
                resent=False,
            )
            for number, one in enumerate(self.api.messages(self.identity))
        ]

    def _ledger(self) -> list[dict[str, Any]]:
        query = f"provider=orange&organisation={self._target.organisation}"
        entries: list[dict[str, Any]] = self._get(f"{self._target.simulators_url}/_control/ledger?{query}")["messages"]
        return entries

    def counted(self) -> Counter[str]:
        """The log's statuses."""
        return Counter(row["status"] for row in self._rows())

    @staticmethod
    def _post(url: str, body: Mapping[str, object]) -> None:
        httpx2.post(url, json=dict(body), timeout=LONG).raise_for_status()

    @staticmethod
    def _get(url: str) -> Any:
        return httpx2.get(url, timeout=LONG).raise_for_status().json()
