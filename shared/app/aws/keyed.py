"""Stores whose keys are hashes.

Separate from the other stores: the store of stored content imports phonenumbers, which the senders' artefacts lack.
"""

from functools import cached_property

from shared.app.aws.stores import AwsStores
from shared.recipients.number_key import NumberKey
from shared.storage.plans import S3Plans
from shared.storage.queues import SqsStatusQueue, SqsTaskQueue
from shared.storage.secrets import number_key


class AwsKeyed(AwsStores):
    """The stores, the number key and the stored content, for functions that may put tasks on the fan-out queue."""

    @cached_property
    def number_key_bytes(self) -> bytes:
        """The key of every hash that is stored."""
        return number_key(self.aws, self._given.number_key_secret_id)

    @cached_property
    def number_key(self) -> NumberKey:
        """Hashes numbers and contents."""
        return NumberKey(self.number_key_bytes)

    @cached_property
    def plans(self) -> S3Plans:
        """Stored content and rejected rows. The key is read when the first content is stored."""
        return S3Plans(self.aws, self._given.payload_bucket, self._named)

    def _named(self, body: bytes) -> str:
        return self.number_key.content(body)

    @cached_property
    def tasks(self) -> SqsTaskQueue:
        """The fan-out queue. All these functions have it."""
        return SqsTaskQueue(self.aws, self._given.fanout_queue_url)

    @cached_property
    def status_queue(self) -> SqsStatusQueue:
        """What providers reported."""
        return SqsStatusQueue(self.aws, self._given.status_queue_url)
