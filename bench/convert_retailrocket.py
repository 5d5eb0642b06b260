"""Turns RetailRocket's clickstream into events: python bench/convert_retailrocket.py INPUT > events.jsonl.

INPUT is events.csv of the "Retailrocket recommender system dataset" (CC BY-NC-SA 4.0: for evaluation only;
https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset), or a sample of it with an additional column session_id.
Without that column, a visitor's session ends with half an hour of silence.

view becomes an activity at product_selection, addtocart one at cart_review, and the rows of a transaction become one
order_completed. Customers, prices and platforms are synthetic: see made_up_shop.py.
"""

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal, TextIO

sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent)
)  # as a script, it only has its own directory on the path

from bench.convert_clicks import main
from bench.made_up_shop import Click

SESSION_ENDS_MS = 30 * 60 * 1000
"""The usual limit of web analytics, also that of the published samples with a session_id."""

_ACTIONS: dict[str, Literal["view", "add", "order"]] = {"view": "view", "addtocart": "add", "transaction": "order"}


def read(file: TextIO) -> Iterator[Click]:
    """Yield the clicks of a CSV file.

    Raises:
        ValueError: A column is missing, or a row has another format.
    """
    rows = csv.DictReader(file)
    columns = set(rows.fieldnames or ())
    missing = {"visitorid", "event", "itemid", "transactionid", "timestamp"} - columns
    if missing:
        raise ValueError(f"has no column {', '.join(sorted(missing))}: is it RetailRocket's events.csv?")
    clicks = (_click(number, row) for number, row in enumerate(rows, 2))
    yield from clicks if "session_id" in columns else cut_into_sessions(clicks)


def cut_into_sessions(clicks: Iterable[Click]) -> Iterator[Click]:
    """Yield clicks by visitor and time, each with its session: a visitor's clicks between two long silences."""
    before: Click | None = None
    number = 0
    for click in sorted(clicks, key=lambda click: (click.visitor, click.ms)):
        if before is None or click.visitor != before.visitor:
            number = 1
        elif click.ms - before.ms > SESSION_ENDS_MS:
            number += 1
        before = click
        yield replace(click, session=f"retailrocket-{click.visitor}-{number}")


def _click(number: int, row: dict[str, str]) -> Click:
    try:
        return Click(
            session=f"retailrocket-{row.get('session_id')}",
            visitor=int(row["visitorid"]),
            ms=int(row.get("timestamp_ms") or row["timestamp"]),
            action=_ACTIONS[row["event"]],
            items=(row["itemid"],),
            order=row["transactionid"],
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"line {number} is not a row of RetailRocket's events") from None


if __name__ == "__main__":
    main(read, __doc__ or "")
