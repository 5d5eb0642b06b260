"""Turns OTTO's clickstream into events: python bench/convert_otto.py INPUT > events.jsonl.

INPUT is a JSON-lines file of the "OTTO Recommender Systems Dataset" (https://github.com/otto-de/recsys-dataset, data CC
BY 4.0, © OTTO), such as its test/resources/train.jsonl.

clicks become an activity at product_selection, carts one at cart_review, and the orders of one moment become one
order_completed. OTTO's sessions last up to four weeks, and each counts as a visitor. Customers, prices and platforms
are synthetic: see made_up_shop.py. With --gap-cap 1h the four weeks of that file become five days, and every silence
stays on its side of the default thresholds.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TextIO

sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent)
)  # as a script, it only has its own directory on the path

from bench.convert_clicks import main
from bench.made_up_shop import Click

_ACTIONS: dict[str, Literal["view", "add", "order"]] = {"clicks": "view", "carts": "add", "orders": "order"}


def read(file: TextIO) -> Iterator[Click]:
    """Yield the clicks of a JSON-lines file, one line per session.

    Raises:
        ValueError: A line has another format.
    """
    for number, line in enumerate(file, 1):
        try:
            document = json.loads(line)
            visitor = int(document["session"])
            for event in document["events"]:
                ms = int(event["ts"])
                action = _ACTIONS[event["type"]]
                yield Click(f"otto-{visitor}", visitor, ms, action, (str(event["aid"]),), order=str(ms))
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"line {number} is not a session of OTTO's dataset") from None


if __name__ == "__main__":
    main(read, __doc__ or "")
