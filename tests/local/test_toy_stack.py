"""The local stack on a toy template: start, HTTP, polling, jumps of the clock, and stop."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from local.deployment import client
from local.processes import PROJECT_ROOT
from shared.base.instants import from_rfc3339
from tests.waiting import PATIENCE, http, until

pytestmark = pytest.mark.stack


@dataclass(slots=True, kw_only=True)
class Running:
    process: subprocess.Popen[str]
    base_url: str
    log: Path

    @property
    def port(self) -> str:
        return self.base_url.rpartition(":")[2]

    @property
    def directory(self) -> Path:
        return PROJECT_ROOT / ".local" / self.port

    def state(self) -> Any:
        return json.loads((self.directory / "stack.json").read_text())

    def output(self, name: str) -> str:
        return str(self.state()["outputs"][name])

    def aws(self, service: str) -> Any:
        return client(service, self.state()["aws_url"], read_timeout=60)

    def now(self) -> datetime:
        return from_rfc3339(http().get(f"{self.base_url}/_local/clock").json()["now"])

    def move_to(self, now: str, seconds: float = PATIENCE) -> None:
        http().post(f"{self.base_url}/_local/clock", json={"now": now}, timeout=seconds).raise_for_status()

    def token(self, *arguments: str, **environment: str) -> str:
        command = [sys.executable, "-m", "local", "token", *arguments]
        variables = {**os.environ, "PORT": self.port, **environment}
        return subprocess.check_output(command, text=True, cwd=PROJECT_ROOT, env=variables).strip()

    def reported(self, count: int, about: str = "") -> list[str]:
        """The sorted messages that the toy's worker put on its out queue, once there are `count`."""
        return sorted(self.reported_in_order(count, about))

    def reported_in_order(self, count: int, about: str = "") -> list[str]:
        """In the order of arrival. Only messages that match `about` count; the others are removed from the queue
        too."""
        sqs, url = self.aws("sqs"), self.output("OutQueueUrl")
        found: list[str] = []
        give_up = time.monotonic() + PATIENCE
        while len(found) < count and time.monotonic() < give_up:
            received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)
            for message in received.get("Messages", ()):
                found += [message["Body"]] if re.match(about, message["Body"]) else []
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


WORK = "(?!tick)"


def start(log: IO[str], **environment: str) -> subprocess.Popen[str]:
    variables = {**os.environ, "PORT": "0", "NOW": "2026-11-23T10:00:00Z", **environment}
    command = [sys.executable, "-m", "tests.local.toy.run"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=PROJECT_ROOT, env=variables)


def started(process: subprocess.Popen[str], log: Path) -> Running:
    assert process.stdout is not None
    return Running(process=process, base_url=process.stdout.readline().strip(), log=log)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    log = tmp_path_factory.mktemp("toy") / "log"
    with log.open("w") as stream, start(stream) as process:
        try:
            yield started(process, log)
        finally:
            process.terminate()
            code = process.wait(PATIENCE)
    assert code == 0


def test_the_printed_token_opens_the_api(running: Running) -> None:
    token = running.token(ORGANISATION="other", SCOPES="messaging.read")
    headers = {"authorization": f"Bearer {token}"}
    answer = http().post(f"{running.base_url}/v1/echo/hello", headers=headers, json={"a": 1})
    assert answer.status_code == 200
    claims = answer.json()["event"]["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (claims["organisation_id"], claims["scope"]) == ("other", "messaging.read")
    assert answer.json()["now"].startswith("2026-11-23T10:0")


def test_an_expired_token_is_made_on_request_and_refused(running: Running) -> None:
    headers = {"authorization": f"Bearer {running.token(EXPIRES='-60')}"}
    assert http().post(f"{running.base_url}/v1/echo/hello", headers=headers).status_code == 401


def test_the_environment_comes_from_the_template_with_resolved_references(running: Running) -> None:
    environment = http().get(f"{running.base_url}/open").json()["environment"]
    assert environment["TABLE"] == running.output("Table")
    assert environment["WORK_QUEUE_URL"] == running.output("WorkQueueUrl")
    secret = running.aws("secretsmanager").get_secret_value(SecretId=environment["SECRET_ID"])["SecretString"]
    assert len(secret) == 64


def test_a_function_past_its_time_out_is_500_and_logged(running: Running) -> None:
    answer = http().get(f"{running.base_url}/open?sleep", timeout=PATIENCE)
    assert (answer.status_code, answer.text) == (500, '{"message":"Internal Server Error"}')
    assert "timed out after 5 seconds" in running.log.read_text()


def test_queue_schedule_visibility_delay_and_redrive_follow_the_clock(running: Running) -> None:
    """It may take long: the ticks of the minutes that pass meanwhile are not compared."""
    sqs, work = running.aws("sqs"), running.output("WorkQueueUrl")
    assert running.reported(1, "tick .*10:00") == ["tick 2026-11-23T10:00"]
    sqs.send_message(QueueUrl=work, MessageBody="good", MessageGroupId="demo")
    sqs.send_message(QueueUrl=work, MessageBody="bad")
    sqs.send_message(QueueUrl=work, MessageBody="late", DelaySeconds=600)
    assert running.reported(2, WORK) == ["bad 1 -", "good 1 demo"]
    running.move_to(f"{running.now() + timedelta(seconds=31):%Y-%m-%dT%H:%M:%SZ}")  # past the visibility time-out
    assert running.reported(1, WORK) == ["bad 2 -"]
    running.move_to("2026-11-23T10:08:00Z")
    assert running.reported(1, "tick .*10:08") == ["tick 2026-11-23T10:08"]
    dead = sqs.receive_message(QueueUrl=running.output("DeadLettersUrl"), WaitTimeSeconds=10)["Messages"]
    assert [message["Body"] for message in dead] == ["bad"]
    running.move_to("2026-11-23T10:20:00Z")
    assert running.reported(2, "late|tick .*10:20") == ["late 1 -", "tick 2026-11-23T10:20"]


def test_a_jump_delivers_due_work_in_order(running: Running) -> None:
    """A schedule made at run time fires at its instant: after messages delayed until before it, and before later
    ones."""
    sqs, scheduler, work = running.aws("sqs"), running.aws("scheduler"), running.output("WorkQueueUrl")
    now = running.now()
    running.reported(0)
    [tick] = scheduler.list_schedules()["Schedules"]
    target = {"Arn": scheduler.get_schedule(Name=tick["Name"])["Target"]["Arn"], "RoleArn": "arn:aws:iam::1:role/r"}
    instants = {"noon": now + timedelta(minutes=8), "eastern": now + timedelta(minutes=4)}
    for name, zone in (("noon", "UTC"), ("eastern", "Indian/Antananarivo")):
        local = instants[name].astimezone(ZoneInfo(zone))
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=f"at({local:%Y-%m-%dT%H:%M:%S})",
            ScheduleExpressionTimezone=zone,
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={**target, "Input": json.dumps({"Records": [_record(name)]})},
        )
    for minutes in (2, 6, 10):
        sqs.send_message(QueueUrl=work, MessageBody=f"after {minutes}", DelaySeconds=60 * minutes)
    running.move_to(f"{now + timedelta(minutes=11):%Y-%m-%dT%H:%M:%SZ}")
    reported = [text.split(" 1 ")[0] for text in running.reported_in_order(5, WORK)]
    assert reported == ["after 2", "eastern", "after 6", "noon", "after 10"]
    remaining = {schedule["Name"] for schedule in scheduler.list_schedules()["Schedules"]}
    assert not remaining & {"noon", "eastern"}


def _record(name: str) -> dict[str, Any]:
    return {"messageId": name, "body": name, "attributes": {"ApproximateReceiveCount": "1"}}


@pytest.mark.parametrize(
    "wrong", [{"ScheduleExpression": "cron(0 10 * * ? *)"}, {"ScheduleExpressionTimezone": "Africa/Nowhere"}]
)
def test_a_schedule_that_would_never_fire_is_refused(running: Running, wrong: dict[str, str]) -> None:
    request = {
        "Name": "odd",
        "ScheduleExpression": "at(2026-11-24T10:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:lambda:eu-west-1:1:function:F", "RoleArn": "arn:aws:iam::1:role/r"},
    }
    with pytest.raises(ClientError, match="ValidationException"):
        running.aws("scheduler").create_schedule(**request | wrong)


def test_items_expire_by_the_clock(running: Running) -> None:
    dynamodb, table = running.aws("dynamodb"), running.output("Table")
    item = {"pk": {"S": "short-lived"}, "expires_at": {"N": "1795435200"}}  # 2026-11-23T12:00:00Z
    dynamodb.put_item(TableName=table, Item=item)
    assert "Item" in dynamodb.get_item(TableName=table, Key={"pk": item["pk"]})
    running.move_to("2026-11-23T12:00:01Z")
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"pk": item["pk"]})


def test_many_concurrent_clients_neither_lose_nor_double_messages(running: Running) -> None:
    sqs = running.aws("sqs")
    url = sqs.create_queue(QueueName="crowd")["QueueUrl"]

    def send(number: int) -> None:
        entries = [{"Id": str(n), "MessageBody": f"{number}.{n}"} for n in range(10)]
        assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")

    def drain(_worker: int) -> list[str]:
        bodies = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [message["Body"] for message in messages]
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        return bodies

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(50)))
        received = [body for bodies in pool.map(drain, range(8)) for body in bodies]
    assert sorted(received) == sorted(f"{number}.{n}" for number in range(50) for n in range(10))


def test_a_presigned_put_works_from_outside(running: Running) -> None:
    s3, bucket = running.aws("s3"), running.output("Bucket")
    parameters = {"Bucket": bucket, "Key": "uploads/list.csv", "ContentType": "text/csv", "ContentLength": 4}
    url = s3.generate_presigned_url("put_object", Params=parameters)
    assert http().put(url, content=b"a;b\n", headers={"content-type": "text/csv"}).status_code == 200
    stored = s3.get_object(Bucket=bucket, Key="uploads/list.csv")
    assert (stored["Body"].read(), stored["ContentType"]) == (b"a;b\n", "text/csv")
    assert s3.head_object(Bucket=bucket, Key="uploads/list.csv")["ContentLength"] == 4


def test_a_reset_restores_everything_except_the_clock(running: Running) -> None:
    sqs, dynamodb, s3 = running.aws("sqs"), running.aws("dynamodb"), running.aws("s3")
    secrets, scheduler = running.aws("secretsmanager"), running.aws("scheduler")
    before = http().get(f"{running.base_url}/open").json()["environment"]
    schedules = {schedule["Name"] for schedule in scheduler.list_schedules()["Schedules"]}
    key = secrets.get_secret_value(SecretId=before["SECRET_ID"])["SecretString"]
    dynamodb.put_item(TableName=before["TABLE"], Item={"pk": {"S": "left over"}})
    s3.put_object(Bucket=before["BUCKET"], Key="remaining/over", Body=b"x")
    sqs.send_message(QueueUrl=running.output("OutQueueUrl"), MessageBody="left over")
    sqs.send_message(QueueUrl=before["WORK_QUEUE_URL"], MessageBody="delayed", DelaySeconds=900)
    secrets.create_secret(Name="made later", SecretString="x")
    secrets.put_secret_value(SecretId=before["SECRET_ID"], SecretString="changed")
    scheduler.create_schedule(
        Name="made-later",
        ScheduleExpression="rate(1 day)",
        State="DISABLED",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:lambda:eu-west-1:1:function:F", "RoleArn": "arn:aws:iam::1:role/r"},
    )
    made = sqs.create_queue(QueueName="made-later")["QueueUrl"]
    now = running.now()
    assert http().post(f"{running.base_url}/_local/reset", timeout=PATIENCE).status_code == 204
    assert running.now() >= now
    assert http().get(f"{running.base_url}/open").json()["environment"] == before
    assert dynamodb.scan(TableName=before["TABLE"])["Count"] == 0
    assert "Contents" not in s3.list_objects_v2(Bucket=before["BUCKET"])
    with pytest.raises(ClientError, match="NonExistentQueue"):
        sqs.get_queue_attributes(QueueUrl=made, AttributeNames=["All"])
    assert [one["Name"] for one in secrets.list_secrets()["SecretList"] if one["Name"] == "made later"] == []
    assert secrets.get_secret_value(SecretId=before["SECRET_ID"])["SecretString"] == key
    assert {schedule["Name"] for schedule in scheduler.list_schedules()["Schedules"]} == schedules
    counted = sqs.get_queue_attributes(QueueUrl=before["WORK_QUEUE_URL"], AttributeNames=["All"])["Attributes"]
    assert counted["ApproximateNumberOfMessagesDelayed"] == "0"
    sqs.send_message(QueueUrl=before["WORK_QUEUE_URL"], MessageBody="works on")
    assert running.reported(1, WORK) == ["works on 1 -"]


def test_a_reset_needs_the_open_clock_route_and_a_post(running: Running) -> None:
    assert http().get(f"{running.base_url}/_local/reset").status_code == 405


def test_a_port_in_use_is_reported_in_one_line(running: Running, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, start(log, PORT=running.port) as process:
        assert process.wait(PATIENCE) == 2
    assert (tmp_path / "log").read_text() == f"port {running.port} on 127.0.0.1 is in use; choose another with PORT=\n"


def test_without_a_stack_there_is_no_token() -> None:
    command = [sys.executable, "-m", "local", "token", "--port", "1"]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, check=False)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "no stack runs on port 1" in answer.stderr


def children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_ctrl_c_ends_it_and_its_children(tmp_path: Path) -> None:
    """tests/stack/test_stop.py has the other signals, in the middle of work."""
    with (tmp_path / "log").open("w") as log, start(log) as process:
        running = started(process, tmp_path / "log")
        children = children_of(process.pid)
        assert children
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert not any(is_alive(child) for child in children)
    assert not running.directory.exists()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_signal_during_the_start_stops_it_too(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, start(log) as process:
        children = until(lambda: children_of(process.pid), bool, every=0.01)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    # A child that the stack has not recorded yet notices by itself that its parent has gone (local/child.py).
    until(lambda: any(is_alive(child) for child in children), lambda one_lives: not one_lives)
