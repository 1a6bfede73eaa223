"""When a schedule fires: rate(5 minutes) or at(2026-11-23T08:00:00) in a time zone.

cron(...), which the product has not, is refused when a schedule is made, so that none is there that never fires.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_RATE = re.compile(r"rate\(([1-9]\d{0,4}) (minute|hour|day)s?\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


class ExpressionError(ValueError):
    """Not an expression, not a time zone, or one that this stack does not fire. The text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Either `every` or `at` (UTC) is set."""

    every: timedelta | None = None
    at: datetime | None = None


def read_expression(expression: str, zone_name: str | None) -> Timing:
    """Read a schedule's expression; the zone (default UTC) is that of `at`.

    Where clocks go forward, a local time that does not exist means the instant at which the clock before the change
    would show it: 02:30 is 03:30. Where they go back, a local time that comes twice means the first. It fires once.
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
        raise ExpressionError(f"The local stack fires rate(...) and at(...), not {expression}.")
    raise ExpressionError(f"Invalid Schedule Expression {expression}.")
