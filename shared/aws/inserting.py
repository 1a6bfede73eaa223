"""Puts many items at once that are not there yet: PartiQL's INSERT, which leaves alone what is there.

BatchWriteItem knows no condition, and a transaction costs twice. Each statement of a batch succeeds or fails for
itself, and is billed as the conditional put that it is.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from itertools import batched
from typing import TYPE_CHECKING

from shared.aws.attributes import Plain, attributes
from shared.aws.session import Aws
from shared.aws.tries import tries

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

_AT_ONCE = 25
"""DynamoDB's limit for one BatchExecuteStatement."""
_TRIES = 7
"""Over three seconds: a table that was never busy refuses a part of what a quick lane has logged, while it grows."""
_THERE = "DuplicateItem"
_PASSING = {
    "InternalServerError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
    "TransactionConflict",
}
"""What a later try may not meet any more."""


class UninsertedError(Exception):
    """DynamoDB refused some items of a batch, for good or to the end."""


async def insert_absent(aws: Aws, table: str, items: Sequence[Mapping[str, Plain | None]]) -> None:
    """Put those whose `pk` is not there; of two with the same, the first. Returns once all are there.

    Raises UninsertedError; some of the items may have been put by then.
    """
    once: dict[object, Mapping[str, Plain | None]] = {}
    for item in items:
        once.setdefault(item["pk"], item)  # what a batch does with a key given twice, nobody says
    await aws.run_all([partial(_insert, aws, table, batch) for batch in batched(once.values(), _AT_ONCE, strict=False)])


def _insert(aws: Aws, table: str, items: Sequence[Mapping[str, Plain | None]]) -> None:
    waiting = [_statement(table, item) for item in items]
    refused: set[str] = set()
    for _ in tries(aws, _TRIES):
        answers = aws.dynamodb.batch_execute_statement(Statements=waiting)["Responses"]
        codes = [str(answer["Error"]["Code"]) if "Error" in answer else _THERE for answer in answers]
        waiting = [statement for statement, code in zip(waiting, codes, strict=True) if code != _THERE]
        refused = {*codes} - {_THERE}
        if not waiting or not refused <= _PASSING:
            break
    if waiting:
        raise UninsertedError(f"{len(waiting)} of {len(items)} items not put: {', '.join(sorted(refused))}")


def _statement(table: str, item: Mapping[str, Plain | None]) -> "BatchStatementRequestTypeDef":
    values = attributes(item)
    return {"Statement": _text(table, tuple(values)), "Parameters": list(values.values())}


@lru_cache(maxsize=64)
def _text(table: str, names: tuple[str, ...]) -> str:
    """Far below DynamoDB's 8,192 characters: values are parameters."""
    return f'INSERT INTO "{table}" VALUE {{{", ".join(f"'{name}': ?" for name in names)}}}'
