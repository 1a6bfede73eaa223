"""The AWS adapters on moto, inside this process, with tables, a bucket and queues as template.yaml describes them."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast, override
from urllib.parse import unquote, urlsplit

import time_machine
from botocore.session import Session

from local.moto_mends import mend_inserts, mend_message_bodies
from local.moto_secrets import mend_deletions
from local.moto_uploads import mend_parts
from shared.campaigns.ports import Task
from shared.campaigns.stored_content import UploadTarget
from shared.exports.export import Export
from shared.messages.payload import Channel
from shared.messages.queue_message import QueueMessage
from shared.recipients.number_key import NumberKey
from shared.storage.aws import Aws
from shared.storage.codec import decode
from shared.storage.dynamodb.counters import DynamoCallCounts, DynamoCardFailures, DynamoTurns
from shared.storage.dynamodb.daily_limit import DynamoNumberStatuses, DynamoPeopleCount
from shared.storage.dynamodb.distributions import DynamoDistributions
from shared.storage.dynamodb.exports import DynamoExports
from shared.storage.dynamodb.holds import DynamoHolds
from shared.storage.dynamodb.log import DynamoLog
from shared.storage.dynamodb.people import (
    DynamoContacts,
    DynamoMedia,
    DynamoPeople,
    DynamoReceipts,
    DynamoSessions,
    DynamoTraces,
)
from shared.storage.dynamodb.rate_limits import DynamoRateLimits
from shared.storage.dynamodb.sums import DynamoSums
from shared.storage.dynamodb.templates import DynamoTemplates
from shared.storage.dynamodb.unknown_outcomes import DynamoLastHeard, DynamoUnknownSms
from shared.storage.export_files import S3ExportFiles
from shared.storage.files import S3Uploads
from shared.storage.plans import S3Plans
from shared.storage.queues import SqsChannelQueue, SqsStatusQueue, SqsTaskQueue
from shared.storage.schedules import ScheduleNames, SchedulerSchedules
from shared.storage.secrets import SecretIntegrations, SecretTokenStore
from shared.webhooks.ingress import Report
from tests.contract import strictness
from tests.contract.world import World
from tests.fakes.world import FakeClock, FakeTelemetry
from tests.template.reading import Node, at, mapping, number, properties, read, text

_REGION = "eu-west-1"
_numbers = itertools.count(1)


class InlineAws(Aws):
    """Runs each call at once, on the loop's own thread: moto loses writes under threads."""

    @override
    async def run[T](self, call: Callable[[], T]) -> T:
        return call()


def connect() -> InlineAws:
    """Clients with invented credentials. A request that DynamoDB would refuse fails (strictness.py)."""
    mend_inserts()
    mend_message_bodies()
    mend_deletions()
    mend_parts()
    session = Session()
    session.set_credentials("testing", "testing")
    session.set_config_variable("region", _REGION)
    aws = InlineAws(session)
    for client in (aws.dynamodb, aws.claiming):
        client.meta.events.register("provide-client-params.dynamodb", strictness.check)
    aws.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.BatchExecuteStatement", strictness.check_statements
    )
    aws.dynamodb.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", strictness.check_transaction)
    aws.dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", strictness.shuffle)
    return aws


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The names of the template's resources in this deployment."""

    log_table: str
    state_table: str
    bucket: str
    fanout: str
    status: str
    channels: dict[Channel, str]
    schedules: ScheduleNames


def deploy(aws: Aws, template: Node) -> Deployed:
    """A new, empty deployment."""
    suffix = f"-{next(_numbers)}"
    return Deployed(
        log_table=_table(aws, template, "LogTable", suffix),
        state_table=_table(aws, template, "StateTable", suffix),
        bucket=_bucket(aws, template, "PayloadBucket", suffix),
        fanout=_queue(aws, template, "FanoutQueue", suffix),
        status=_queue(aws, template, "StatusQueue", suffix),
        channels={
            Channel.WHATSAPP: _queue(aws, template, "WhatsAppQueue", suffix),
            Channel.SMS: _queue(aws, template, "SmsQueue", suffix),
        },
        schedules=_schedules(aws, suffix),
    )


def _table(aws: Aws, template: Node, logical_id: str, suffix: str) -> str:
    its = properties(template, logical_id)
    name = logical_id + suffix
    taken = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    # CloudFormation and CreateTable describe these four in the same way.
    aws.dynamodb.create_table(TableName=name, **cast("dict[str, Any]", {key: its[key] for key in taken}))
    aws.dynamodb.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={
            "AttributeName": text(its, "TimeToLiveSpecification", "AttributeName"),
            "Enabled": at(its, "TimeToLiveSpecification", "Enabled") is True,
        },
    )
    return name


def _bucket(aws: Aws, template: Node, logical_id: str, suffix: str) -> str:
    versioning = cast("Any", mapping(properties(template, logical_id), "VersioningConfiguration"))
    name = logical_id.lower() + suffix
    aws.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    aws.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    return name


def _queue(aws: Aws, template: Node, logical_id: str, suffix: str) -> str:
    visibility = str(number(properties(template, logical_id), "VisibilityTimeout"))
    created = aws.sqs.create_queue(QueueName=logical_id + suffix, Attributes={"VisibilityTimeout": visibility})
    return created["QueueUrl"]


def _schedules(aws: Aws, suffix: str) -> ScheduleNames:
    group = f"schedules{suffix}"
    aws.scheduler.create_schedule_group(Name=group)
    account = "123456789012"
    return ScheduleNames(
        group=group,
        target_arn=f"arn:aws:lambda:{_REGION}:{account}:function:fanout{suffix}",
        role_arn=f"arn:aws:iam::{account}:role/scheduler{suffix}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CloudHands:
    aws: Aws
    names: Deployed

    def put_file(self, target: UploadTarget, form: str, content: bytes) -> None:
        key = unquote(urlsplit(target.url).path.lstrip("/"))
        kind = target.headers["Content-Type"]
        self.aws.s3.put_object(Bucket=self.names.bucket, Key=key, Body=content, ContentType=kind)

    def erase(self, object_key: str) -> None:
        self.aws.s3.delete_object(Bucket=self.names.bucket, Key=object_key)

    def queue_messages(self, channel: Channel, after: float = 0) -> Sequence[QueueMessage]:
        return self._taken(self.names.channels[channel], QueueMessage, after)

    def tasks(self) -> Sequence[Task]:
        return self._taken(self.names.fanout, Task)

    def reports(self) -> Sequence[Report]:
        return self._taken(self.names.status, Report)

    def waiting(self) -> Mapping[str, tuple[str, str, str]]:
        group = self.names.schedules.group
        listed = self.aws.scheduler.list_schedules(GroupName=group)["Schedules"]
        found = [self.aws.scheduler.get_schedule(Name=one["Name"], GroupName=group) for one in listed]
        reported = {one["Name"]: json.loads(one["Target"]["Input"])["tick"] for one in found}
        assert all(tick["distribution_id"] == name for name, tick in reported.items())
        return {
            one["Name"]: (
                one["ScheduleExpression"],
                one["ScheduleExpressionTimezone"],
                reported[one["Name"]]["organisation"],
            )
            for one in found
        }

    def holds(self, text: str) -> bool:
        s3, bucket = self.aws.s3, self.names.bucket
        for version in s3.list_object_versions(Bucket=bucket).get("Versions", ()):
            found = s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
            if text.encode() in found["Body"].read():
                return True
        return False

    def file(self, export: Export) -> bytes | None:
        versions = self.aws.s3.list_object_versions(Bucket=self.names.bucket, Prefix=_folder(export))
        keys = [one["Key"] for one in versions.get("Versions", ()) if one["Key"].endswith(".csv")]
        assert len(keys) <= 1
        return self.aws.s3.get_object(Bucket=self.names.bucket, Key=keys[0])["Body"].read() if keys else None

    def leavings(self, export: Export) -> int:
        prefix = _folder(export)
        uploads = self.aws.s3.list_multipart_uploads(Bucket=self.names.bucket, Prefix=prefix).get("Uploads", ())
        versions = self.aws.s3.list_object_versions(Bucket=self.names.bucket, Prefix=prefix)
        objects = [*versions.get("Versions", ()), *versions.get("DeleteMarkers", ())]
        return len(uploads) + sum(not one["Key"].endswith(".csv") for one in objects)

    def _taken[T](self, url: str, kind: type[T], after: float = 0) -> Sequence[T]:
        taken: list[T] = []
        # moto reads the machine's own clock; no clock can be passed in.
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=after), tick=False):
            while found := self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in found:
                    taken.append(decode(message["Body"], kind))
                    self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken


def _folder(export: Export) -> str:
    return f"exports/{export.organisation}/{export.export_id}/"


def on_aws(aws: Aws, names: Deployed, clock: FakeClock) -> World:
    """The adapters of a new execution environment."""
    return World(
        clock=clock,
        log=DynamoLog(aws, names.log_table),
        distributions=DynamoDistributions(aws, names.state_table),
        sums=DynamoSums(aws, names.state_table),
        turns=DynamoTurns(aws, names.state_table),
        plans=S3Plans(aws, names.bucket, NumberKey(b"k" * 64).content),
        uploads=S3Uploads(aws, names.bucket),
        exports=DynamoExports(aws, names.state_table),
        export_files=S3ExportFiles(aws, names.bucket),
        channels=SqsChannelQueue(aws, names.channels),
        task_queue=SqsTaskQueue(aws, names.fanout),
        status_queue=SqsStatusQueue(aws, names.status),
        rate_limits=DynamoRateLimits(aws, names.state_table, clock),
        people=DynamoPeople(aws, names.state_table),
        call_counts=DynamoCallCounts(aws, names.state_table),
        receipts=DynamoReceipts(aws, names.state_table, clock),
        media=DynamoMedia(aws, names.state_table, clock),
        contacts=DynamoContacts(aws, names.state_table),
        sessions=DynamoSessions(aws, names.state_table),
        card_failures=DynamoCardFailures(aws, names.state_table),
        last_heard_store=DynamoLastHeard(aws, names.state_table),
        people_count=DynamoPeopleCount(aws, names.state_table),
        integrations=SecretIntegrations(aws, names.bucket, clock),
        token_store=SecretTokenStore(aws, names.bucket, FakeTelemetry()),
        unknown_sms=DynamoUnknownSms(aws, names.state_table),
        traces=DynamoTraces(aws, names.state_table),
        schedules=SchedulerSchedules(aws, names.schedules, FakeTelemetry()),
        templates=DynamoTemplates(aws, names.state_table),
        number_statuses=DynamoNumberStatuses(aws, names.state_table),
        holds=DynamoHolds(aws, names.state_table),
        hands=_CloudHands(aws=aws, names=names),
        another=lambda: on_aws(aws, names, clock),
    )


def template() -> Node:
    """template.yaml as data."""
    return read()
