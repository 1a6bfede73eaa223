"""One way to AWS for a whole execution environment: clients made at first use, blocking calls on a few threads.

botocore's clients, which are boto3's own. Importing boto3 around them (resources, transfers, their documentation) would
cost each cold start a seventh more, and its S3 client takes twice as long to make.

Tries again what AWS left undone of a batch. Its own clients repeat a whole call only.
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
"""Conditional writes at once: DynamoDB has no batch for them."""

READ_SECONDS = 10
"""An answer is waited for so long, several times."""

CLAIM_SECONDS = 1
"""An answer to a claim is waited for so long, twice, with a pause of at most a second between: 3 s in all. A claim is
made just before its call, and a later answer is of no use. The sender gives back what stays unanswered."""

USER_AGENT = "oomus-messaging"
"""botocore's own is put together twice for every request, from fifteen parts: a tenth of a call's processor time."""


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
        """A random token, by which a repeated write knows its first attempt."""
        return secrets.token_urlsafe(6)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        client: DynamoDBClient = self._made("dynamodb", self._config)
        return client

    @cached_property
    def claiming(self) -> "DynamoDBClient":
        """DynamoDB, for claims: it gives up after some 3 s."""
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
        """S3, signing as presigned PUTs with exact headers need it."""
        config = self._config.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
        s3: S3Client = self._made("s3", config)
        s3.meta.events.register("before-endpoint-resolution.s3", _by_path_at_an_endpoint_of_ones_own)
        return s3

    def _made(self, service: str, config: Config) -> Any:
        """A client. botocore makes its methods at run time; what they are, the types of boto3 say."""
        return self._session.create_client(service, config=config)

    def wait(self, seconds: float) -> None:
        """Between two tries of a blocking call, on its thread."""
        time.sleep(seconds)

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


_PAUSE = 0.05
"""Seconds before the second try; each further one waits twice as long."""


def tries(aws: Aws, times: int = 5) -> Iterator[None]:
    """One after the other, with growing pauses between them; whoever has all done leaves the loop. Blocks."""
    for tried in range(times):
        if tried:
            aws.wait(_PAUSE * 2 ** (tried - 1))
        yield
