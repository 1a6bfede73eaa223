"""Brings moto back to the state after the deployment. Like `local.moto_mends`, it touches moto's internals.

A reset empties tables, queues and buckets and removes what was created later. Secrets and schedules get their former
names and values again, because the functions' environments name them.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.scheduler.models import scheduler_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

from local.moto_mends import SERVER_LOCK, empty_queue


def _regions(backends: Any) -> Iterator[tuple[str, Any]]:
    """Every backend in use, with a name for it."""
    for account, regions in backends.items():
        for region, backend in regions.items():
            yield f"{account}/{region}", backend


def _kept(backends: Any, attribute: str) -> dict[str, Any]:
    return {where: copy.deepcopy(getattr(backend, attribute)) for where, backend in _regions(backends)}


def _names(backends: Any, attribute: str) -> dict[str, frozenset[str]]:
    return {where: frozenset(getattr(backend, attribute)) for where, backend in _regions(backends)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The resources after the deployment, by account and region."""

    tables: Mapping[str, frozenset[str]]
    queues: Mapping[str, frozenset[str]]
    buckets: Mapping[str, frozenset[str]]
    secrets: Mapping[str, Any]
    schedules: Mapping[str, Any]

    @classmethod
    def take(cls) -> "Snapshot":
        with SERVER_LOCK:
            return cls(
                tables=_names(dynamodb_backends, "tables"),
                queues=_names(sqs_backends, "queues"),
                buckets=_names(s3_backends, "buckets"),
                secrets=_kept(secretsmanager_backends, "secrets"),
                schedules=_kept(scheduler_backends, "schedule_groups"),
            )

    def restore(self) -> None:
        """Go back to the snapshot. It may be called more than once."""
        with SERVER_LOCK:
            _empty(dynamodb_backends, "tables", self.tables, lambda _, table: table.items.clear())
            _empty(sqs_backends, "queues", self.queues, lambda _, queue: empty_queue(queue))
            _empty(s3_backends, "buckets", self.buckets, _empty_bucket)
            for backends, attribute, kept in (
                (secretsmanager_backends, "secrets", self.secrets),
                (scheduler_backends, "schedule_groups", self.schedules),
            ):
                for where, backend in _regions(backends):
                    if where in kept:
                        setattr(backend, attribute, copy.deepcopy(kept[where]))


def _empty(
    backends: Any, attribute: str, kept: Mapping[str, frozenset[str]], empty: Callable[[Any, Any], object]
) -> None:
    for where, backend in _regions(backends):
        resources: MutableMapping[str, Any] = getattr(backend, attribute)
        for name in list(resources):
            if name in kept.get(where, ()):
                empty(backend, resources[name])
            else:
                del resources[name]


def _empty_bucket(_: Any, bucket: Any) -> None:
    bucket.keys = type(bucket.keys)()
    bucket.multiparts = {}
