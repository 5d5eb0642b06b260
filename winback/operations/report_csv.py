"""The report as CSV (RFC 4180): one line per place and measure, with the numbers of the JSON document. Pure."""

import csv
import io
import json
from collections.abc import Iterator

from detectors.json_values import JsonObject, JsonValue

COLUMNS = ("day", "stage", "platform", "measure", "detail", "value", "time_zone")
_PLACE = COLUMNS[:3]
_PLAIN = ("sessions", "silent", "came_back", "contacted", "unreachable", "expired", "dead", "unknown")
_GROUPS = ("recovered", "control")
_COMPARED = ("difference", "lift")


def report_csv(document: JsonObject) -> str:
    """Return the report as CSV, with a header and CRLF line ends.

    Args:
        document: The report as JSON data. A column by which it isn't divided is empty.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in document["rows"] if document["by"] else [document["total"]]:
        place = [row.get(name, "") for name in _PLACE]
        writer.writerows([*place, *measure, document["time_zone"]] for measure in _measures(row))
    return text.getvalue()


def _measures(row: JsonObject) -> Iterator[tuple[str, str, str]]:
    """Yield each measure with its detail and value; an unknown value is empty."""
    for name in _PLAIN:
        yield name, "", _number(row[name])
    for name, reasons in (("cancelled", row["cancelled"]), ("suppressed", row["suppressed"]["reasons"])):
        yield from ((name, reason, _number(count)) for reason, count in sorted(reasons.items()))
    for group in _GROUPS:
        found = row[group]
        yield f"{group}_orders", "", _number(found["orders"])
        yield f"{group}_unpriced_orders", "", _number(found["unpriced"])
        yield from ((f"{group}_revenue", code, _number(amount)) for code, amount in sorted(found["revenue"].items()))
    compared = row["comparison"]
    for group in ("contacted", "holdout"):
        yield f"{group}_people", "", _number(compared[group]["people"])
        yield f"{group}_conversion", "", _number(compared[group]["conversion"])
    for name in _COMPARED:
        low, high = compared[f"{name}_95"] or (None, None)
        yield name, "", _number(compared[name])
        yield name, "low_95", _number(low)
        yield name, "high_95", _number(high)


def _number(value: JsonValue) -> str:
    """Write a number as in JSON, so that both exports agree to the last digit."""
    return "" if value is None else json.dumps(value)
