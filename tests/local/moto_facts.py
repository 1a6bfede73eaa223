"""Observes moto, mended or not, and prints what it found as JSON: mends are for a whole process, so this is one.

python -m tests.local.moto_facts plain|mended
"""

import inspect
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.cloudformation import parsing
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.sqs.models import Message

from local import moto_mends

REGION = "eu-west-1"
TEMPLATE = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "made",
                "BillingMode": "PAY_PER_REQUEST",
                "SSESpecification": {"SSEEnabled": True},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "s", "GenerateSecretString": {"PasswordLength": 64, "ExcludePunctuation": True}},
        },
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "Name": "tick",
                "ScheduleExpression": "rate(1 minute)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": "arn:aws:lambda:eu-west-1:1:function:F", "RoleArn": "arn:aws:iam::1:role/r"},
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": "made", "VersioningConfiguration": {"Status": "Enabled"}},
        },
        "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "group"}},
    },
    "Outputs": {"SecretArn": {"Value": {"Ref": "Secret"}}},
}


@contextmanager
def counted(owner: Any, name: str) -> Iterator[list[int]]:
    """Count the calls of a method, or the reads of a property."""
    original: Any = vars(owner)[name]
    is_property = isinstance(original, property)
    call, calls = original.fget if is_property else original, [0]

    def count(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        return call(*args, **kwargs)

    setattr(owner, name, property(count) if is_property else count)
    try:
        yield calls
    finally:
        setattr(owner, name, original)


def client(service: str) -> Any:
    made: Callable[..., Any] = boto3.client
    return made(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")


def table(items: int) -> Any:
    """A table with a sort key and one index, all its items in one partition of the index."""
    dynamodb = client("dynamodb")
    names = ("pk", "sk", "list_key", "listed_at")
    dynamodb.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "listing",
                "KeySchema": [
                    {"AttributeName": "list_key", "KeyType": "HASH"},
                    {"AttributeName": "listed_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    for number in range(items):
        row = {"pk": str(number % 7), "sk": f"{number:03}", "list_key": str(number % 2), "listed_at": f"{-number:05}"}
        dynamodb.put_item(TableName="t", Item={name: {"S": value} for name, value in row.items()})
    return dynamodb


def instances_kept() -> int:
    tracked: list[Item] = vars(Item)["instances_tracked"]
    before = len(tracked)
    table(40)
    return len(tracked) - before


def looks_per_send() -> int:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for _ in range(100):
        sqs.send_message(QueueUrl=url, MessageBody="x")
    with counted(Message, "visible") as looks:
        sqs.send_message(QueueUrl=url, MessageBody="x")
    return looks[0]


def inspections_per_request() -> int:
    sqs = client("sqs")
    sqs.list_queues()
    with counted(inspect, "getmembers") as inspections:
        sqs.list_queues()
    return inspections[0]


def receive(sqs: Any, url: str, **more: Any) -> list[Any]:
    messages: list[Any] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **more).get("Messages", [])
    return messages


def stale_receipt_deletes() -> bool:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="stale")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    [stale] = receive(sqs, url, VisibilityTimeout=0)
    receive(sqs, url, VisibilityTimeout=0)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=stale["ReceiptHandle"])
    return not receive(sqs, url)


def stale_receipt_changes_visibility() -> bool:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="stale-visibility")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    [stale] = receive(sqs, url, VisibilityTimeout=0)
    receive(sqs, url, VisibilityTimeout=30)
    with suppress(ClientError):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=stale["ReceiptHandle"], VisibilityTimeout=0)
        return True
    return False


def redriven_after() -> int:
    """How often a message is received before it is in its dead-letter queue."""
    sqs = client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    url = sqs.create_queue(QueueName="live", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    receives = 0
    while receive(sqs, url, VisibilityTimeout=0):
        receives += 1
    return receives if len(receive(sqs, dead)) == 1 else -1


def query(dynamodb: Any, **more: Any) -> list[str]:
    rows = dynamodb.query(TableName="t", ExpressionAttributeValues={":k": {"S": "1"}}, **more)["Items"]
    return [row["sk"]["S"] for row in rows]


def comparisons_per_query() -> int:
    dynamodb = table(100)
    with counted(DynamoType, "__lt__") as comparisons:
        query(dynamodb, IndexName="listing", KeyConditionExpression="list_key = :k")
        query(dynamodb, KeyConditionExpression="pk = :k")
    return comparisons[0]


def query_results() -> list[list[str]]:
    dynamodb = table(30)
    newest = {"IndexName": "listing", "KeyConditionExpression": "list_key = :k", "ScanIndexForward": False}
    page = dynamodb.query(TableName="t", ExpressionAttributeValues={":k": {"S": "1"}}, Limit=4, **newest)
    return [
        query(dynamodb, **newest),
        query(dynamodb, Limit=3, **newest),
        query(dynamodb, Limit=3, ExclusiveStartKey=page["LastEvaluatedKey"], **newest),
        query(dynamodb, KeyConditionExpression="pk = :k"),
        query(dynamodb, KeyConditionExpression="pk = :k", ScanIndexForward=False, Limit=2),
        sorted(row["sk"]["S"] for row in dynamodb.scan(TableName="t")["Items"]),
    ]


def _update(number: int, condition: str) -> Any:
    key = {"pk": {"S": str(number % 7)}, "sk": {"S": f"{number:03}"}}
    values = {":n": {"S": "new"}}
    expressions = {"UpdateExpression": "SET note = :n", "ConditionExpression": condition}
    return {"Update": {"TableName": "t", "Key": key, "ExpressionAttributeValues": values, **expressions}}


def copies_per_transaction() -> int:
    dynamodb = table(100)
    with counted(DynamoType, "__deepcopy__") as copies:
        dynamodb.transact_write_items(TransactItems=[_update(1, "attribute_exists(pk)")])
    return copies[0]


def rows_after_a_cancelled_transaction() -> list[str]:
    dynamodb = table(5)
    put = {"Put": {"TableName": "t", "Item": {"pk": {"S": "x"}, "sk": {"S": "x"}}}}
    delete = {"Delete": {"TableName": "t", "Key": {"pk": {"S": "0"}, "sk": {"S": "000"}}}}
    with suppress(dynamodb.exceptions.TransactionCanceledException):
        changes = [put, delete, _update(1, "attribute_exists(pk)"), _update(2, "attribute_not_exists(pk)")]
        dynamodb.transact_write_items(TransactItems=changes)
        return ["not cancelled"]
    return sorted(json.dumps(row, sort_keys=True) for row in dynamodb.scan(TableName="t")["Items"])


def expired_items_left() -> int:
    dynamodb = table(3)
    dynamodb.update_time_to_live(TableName="t", TimeToLiveSpecification={"AttributeName": "until", "Enabled": True})
    for sk, until in (("past", "1"), ("future", "99999999999")):
        row = {"pk": {"S": "x"}, "sk": {"S": sk}, "until": {"N": until}}
        dynamodb.put_item(TableName="t", Item=row)
    moto_mends.expire_items()
    return int(dynamodb.scan(TableName="t")["Count"])


def deployed() -> dict[str, Any]:
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps(TEMPLATE))
    [stack] = cloudformation.describe_stacks(StackName="stack")["Stacks"]
    dynamodb = client("dynamodb")
    backups = dynamodb.describe_continuous_backups(TableName="made")["ContinuousBackupsDescription"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    secrets = client("secretsmanager")
    values = [secrets.get_secret_value(SecretId=s["ARN"])["SecretString"] for s in secrets.list_secrets()["SecretList"]]
    return {
        "ttl": dynamodb.describe_time_to_live(TableName="made")["TimeToLiveDescription"]["TimeToLiveStatus"],
        "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "encrypted": "SSEDescription" in dynamodb.describe_table(TableName="made")["Table"],
        "versioning": client("s3").get_bucket_versioning(Bucket="made").get("Status"),
        "secret_is_output": "SecretArn" in outputs,
        "secret_lengths": [len(value) for value in values],
        "schedules": [s["Name"] for s in client("scheduler").list_schedules()["Schedules"]],
        "groups": [g["Name"] for g in client("scheduler").list_schedule_groups()["ScheduleGroups"]],
    }


def missing_types() -> list[str]:
    made = ("AWS::SecretsManager::Secret", "AWS::Scheduler::Schedule", "AWS::Scheduler::ScheduleGroup")
    return [name for name in (*moto_mends.PLACEHOLDERS, *made) if name not in parsing.get_model_map()]


FACTS: tuple[Callable[[], Any], ...] = (
    instances_kept,
    inspections_per_request,
    looks_per_send,
    stale_receipt_deletes,
    stale_receipt_changes_visibility,
    redriven_after,
    comparisons_per_query,
    query_results,
    copies_per_transaction,
    rows_after_a_cancelled_transaction,
    expired_items_left,
    deployed,
    missing_types,
)


def main() -> None:
    if sys.argv[1] == "mended":
        moto_mends.apply_all()
    found = {}
    for fact in FACTS:
        with mock_aws():
            found[fact.__name__] = fact()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
