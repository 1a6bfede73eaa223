"""Structured logs: one JSON line for each event, with a stable name. Never an event's body, a number, a text or a
token.

Metrics in CloudWatch's embedded format (EMF): counted in memory, written to the log once for each invocation.

Powertools writes both. Its Metrics cost nothing extra, because importing its Logger imports them. Only their provider
is used: `Metrics` would make the service a dimension of every metric, but failures of all functions are one sum.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from shared.base.events import EVENTS, IDENTITIES, Event, Metric, Unit
from shared.base.instants import Clock, format_instant, milliseconds

NAMESPACE = "OomusMessaging"
"""The namespace if POWERTOOLS_METRICS_NAMESPACE is empty. The template gives each stack its own."""

type Fields = Mapping[str, str | int | float | bool | None]

type _Dimensions = tuple[tuple[str, str], ...]


class Counted:
    """The sums and values of one invocation's events."""

    def __init__(self) -> None:
        self._numbers: dict[_Dimensions, dict[Metric, list[float]]] = {}

    def note(self, event: Event, fields: Fields) -> None:
        """Add what one event counts. A missing dimension counts as "none"."""
        for metric in event.metrics:
            if metric.when is None or fields.get(metric.when[0]) in metric.when[1]:
                value = 1.0 if metric.value is None else _number(fields.get(metric.value))
                dimensions = tuple((name, str(fields.get(name) or "none")) for name in metric.by)
                self._add(self._numbers.setdefault(dimensions, {}), metric, value)

    def write(self, now: datetime) -> None:
        """Write one line for each set of dimensions, none if nothing was counted. Then start from zero."""
        numbers, self._numbers = self._numbers, {}
        for dimensions, metrics in numbers.items():
            provider = AmazonCloudWatchEMFProvider(service="", dimension_set=dict(dimensions))
            provider.namespace = provider.namespace or NAMESPACE
            provider.timestamp = milliseconds(now)
            for metric, value in _each(metrics):
                provider.add_metric(metric.name, metric.unit, value)
            if provider.metric_set:  # empty after a flush at the hundredth value
                provider.flush_metrics()

    @staticmethod
    def _add(numbers: dict[Metric, list[float]], metric: Metric, value: float) -> None:
        if metric.unit is Unit.COUNT:
            numbers[metric] = [sum(numbers.get(metric, ())) + value]
        else:
            numbers.setdefault(metric, []).append(value)


def _each(metrics: Mapping[Metric, list[float]]) -> Iterator[tuple[Metric, float]]:
    return ((metric, value) for metric, values in metrics.items() for value in values)


def _number(value: str | float | None) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

_WORDS = re.compile(r"[\w .:/{}-]{0,80}", re.ASCII)

_LIKE_A_NUMBER = re.compile(r"[0-9]{8,}|[0-9]([ .-]?[0-9]){8,}", re.ASCII)
"""The shortest numbers of the covered countries have eight digits; providers' codes have at most seven."""

_NAME = re.compile(r"[!-~]{1,128}")

_A_NUMBER = re.compile(r"[+(]?(?:[0-9][().-]?){8,15}", re.ASCII)

_HIDDEN = "***"

_MADE_BY_US = IDENTITIES - {"organisation"}


class InvocationFailedError(Exception):
    """Leaves a handler instead of the original exception and carries only its type. Lambda writes an exception's text
    into the log, and that text may quote personal data (botocore's and msgspec's do)."""


class _ByTheClock(LambdaPowertoolsFormatter):
    """Puts `LoggedTelemetry`'s time into a line. Powertools keeps one formatter for all loggers of a name, so the time
    comes with the line."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        given = getattr(record, "timestamp", None)
        return given if isinstance(given, str) else super().formatTime(record, datefmt)


class LoggedTelemetry:
    """`Telemetry` on the Lambda log: only the names and fields of `shared.base.events`.

    A line has no code location and its name only once: a message writes three lines, and every byte costs money. Lines
    and metrics carry the clock's time in the API's format, so that they can be compared.
    """

    def __init__(self, service: str, clock: Clock) -> None:
        # The task's name would be noise. Documented with logging.Formatter; typeshed does not have it.
        logging.logAsyncioTasks = False  # type: ignore[attr-defined]
        self._logger = Logger(service=service, location=None, logger_formatter=_ByTheClock())
        self._clock = clock
        self._counted = Counted()

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        listed = self._count(name, fields)
        if EVENTS[name].logged:
            self._logger.info(name, extra={**listed, **self._now()})

    def warning_event(self, name: str, **fields: str | int | float | bool | None) -> None:
        self._logger.warning(name, extra={**self._count(name, fields), **self._now()})

    def crash(self, error: Exception, where: str) -> None:
        """Log an unexpected exception: its type and its place in our code. Its text may quote personal data."""
        trace = error.__traceback__
        places: list[str] = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        listed = self._count("crash", {"where": where, "error": type(error).__name__})
        self._logger.error("crash", extra={**listed, "places": places[-8:], **self._now()})

    @contextmanager
    def invocation(self) -> Iterator[None]:
        """Counts what happens inside and writes it once at the end, also after an exception.

        Logs any exception from inside as a crash and raises InvocationFailedError instead.
        """
        try:
            yield
        except Exception as error:
            self.crash(error, "invocation")
            raise InvocationFailedError(type(error).__name__) from None
        finally:
            self._counted.write(self._clock.now())

    def _now(self) -> dict[str, str]:
        """For `_ByTheClock`."""
        return {"timestamp": format_instant(self._clock.now())}

    def _count(self, name: str, fields: Fields) -> dict[str, str | int | float | bool | None]:
        """The fields that the event's list allows, as they may be shown."""
        event = EVENTS[name]
        listed = {field: _shown_as(field, value) for field, value in fields.items() if field in event.fields}
        self._counted.note(event, listed)
        return listed


def _shown_as(field: str, value: str | float | bool | None) -> str | float | bool | None:
    """IDs of messages and distributions are made by us. Any other value in their place came from outside and is
    hidden."""
    if field in _MADE_BY_US and isinstance(value, str) and value and not _UUID.fullmatch(value):
        return _HIDDEN
    return _shown_caller(value) if field == "sub" else _shown(value)


def _shown_caller(value: str | float | bool | None) -> str | float | bool | None:
    """Identity providers use long runs of digits or addresses as names. Only a phone number is hidden."""
    if not isinstance(value, str):
        return value
    return value if _NAME.fullmatch(value) and not _A_NUMBER.fullmatch(value) else _HIDDEN


def _shown(value: str | float | bool | None) -> str | float | bool | None:
    """A word or an ID is shown. A text, or a possible phone number, is hidden."""
    if not isinstance(value, str) or _UUID.fullmatch(value):
        return value
    return value if _WORDS.fullmatch(value) and not _LIKE_A_NUMBER.search(value) else _HIDDEN
