"""The calls that each function's role is refused, tried one at a time in a session of that role at the stack's moto.

The table is written out and not derived from template.yaml: a permission that is too wide makes a line here fail.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.deployment import assume, client
from local.stack import STACK_NAME
from tests.stack.programme import Programme
from tests.stack.running import TRESPASSER, RunningStack

REFUSED = {"AccessDeniedException", "AccessDenied"}
SENDERS = ("SendWhatsAppRole", "SendSmsRole")
ALL = ("ApiRole", "BulkFanoutRole", *SENDERS, "WebhookRole")
QUEUES = ("Fanout", "WhatsApp", "Sms", "Status")
DEAD_LETTERS = tuple(f"{queue} dead letters" for queue in QUEUES)
RECEIVES = {
    "BulkFanoutRole": {"Fanout", "WhatsApp dead letters", "Sms dead letters"},
    "SendWhatsAppRole": {"WhatsApp"},
    "SendSmsRole": {"Sms"},
    "WebhookRole": {"Status"},
}
"""The two other dead-letter queues belong to an operator."""
SENDS = {
    "ApiRole": {"Fanout", "WhatsApp", "Sms"},
    "BulkFanoutRole": {"Fanout", "WhatsApp", "Sms"},
    "SendWhatsAppRole": {"WhatsApp", "Fanout"},
    "SendSmsRole": {"Sms"},
    "WebhookRole": {"Status", "WhatsApp", "Fanout"},
}  # fmt: skip
READS_OBJECTS = {"ApiRole": {"plans", "messages"}, "BulkFanoutRole": {"uploads", "plans", "messages", "dedupe_index"}}
WRITES_OBJECTS = {
    "ApiRole": {"uploads", "messages"},
    "BulkFanoutRole": {"plans", "messages", "dedupe_index"},
    "WebhookRole": {"messages"},
}
READS_SECRETS = {
    "ApiRole": {"whatsapp", "sms", "dhis2", "orange-token"},
    "BulkFanoutRole": {"whatsapp", "sms", "dhis2", "orange-token"},
    "SendWhatsAppRole": {"whatsapp"},
    "SendSmsRole": {"sms", "orange-token"},
    "WebhookRole": {"whatsapp", "sms"},
}
REPLACES_SECRETS = {
    "ApiRole": {"whatsapp", "sms", "dhis2", "orange-token"},
    "BulkFanoutRole": {"orange-token"},
    "SendSmsRole": {"orange-token"},
}
ITEM: dict[str, Any] = {"pk": {"S": "privilege#x"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A call that would have an effect if it were allowed."""

    service: str
    call: str
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.service}.{self.call}({', '.join(map(str, self.parameters.values()))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The names of the stack's resources."""

    stack: RunningStack
    organisation: str

    def objects(self, role: str) -> list[Try]:
        bucket, prefixes = self.stack.output("PayloadBucketName"), ("uploads", "plans", "messages", "dedupe_index")
        at = {prefix: {"Bucket": bucket, "Key": f"{prefix}/{self.organisation}/x"} for prefix in prefixes}
        found = [
            Try(service="s3", call="get_object", parameters=at[one])
            for one in prefixes
            if one not in READS_OBJECTS.get(role, ())
        ]
        found += [
            Try(service="s3", call="put_object", parameters=at[one] | {"Body": b"x"})
            for one in prefixes
            if one not in WRITES_OBJECTS.get(role, ())
        ]
        if role != "BulkFanoutRole":
            found += [
                Try(service="s3", call="delete_object", parameters=at[one] | {"VersionId": "x"}) for one in prefixes
            ]
            found.append(Try(service="s3", call="list_object_versions", parameters={"Bucket": bucket}))
        found += [Try(service="s3", call="delete_object", parameters=at[one]) for one in prefixes]
        if role not in READS_OBJECTS:
            found.append(Try(service="s3", call="list_objects_v2", parameters={"Bucket": bucket}))
        return found

    def queues(self, role: str) -> list[Try]:
        urls = {queue: {"QueueUrl": self.stack.output(f"{queue}QueueUrl")} for queue in QUEUES}
        urls |= {dead: {"QueueUrl": self.stack.output(f"{dead.split()[0]}DeadLettersUrl")} for dead in DEAD_LETTERS}
        found = [
            Try(service="sqs", call="send_message", parameters=url | {"MessageBody": "{}"})
            for queue, url in urls.items()
            if queue not in SENDS[role]
        ]
        taken = {"ReceiptHandle": "x"}
        for queue, url in urls.items():
            if queue not in RECEIVES.get(role, ()):
                found.append(Try(service="sqs", call="receive_message", parameters=url))
                found.append(Try(service="sqs", call="delete_message", parameters=url | taken))
                hidden = url | taken | {"VisibilityTimeout": 0}
                found.append(Try(service="sqs", call="change_message_visibility", parameters=hidden))
            found.append(Try(service="sqs", call="purge_queue", parameters=url))
        return found

    def tables(self, role: str) -> list[Try]:
        log, state = self.stack.output("LogTableName"), self.stack.output("StateTableName")
        write = {"RequestItems": {log: [{"PutRequest": {"Item": ITEM}}]}}
        found = [
            Try(service="dynamodb", call="batch_write_item", parameters=write),
            Try(service="dynamodb", call="delete_item", parameters={"TableName": log, "Key": ITEM}),
            *(Try(service="dynamodb", call="scan", parameters={"TableName": one}) for one in (log, state)),
            *(Try(service="dynamodb", call="delete_table", parameters={"TableName": one}) for one in (log, state)),
        ]
        for table in (state,) if role == "BulkFanoutRole" else (log, state):
            insert = {"Statement": f"INSERT INTO \"{table}\" VALUE {{'pk': ?}}", "Parameters": [ITEM["pk"]]}
            found.append(Try(service="dynamodb", call="batch_execute_statement", parameters={"Statements": [insert]}))
        if role in SENDERS:
            found.append(Try(service="dynamodb", call="put_item", parameters={"TableName": log, "Item": ITEM}))
        if role in (*SENDERS, "WebhookRole"):
            found.append(Try(service="dynamodb", call="delete_item", parameters={"TableName": state, "Key": ITEM}))
        return found

    def secrets(self, role: str) -> list[Try]:
        ours = {
            name: {"SecretId": f"{STACK_NAME}/{self.organisation}/{name}"}
            for name in ("whatsapp", "sms", "dhis2", "orange-token")
        }
        found = [
            Try(service="secretsmanager", call=call, parameters=ours[name] | more)
            for call, may, more in (
                ("get_secret_value", READS_SECRETS, {}),
                ("put_secret_value", REPLACES_SECRETS, {"SecretString": "{}"}),
            )
            for name in ours
            if name not in may.get(role, ())
        ]
        elsewhere = [{"SecretId": "another-stack/demo/sms"}, {"SecretId": f"{STACK_NAME}-2/demo/sms"}]
        found += [Try(service="secretsmanager", call="get_secret_value", parameters=one) for one in elsewhere]
        found.append(Try(service="secretsmanager", call="list_secrets", parameters={}))
        number_key = {"SecretId": self.stack.output("NumberKeySecretArn")}
        if role in SENDERS:
            found.append(Try(service="secretsmanager", call="get_secret_value", parameters=number_key))
        for call, more in (("put_secret_value", {"SecretString": "x"}), ("delete_secret", {})):
            found.append(Try(service="secretsmanager", call=call, parameters=number_key | more))
        if role != "ApiRole":
            made = {"Name": f"{STACK_NAME}/{self.organisation}/new", "SecretString": "{}"}
            found.append(Try(service="secretsmanager", call="create_secret", parameters=made))
        found += [Try(service="secretsmanager", call="delete_secret", parameters=one) for one in ours.values()]
        return found

    def schedules(self, role: str) -> list[Try]:
        """No role may pass a function's role to a schedule, make a schedule outside of the stack's group, or touch the
        tick's."""
        [group] = [
            one["Name"]
            for one in self.stack.aws("scheduler").list_schedule_groups()["ScheduleGroups"]
            if one["Name"] != "default"
        ]
        arn = "arn:aws:iam::123456789012:role/" + STACK_NAME
        made = {
            "Name": str(uuid.uuid4()),  # the name of a distribution's schedule
            "ScheduleExpression": "at(2030-01-01T00:00:00)",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
        }
        target = {"Arn": "arn:aws:lambda:eu-west-1:123456789012:function:x"}
        tries = [
            made | {"GroupName": group, "Target": target | {"RoleArn": f"{arn}-{ALL[0]}"}},
            made | {"GroupName": "default", "Target": target | {"RoleArn": f"{arn}-SchedulerRole"}},
        ]
        if role not in ("ApiRole", "BulkFanoutRole"):
            tries.append(made | {"GroupName": group, "Target": target | {"RoleArn": f"{arn}-SchedulerRole"}})
        tick = {"Name": f"{STACK_NAME}-tick", "GroupName": group}
        stopped = made | tick | {"State": "DISABLED", "Target": target | {"RoleArn": f"{arn}-SchedulerRole"}}
        return [
            *(Try(service="scheduler", call="create_schedule", parameters=one) for one in tries),
            Try(service="scheduler", call="update_schedule", parameters=stopped),
            Try(service="scheduler", call="delete_schedule", parameters=tick),
        ]

    def account(self) -> list[Try]:
        policy = {"RoleName": f"{STACK_NAME}-{ALL[0]}", "PolicyName": "x", "PolicyDocument": "{}"}
        return [
            Try(service="iam", call="put_role_policy", parameters=policy),
            Try(
                service="sts",
                call="assume_role",
                parameters={
                    "RoleArn": f"arn:aws:iam::123456789012:role/{STACK_NAME}-{ALL[0]}",
                    "RoleSessionName": "x-session",
                },
            ),
            Try(service="lambda", call="invoke", parameters={"FunctionName": f"{STACK_NAME}-bulk-fanout"}),
            Try(service="kms", call="list_keys", parameters={}),
        ]


@pytest.mark.parametrize("role", ALL)
def test_a_role_is_refused_calls_that_its_function_does_not_need(stack: RunningStack, role: str) -> None:
    with Programme(stack, "privilege") as programme:
        place = Place(stack=stack, organisation=programme.organisation)
    session = assume(f"arn:aws:iam::123456789012:role/{STACK_NAME}-{role}", TRESPASSER, stack.aws_url)
    clients = {
        name: client(name, stack.aws_url, session)
        for name in ("s3", "sqs", "dynamodb", "secretsmanager", "scheduler", "iam", "sts", "lambda", "kms")
    }
    tries = [
        *place.objects(role),
        *place.queues(role),
        *place.tables(role),
        *place.secrets(role),
        *place.schedules(role),
        *place.account(),
    ]
    let_through = [str(one) for one in tries if not _refused(clients[one.service], one)]
    assert let_through == []


def _refused(aws: Any, attempt: Try) -> bool:
    try:
        getattr(aws, attempt.call)(**attempt.parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] in REFUSED
    return False
