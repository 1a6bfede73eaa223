"""AWS that fails now and then, for whoever wants to see what becomes of the messages.

`POST /_stack/faults {"operations": ["DynamoDB_20120810.UpdateItem"], "every": 20, "took_effect": true}`: each 20th call
of these operations is answered with a 500, although (`took_effect`) it was done; without, it was not. `"every": 0` ends
it. Operations are named as `GET /_stack/requests` names them. AWS's clients try again by themselves, so that what was
done may be done twice.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

FAULTS_PATH = "/_stack/faults"
_BODY = json.dumps({"__type": "InternalServerError", "message": "Chosen by /_stack/faults"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One answer that is a failure. `took_effect`: what was asked for has been done."""

    took_effect: bool

    @property
    def answer(self) -> tuple[int, Mapping[str, str], str]:
        """Status, headers, body."""
        return 500, {"content-type": "application/x-amz-json-1.0"}, _BODY


@dataclass(slots=True, kw_only=True)
class Faults:
    """Which calls fail. Used under the server's lock."""

    operations: frozenset[str] = frozenset()
    every: int = 0
    took_effect: bool = False
    _seen: int = field(default=0, init=False)

    @classmethod
    def read(cls, wish: Mapping[str, object]) -> "Faults":
        """From the body of the call."""
        operations = wish.get("operations", ())
        return cls(
            operations=frozenset(map(str, operations if isinstance(operations, list) else ())),
            every=int(str(wish.get("every", 0))),
            took_effect=wish.get("took_effect") is True,
        )

    def next(self, operation: str) -> Fault | None:
        """What becomes of this call; None: nothing."""
        if not self.every or operation not in self.operations:
            return None
        self._seen += 1
        return Fault(took_effect=self.took_effect) if self._seen % self.every == 0 else None
