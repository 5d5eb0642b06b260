"""The arms of the experiment."""

from html import escape

from detectors.json_values import JsonObject
from winback.report_page.elements import UNKNOWN, count, paragraph, points, section, share, table, written


def experiment(found: JsonObject) -> str:
    """Return the section of an experiment: its arms, their differences and the answer so far."""
    columns = ("Arm", "People", "Ordered", "Share", "Revenue", "Window open")
    cells = [
        [
            escape(arm["name"]),
            count(arm["people"]),
            count(arm["orders"]),
            share(arm["conversion"]),
            ", ".join(f"{count(amount)} {escape(code)}" for code, amount in arm["revenue"].items()) or UNKNOWN,
            count(arm["waiting"]),
        ]
        for arm in found["arms"]
    ]
    differences = [
        [
            f"{escape(each['arm'])} minus {escape(each['other'])}",
            points(each["difference"]),
            *map(points, each["interval"]),
        ]
        for each in found["differences"]
    ]
    until = f", people assigned until {found['until']}" if found["until"] else ""
    return section(
        "Experiment",
        paragraph(f"{found['name']}, since {found['start']}{until}."),
        *(paragraph(line, "key") for line in _answer(found)),
        table("Arms of the experiment", columns, cells),
        table("Differences of the arms", ("Arms", "Difference", "At least", "At most"), differences)
        if differences
        else "",
        paragraph("The intervals hold for all days together, so you can read this page daily.", "note"),
        paragraph(
            "Compare these arms, not the contacted people with those held out: an arm with a delay contacts only "
            "people who stay away.",
            "note",
        ),
    )


def _answer(found: JsonObject) -> list[str]:
    if found["winner"]:
        lines = [f"Arm {found['winner']} had more orders than every other arm."]
    elif found["all_alike"]:
        lines = ["The arms don't differ by as much as matters: choose by cost."]
    elif found["differences"]:
        lines = ["No winner yet."]
    else:
        lines = ["Too early: there are too few people or orders."]
    if found["days_needed"] is not None:
        lines.append(f"At this pace, the answer needs about {written(found['days_needed'])} more days.")
    return lines
