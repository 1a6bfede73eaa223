"""Changes what moto 5.2.5 does not do, or not well enough, for this stack.

Only this module, `local.moto_access`, `local.moto_secrets`, `local.moto_uploads` and `local.moto_state` touch moto's
internals. Each `mend_*` is independent of the others. Each has a test in tests/local/test_moto_mends.py that fails when
moto no longer needs it.
The measurements are in ../shared/reference/local_stack.md.
"""

import copy
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.models as dynamodb_models
import moto.sqs.models as sqs_models
from moto.cloudformation import parsing
from moto.core import responses
from moto.core.common_models import BaseModel, CloudFormationModel
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import camelcase_to_underscores, method_names_from_class, unix_time, unix_time_millis
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.exceptions import ConditionalCheckFailed, MockValidationException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    OverlappingPathsValidator,
    UpdateExpressionValidator,
    UpdateHashRangeKeyValidator,
)
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.responses import S3Response
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.exceptions import BatchRequestTooLong, InvalidParameterValue, ReceiptHandleIsInvalid, SQSException
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends
from moto.utilities.utils import get_partition

from local import bucket_cors, moto_access, moto_secrets, moto_uploads, sqs_rules
from local.indexed_queue import IndexedMessages
from local.moto_access import replace as _replace
from local.partiql import inserted
from local.schedule_expressions import ExpressionError, read_expression

# moto loses and doubles messages under threads, so its server takes one request at a time. A long poll releases the
# lock while it waits. Each queue has a condition on the lock, so that a send wakes only the receivers of that queue.
SERVER_LOCK = threading.RLock()

INSERTS_AT_ONCE = 25

# CloudFormation types that do nothing here. moto would skip them with only a warning, and references to them would
# fail.
PLACEHOLDERS = (
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::QueryDefinition",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::Subscription",
)


def apply_all() -> None:
    """Change moto in this process. Call it once, before the first request."""
    mend_instance_tracking()
    mend_dispatch()
    mend_queues()
    mend_message_bodies()
    mend_table_queries()
    mend_attribute_values()
    mend_update_expressions()
    mend_transactions()
    mend_inserts()
    mend_table_settings()
    mend_bucket_settings()
    mend_preflights()
    mend_missing_resources()
    mend_schedules()
    moto_access.mend_roles()
    moto_access.mend_access()
    moto_secrets.mend_deletions()
    moto_uploads.mend_parts()


def mend_instance_tracking() -> None:
    """Stop moto from keeping a reference to every item and message it ever made. It does so for a dashboard."""
    _replace(BaseModel, __new__=staticmethod(lambda cls, *_args, **_kwargs: object.__new__(cls)))


def mend_dispatch() -> None:
    """Cache the lookup of a service's operations and the conversion of names to snake case.

    moto inspects its class for each request, which is a sixth of a small put. A batch of ten sends converts 140 names,
    which is most of the batch's time.
    """
    _replace(responses, method_names_from_class=cache(method_names_from_class))
    for module in (responses, sqs_models):
        _replace(module, camelcase_to_underscores=cache(camelcase_to_underscores))


# ── SQS: moto reads the whole queue for each send, and copies it for each delete ──────────────────────────────────────


def mend_queues() -> None:
    """Index standard queues. As on AWS, a stale receipt handle deletes and changes nothing.

    A send only sends. moto's own send also invokes the function of an event source mapping, in Docker, and counts that
    as a receive or loses the message. Here `local.poller` does what a mapping does.
    """
    original_init, original_purge = Queue.__init__, SQSBackend.purge_queue

    def init(queue: Any, *args: Any, **kwargs: Any) -> None:
        original_init(queue, *args, **kwargs)
        if queue.fifo_queue:
            raise InvalidParameterValue("The local stack supports only standard queues.")
        queue._messages = IndexedMessages[Any](unix_time_millis)
        queue._changed = threading.Condition(SERVER_LOCK)

    def purge(backend: Any, queue_name: str) -> None:
        original_purge(backend, queue_name)
        empty_queue(backend.get_queue(queue_name))

    _replace(
        Queue,
        __init__=init,
        messages=property(lambda queue: list(queue._messages.ready().values())),
        approximate_number_of_messages=property(lambda queue: queue._messages.counts()[0]),
        approximate_number_of_messages_not_visible=property(lambda queue: queue._messages.counts()[1]),
        approximate_number_of_messages_delayed=property(lambda queue: queue._messages.counts()[2]),
        add_message=_add_message,
        delete_message=_delete_message,
    )
    _replace(
        SQSBackend,
        purge_queue=purge,
        receive_message=_receive_messages,
        change_message_visibility=_change_visibility,
    )
    _replace(sqs_models, generate_receipt_handle=lambda: secrets.token_urlsafe(92))


def empty_queue(queue: Any) -> None:
    """Empty a queue, as often as needed. SQS's own purge is allowed once a minute."""
    queue._messages = IndexedMessages[Any](unix_time_millis)
    queue.deleted_messages.clear()


def _add_message(queue: Any, message: Message) -> None:
    with queue._changed:
        queue._messages.append(message)
        queue._changed.notify_all()


def _delete_message(queue: Any, receipt_handle: str) -> None:
    message = queue._messages.by_handle(receipt_handle)
    if message is None:
        if receipt_handle not in queue.deleted_messages:
            raise ReceiptHandleIsInvalid
        return
    if message.receipt_handle == receipt_handle:
        queue.deleted_messages.update(message.all_receipt_handles)
        queue._messages.remove(message)
        queue._messages.forget_handles(message.all_receipt_handles)


def _change_visibility(backend: Any, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
    queue = backend.get_queue(queue_name)
    with queue._changed:
        message = queue._messages.by_handle(receipt_handle)
        if message is None:
            raise ReceiptHandleIsInvalid
        if message.receipt_handle != receipt_handle or not queue._messages.is_in_flight(message):
            raise InvalidParameterValue(
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. "
                "Reason: Message does not exist or is not available for visibility timeout change."
            )
        message.change_visibility(int(visibility_timeout))
        queue._messages.place(message)
        queue._changed.notify_all()


def _receive_messages(
    backend: Any, queue_name: str, count: int, wait_seconds: int, visibility: int, names: list[str] | None = None
) -> list[Message]:
    """Receive as moto does, but wait in real seconds on the server's lock. A send or a jump of the clock wakes it."""
    queue = backend.get_queue(queue_name)
    deadline = time.monotonic() + wait_seconds
    with queue._changed:
        while not (received := _take(queue, count, visibility)):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            due = queue._messages.next_due_ms()
            until_due = remaining if due is None else max(0.001, (due - unix_time_millis()) / 1000)
            queue._changed.wait(min(remaining, until_due))
    for message in received:
        sqs_models._filter_message_attributes(message, names or [])
    return received


def wake_receivers() -> None:
    """Make all waiting receivers look again after a jump of the clock."""
    with SERVER_LOCK:
        for queue in _queues():
            queue._changed.notify_all()


def queue_counts() -> dict[str, tuple[int, int]]:
    """The numbers of visible and of hidden messages of each queue, by its name. The caller holds the server's lock."""
    return {queue.name: queue._messages.counts()[:2] for queue in _queues()}


def _queues() -> list[Any]:
    return [q for account in sqs_backends.values() for b in account.values() for q in b.queues.values()]


def _take(queue: Any, count: int, visibility: int) -> list[Message]:
    taken: dict[str, Message] = {}
    oldest_kept = unix_time_millis() - queue.message_retention_period * 1000
    for message in list(queue._messages.ready().values()) if visibility == 0 else _heads(queue._messages):
        if len(taken) == count or message.id in taken:
            break
        if message.sent_timestamp < oldest_kept:
            queue._messages.remove(message)
        elif queue.dead_letter_queue and message.approximate_receive_count >= queue.redrive_policy["maxReceiveCount"]:
            queue._messages.remove(message)
            queue.dead_letter_queue.add_message(message)
        else:
            message.mark_received(visibility_timeout=visibility)
            queue._messages.place(message)
            taken[message.id] = copy.copy(message)
    return list(taken.values())


def _heads(messages: "IndexedMessages[Any]") -> Iterator[Any]:
    """Yield the oldest ready message again and again. The caller must take it out of the queue before the next one."""
    while ready := messages.ready():
        yield next(iter(ready.values()))


def mend_message_bodies() -> None:
    """Refuse the bodies that SQS refuses; of a batch, only those entries. SQS measures bytes, moto characters."""
    send, send_batch = SQSBackend.send_message, SQSBackend.send_message_batch

    def checked(backend: Any, queue_name: str, message_body: str, *args: Any, **kwargs: Any) -> Message:
        if sqs_rules.refuses(message_body):
            raise SQSException(sqs_rules.REFUSED_CODE, sqs_rules.REFUSAL)
        if sqs_rules.is_too_long(message_body):
            reason = f"Message must be shorter than {sqs_rules.MOST_BYTES} bytes."
            raise InvalidParameterValue(f"One or more parameters are invalid. Reason: {reason}")
        return send(backend, queue_name, message_body, *args, **kwargs)

    def checked_batch(
        backend: Any, queue_name: str, entries: dict[str, dict[str, Any]]
    ) -> tuple[list[Message], list[dict[str, Any]]]:
        whole = "".join(entry["MessageBody"] for entry in entries.values())
        if sqs_rules.is_too_long(whole):
            raise BatchRequestTooLong(len(whole.encode("utf-8", "surrogatepass")))
        kept = {key: entry for key, entry in entries.items() if not sqs_rules.refuses(entry["MessageBody"])}
        fault = {"SenderFault": True, "Code": sqs_rules.REFUSED_CODE, "Message": sqs_rules.REFUSAL}
        refused = [{"Id": entry["Id"], **fault} for key, entry in entries.items() if key not in kept]
        sent, failed = send_batch(backend, queue_name, kept) if kept else ([], [])
        return sent, [*failed, *refused]

    _replace(SQSBackend, send_message=checked, send_message_batch=checked_batch)


# ── DynamoDB: queries sort the table, transactions copy it, items never expire ────────────────────────────────────────


def _plain(value: DynamoType | None) -> Any:
    if value is None or value.type == "S":
        return value and value.value
    return value.cast_value


def _all_items(table: Any) -> list[Item]:
    narrowed: list[Item] | None = table.__dict__.get("_narrowed")
    if narrowed is not None:
        return narrowed
    items = list(table.items.values())
    if table.range_key_attr:
        items = [item for partition in items for item in partition.values()]
    return sorted(items, key=lambda item: (_plain(item.hash_key), _plain(item.range_key)))


def _in_partition(table: Any, hash_key: DynamoType | None, conditions: list[tuple[str, DynamoType]]) -> list[Item]:
    if not conditions:
        partition = table.items.get(hash_key)
        if partition is None:
            return []
        return sorted(partition.values(), key=lambda i: _plain(i.range_key)) if table.range_key_attr else [partition]
    name, wanted = conditions[0]
    partitions = table.items.values()
    items = (i for p in partitions for i in p.values()) if table.range_key_attr else iter(partitions)
    return [item for item in items if (value := item.attrs.get(name)) and value.value == wanted.value]


def mend_table_queries() -> None:
    """Read only one partition and compare plain values. moto sorts all items as objects, several times per query."""
    original_query = Table.query

    def query(table: Any, hash_key: Any, *args: Any, **kwargs: Any) -> Any:
        index_name = kwargs.get("index_name", args[6] if len(args) > 6 else None)
        conditions = kwargs.get("hash_key_conditions") if index_name else []
        if conditions is not None:
            table._narrowed = _in_partition(table, hash_key, conditions)
        try:
            return original_query(table, hash_key, *args, **kwargs)
        finally:
            table.__dict__.pop("_narrowed", None)

    def sorted_items(table: Any, hash_keys: list[str], range_keys: list[str | None], items: list[Item]) -> list[Item]:
        names = table._generate_attr_to_sort_by(hash_keys, range_keys)
        return sorted(items, key=lambda item: [_plain(item.attrs[name]) for name in names])

    _replace(Table, query=query, all_items=_all_items, sorted_items=sorted_items)


def mend_attribute_values() -> None:
    """Write attribute values as they are. moto looks for each of their ten possible types under five spellings.

    Reading ten items took 10 ms. Binary values are bytes in moto and must be encoded, so they go through moto's own
    code.
    """
    original = BaseJSONSerializer._serialize_type_map

    def serialize_map(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.value.name == "AttributeValue" and all(_is_plain_json(one) for one in value.values()):
            serializer._default_serialize(serialized, value, shape, key)
        else:
            original(serializer, serialized, value, shape, key)

    _replace(BaseJSONSerializer, _serialize_type_map=serialize_map)


def _is_plain_json(value: Any) -> bool:
    """Whether an attribute value holds only strings: it is not binary and has no nested values."""
    return isinstance(value, dict) and value.keys() <= {"S", "N", "SS", "NS", "BOOL", "NULL"}


def mend_update_expressions() -> None:
    """Parse and check each expression once, cache the class checks of nodes, and copy nodes without deepcopy.

    moto spends most of an update's 4 ms on these. The cached expression can be shared, because moto changes only a
    copy.
    """
    original = UpdateExpressionValidator.__init__

    def init(validator: Any, expression: Any, *args: Any, **kwargs: Any) -> None:
        original(validator, expression, *args, **kwargs)
        validator._checked = expression.__dict__.setdefault("_checked", set())

    _replace(UpdateExpressionValidator, __init__=init, validate=_validate)
    _replace(UpdateExpressionParser, make=staticmethod(lru_cache(1000)(UpdateExpressionParser.make)))
    _replace(DepthFirstTraverser, traverse_node_recursively=_traverse)
    _replace(Node, __deepcopy__=_copied_node)


def _validate(validator: Any) -> Any:
    """Validate as moto does, but not twice what depends only on the expression, the names in it and the table's keys.

    `_checked` holds the names and keys with which the expression was valid before.
    """
    names = tuple((validator.expression_attribute_names or {}).items())
    known = (names, tuple(validator.table.table_key_attrs))
    is_checked = known in validator._checked
    node = validator.node_to_validate
    for processor in validator.processors:
        if not (is_checked and isinstance(processor, _OF_THE_EXPRESSION)):
            node = processor.traverse(node)
    validator._checked.add(known)
    return node


def _traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Traverse as moto does, but ask only once for the traverser's processes, and for what each class of node needs."""
    processes = traverser._processing_map()
    return _visited(traverser, node, child_id, processes, _CHOSEN.setdefault(tuple(processes), {}))


def _visited(traverser: Any, node: Any, child_id: int, processes: dict[type, Any], chosen: dict[type, Any]) -> Any:
    """`chosen` holds, for each class of node, the first class of `processes` that it belongs to."""
    kind = type(node)
    if kind not in chosen:
        of_node = [wanted for wanted in processes if issubclass(kind, wanted)]
        chosen[kind] = (of_node[0] if of_node else None) if issubclass(kind, Node) else _NO_NODE
    wanted = chosen[kind]
    if wanted is _NO_NODE:
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, number)
        _visited(traverser, child, number, processes, chosen)
    if wanted is not None:
        node = processes[wanted](node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _copied_node(node: Any, memo: dict[int, Any]) -> Any:
    made = object.__new__(type(node))
    vars(made).update(vars(node))
    if node.children is not None:
        made.children = [_copied_node(one, memo) if isinstance(one, Node) else one for one in node.children]
        for child in made.children:
            if isinstance(child, Node):
                child.parent = made
    return made


_OF_THE_EXPRESSION = (ActionCountValidator, OverlappingPathsValidator, UpdateHashRangeKeyValidator)
_NO_NODE = object()
_CHOSEN: dict[tuple[type, ...], dict[type, Any]] = {}


def mend_transactions() -> None:
    """Keep only the touched items for a rollback. moto copies each touched table: 2.9 s at 13,000 items."""
    original = DynamoDBBackend.transact_write_items

    def deepcopy(value: Any, *args: Any) -> Any:
        return value if isinstance(value, Table) else copy.deepcopy(value, *args)

    def transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        with _rolled_back_on_error(backend, transact_items):
            original(backend, transact_items)

    _replace(dynamodb_models, copy=SimpleNamespace(deepcopy=deepcopy, copy=copy.copy))
    _replace(DynamoDBBackend, transact_write_items=transact_write_items)


@contextmanager
def _rolled_back_on_error(backend: Any, transact_items: list[dict[str, Any]]) -> Iterator[None]:
    before = []
    for operation in (op for item in transact_items for op in item.values()):
        table = backend.tables.get(operation.get("TableName"))
        key = operation.get("Key") or operation.get("Item") or {}
        if table and all(name in key for name in table.table_key_attrs):
            hash_key, range_key = backend.get_keys_value(table, key)
            before.append((table, hash_key, range_key, copy.deepcopy(table.get_item(hash_key, range_key))))
    try:
        yield
    except Exception:
        for table, hash_key, range_key, item in before:
            if item is None:
                table.delete_item(hash_key, range_key)
            elif range_key is None:
                table.items[hash_key] = item
            else:
                table.items[hash_key][range_key] = item
        raise


def mend_inserts() -> None:
    """Make a batch of INSERTs put items; refuse all other statements.

    moto knows no parameters in a batch, overwrites existing items, and copies every item of every table for each
    statement.
    """
    _replace(DynamoDBBackend, batch_execute_statement=_insert_all)


def _insert_all(backend: Any, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not 0 < len(statements) <= INSERTS_AT_ONCE:
        raise MockValidationException(f"Statements: between 1 and {INSERTS_AT_ONCE} are possible")
    return [_insert(backend, *inserted(statement)) for statement in statements]


def _insert(backend: Any, name: str, item: dict[str, Any]) -> dict[str, Any]:
    table = backend.tables.get(name)
    if table is None:
        return {"Error": {"Code": "ResourceNotFound", "Message": "Requested resource not found"}}
    try:
        dynamodb_responses.validate_put_has_empty_keys(item, table)
        table.put_item(item, condition_expression=f"attribute_not_exists({table.hash_key_attr})")
    except ConditionalCheckFailed:
        return {
            "TableName": name,
            "Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
        }
    except MockValidationException as error:
        return {"TableName": name, "Error": {"Code": "ValidationError", "Message": str(error)}}
    return {"TableName": name}


def expire_items() -> int:
    """Delete the items that are past their table's time to live, and return how many.

    AWS does so within days, moto never.
    """
    now, expired = unix_time(), 0
    with SERVER_LOCK:
        for table in [t for account in dynamodb_backends.values() for b in account.values() for t in b.tables.values()]:
            if table.ttl.get("TimeToLiveStatus") != "ENABLED":
                continue
            for item in _all_items(table):
                until = item.attrs.get(table.ttl["AttributeName"])
                if until is not None and until.type == "N" and float(until.value) < now:
                    table.delete_item(item.hash_key, item.range_key)
                    expired += 1
    return expired


# ── CloudFormation: moto drops settings, and skips unknown types together with every reference to them ────────────────


def mend_table_settings() -> None:
    """Make a table of CloudFormation keep its time to live, point-in-time recovery and encryption."""
    original = Table.create_from_cloudformation_json  # bound to Table, which has no subclass in CloudFormation

    def create(_cls: Any, /, name: str, document: dict[str, Any], account_id: str, region: str, **kwargs: Any) -> Any:
        properties = document["Properties"]
        encryption = properties.get("SSESpecification", {})
        if "SSEEnabled" in encryption:
            encryption["Enabled"] = encryption.pop("SSEEnabled") in (True, "true")
        table = original(name, document, account_id, region, **kwargs)
        backend = dynamodb_backends[account_id][region]
        if ttl := properties.get("TimeToLiveSpecification"):
            backend.update_time_to_live(name, ttl)
        if recovery := properties.get("PointInTimeRecoverySpecification"):
            backend.update_continuous_backups(name, recovery)
        return table

    _replace(Table, create_from_cloudformation_json=classmethod(create))


def mend_bucket_settings() -> None:
    """Make a bucket of CloudFormation keep its versioning and its CORS rules.

    Uploads are pinned to a version, and a browser cannot upload without CORS rules.
    """
    original = FakeBucket.create_from_cloudformation_json  # bound to FakeBucket, which has no subclass

    def create(_cls: Any, /, name: str, document: dict[str, Any], account_id: str, region: str, **kwargs: Any) -> Any:
        bucket = original(name, document, account_id, region, **kwargs)
        properties, backend = document.get("Properties", {}), s3_backends[account_id][get_partition(region)]
        if versioning := properties.get("VersioningConfiguration"):
            backend.put_bucket_versioning(name, versioning["Status"])
        if cors := properties.get("CorsConfiguration"):
            backend.put_bucket_cors(name, [_as_s3_names_it(rule) for rule in cors["CorsRules"]])
        return bucket

    _replace(FakeBucket, create_from_cloudformation_json=classmethod(create))


def _as_s3_names_it(rule: dict[str, Any]) -> dict[str, Any]:
    """Rename a CORS rule's keys from CloudFormation's names to those of S3's own API."""
    words = {
        "AllowedMethods": "AllowedMethod",
        "AllowedOrigins": "AllowedOrigin",
        "AllowedHeaders": "AllowedHeader",
        "ExposedHeaders": "ExposeHeader",
    }
    named = {s3: rule[template] for template, s3 in words.items() if template in rule}
    return named | ({"MaxAgeSeconds": str(rule["MaxAge"])} if "MaxAge" in rule else {})


# ── S3: moto does not answer a browser's preflight as S3 does ─────────────────────────────────────────────────────────


def mend_preflights() -> None:
    """Answer a browser as S3 does: the first CORS rule that fits decides, and a preflight needs no rights.

    The answer names the headers that were asked for. moto asks for rights, compares neither method nor headers, and
    lets a later rule overwrite an earlier one.
    """
    for name in ("key_response", "bucket_response"):
        _replace(S3Response, **{name: _with_cors(getattr(S3Response, name))})
    _replace(S3Response, _get_cors_headers_other=lambda _: {})


def _with_cors(original: Callable[..., Any]) -> Callable[..., Any]:
    def answered(response: Any, request: Any, full_url: str, headers: Any) -> Any:
        response.setup_class(request)
        rules = _cors_rules(response.backend, response.parse_bucket_name_from_url(request, full_url))
        asked = {key.lower(): value for key, value in request.headers.items()}
        if request.method == "OPTIONS":
            return _preflight(rules, asked)
        status, given, content = original(response, request, full_url, headers)
        return status, {**given, **bucket_cors.response_headers(rules, request.method, asked)}, content

    return answered


def _cors_rules(backend: Any, bucket_name: str) -> list[bucket_cors.Rule]:
    bucket = backend.buckets.get(bucket_name)
    return [
        bucket_cors.Rule(
            origins=tuple(rule.allowed_origins),
            methods=tuple(rule.allowed_methods),
            headers=tuple(rule.allowed_headers or ()),
            exposed=tuple(rule.exposed_headers or ()),
            max_age=rule.max_age_seconds,
        )
        for rule in (bucket.cors if bucket is not None else ())
    ]


def _preflight(rules: list[bucket_cors.Rule], asked: dict[str, str]) -> tuple[int, dict[str, str], str]:
    try:
        return 200, bucket_cors.preflight(rules, asked), ""
    except bucket_cors.CorsRefusedError as refusal:
        text = f"<Error><Code>{refusal.code}</Code><Message>{refusal}</Message></Error>"
        return refusal.status, {"content-type": "application/xml"}, text


type Maker = Callable[[str, dict[str, Any], str, str], str]


def _make_secret(name: str, properties: dict[str, Any], account_id: str, region: str) -> str:
    value = properties.get("SecretString")
    if rules := properties.get("GenerateSecretString"):
        alphabet = (
            string.ascii_letters + string.digits + ("" if rules.get("ExcludePunctuation") else string.punctuation)
        )
        allowed = [c for c in alphabet if c not in rules.get("ExcludeCharacters", "")]
        value = "".join(secrets.choice(allowed) for _ in range(int(rules.get("PasswordLength", 32))))
    secret, _ = secretsmanager_backends[account_id][region]._add_secret(
        name, secret_string=value, description=properties.get("Description"), kms_key_id=properties.get("KmsKeyId")
    )
    return str(secret.arn)


def _make_schedule(name: str, properties: dict[str, Any], account_id: str, region: str) -> str:
    backend: Any = scheduler_backends[account_id][region]  # its annotations do not allow None, but it accepts it
    backend.create_schedule(
        description=properties.get("Description"),
        end_date=properties.get("EndDate"),
        flexible_time_window=properties.get("FlexibleTimeWindow", {"Mode": "OFF"}),
        group_name=properties.get("GroupName"),
        kms_key_arn=properties.get("KmsKeyArn"),
        name=name,
        schedule_expression=properties["ScheduleExpression"],
        schedule_expression_timezone=properties.get("ScheduleExpressionTimezone"),
        start_date=properties.get("StartDate"),
        state=properties.get("State"),
        target=properties["Target"],
        action_after_completion=properties.get("ActionAfterCompletion"),
    )
    return name


def _make_schedule_group(name: str, properties: dict[str, Any], account_id: str, region: str) -> str:
    scheduler_backends[account_id][region].create_schedule_group(name, properties.get("Tags", []))
    return name


def _make_nothing(name: str, _properties: dict[str, Any], _account_id: str, _region: str) -> str:
    return name


def mend_missing_resources() -> None:
    """Add the types that moto's CloudFormation skips with only a warning."""
    makers: dict[str, Maker] = dict.fromkeys(PLACEHOLDERS, _make_nothing)
    makers["AWS::SecretsManager::Secret"] = _make_secret
    makers["AWS::Scheduler::Schedule"] = _make_schedule
    makers["AWS::Scheduler::ScheduleGroup"] = _make_schedule_group
    # The class list holds only weak references: `parsing` must keep the new classes, or Python deletes them.
    _replace(parsing, local_models=[_resource_model(resource_type, make) for resource_type, make in makers.items()])
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


def _resource_model(resource_type: str, make: Maker) -> type[CloudFormationModel]:
    class Resource(CloudFormationModel):
        __module__ = "moto.local.models"  # moto reads the service's name from here

        def __init__(self, physical_id: str) -> None:
            self.physical_resource_id = physical_id

        @staticmethod
        def cloudformation_name_type() -> str:
            return "Name"

        @staticmethod
        def cloudformation_type() -> str:
            return resource_type

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in {"Arn", "Id", "ApiId", "ApiEndpoint"}

        def get_cfn_attribute(self, attribute_name: str) -> str:
            return self.physical_resource_id

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
        ) -> "Resource":
            return cls(make(resource_name, cloudformation_json["Properties"], account_id, region_name))

    return Resource


# ── Scheduler: moto accepts any expression, even an invalid one ───────────────────────────────────────────────────────


def mend_schedules() -> None:
    """Refuse an expression or a time zone that the stack cannot fire, when a schedule is made or changed."""
    for name in ("create_schedule", "update_schedule"):
        _replace(
            EventBridgeSchedulerBackend, **{name: _with_checked_expression(getattr(EventBridgeSchedulerBackend, name))}
        )


def _with_checked_expression(original: Callable[..., Any]) -> Callable[..., Any]:
    def checked(backend: Any, **schedule: Any) -> Any:
        try:
            read_expression(schedule["schedule_expression"], schedule["schedule_expression_timezone"])
        except ExpressionError as error:
            raise ValidationException(str(error)) from error
        return original(backend, **schedule)

    return checked


def supported_types() -> set[str]:
    """Every resource type that a template may use in this stack."""
    return set(parsing.get_model_map()) | set(parsing.NULL_MODELS)
