"""Observes moto, plain or mended, and prints the facts as JSON. A mend changes a whole process, so this runs in its
own.

python -m tests.local.moto_facts plain|mended
"""

import inspect
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from types import FrameType
from typing import Any
from unittest.mock import patch

import boto3
import time_machine
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto import mock_aws
from moto import settings as moto_settings
from moto.cloudformation import parsing
from moto.core import utils as core_utils
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.config import default_user_config
from moto.core.serialize import AttributePicker, DefaultAttributePicker
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.tokens import ExpressionTokenizer
from moto.dynamodb.parsing.validators import ActionCountValidator
from moto.iam.models import iam_backends
from moto.sqs.models import Message

from local import moto_mends

REGION = "eu-west-1"
LOOKS = 6000
"""One minute. If the second receiver has not come by then, moto itself keeps it out."""
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
            "Properties": {
                "BucketName": "made",
                "VersioningConfiguration": {"Status": "Enabled"},
                "CorsConfiguration": {
                    "CorsRules": [
                        {
                            "AllowedOrigins": ["http://a"],
                            "AllowedMethods": ["PUT"],
                            "AllowedHeaders": ["Content-Type"],
                            "ExposedHeaders": ["ETag"],
                            "MaxAge": 60,
                        }
                    ]
                },
            },
        },
        "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "group"}},
    },
    "Outputs": {"SecretArn": {"Value": {"Ref": "Secret"}}},
}


ACCOUNT = "123456789012"
TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
VERSION = {"Version": "2012-10-17"}
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = {**VERSION, "Statement": [LAMBDA]}


def _statement(sid: str, action: str | list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


ROLE_TEMPLATE = {
    "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
    "Resources": {
        "Shared": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": "shared",
                "PolicyDocument": {**VERSION, "Statement": [_statement("Look", "sqs:ListQueues", "*")]},
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "made",
                "AssumeRolePolicyDocument": TRUST,
                "ManagedPolicyArns": [{"Ref": "Shared"}],
                "Policies": [
                    {
                        "PolicyName": "own",
                        "PolicyDocument": {
                            **VERSION,
                            "Statement": [
                                _statement("Keep", "dynamodb:PutItem", "*"),
                                {"Fn::If": ["Never", _statement("No", "sqs:*", "*"), {"Ref": "AWS::NoValue"}]},
                            ],
                        },
                    }
                ],
            },
        },
    },
}
POLICY = {
    **VERSION,
    "Statement": [
        _statement("Keep", ["dynamodb:PutItem", "dynamodb:BatchGetItem", "dynamodb:PartiQLInsert"], f"{TABLES}/t"),
        _statement("List", "dynamodb:Query", f"{TABLES}/t/index/listing"),
        _statement("Know", "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:our?/*"),
        _statement("Wake", "scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/ours/*"),
        _statement("Lend", "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/waker")
        | {"Condition": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}},
        _statement("Send", "sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"),
        _statement("Read", "s3:GetObject", "arn:aws:s3:::b-ucket/mine/*"),
    ]
}  # fmt: skip


@contextmanager
def counted(owner: Any, name: str) -> Iterator[list[int]]:
    """Counts the calls of a method, or the reads of a property."""
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
    """A table with a sort key and one index; all items are in one partition of the index."""
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


def bodies_of_a_batch() -> list[str]:
    """The answer for each body of a batch: bodies that SQS refuses, and one that it takes."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="bodies")["QueueUrl"]
    bodies = ("\t\n\r é😀", "a\uffff", "a\ufffe", "a\x01", "a\x0b")
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    said = {one["Id"]: "taken" for one in answer.get("Successful", ())}
    said |= {one["Id"]: f"{one['Code']} {one['SenderFault']}" for one in answer.get("Failed", ())}
    return [*(said[str(number)] for number in range(len(bodies))), str(len(receive(sqs, url)))]


def bodies_sent_alone() -> list[str]:
    """The same for a body with refused characters, for one that is too long only in bytes, and for a batch of such
    bodies."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="alone")["QueueUrl"]
    said = [_said(partial(sqs.send_message, QueueUrl=url, MessageBody=body)) for body in ("\uffff", "é" * 600_000)]
    entries = [{"Id": str(number), "MessageBody": "é" * 300_000} for number in range(2)]
    return [*said, _said(lambda: sqs.send_message_batch(QueueUrl=url, Entries=entries))]


def _said(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "taken"


def remains_after_a_send_to_a_mapped_queue() -> int:
    """How many messages remain of one. Moto's own invocation is as harmless as possible here: without Docker."""
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    sqs, lambda_ = client("sqs"), client("lambda")
    url = sqs.create_queue(QueueName="mapped")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    code = {"ZipFile": b"unread"}
    before = default_user_config["lambda"]
    default_user_config["lambda"] = {"use_docker": False}
    try:
        lambda_.create_function(FunctionName="f", Runtime="python3.13", Role=role, Handler="a.b", Code=code)
        lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="f", BatchSize=1)
        sqs.send_message(QueueUrl=url, MessageBody="x")
    finally:
        default_user_config["lambda"] = before
    return len(receive(sqs, url))


def receivers_of_one_message() -> int:
    """How many of two receivers get one message. The second comes while the first is about to get it."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="crowd")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    original = Message.mark_received
    both_there = threading.Event()

    def is_kept_out() -> bool:
        free = moto_mends.SERVER_LOCK.acquire(blocking=False)
        if free:
            moto_mends.SERVER_LOCK.release()
        return not free

    def mark(message: Message, visibility_timeout: int | None = None) -> None:
        if threading.current_thread() is second:
            both_there.set()
        else:
            second.start()
            with ThreadPoolExecutor(1) as another:  # the lock lets its own thread in again, so another thread must ask
                for _ in range(LOOKS):
                    if both_there.wait(0.01) or another.submit(is_kept_out).result():
                        break
        original(message, visibility_timeout)

    received: list[Any] = []
    second = threading.Thread(target=lambda: received.extend(receive(sqs, url)))
    with patch.object(Message, "mark_received", mark):
        received.extend(receive(sqs, url))
        second.join()
    return len(received)


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


def picks_per_read() -> int:
    """How often moto looks for a value while it writes ten items out."""
    dynamodb = table(10)
    keys = [{"pk": {"S": str(number % 7)}, "sk": {"S": f"{number:03}"}} for number in range(10)]
    with counted(DefaultAttributePicker, "__call__") as first, counted(AttributePicker, "__call__") as picks:
        dynamodb.batch_get_item(RequestItems={"t": {"Keys": keys}})
    return first[0] + picks[0]


def values_of_every_type() -> Any:
    """Values as a client reads them back, also binary, nested and empty ones."""
    dynamodb = table(0)
    values: dict[str, Any] = {
        "string": {"S": "é"},
        "number": {"N": "1.50"},
        "binary": {"B": b"\x00\xff"},
        "binaries": {"BS": [b"a", b"b"]},
        "strings": {"SS": ["a", "b"]},
        "numbers": {"NS": ["1", "2"]},
        "map": {"M": {"inner": {"L": [{"S": "x"}, {"B": b"y"}, {"M": {}}]}}},
        "empty": {"L": []},
        "yes": {"BOOL": True},
        "nothing": {"NULL": True},
    }
    key = {"pk": {"S": "all"}, "sk": {"S": "types"}}
    dynamodb.put_item(TableName="t", Item={**key, **values})
    return sorted(repr(pair) for pair in dynamodb.get_item(TableName="t", Key=key)["Item"].items())


def parses_per_update() -> int:
    """How often the second update parses the same expression."""
    dynamodb = table(2)
    update = _update(0, "attribute_exists(pk)")["Update"]
    dynamodb.update_item(**update)
    with counted(ExpressionTokenizer, "_make_list") as parses:
        dynamodb.update_item(**update)
    return parses[0]


def inspections_of_nodes_per_update() -> int:
    dynamodb = table(2)
    update = _update(0, "attribute_exists(pk)")["Update"]
    dynamodb.update_item(**update)
    with counted(DepthFirstTraverser, "nodes_to_be_processed") as asked:
        dynamodb.update_item(**update)
    return asked[0]


def checks_per_update() -> int:
    """How often the second update looks for clauses that may occur only once, which depends only on the expression."""
    dynamodb = table(2)
    update = _update(0, "attribute_exists(pk)")["Update"]
    dynamodb.update_item(**update)
    with counted(ActionCountValidator, "verify_action_counts") as checks:
        dynamodb.update_item(**update)
    return checks[0]


def rows_after_updates() -> list[Any]:
    """The rows after every kind of action, function, operator, path and error, and after one expression with other
    values."""
    dynamodb = table(3)
    key = {"pk": {"S": "0"}, "sk": {"S": "000"}}
    tries: list[tuple[str, dict[str, Any]]] = [
        ("SET a = :v, #b.deep = :v", {":v": {"S": "x"}}),
        ("SET a = :v, #b = :m", {":v": {"N": "1"}, ":m": {"M": {"deep": {"N": "2"}}}}),
        ("SET a = :v, #b = :m", {":v": {"N": "5"}, ":m": {"M": {"deep": {"N": "7"}}}}),
        ("SET a = a + :v, c = if_not_exists(c, :v) REMOVE #b.deep", {":v": {"N": "2"}}),
        ("SET a = a + :v, c = if_not_exists(c, :v) REMOVE #b.deep", {":v": {"N": "4"}}),
        ("SET l = list_append(if_not_exists(l, :l), :l)", {":l": {"L": [{"S": "one"}]}}),
        ("SET l = list_append(if_not_exists(l, :l), :l)", {":l": {"L": [{"S": "two"}]}}),
        ("REMOVE l[0], l[2]", {}),
        ("ADD a :v, s :s", {":v": {"N": "1"}, ":s": {"SS": ["p", "q"]}}),
        ("DELETE s :s", {":s": {"SS": ["q"]}}),
        ("SET pk = :v", {":v": {"S": "x"}}),
        ("SET a = :v, a = :v", {":v": {"S": "x"}}),
        ("SET a = :gone", {}),
        ("ADD a :v ADD a :v", {":v": {"N": "1"}}),
    ]
    found: list[Any] = []
    for expression, values in tries:
        request: dict[str, Any] = {"TableName": "t", "Key": key, "UpdateExpression": expression}
        if "#b" in expression:
            request["ExpressionAttributeNames"] = {"#b": "b"}
        if values:
            request["ExpressionAttributeValues"] = values
        try:
            answer = dynamodb.update_item(ReturnValues="ALL_NEW", **request)["Attributes"]
            found.append(json.loads(json.dumps(answer, sort_keys=True)))
        except ClientError as error:
            found.append(str(error))
    return found


def spellings_per_send() -> int:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    spelled = inspect.unwrap(core_utils.camelcase_to_underscores).__code__
    seen = [0]

    def look(frame: FrameType, event: str, _: Any) -> None:
        seen[0] += event == "call" and frame.f_code is spelled

    sys.setprofile(look)
    try:
        sqs.send_message(QueueUrl=url, MessageBody="x")
    finally:
        sys.setprofile(None)
    return seen[0]


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


def inserted() -> Any:
    """The answer to each INSERT, and the table's content afterwards. None if moto fails at the first parameter.

    One INSERT is new, two hit existing keys, one names no table, one lacks its key, one has an empty key of an index.
    """
    dynamodb = table(1)
    text = 'INSERT INTO "{}" VALUE {{{}}}'
    rows: list[tuple[str, dict[str, str]]] = [
        ("t", {"pk": "new", "sk": "1", "note": 'it\'s "first"'}),
        ("t", {"pk": "new", "sk": "1", "note": "second"}),
        ("t", {"pk": "0", "sk": "000", "note": "over the one that was put"}),
        ("gone", {"pk": "new", "sk": "2"}),
        ("t", {"pk": "keyless"}),
        ("t", {"pk": "new", "sk": "3", "list_key": ""}),
    ]
    statements = [
        {
            "Statement": text.format(name, ", ".join(f"'{one}': ?" for one in row)),
            "Parameters": [{"S": value} for value in row.values()],
        }
        for name, row in rows
    ]
    try:
        answers = dynamodb.batch_execute_statement(Statements=statements)["Responses"]
    except TypeError:
        return None
    codes = [answer.get("Error", {}).get("Code") for answer in answers]
    return [
        codes,
        sorted((row["pk"]["S"], row.get("note", {}).get("S")) for row in dynamodb.scan(TableName="t")["Items"]),
    ]


def expired_items_remaining() -> list[int]:
    """The number of items before and after `expire_items`. One of the five items has expired."""
    dynamodb = table(3)
    dynamodb.update_time_to_live(TableName="t", TimeToLiveSpecification={"AttributeName": "until", "Enabled": True})
    for sk, until in (("past", "1"), ("future", "99999999999")):
        row = {"pk": {"S": "x"}, "sk": {"S": sk}, "until": {"N": until}}
        dynamodb.put_item(TableName="t", Item=row)
    before = int(dynamodb.scan(TableName="t")["Count"])
    moto_mends.expire_items()
    return [before, int(dynamodb.scan(TableName="t")["Count"])]


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
        "cors": _cors_of("made"),
        "secret_is_output": "SecretArn" in outputs,
        "secret_lengths": [len(value) for value in values],
        "schedules": [s["Name"] for s in client("scheduler").list_schedules()["Schedules"]],
        "groups": [g["Name"] for g in client("scheduler").list_schedule_groups()["ScheduleGroups"]],
    }


def _cors_of(bucket: str) -> Any:
    try:
        return client("s3").get_bucket_cors(Bucket=bucket)["CORSRules"]
    except ClientError as error:
        return error.response["Error"]["Code"]


def preflights() -> dict[str, int]:
    """The statuses with which a bucket with two rules answers a browser's preflight request, which has no
    credentials."""
    client("s3").create_bucket(Bucket="b-ucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    rules = [
        {"AllowedOrigins": [origin], "AllowedMethods": [method], "AllowedHeaders": ["content-*"]}
        for origin, method in (("http://a", "PUT"), ("http://b", "GET"))
    ]
    client("s3").put_bucket_cors(Bucket="b-ucket", CORSConfiguration={"CORSRules": rules})
    asked = {
        "a page that may": ("http://a", "PUT", "content-type"),
        "another method": ("http://a", "DELETE", "content-type"),
        "another header": ("http://a", "PUT", "x-other"),
        "another page": ("http://c", "PUT", "content-type"),
    }
    return {name: _preflight("b-ucket", *one) for name, one in asked.items()}


def _preflight(bucket: str, origin: str, method: str, header: str) -> int:
    headers = HTTPHeaders()
    for name, value in (("Origin", origin), ("Request-Method", method), ("Request-Headers", header)):
        headers[name if name == "Origin" else f"Access-Control-{name}"] = value
    url = f"https://s3.{REGION}.amazonaws.com/{bucket}/a/key"
    answer = BotocoreStubber().process_request(AWSPreparedRequest("OPTIONS", url, headers, b"", stream_output=False))
    assert answer is not None
    return int(answer[0])


def policies_of_a_stacks_role() -> list[Any]:
    """The policies of a role that CloudFormation made, as moto stores them."""
    client("cloudformation").create_stack(
        StackName="roles", TemplateBody=json.dumps(ROLE_TEMPLATE), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    role: Any = iam_backends[ACCOUNT]["aws"].get_role("made")
    kept = [json.loads(one) if isinstance(one, str) else type(one).__name__ for one in role.policies.values()]
    return [kept, sorted(role.managed_policies)]


def _insert(name: str) -> Any:
    return {"Statement": f"INSERT INTO \"{name}\" VALUE {{'pk': ?, 'sk': ?}}", "Parameters": [{"S": "x"}, {"S": "y"}]}


def _calls(made: Callable[[str], Any], queue_url: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    dynamodb, secrets, s3 = made("dynamodb"), made("secretsmanager"), made("s3")
    item = {"pk": {"S": "x"}, "sk": {"S": "x"}}
    query = {"KeyConditionExpression": "list_key = :k", "ExpressionAttributeValues": {":k": {"S": "1"}}}
    schedule = {
        "Name": "one", "ScheduleExpression": "at(2030-01-01T00:00:00)", "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
    }  # fmt: skip
    worker = {"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:F", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/waker"}
    admin = {**worker, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/admin"}
    create = made("scheduler").create_schedule
    yield "its table", lambda: dynamodb.put_item(TableName="t", Item=item)
    yield "another table", lambda: dynamodb.put_item(TableName="other", Item=item)
    yield "its index", lambda: dynamodb.query(TableName="t", IndexName="listing", **query)
    yield (
        "its table's own items",
        lambda: dynamodb.query(
            TableName="t", KeyConditionExpression="pk = :k", ExpressionAttributeValues={":k": {"S": "1"}}
        ),
    )
    yield "its table in a batch", lambda: dynamodb.batch_get_item(RequestItems={"t": {"Keys": [item]}})
    yield (
        "another one beside it",
        lambda: dynamodb.batch_get_item(RequestItems={"t": {"Keys": [item]}, "other": {"Keys": [item]}}),
    )
    yield (
        "a put in a transaction",
        lambda: dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": item}}]),
    )
    yield "an insert", lambda: dynamodb.batch_execute_statement(Statements=[_insert("t")])
    yield (
        "inserts, one elsewhere",
        lambda: dynamodb.batch_execute_statement(Statements=[_insert("t"), _insert("other")]),
    )
    yield (
        "a deletion by statement",
        lambda: dynamodb.batch_execute_statement(
            Statements=[{"Statement": "DELETE FROM \"t\" WHERE pk = 'x' AND sk = 'x'"}]
        ),
    )
    yield (
        "a deletion in a transaction",
        lambda: dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": "t", "Key": item}}]),
    )
    yield "its secret", lambda: secrets.get_secret_value(SecretId="ours/a")
    yield "another secret", lambda: secrets.get_secret_value(SecretId="theirs/a")
    yield "its schedules", lambda: create(GroupName="ours", Target=worker, **schedule)
    yield "another group's", lambda: create(GroupName="default", Target=worker, **schedule)
    yield "with a role it may not lend", lambda: create(GroupName="ours", Target=admin, **schedule)
    yield (
        "its queue, a batch",
        lambda: made("sqs").send_message_batch(QueueUrl=queue_url, Entries=[{"Id": "0", "MessageBody": "x"}]),
    )
    yield "its objects", lambda: s3.get_object(Bucket="b-ucket", Key="mine/a")
    yield "other objects", lambda: s3.get_object(Bucket="b-ucket", Key="theirs/a")
    yield "whether there is one", lambda: s3.get_object(Bucket="b-ucket", Key="mine/none")
    yield "whether one was deleted", lambda: s3.get_object(Bucket="b-ucket", Key="mine/gone")


def allowed_calls() -> list[str]:
    """The calls that a role's policies allow, while moto enforces policies."""
    table(1)
    key = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    client("dynamodb").create_table(
        TableName="other", BillingMode="PAY_PER_REQUEST", AttributeDefinitions=types, KeySchema=key
    )
    for name in ("ours/a", "theirs/a"):
        client("secretsmanager").create_secret(Name=name, SecretString="x")
    client("scheduler").create_schedule_group(Name="ours")
    queue_url = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    client("s3").create_bucket(Bucket="b-ucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_bucket_versioning(Bucket="b-ucket", VersioningConfiguration={"Status": "Enabled"})
    for name in ("mine/a", "mine/gone", "theirs/a"):
        client("s3").put_object(Bucket="b-ucket", Key=name, Body=b"x")
    client("s3").delete_object(Bucket="b-ucket", Key="mine/gone")
    iam = client("iam")
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="worker", PolicyName="own", PolicyDocument=json.dumps(POLICY))
    session = client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]

    def made(service: str) -> Any:
        clients: Callable[..., Any] = boto3.client
        return clients(
            service, region_name=REGION, aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"], aws_session_token=session["SessionToken"],
        )  # fmt: skip

    calls = list(_calls(made, queue_url))
    before = moto_settings.INITIAL_NO_AUTH_ACTION_COUNT
    moto_settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    try:
        return [name for name, call in calls if _goes_through(call)]
    finally:
        moto_settings.INITIAL_NO_AUTH_ACTION_COUNT = before


def _goes_through(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError:
        return False
    return True


def missing_types() -> list[str]:
    made = ("AWS::SecretsManager::Secret", "AWS::Scheduler::Schedule", "AWS::Scheduler::ScheduleGroup")
    return [name for name in (*moto_mends.PLACEHOLDERS, *made) if name not in parsing.get_model_map()]


def default_list_is_split() -> bool:
    template = {
        "Parameters": {"List": {"Type": "CommaDelimitedList", "Default": "a,b"}},
        "Resources": {
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"QueueName": {"Fn::Join": ["-", {"Ref": "List"}]}},
            }
        },
    }
    with suppress(ClientError):
        client("cloudformation").create_stack(StackName="lists", TemplateBody=json.dumps(template))
    return any(url.endswith("/a-b") for url in client("sqs").list_queues().get("QueueUrls", []))


def nonsense_scheduled() -> list[str]:
    """Invalid expressions and time zones that moto accepted."""
    scheduler = client("scheduler")
    taken = []
    for number, (expression, zone) in enumerate(
        [("rate(1 fortnight)", "UTC"), ("at(tomorrow)", "UTC"), ("at(2026-11-24T10:00:00)", "Africa/Nowhere")]
    ):
        with suppress(scheduler.exceptions.ValidationException):
            scheduler.create_schedule(
                Name=f"odd-{number}",
                ScheduleExpression=expression,
                ScheduleExpressionTimezone=zone,
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={"Arn": "arn:aws:lambda:eu-west-1:1:function:F", "RoleArn": "arn:aws:iam::1:role/r"},
            )
            taken.append(f"{expression} {zone}")
    return taken


def secret_made_again_after() -> list[int]:
    """Seconds after its deletion without recovery at which a secret can be neither made, changed nor read."""
    secrets, refused = client("secretsmanager"), []
    now = datetime.now(UTC)
    for after in (0, 59, 61):
        name = f"deleted-{after}"
        with time_machine.travel(now, tick=False):
            secrets.create_secret(Name=name, SecretString="x")
            secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        with time_machine.travel(now + timedelta(seconds=after), tick=False):
            calls = (secrets.get_secret_value, secrets.put_secret_value, secrets.create_secret)
            given = ({"SecretId": name}, {"SecretId": name, "SecretString": "y"}, {"Name": name, "SecretString": "y"})
            codes = [_code(call, each) for call, each in zip(calls, given, strict=True)]
        if codes == ["InvalidRequestException"] * 3:
            refused.append(after)
    return refused


def said_of_a_removed_upload() -> list[str]:
    """What S3 says of a part whose upload was removed, and of putting its parts together."""
    s3 = client("s3")
    s3.create_bucket(Bucket="parts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    upload = s3.create_multipart_upload(Bucket="parts", Key="k")["UploadId"]
    s3.abort_multipart_upload(Bucket="parts", Key="k", UploadId=upload)
    place = {"Bucket": "parts", "Key": "k", "UploadId": upload}
    part = {"PartNumber": 1, "Body": b"x"}
    parts = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "e"}]}}
    return [
        _code_or_crash(s3.upload_part, place | part),
        _code_or_crash(s3.complete_multipart_upload, place | parts),
    ]


def _code_or_crash(call: Callable[..., Any], given: dict[str, Any]) -> str:
    try:
        return _code(call, given)
    except KeyError as error:
        return type(error).__name__


def _code(call: Callable[..., Any], given: dict[str, str]) -> str:
    try:
        call(**given)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


FACTS: tuple[Callable[[], Any], ...] = (
    instances_kept,
    inspections_per_request,
    looks_per_send,
    stale_receipt_deletes,
    stale_receipt_changes_visibility,
    redriven_after,
    bodies_of_a_batch,
    bodies_sent_alone,
    remains_after_a_send_to_a_mapped_queue,
    receivers_of_one_message,
    comparisons_per_query,
    query_results,
    picks_per_read,
    values_of_every_type,
    parses_per_update,
    inspections_of_nodes_per_update,
    checks_per_update,
    rows_after_updates,
    spellings_per_send,
    copies_per_transaction,
    rows_after_a_cancelled_transaction,
    inserted,
    expired_items_remaining,
    deployed,
    preflights,
    policies_of_a_stacks_role,
    allowed_calls,
    missing_types,
    default_list_is_split,
    nonsense_scheduled,
    secret_made_again_after,
    said_of_a_removed_upload,
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
