"""The way of all sessions, by stage; the reasons for no contact; orders and revenue."""

from collections.abc import Iterator, Mapping
from html import escape

from detectors.json_values import JsonObject
from tasks.policy.reasons import REASONS
from winback.report_page import svg
from winback.report_page.elements import UNKNOWN, count, data, folded, paragraph, points, section, share, table

STAGES = {
    "product_selection": "Product pages",
    "cart_review": "Cart",
    "checkout": "Checkout",
    "payment": "Payment",
    "-": "Unknown",
}
_MOST_REASONS = 8
_OUTCOMES = ("unreachable", "expired", "dead", "unknown")
_GROUPS = (("cancelled", "came back, paid or cancelled"), ("suppressed", "not contacted"))


def funnel(by_stage: JsonObject) -> str:
    """Return the way from sessions to orders, in total and by stage."""
    total = by_stage["total"]
    rows = [
        svg.Bar("Sessions started", total["sessions"], "d"),
        svg.Bar("Fell silent", total["silent"], "c"),
        svg.Bar("Came back or paid by themselves", total["came_back"], "b"),
        svg.Bar("Contacted", total["contacted"]),
        svg.Bar("Ordered after a contact", total["recovered"]["orders"], "e"),
    ]
    columns = ("Stage", "Started", "Silent", "Came back", "Contacted", "Ordered")
    cells = [[STAGES.get(row["stage"], "Unknown"), *map(count, _way(row))] for row in by_stage["rows"]]
    cells.append(["All stages", *map(count, _way(total))])
    return section(
        "From sessions to orders",
        svg.bars("funnel", "From sessions to orders", rows),
        table("From sessions to orders, by stage", columns, cells),
        paragraph("Sessions count at the stage where they started, silences and outcomes where they ended.", "note"),
    )


def _way(row: JsonObject) -> tuple[int, ...]:
    return row["sessions"], row["silent"], row["came_back"], row["contacted"], row["recovered"]["orders"]


def reasons(total: JsonObject) -> str:
    """Return why silent shoppers weren't contacted, the most frequent reason first."""
    found = sorted(_reasons(total), key=lambda each: (-each[2], each[0], each[1]))
    if not found:
        return section("Why shoppers weren't contacted", paragraph("There is no such shopper in these days."))
    shown = [svg.Bar(_title(outcome, reason), number, "c") for outcome, reason, number in found[:_MOST_REASONS]]
    if rest := sum(number for *_, number in found[_MOST_REASONS:]):
        shown.append(svg.Bar("All other reasons", rest, "d"))
    cells = [
        [escape(_title(outcome, reason)), escape(_meaning(outcome, reason)), count(number)]
        for outcome, reason, number in found
    ]
    return section(
        "Why shoppers weren't contacted",
        svg.bars("reasons", "Why shoppers weren't contacted", shown),
        folded(
            "Every reason with its meaning",
            table("Reasons", ("Reason", "Meaning", "Sessions"), cells, texts=2),
        ),
    )


def _reasons(total: JsonObject) -> Iterator[tuple[str, str, int]]:
    for outcome, reasons_of in (("cancelled", total["cancelled"]), ("suppressed", total["suppressed"]["reasons"])):
        yield from ((outcome, reason, number) for reason, number in reasons_of.items() if number)
    yield from ((outcome, "", total[outcome]) for outcome in _OUTCOMES if total[outcome])


def _title(outcome: str, reason: str) -> str:
    return (reason or outcome).replace("_", " ").capitalize()


def _meaning(outcome: str, reason: str) -> str:
    return REASONS.get(outcome, {}).get(reason) or outcome


def recovered(report: JsonObject) -> str:
    """Return orders and revenue after contacts, and the part that the contacts earned."""
    total = report["total"]
    after, earned, compared = total["recovered"], report["earned"], total["comparison"]
    columns = ("", "After a contact", "Expected without it", "Earned by contacts")
    expected, gain = (earned or {}).get("expected_orders"), (earned or {}).get("orders")
    cells = [["Orders", count(after["orders"]), _rounded(expected), _rounded(gain)]]
    cells += _money(after["revenue"], earned)
    days = report["attribution_window_s"] / 86_400
    return section(
        "Recovered orders and revenue",
        paragraph(f"Orders within {days:g} {'day' if days == 1 else 'days'} after a contact."),
        table("Recovered orders and revenue", columns, cells),
        _verdict(earned),
        _groups(compared),
        paragraph(f"{after['unpriced']:,} of the orders have no value.", "note") if after["unpriced"] else "",
        paragraph("Orders of the last days can still come in.", "note") if report["window_open"] else "",
    )


def _money(after: Mapping[str, float], earned: JsonObject | None) -> Iterator[list[str]]:
    expected, gain = ((earned or {}).get(name, {}) for name in ("expected_revenue", "revenue"))
    for code in sorted({*after, *gain}):
        yield [
            f"Revenue, {code}",
            count(after.get(code, 0)),
            count(expected.get(code, 0) if earned else None),
            count(gain.get(code)),
        ]


def _rounded(value: float | None) -> str:
    return data(value, UNKNOWN if value is None else f"{value:,.0f}")


def _verdict(earned: JsonObject | None) -> str:
    if earned is None:
        return paragraph(
            "Some of these people would have ordered without a contact. To measure how many, set contact.holdout = 10: "
            "then this page compares the contacted people with people who were held out.",
            "warning",
        )
    low, high = earned["orders_95"]
    if low > 0:
        words = "The contacts earned orders"
    elif high < 0:
        words = "The contacts were followed by fewer orders than expected"
    else:
        words = "The data don't show yet whether the contacts earned orders"
    return paragraph(f"{words}: {low:,.0f} to {high:,.0f} more orders than without contacts (95 % interval).", "key")


def _groups(compared: JsonObject) -> str:
    cells = [
        [words, count(group["people"]), count(group["orders"]), share(group["conversion"])]
        for words, group in (("Contacted", compared["contacted"]), ("Held out", compared["holdout"]))
    ]
    low, high = compared["difference_95"] or (None, None)
    difference = [f"Difference {points(compared['difference'])}", f"(95 % interval: {points(low)} to {points(high)})."]
    return table("Contacted people and the holdout", ("", "People", "Ordered", "Share"), cells) + (
        f"<p>{' '.join(difference)}</p>\n" if compared["enough"] else ""
    )
