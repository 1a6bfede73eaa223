"""One way to AWS for a whole execution environment: clients made at first use, blocking calls on a few threads."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

THREADS = 16
"""Conditional writes at once: DynamoDB has no batch for them."""


class Aws:
    """The clients and threads that all adapters of a function share."""

    def __init__(self, session: boto3.Session | None = None) -> None:
        self._session = session or boto3.Session()
        self._config = Config(
            connect_timeout=2,
            read_timeout=10,
            retries={"mode": "standard", "max_attempts": 4},
            max_pool_connections=2 * THREADS,
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return self._session.client("dynamodb", config=self._config)

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return self._session.client("sqs", config=self._config)

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return self._session.client("secretsmanager", config=self._config)

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """EventBridge Scheduler."""
        return self._session.client("scheduler", config=self._config)

    @cached_property
    def s3(self) -> "S3Client":
        """S3, signing as presigned PUTs with exact headers need it."""
        config = self._config.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
        s3 = self._session.client("s3", config=config)
        s3.meta.events.register("before-endpoint-resolution.s3", _by_path_at_an_endpoint_of_ones_own)
        return s3

    async def run[T](self, call: Callable[[], T]) -> T:
        """The result of a blocking call, made on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def run_all[T](self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """The results of many blocking calls, in order, THREADS at a time."""
        return await asyncio.gather(*(self.run(call) for call in calls))


def _by_path_at_an_endpoint_of_ones_own(builtins: dict[str, object], **_: object) -> None:
    """Where AWS_ENDPOINT_URL names the host there is no other with the bucket's name before it."""
    if builtins.get("SDK::Endpoint"):
        builtins["AWS::S3::ForcePathStyle"] = True
