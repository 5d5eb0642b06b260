"""The tables of `winback report`: the outcomes, and below them the comparison with the holdout."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from detectors.durations import format_duration
from winback.cli.layouts import Fitting
from winback.operations import lift
from winback.operations.lift import METHOD, Comparison, Interval
from winback.operations.report import Report, Row, is_open, money
from winback.operations.report_summary import summary
from worker.times import UTC_NAME

PLACES = "Sessions are counted where they started, silences and their outcomes where they ended."
NO_HOLDOUT = "Without a holdout (contact.holdout) the report can't say how many would have ordered without a contact."
TOO_FEW = "too few to tell"
_OTHERS = {
    "unreachable": "unreachable (name, phone or country missing)",
    "expired": "expired",
    "dead": "dead",
    "unknown": "unknown (neither contacted nor holdout)",
}


def tables(report: Report, now: datetime, time_zone: str = UTC_NAME) -> RenderableType:
    """Return the tables of a report, or a line if there is nothing to show."""
    days = f"{report.since} to {report.until}" if report.since != report.until else f"{report.since}"
    days += f" (days in {report.zone.name})"
    if not report.rows:
        return Text(f"{days}: nothing happened")
    head = [Text(days, "bold"), *map(Text, summary(report))]
    if time_zone != report.zone.name:
        head.append(Text(f"For days in {time_zone}: restart the sweep with that report.time_zone.", "yellow"))
    if is_open(report, now):
        window = format_duration(report.window)
        head.append(Text(f"Orders of the last {window} can still come in.", "yellow"))
    parts = (head, [_what_happened(report)], _notes(report), _suppressed(report), _did_it_work(report))
    return Group(*(line for part in parts if part for line in (*part, Text())))


def _what_happened(report: Report) -> RenderableType:
    names = ("sessions", "silent", "came\nback", "con-\ntacted", "sup-\npressed", "other", "orders", "revenue")

    def cells(row: Row) -> Sequence[str]:
        others = sum(row.ended(name) for name in _OTHERS) + row.ended("cancelled") - row.by_themselves
        ended = (row.by_themselves, row.ended("sent"), row.ended("suppressed"), others)
        numbers = (row.sessions, row.silent, *ended, row.recovered["orders"])
        return [*(f"{number:,}" if number else "-" for number in numbers), _revenue(row.recovered)]

    return _divided(report, names, cells, lambda _: True, at=6)


def _notes(report: Report) -> Sequence[RenderableType]:
    """Return notes: where sessions and silences are counted, what "other" is, and how many orders have no value."""
    total = report.total
    others = [f"{number:,} {words}" for name, words in _OTHERS.items() if (number := total.ended(name))]
    if cancelled := total.ended("cancelled") - total.by_themselves:
        others.append(f"{cancelled:,} cancelled otherwise than by coming back or paying")
    lines = [PLACES] if {"stage", "platform"} & {*report.by} else []
    lines += [f"other: {', '.join(others)}"] if others else []
    if unpriced := total.recovered["unpriced"]:
        lines.append(f"without a value, so not in the revenue: {unpriced:,} of the orders")
    return [Text(line, "dim") for line in lines]


def _suppressed(report: Report) -> Sequence[RenderableType]:
    if not report.total.ended("suppressed"):
        return []

    def cells(row: Row) -> Sequence[str]:
        reasons = sorted(row.outcomes["suppressed"].items(), key=lambda item: (-item[1], item[0]))
        return [", ".join(f"{reason} {number:,}" for reason, number in reasons)]

    return [_table(report, ("suppressed, by reason",), cells, lambda row: row.ended("suppressed") > 0, justify="left")]


def _did_it_work(report: Report) -> Sequence[RenderableType]:
    if not _is_compared(report.total):
        return []
    if not report.total.comparison.holdout.people:
        return [Text(NO_HOLDOUT)]
    names = ("contacted\nordered", "holdout\nordered", "difference (95 %)", "lift (95 %)")
    table = _divided(report, names, lambda row: _compared(row.comparison), _is_compared, at=2)
    few = f"{TOO_FEW}: below {lift.FEWEST_PEOPLE} people in a group, or {lift.FEWEST_ORDERS} orders"
    return [table, Text(f"Method: {METHOD}. {few[0].upper()}{few[1:]}.", "dim")]


def _is_compared(row: Row) -> bool:
    found = row.comparison
    return bool(found.contacted.people or found.holdout.people)


def _compared(found: Comparison) -> Sequence[str]:
    groups = (found.contacted, found.holdout)
    rates = ["-" if group.rate is None else f"{group.rate:.1%} of {group.people:,}" for group in groups]
    if found.difference is None:
        return [*rates, TOO_FEW, TOO_FEW]
    difference = f"{100 * found.difference:+.1f} pp {_between(found.difference_interval, '{:+.1f}')}"
    ratio = TOO_FEW if found.lift is None else f"{100 * found.lift:+.0f} % {_between(found.lift_interval, '{:+.0f}')}"
    return [*rates, difference, ratio]


def _between(interval: Interval | None, form: str) -> str:
    return "" if interval is None else f"({' to '.join(form.format(100 * end) for end in interval)})"


def _divided(
    report: Report,
    names: Sequence[str],
    cells: Callable[[Row], Sequence[str]],
    wanted: Callable[[Row], bool],
    *,
    at: int,
) -> RenderableType:
    """Make a table; on a narrow screen two, of the columns before and from `at` on. An empty second one is left out."""
    first = _table(report, names[:at], lambda row: cells(row)[:at], wanted)
    second = _table(report, names[at:], lambda row: cells(row)[at:], wanted)
    is_empty = all(cell == "-" for cell in cells(report.total)[at:])
    return Fitting(_table(report, names, cells, wanted), [first] if is_empty else [first, second])


def _table(
    report: Report,
    names: Sequence[str],
    cells: Callable[[Row], Sequence[str]],
    wanted: Callable[[Row], bool],
    *,
    justify: str = "right",
) -> Table:
    """Return a table of the wanted rows and the total, with each day above its rows."""
    place = Column(" ".join(report.by), no_wrap=True)
    table = Table(place, box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, justify="left" if justify == "left" else "right", overflow="fold")
    nested, day = report.by[:1] == ("day",) and len(report.by) > 1, None
    for row in filter(wanted, report.rows if report.by else ()):
        if nested and row.where.day != day:
            day = row.where.day
            table.add_row(Text(str(day), "bold"))
        parts = [str(getattr(row.where, part)) for part in report.by if not (nested and part == "day")]
        table.add_row(f"{'  ' * nested}{' '.join(parts)}", *cells(row))
    table.add_row("total", *cells(report.total), style="bold")
    return table


def _revenue(totals: Mapping[str, int]) -> str:
    return "\n".join(f"{amount:,} {code}" for code, amount in money(totals).items()) or "-"
