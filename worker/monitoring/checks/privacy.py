"""Findings about open privacy requests: erasures that are late or fail, and requests for the operator. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from detectors.lanes import milliseconds
from state.open_requests import OpenSet
from state.overview import Overview
from state.privacy_requests import MOST_OPEN
from worker.monitoring.finding import Finding, span

ERASURE_LATE = timedelta(hours=1)
DATA_LATE = timedelta(days=7)
"""Laws give between ten working days and a month to answer."""
_LIST = "winback collect requests"


def findings(overview: Overview) -> Iterator[Finding]:
    """Report what is open. Without any request there is no finding."""
    found, now_ms = overview.requests, overview.now_ms
    yield from _erasures(found.erasures, found.failed, now_ms)
    if found.data.number:
        late = now_ms - (found.data.first_ms or now_ms) > milliseconds(DATA_LATE)
        text = f"{_number(found.data.number, 'data request')} {_since(found.data, now_ms)}"
        hint = f"answer each with winback person export, then mark it as done: {_LIST}"
        yield Finding("data_requests", "fail" if late else "warn", text, hint)
    if found.shops.number:
        text = f"{_number(found.shops.number, 'request')} to erase a whole shop {_since(found.shops, now_ms)}"
        hint = f"erase it by hand (docs/guides/collect.md), then mark it as done: {_LIST}"
        yield Finding("shop_erasures", "warn", text, hint)
    if found.number >= MOST_OPEN:
        text = f"{found.number:,} privacy requests are open, so collectors refuse more of them"
        yield Finding("privacy", "fail", text, f"answer requests and mark them as done: {_LIST}")


def _erasures(erasures: OpenSet, failed: OpenSet, now_ms: int) -> Iterator[Finding]:
    if failed.number:
        times = span(now_ms - (failed.first_ms or now_ms))
        text = f"{_number(failed.number, 'erasure')} that a shop asked for failed, first {times} ago"
        yield Finding("erasures", "fail", text, f"{_LIST} shows the reason; erasures are repeated")
    elif erasures.first_ms is not None and now_ms - erasures.first_ms > milliseconds(ERASURE_LATE):
        text = f"{_number(erasures.number, 'erasure')} that a shop asked for {_since(erasures, now_ms)}"
        yield Finding("erasures", "fail", text, f"check recover and the collectors, and see {_LIST}")


def _since(found: OpenSet, now_ms: int) -> str:
    ago = span(now_ms - (found.first_ms or now_ms))
    return f"is open, received {ago} ago" if found.number == 1 else f"are open, the first received {ago} ago"


def _number(count: int, name: str) -> str:
    return f"1 {name}" if count == 1 else f"{count:,} {name}s"
