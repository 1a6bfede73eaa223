"""One campaign on a running stack, and all that shakes it from outside: API, simulators, queues, clock."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.campaigns.counts import RECEIPT_MISSING
from tests.chaos import seen
from tests.chaos.patient import Patient
from tests.chaos.people import people, request, upload
from tests.chaos.seen import Seen
from tests.simulation.evidence import Change, ConsentStatement, Deed, Evidence, Person, State
from tests.stack.programme import Json, Programme
from tests.stack.running import RunningStack
from tests.waiting import http

GRACE = 3.0
"""Seconds between our reading of the clock and the work of the stack at that time: the machine is busy."""
PROVIDERS = {"sms": "orange", "whatsapp": "meta"}


class Stage:
    """One scenario's organisation and campaign."""

    def __init__(self, stack: RunningStack, name: str, channel: str, rate: int) -> None:
        self.stack = stack
        self.name = name
        self.done: Counter[str] = Counter()
        """What the scenario did, and how often."""
        self.identity = ""
        self.people: list[Person] = []
        self._channel = channel
        self._rate = rate
        self._request: Json = {}
        self._fallback_minutes: int | None = None
        self._deeds: list[Deed] = []
        self._states: list[State] = []
        self._statements: list[ConsentStatement] = []
        self._changes: list[Change] = []
        self._post(f"{stack.control_url}/reset", {})
        self.programme = Programme(stack, name, rate=rate, transport=Patient())
        self.programme.put_sms(rate_per_second=rate)
        self.programme.put_whatsapp(rate_per_second=rate)
        self._failed_before = self._failed()

    def close(self) -> None:
        """Closes the connections."""
        self.programme.api.close()

    # --------------------------------------------------------------------------------------- what the scenario does

    def plan(self, rows: Sequence[tuple[str, str]], *, off_peak: bool, fallback_minutes: int | None = None) -> None:
        """Uploads and plans a campaign; `rows`: country and last four digits."""
        self._fallback_minutes = fallback_minutes
        self.people = people(self.name, rows, self._channel, off_peak=off_peak)
        cards = f"{self.stack.simulators_url}/cards"
        file = self.programme.upload(upload(self.name, rows), "csv")
        self._request = {**request(self.name, self._channel, cards, off_peak=off_peak), "upload_id": file}
        if fallback_minutes is not None:
            self._request["fallback"] = {"channel": "sms", "after_minutes": fallback_minutes}
        self.identity = self._asked_for()["distribution_id"]
        for one in self.people:
            one["distribution"] = self.identity

    def ask_with_the_same_key(self) -> None:
        """Sends the same request again, and another body with the same key."""
        again = self._asked_for()["distribution_id"]
        other = self.programme.distribute(key=self.name, **{**self._request, "campaign_id": "another"})
        if again != self.identity or other.status_code != 422:
            raise AssertionError(f"the key's second answer is {again}, another body's {other.status_code}")
        self.done["asked again"] += 1

    def act(self, action: str) -> None:
        """Confirms, pauses, resumes or cancels, unless the campaign has ended."""
        asked = self.stack.now()
        if self.status() in ("completed", "cancelled"):
            return
        self.programme.ok(self.programme.act({"distribution_id": self.identity}, action))
        self._deeds.append(Deed(distribution=self.identity, action=action, asked=asked, done=self.stack.now()))
        self.done[action] += 1
        if action in ("confirm", "resume"):
            self._stood("sending", asked)

    def revoke(self, some: Sequence[Person]) -> None:
        """These people revoke their consent."""
        asked = self.stack.now()
        items = [{"phone": one["number"], "granted": False, "source": "telephone"} for one in some]
        self.programme.api.post("/v1/consents", json={"items": items}).raise_for_status()
        said = self.stack.now()
        self._statements += [
            ConsentStatement(number=one["number"], granted=False, asked=asked, done=said, dated=None) for one in some
        ]

    def redrive(self) -> None:
        """Redrives all dead letters; asks twice."""
        listed = self.programme.ok(self.programme.api.get("/v1/dead-letters", params={"channel": self._channel}))
        if any("***" not in one["recipient"] for one in listed["items"]):
            raise AssertionError("a dead letter shows a whole number")
        for _ in range(2):
            answer = self.programme.api.post("/v1/dead-letters/redrive", json={"all": True})
            self.done["redriven"] += self.programme.ok(answer)["redriven"]

    def set_simulators(self, **settings: object) -> None:
        """Sets the provider simulators."""
        self._post(f"{self.stack.control_url}/settings", settings)

    def set_faults(self, faults: Mapping[str, object]) -> None:
        """Sets the faults of AWS."""
        self._post(f"{self.stack.aws_url}/_stack/faults", faults)

    def double_queue_messages(self, queue: str) -> None:
        """Puts up to ten waiting messages of a queue on it a second time."""
        sqs, url = self.stack.aws("sqs"), self.stack.output(f"{queue}Url")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
        for message in found:
            sqs.send_message(QueueUrl=url, MessageBody=message["Body"])
        self.done[f"doubled on {queue}"] += len(found)

    def give_up(self, queue: str) -> None:
        """Moves up to ten waiting messages of a queue to its dead-letter queue, as SQS does after too many receives."""
        sqs, url = self.stack.aws("sqs"), self.stack.output(f"{queue}Url")
        known = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
        arn = json.loads(known["RedrivePolicy"])["deadLetterTargetArn"]
        dead = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            sqs.send_message(QueueUrl=dead, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def ask_again(self) -> None:
        """Queues the fan-out's tasks for this distribution twice, and a task for each agenda shard, as the tick
        does."""
        sqs, url = self.stack.aws("sqs"), self.stack.output("FanoutQueueUrl")
        advance = {"kind": "advance", "organisation": self.name, "distribution_id": self.identity}
        for task in (advance, advance, *({"kind": "agenda", "shard": shard} for shard in range(8))):
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(task))
            self.done["tasks again"] += 1

    def switch_tick(self, *, on: bool) -> None:
        """Switches the schedule of the tick on or off."""
        scheduler = self.stack.aws("scheduler")
        for one in scheduler.list_schedules()["Schedules"]:
            found = scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"])
            if found["ScheduleExpression"].startswith("rate("):
                kept = ("Name", "GroupName", "ScheduleExpression", "Target", "FlexibleTimeWindow")
                scheduler.update_schedule(**{key: found[key] for key in kept}, State="ENABLED" if on else "DISABLED")

    def change_credentials(self, secret: str) -> None:
        """An administrator saves another secret and uses it; the new token ends the old ones."""
        saved = self.programme.put_sms(client_secret=secret, rate_per_second=self._rate)
        url, form = f"{self.stack.simulators_url}/orange/oauth/v3/token", {"grant_type": "client_credentials"}
        http().post(url, data=form, auth=(saved["client_id"], secret)).raise_for_status()

    def forge_receipts(self, turn: int) -> None:
        """An outsider posts a receipt about another person's message, with a wrong token."""
        base = f"{self.stack.base_url}/webhooks/orange/{self.name}"
        info = {"address": f"tel:{self.people[0]['number']}", "deliveryStatus": "DeliveredToTerminal"}
        body = {"deliveryInfoNotification": {"callbackData": f"unknown-{turn}", "deliveryInfo": info}}
        refused = http().post(f"{base}/a-wrong-token", json=body)
        if refused.status_code != 401:
            raise AssertionError(f"a forged receipt got {refused.status_code}")
        self.done["forged"] += 1

    def jump(self, instant: datetime) -> None:
        """Moves the stack's clock on."""
        self.programme.move_to(instant)

    # ------------------------------------------------------------------------------------------- what the scenario sees

    def status(self) -> str:
        """Of the distribution. Notes the states that last until a person acts. It does not note a hold: test messages
        leave during a hold, and it ends by itself, at an instant that cannot be seen from outside."""
        found = self.programme.distribution(self.identity)
        status = str(found["status"])
        if status == "planned" or found["status_reason"] == "paused_by_user":
            self._stood(status, self.stack.now())
        return status

    def counts(self) -> Mapping[str, int]:
        """Of the distribution."""
        return dict(self.programme.distribution(self.identity)["counts"])

    def texts(self) -> int:
        """How many SMS went out in place of the campaign's messages."""
        return len(self._ledger("sms"))

    def warns(self, code: str) -> bool:
        """Whether the distribution shows this warning now."""
        return any(one["code"] == code for one in self.programme.distribution(self.identity)["warnings"])

    def taken(self) -> int:
        """How many messages the provider has taken."""
        return len(self._ledger())

    def is_through(self) -> bool:
        """Whether every row has ended, both in the distribution's counts and in the log."""
        rows = self.programme.messages(distribution_id=self.identity, limit="200", status="pending")
        return not self.counts()["pending"] and not rows

    def observe(self) -> None:
        """Notes the present status of the newest rows of the log."""
        query = {"distribution_id": self.identity, "limit": "200"}
        now = self.stack.now()
        for one in self.programme.ok(self.programme.api.get("/v1/messages", params=query))["items"]:
            self._changes.append(Change(message_id=one["message_id"], at=now, status=one["status"]))

    def seen(self) -> Seen:
        """What was seen; call it once nothing is under way."""
        ledger, receipts = self._ledger(), self._receipts()
        refused: dict[str, dict[str, int]] = self._get(f"{self.stack.control_url}/ledger")["refused"]
        return Seen(
            evidence=self._evidence(ledger, receipts),
            ledger=ledger,
            receipts=receipts,
            refused=refused[PROVIDERS[self._channel]],
            failed=self._failed() - self._failed_before,
            done=self.done,
        )

    def _evidence(self, ledger: Sequence[Json], receipts: Sequence[Json]) -> Evidence:
        found = self.programme.distribution(self.identity)
        cards = {one["number"]: one["card"] for one in self.people}
        texts = seen.calls(self._ledger("sms"), "sms", cards) if self._fallback_minutes else []
        listed = self.programme.messages(distribution_id=self.identity, limit="200")
        return Evidence(
            people=self.people,
            calls=[*seen.calls(ledger, self._channel, cards), *texts],
            fetches=[],
            rows=seen.rows(listed, self._fallback_minutes),
            deeds=self._deeds,
            states=self._states,
            statements=self._statements,
            reported=seen.reported(receipts, ledger, self._channel, cards),
            arrivals=seen.arrivals(ledger) if self._channel == "whatsapp" else [],
            changes=self._changes,
            unknown=(),
            accepted={self.identity: found["accepted"]},
            retries={},
            counts={self.identity: found["counts"]},
            idle=[],
            reasons={self.identity: {one: n for one, n in found["by_reason"].items() if one != RECEIPT_MISSING}},
            fallbacks={self.identity: found["fallback"]["counts"]} if found["fallback"] else {},
            rates={self._channel: self._rate} | ({"sms": self._rate} if texts else {}),
            grace=GRACE,
        )

    def _asked_for(self) -> Json:
        return self.programme.ok(self.programme.distribute(key=self.name, **self._request))

    def _stood(self, status: str, at: datetime) -> None:
        if not self._states or self._states[-1]["status"] != status:
            self._states.append(State(distribution=self.identity, at=at, status=status))

    def _ledger(self, channel: str = "") -> list[Json]:
        """The provider's messages of our accounts. It takes messages also while it does not know our callback."""
        ours = (f"client-{self.name}", self.programme.phone_number_id)
        taken = self._get(f"{self.stack.control_url}/ledger?provider={PROVIDERS[channel or self._channel]}")["messages"]
        return [entry for entry in taken if entry["account"] in ours]

    def _receipts(self) -> list[Json]:
        url = f"{self.stack.control_url}/receipts?provider={PROVIDERS[self._channel]}"
        return [call for call in self._get(url)["receipts"] if call["organisation"] == self.name]

    def _failed(self) -> Counter[str]:
        return Counter(self._get(f"{self.stack.aws_url}/_stack/faults"))

    @staticmethod
    def _post(url: str, body: Mapping[str, object]) -> None:
        http().post(url, json=dict(body)).raise_for_status()

    @staticmethod
    def _get(url: str) -> Any:
        return http().get(url).raise_for_status().json()
