"""The first lines of the report: the totals in plain sentences. Pure."""

from collections.abc import Iterator

from detectors.lanes import milliseconds
from winback.operations.report import Report, Row
from winback.tuning.amounts import within


def summary(report: Report) -> Iterator[str]:
    """Yield two or three sentences on the totals."""
    total = report.total
    sessions = "1 session" if total.sessions == 1 else f"{total.sessions:,} sessions"
    yield f"{sessions} started, and {total.silent:,} fell silent."
    if not total.ended("sent"):
        yield "No person was contacted."
        return
    orders = total.recovered["orders"]
    contacts = "1 person was" if total.ended("sent") == 1 else f"{total.ended('sent'):,} people were"
    yield f"{contacts} contacted; {orders:,} ordered {within(milliseconds(report.window))}."
    yield from _against_holdout(total)


def _against_holdout(total: Row) -> Iterator[str]:
    found = total.comparison
    contacted, holdout = found.contacted.rate, found.holdout.rate
    if contacted is None or holdout is None:
        return
    if found.difference is None or found.difference_interval is None:
        yield "The holdout is too small to say whether the contacts helped."
        return
    low, high = found.difference_interval
    verdict = "helped" if low > 0 else "were followed by fewer orders" if high < 0 else "made no clear difference"
    yield f"{contacted:.1%} of the contacted and {holdout:.1%} of the holdout ordered: the contacts {verdict}."
