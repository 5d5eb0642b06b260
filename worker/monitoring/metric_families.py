"""Makes families of metrics: a gauge without labels, and gauges and counters with labels."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

Values = Iterable[tuple[str | tuple[str, ...], float]]


def gauge(name: str, text: str, value: float) -> Metric:
    """Return a gauge without labels."""
    return GaugeMetricFamily(name, text, value=value)


def gauges(name: str, text: str, labels: Sequence[str], values: Values) -> Metric:
    """Return gauges. `values`: labels (a single one can be a string) and value of each."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values:
        family.add_metric((label,) if isinstance(label, str) else label, value)
    return family


def counter(name: str, text: str, labels: Sequence[str], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """Return counters, with the arguments of `gauges`."""
    family = CounterMetricFamily(name, text, labels=labels)
    for label, value in values:
        family.add_metric(label, value)
    return family
