"""The converters of published clickstreams, on sample rows in the datasets' formats."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import convert_otto, convert_retailrocket
from bench.made_up_shop import events, one_order_each, platform, price
from winback.operations.event_check import check

ROOT = Path(__file__).parents[2]

RETAILROCKET = """\
timestamp,visitorid,session_id,event,itemid,transactionid,timestamp_ms
2015-05-03 12:00:00.000,7,31,view,900,,1430654400000
2015-05-03 12:01:00.000,7,31,addtocart,900,,1430654460000
2015-05-03 12:01:30.000,8,32,view,900,,1430654490000
2015-05-03 12:02:00.000,7,31,addtocart,901,,1430654520000
2015-05-03 12:03:00.000,7,31,addtocart,900,,1430654580000
2015-05-03 12:04:00.000,7,31,transaction,900,55,1430654640000
2015-05-03 12:04:00.500,7,31,transaction,901,55,1430654640500
2015-05-03 12:05:00.000,7,31,view,902,,1430654700000
"""
PUBLISHED = """\
timestamp,visitorid,event,itemid,transactionid
1430656200000,7,view,901,
1430654400000,7,view,900,
1430658000001,7,view,902,
1430654400000,8,view,900,
"""
OTTO = """\
{"session":3,"events":[{"aid":1,"ts":1659304800000,"type":"clicks"},{"aid":1,"ts":1659304860000,"type":"carts"},\
{"aid":1,"ts":1659304920000,"type":"orders"},{"aid":2,"ts":1659304920000,"type":"orders"}]}
{"session":4,"events":[{"aid":2,"ts":1659304830000,"type":"clicks"}]}
"""


def converted(text: str, *, anonymous: float = 0.0) -> list[dict[str, Any]]:
    module = convert_otto if text.startswith("{") else convert_retailrocket
    return list(events(one_order_each(module.read(io.StringIO(text))), anonymous=anonymous))


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "bench" / script, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_retailrocket_views_carts_and_transactions_become_stages() -> None:
    found = converted(RETAILROCKET)

    assert [(e["session_id"], e["occurred_at"][11:], e["type"], e.get("flow_stage")) for e in found] == [
        ("retailrocket-31", "12:00:00.000Z", "activity", "product_selection"),
        ("retailrocket-31", "12:01:00.000Z", "activity", "cart_review"),
        ("retailrocket-32", "12:01:30.000Z", "activity", "product_selection"),
        ("retailrocket-31", "12:02:00.000Z", "activity", "cart_review"),
        ("retailrocket-31", "12:03:00.000Z", "activity", "cart_review"),
        ("retailrocket-31", "12:04:00.000Z", "order_completed", None),
        ("retailrocket-31", "12:05:00.000Z", "activity", "product_selection"),
    ]


def test_otto_clicks_carts_and_orders_become_stages() -> None:
    found = converted(OTTO)

    assert [(e["session_id"], e["occurred_at"][11:], e["type"], e.get("flow_stage")) for e in found] == [
        ("otto-3", "22:00:00.000Z", "activity", "product_selection"),
        ("otto-4", "22:00:30.000Z", "activity", "product_selection"),
        ("otto-3", "22:01:00.000Z", "activity", "cart_review"),
        ("otto-3", "22:02:00.000Z", "order_completed", None),
    ]


def test_the_cart_grows_with_what_is_added_and_is_sent_whole() -> None:
    carts = [event["cart"] for event in converted(RETAILROCKET) if event.get("flow_stage") == "cart_review"]

    assert [{item["sku"]: item["quantity"] for item in cart["items"]} for cart in carts] == [
        {"900": 1},
        {"900": 1, "901": 1},
        {"901": 1, "900": 2},
    ]
    assert carts[-1]["total_value"] == round(2 * price("900") + price("901"), 2)


def test_order_value_is_its_items_and_empties_the_cart() -> None:
    (order,) = [event for event in converted(RETAILROCKET) if event["type"] == "order_completed"]

    assert order["order_value"] == round(2 * price("900") + price("901"), 2)
    assert order["cart"]["items"] == []


def test_customer_is_known_from_the_first_cart_event() -> None:
    own = [event for event in converted(RETAILROCKET) if event["session_id"] == "retailrocket-31"]

    assert ["customer" in event for event in own] == [False, True, True, True, True, True]
    assert own[1]["customer"]["full_name"] == "Visitor 7"


def test_a_visitor_keeps_one_platform() -> None:
    own = [event for event in converted(RETAILROCKET) if event["session_id"] == "retailrocket-31"]

    assert {event["platform"] for event in own if event["type"] == "activity"} == {platform(7)}


def test_anonymous_visitor_is_never_identified() -> None:
    assert not any("customer" in event for event in converted(RETAILROCKET, anonymous=1.0))


@pytest.mark.parametrize("text", [RETAILROCKET, PUBLISHED, OTTO])
def test_every_event_is_one_that_winback_reads_without_a_word(text: str) -> None:
    for event in converted(text):
        assert check(json.dumps(event).encode(), now_ms=2_000_000_000_000) == []


def test_session_without_id_ends_after_half_an_hour() -> None:
    found = [(event["session_id"], event["occurred_at"][11:]) for event in converted(PUBLISHED)]

    assert found == [
        ("retailrocket-7-1", "12:00:00.000Z"),
        ("retailrocket-8-1", "12:00:00.000Z"),
        ("retailrocket-7-1", "12:30:00.000Z"),
        ("retailrocket-7-2", "13:00:00.001Z"),
    ]


def test_script_writes_ordered_events_and_a_summary(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(RETAILROCKET)

    done = run("convert_retailrocket.py", tmp_path / "events.csv", "--anonymous", "0", "--overlay", "--window", "1h")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [event["occurred_at"] for event in found] == sorted(event["occurred_at"] for event in found)
    assert done.stderr.startswith("7 events of 2 sessions (1 with a customer) of 2 visitors in ")


def test_the_gaps_of_a_whole_file_are_capped_on_demand(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(OTTO)

    done = run("convert_otto.py", tmp_path / "train.jsonl", "--gap-cap", "10s")

    moments = [json.loads(line)["occurred_at"][11:] for line in done.stdout.splitlines()]
    assert moments == ["22:00:00.000Z", "22:00:10.000Z", "22:00:20.000Z", "22:00:30.000Z"]


@pytest.mark.parametrize(
    ("script", "content", "line"),
    [
        ("convert_otto.py", RETAILROCKET, "{path}: line 1 is not a session of OTTO's dataset\n"),
        ("convert_otto.py", OTTO.replace("clicks", "licks"), "{path}: line 1 is not a session of OTTO's dataset\n"),
        (
            "convert_retailrocket.py",
            OTTO,
            (
                "{path}: has no column event, itemid, timestamp, transactionid, visitorid: "
                "is it RetailRocket's events.csv?\n"
            ),
        ),
        (
            "convert_retailrocket.py",
            RETAILROCKET.replace("8,32,view", "8,32,look"),
            "{path}: line 4 is not a row of RetailRocket's events\n",
        ),
        ("convert_otto.py", None, "{path}: No such file or directory\n"),
    ],
)
def test_a_file_of_another_format_is_one_line_that_names_it(
    tmp_path: Path, script: str, content: str | None, line: str
) -> None:
    path = tmp_path / "input"
    if content is not None:
        path.write_text(content)

    done = run(script, path)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", line.format(path=path))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--window", "1h"], "--window: is the window of --overlay; add that"),
        (["--gap-cap", "3"], "3 has no unit: write 3s, 3m or 3h"),
        (["--anonymous", "2"], "is not between 0 and 1"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_the_way_out(arguments: list[str], said: str) -> None:
    done = run("convert_otto.py", "input", *arguments)

    assert done.returncode == 2
    assert said in done.stderr


def test_a_reader_that_has_had_enough_ends_a_script_quietly(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(RETAILROCKET)))
    (tmp_path / "events.csv").write_text("\n".join(",".join(row) for row in [rows[0], *rows[1:2] * 5000]))
    script = f"{sys.executable} {ROOT}/bench/convert_retailrocket.py {tmp_path}/events.csv | head -n 1"

    done = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True, timeout=60)

    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""
