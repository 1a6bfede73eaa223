"""Reads when a schedule fires: rate(5 minutes), or at(2026-11-23T08:00:00) in a time zone.

The product uses no cron(...). The stack refuses it when a schedule is made, because it could not fire it.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_RATE = re.compile(r"rate\(([1-9]\d{0,4}) (minute|hour|day)s?\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


class ExpressionError(ValueError):
    """The expression or the time zone is invalid, or this stack cannot fire it. The text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a schedule fires: either `every` or `at` (UTC) is set."""

    every: timedelta | None = None
    at: datetime | None = None


def read_expression(expression: str, zone_name: str | None) -> Timing:
    """Read a schedule's expression. `zone_name` (default UTC) is the time zone of `at`. Raises ExpressionError.

    When clocks go forward, a local time that does not exist means the instant at which a clock that was not changed
    would show it: 02:30 is 03:30. When clocks go back, a local time that comes twice means the first. The schedule
    fires once.
    """
    if rate := _RATE.fullmatch(expression):
        return Timing(every=timedelta(**{f"{rate[2]}s": int(rate[1])}))
    if instant := _AT.fullmatch(expression):
        try:
            local = datetime.fromisoformat(instant[1])
            return Timing(at=local.replace(tzinfo=ZoneInfo(zone_name or "UTC")).astimezone(UTC))
        except ZoneInfoNotFoundError as error:
            raise ExpressionError(f"Invalid Schedule Expression Timezone {zone_name}.") from error
        except ValueError as error:
            raise ExpressionError(f"Invalid Schedule Expression {expression}.") from error
    if expression.startswith("cron("):
        raise ExpressionError(f"The local stack can fire only rate(...) and at(...), not {expression}.")
    raise ExpressionError(f"Invalid Schedule Expression {expression}.")
