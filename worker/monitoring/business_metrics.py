"""Metrics of the orders of today: of contacted people, and of those held out."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric

from detectors import minor_units
from state.attribution import UNPRICED
from state.overview import Overview
from worker.monitoring.metric_families import counter

_ORDERS = "orders"


def business_metrics(overview: Overview) -> Iterator[Metric]:
    """Return the metrics. The counters restart each day (`report.time_zone`)."""
    recovered, control = (overview.counters.orders.get(name, {}) for name in ("recovered", "control"))
    about_recovered = "Orders of today after a contact, within `contact.attribution_window`."
    yield counter("winback_recovered_orders", about_recovered, (), [((), recovered.get(_ORDERS, 0))])
    yield counter("winback_recovered_value", "Their value, by currency.", ("currency",), _values(recovered))
    about_control = "Orders of today by people held out, within `contact.attribution_window`."
    yield counter("winback_holdout_orders", about_control, (), [((), control.get(_ORDERS, 0))])
    yield counter("winback_holdout_value", "Their value, by currency.", ("currency",), _values(control))


def _values(counts: Mapping[str, int]) -> Iterator[tuple[tuple[str, ...], float]]:
    for code, units in counts.items():
        if code not in {_ORDERS, UNPRICED}:
            yield (code,), float(minor_units.amount(units, code))
