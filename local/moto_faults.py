"""AWS that fails now and then, for whoever wants to see what becomes of the messages.

`POST /_stack/faults {"operations": ["DynamoDB_20120810.UpdateItem"], "every": 20, "took_effect": true}`: each 20th call
of these operations is answered with a 500, although (`took_effect`) it was done; without, it was not. `"in_a_row": 6`:
so are the five after it, which is more than AWS's clients try by themselves. `"part": true`: of a batch for SQS it is
the odd entries alone that were not taken, and the answer says so. `"every": 0` ends it. Operations are named as
`GET /_stack/requests` names them. `GET /_stack/faults`: how often each operation has failed since the stack started.
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
    """One answer that is a failure. `took_effect`: what was asked for has been done. `part`: all but some of it."""

    took_effect: bool = False
    part: bool = False

    @property
    def answer(self) -> tuple[int, Mapping[str, str], str]:
        """Status, headers, body."""
        return 500, {"content-type": "application/x-amz-json-1.0"}, _BODY


@dataclass(slots=True, kw_only=True)
class Faults:
    """Which calls fail. Used under the server's lock."""

    operations: frozenset[str] = frozenset()
    every: int = 0
    in_a_row: int = 1
    took_effect: bool = False
    part: bool = False
    _seen: int = field(default=0, init=False)

    @classmethod
    def read(cls, wish: Mapping[str, object]) -> "Faults":
        """From the body of the call."""
        operations = wish.get("operations", ())
        return cls(
            operations=frozenset(map(str, operations if isinstance(operations, list) else ())),
            every=int(str(wish.get("every", 0))),
            in_a_row=int(str(wish.get("in_a_row", 1))),
            took_effect=wish.get("took_effect") is True,
            part=wish.get("part") is True,
        )

    def next(self, operation: str) -> Fault | None:
        """What becomes of this call; None: nothing."""
        if not self.every or operation not in self.operations:
            return None
        self._seen += 1
        is_one = self._seen >= self.every and self._seen % self.every < self.in_a_row
        return Fault(took_effect=self.took_effect, part=self.part) if is_one else None


def halved(body: bytes) -> tuple[bytes, list[str]]:
    """A batch for SQS without its odd entries, and the IDs of those. A batch of one stays whole."""
    batch: dict[str, Any] = json.loads(body)
    entries: list[dict[str, Any]] = batch["Entries"]
    kept, dropped = entries[::2], entries[1::2]
    return json.dumps({**batch, "Entries": kept}).encode(), [str(entry["Id"]) for entry in dropped]


def with_refused(answer: str | bytes, dropped: list[str]) -> str:
    """SQS's answer to the rest of a batch, and what it says of the entries that were not taken."""
    reported: dict[str, Any] = json.loads(answer)
    return json.dumps(
        {**reported, "Failed": [*reported.get("Failed", []), *({"Id": one, **_REFUSED} for one in dropped)]}
    )
