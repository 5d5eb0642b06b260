"""The report as CSV."""

import csv
import json
from io import StringIO

from tests.support.reports import LATER, TALLIES, report
from winback.operations.report import Report, document
from winback.operations.report_csv import report_csv


def csv_rows(found: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(report_csv(document(found, LATER)), newline="")))


def test_csv_has_the_numbers_of_the_json_document() -> None:
    rows, place = csv_rows(report(TALLIES)), document(report(TALLIES), LATER)["rows"][0]
    found = {
        (row["measure"], row["detail"]): row["value"]
        for row in rows
        if (row["day"], row["stage"], row["platform"]) == (place["day"], place["stage"], place["platform"])
    }

    assert found["sessions", ""] == str(place["sessions"])
    assert found["suppressed", "holdout"] == str(place["suppressed"]["reasons"]["holdout"])
    assert found["recovered_revenue", "COP"] == json.dumps(place["recovered"]["revenue"]["COP"])
    assert found["difference", ""] == json.dumps(place["comparison"]["difference"])
    assert found["difference", "low_95"] == json.dumps(place["comparison"]["difference_95"][0])
    assert found["contacted_conversion", ""] == json.dumps(place["comparison"]["contacted"]["conversion"])


def test_csv_is_as_rfc_4180_has_it() -> None:
    text = report_csv(document(report(TALLIES), LATER))

    assert text.startswith("day,stage,platform,measure,detail,value,time_zone\r\n")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")
    assert {len(row) for row in csv.reader(StringIO(text, newline=""))} == {7}


def test_csv_leaves_columns_empty_that_it_is_not_divided_by() -> None:
    assert {row["stage"] for row in csv_rows(report(TALLIES, ("day",)))} == {""}
    assert {row["day"] for row in csv_rows(report(TALLIES, ()))} == {""}
    assert csv_rows(report([])) == []
