"""Metrics in CloudWatch's embedded format (EMF): counted in memory, written to the log once an invocation.

Powertools writes them, and costs nothing more: importing its Logger has imported its Metrics. Of that the provider
alone is used, because `Metrics` makes the service a dimension of everything; failures of all functions are one sum.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from shared.domain.instants import milliseconds
from shared.usecases.events import Event, Metric, Unit

NAMESPACE = "OomusMessaging"
"""Where POWERTOOLS_METRICS_NAMESPACE says nothing. The template gives each stack its own."""

type Fields = Mapping[str, str | int | float | bool | None]
type _Dimensions = tuple[tuple[str, str], ...]


class Counted:
    """What the events of one invocation add up to."""

    def __init__(self) -> None:
        self._numbers: dict[_Dimensions, dict[Metric, list[float]]] = {}

    def note(self, event: Event, fields: Fields) -> None:
        """Add what one event counts. One that does not say a dimension has "none" there."""
        for metric in event.metrics:
            if metric.when is None or fields.get(metric.when[0]) in metric.when[1]:
                value = 1.0 if metric.value is None else _number(fields.get(metric.value))
                dimensions = tuple((name, str(fields.get(name) or "none")) for name in metric.by)
                self._add(self._numbers.setdefault(dimensions, {}), metric, value)

    def write(self, now: datetime) -> None:
        """One line for each set of dimensions, and nothing where nothing was counted. Then count anew."""
        numbers, self._numbers = self._numbers, {}
        for dimensions, metrics in numbers.items():
            provider = AmazonCloudWatchEMFProvider(service="", dimension_set=dict(dimensions))
            provider.namespace = provider.namespace or NAMESPACE
            provider.timestamp = milliseconds(now)
            for metric, value in _each(metrics):
                provider.add_metric(metric.name, metric.unit, value)
            if provider.metric_set:  # empty where the hundredth value has just been written
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
