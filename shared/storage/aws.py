"""AWS for one execution environment: clients made at first use, and a few threads for blocking calls.

The clients are botocore's, which boto3 uses too. Importing boto3 (resources, transfers, their documentation) would make
each cold start a seventh longer, and its S3 client takes twice as long to make.

`tries` repeats what AWS left undone of a batch. The clients themselves repeat a whole call only.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient


THREADS = 16
"""Blocking calls at once. DynamoDB has no batch for conditional writes."""

READ_SECONDS = 10
"""How long one attempt of a call waits for an answer. There are several attempts."""

CLAIM_SECONDS = 1
"""How long one attempt of a claim waits for an answer. There are two, with a pause of at most a second between: 3 s in
all. A claim is made just before its call, so a later answer is useless. The sender gives a claim without an answer
back."""

USER_AGENT = "oomus-messaging"
"""botocore builds its own text twice for every request, from fifteen parts: a tenth of a call's processor time."""


class Aws:
    """The clients and threads that all adapters of a function share."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session or Session()
        self._config = Config(
            connect_timeout=2,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "max_attempts": 4},
            max_pool_connections=2 * THREADS,
            user_agent=USER_AGENT,
            # mypy has checked the requests against boto3's types; at run time it would be a twentieth of each call.
            parameter_validation=False,
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")

    def draw(self) -> str:
        """A random token. With it, a repeated write recognises its first attempt."""
        return secrets.token_urlsafe(6)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        client: DynamoDBClient = self._made("dynamodb", self._config)
        return client

    @cached_property
    def claiming(self) -> "DynamoDBClient":
        """DynamoDB, for claims: gives up after about 3 s."""
        quick = Config(
            connect_timeout=CLAIM_SECONDS,
            read_timeout=CLAIM_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
        )
        client: DynamoDBClient = self._made("dynamodb", self._config.merge(quick))
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        client: SQSClient = self._made("sqs", self._config)
        return client

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        client: SecretsManagerClient = self._made("secretsmanager", self._config)
        return client

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """EventBridge Scheduler."""
        client: EventBridgeSchedulerClient = self._made("scheduler", self._config)
        return client

    @cached_property
    def s3(self) -> "S3Client":
        """S3. Signature v4 and virtual-host addresses, which presigned PUTs with exact headers need."""
        config = self._config.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
        s3: S3Client = self._made("s3", config)
        s3.meta.events.register("before-endpoint-resolution.s3", _by_path_at_an_endpoint_of_ones_own)
        return s3

    def _made(self, service: str, config: Config) -> Any:
        """A client. botocore makes its methods at run time; boto3's type stubs describe them."""
        return self._session.create_client(service, config=config)

    def wait(self, seconds: float) -> None:
        """Pause between two attempts of a blocking call, on its thread."""
        time.sleep(seconds)

    async def run[T](self, call: Callable[[], T]) -> T:
        """The result of a blocking call, made on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def run_all[T](self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """The results of many blocking calls, in order, THREADS at a time."""
        return await asyncio.gather(*(self.run(call) for call in calls))


def _by_path_at_an_endpoint_of_ones_own(builtins: dict[str, object], **_: object) -> None:
    """An endpoint in AWS_ENDPOINT_URL has no host name with the bucket's name before it."""
    if builtins.get("SDK::Endpoint"):
        builtins["AWS::S3::ForcePathStyle"] = True


_PAUSE = 0.05
"""Seconds before the second attempt; each further pause is twice as long."""


def tries(aws: Aws, times: int = 5) -> Iterator[None]:
    """Yields once for each attempt, with growing pauses between them. The caller leaves the loop when all is done.
    Blocks."""
    for tried in range(times):
        if tried:
            aws.wait(_PAUSE * 2 ** (tried - 1))
        yield
