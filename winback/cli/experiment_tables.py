"""The experiment in `winback report`: its arms, their differences, and whether one of them is the best."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from winback.operations.experiment import ArmResult, Difference, Findings
from winback.operations.lift import FEWEST_ORDERS, FEWEST_PEOPLE
from winback.operations.report import money

METHOD = (
    "Intervals are 95 % confidence sequences: they hold for every day together, so you can look daily. People count "
    "once experiment.window is over. Compare these arms, not the contacted people with the holdout above: an arm with "
    "a delay contacts only people who stay away."
)


def experiment_tables(found: Findings, difference: float) -> Sequence[RenderableType]:
    """Return the lines of an experiment. `difference`: the smallest that matters, in percentage points."""
    until = f", people assigned until {found.until}" if found.until else ""
    lines: list[RenderableType] = [Text(f"Experiment {found.name} since {found.start}{until}", "bold")]
    lines += [_arms(found.arms)]
    lines += [Text(line) for line in verdict(found, difference)]
    if found.differences:
        lines += [_differences(found.differences), Text(METHOD, "dim")]
    return lines


def verdict(found: Findings, difference: float) -> Iterator[str]:
    """Yield the answer so far, in plain sentences."""
    if found.winner:
        yield f"Arm {found.winner} had more orders than every other arm: set its delay and channel in [contact]."
    elif found.all_alike:
        yield f"No arm differs from another by {difference:g} points or more: choose by cost."
    elif not found.differences:
        yield (
            f"Too early: each arm needs {FEWEST_PEOPLE} people whose experiment.window is over, and all together "
            f"{FEWEST_ORDERS} orders."
        )
    else:
        yield "No winner yet."
    if found.days_needed is not None:
        days = "1 more day" if found.days_needed == 1 else f"{found.days_needed:,} more days"
        yield f"At this pace, a difference of {difference:g} points is found after about {days}."


def _arms(arms: Sequence[ArmResult]) -> RenderableType:
    table = Table("arm", box=None, pad_edge=False, header_style="bold")
    for name in ("people", "ordered", "revenue", "window open"):
        table.add_column(name, justify="right", overflow="fold")
    for arm in arms:
        rate = "-" if arm.rate is None else f"{arm.rate:.1%} ({arm.orders:,})"
        revenue = "\n".join(f"{amount:,} {code}" for code, amount in money(arm.units).items()) or "-"
        table.add_row(arm.name, f"{arm.people:,}", rate, revenue, f"{arm.waiting:,}")
    return table


def _differences(differences: Sequence[Difference]) -> RenderableType:
    table = Table("difference", box=None, pad_edge=False, header_style="bold")
    table.add_column("points", justify="right")
    table.add_column("between", justify="right")
    for each in differences:
        low, high = (100 * end for end in each.interval)
        table.add_row(f"{each.one} - {each.other}", f"{100 * each.value:+.1f}", f"{low:+.1f} and {high:+.1f}")
    return table
