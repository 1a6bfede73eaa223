"""Makes AWS fail now and then, to see what happens to the messages.

`POST /_stack/faults {"operations": ["DynamoDB_20120810.UpdateItem"], "every": 20, "took_effect": true}` makes every
20th call of these operations answer 500. Operations have the names of `GET /_stack/requests`.

- `"took_effect": true`: moto does the work before it answers 500. Without it, moto does nothing.
- `"in_a_row": 6`: the five calls after it fail too. AWS's clients do not try that often.
- `"part": true`: only every second entry of a batch for SQS fails, and the answer names those entries.
- `"every": 0`: ends the failures.

`GET /_stack/faults` tells how often each operation has failed since the stack started.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FAULTS_PATH = "/_stack/faults"
_BODY = json.dumps({"__type": "InternalServerError", "message": "Chosen by /_stack/faults"})


_REFUSED = {"SenderFault": False, "Code": "ServiceUnavailable", "Message": "Chosen by /_stack/faults"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failure. `took_effect`: the work was done all the same. `part`: only some entries of the batch fail."""

    took_effect: bool = False
    part: bool = False

    @property
    def answer(self) -> tuple[int, Mapping[str, str], str]:
        """Status, headers and body of the answer."""
        return 500, {"content-type": "application/x-amz-json-1.0"}, _BODY


@dataclass(slots=True, kw_only=True)
class Faults:
    """Which calls fail. The caller holds the server's lock."""

    operations: frozenset[str] = frozenset()
    every: int = 0
    in_a_row: int = 1
    took_effect: bool = False
    part: bool = False
    _seen: int = field(default=0, init=False)

    @classmethod
    def read(cls, wish: Mapping[str, object]) -> "Faults":
        """Read the body of POST /_stack/faults."""
        operations = wish.get("operations", ())
        return cls(
            operations=frozenset(map(str, operations if isinstance(operations, list) else ())),
            every=int(str(wish.get("every", 0))),
            in_a_row=int(str(wish.get("in_a_row", 1))),
            took_effect=wish.get("took_effect") is True,
            part=wish.get("part") is True,
        )

    def next(self, operation: str) -> Fault | None:
        """Count one call. Return how it fails, or None if it does not."""
        if not self.every or operation not in self.operations:
            return None
        self._seen += 1
        is_one = self._seen >= self.every and self._seen % self.every < self.in_a_row
        return Fault(took_effect=self.took_effect, part=self.part) if is_one else None


def halved(body: bytes) -> tuple[bytes, list[str]]:
    """Remove every second entry of a batch for SQS. Return the rest, and the IDs of the removed entries. A batch of one
    stays whole.
    """
    batch: dict[str, Any] = json.loads(body)
    entries: list[dict[str, Any]] = batch["Entries"]
    kept, dropped = entries[::2], entries[1::2]
    return json.dumps({**batch, "Entries": kept}).encode(), [str(entry["Id"]) for entry in dropped]


def with_refused(answer: str | bytes, dropped: list[str]) -> str:
    """Add the entries that were not taken to SQS's answer for the rest of the batch."""
    reported: dict[str, Any] = json.loads(answer)
    return json.dumps(
        {**reported, "Failed": [*reported.get("Failed", []), *({"Id": one, **_REFUSED} for one in dropped)]}
    )
