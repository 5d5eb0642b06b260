"""The commands of "Choose thresholds" tune a shop whose law is known."""

import gzip
import json
import shlex
from math import exp
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.pages import ROOT, marked
from tests.support.recordings import moment, winback

GUIDE = ROOT / "docs" / "guides" / "choose-thresholds.md"
DAYS, SESSIONS = 28, 12_000
RETURNING, MEAN_MIN = 0.5, 20.0


def true_share(minutes: float) -> float:
    """Return the share of those silent at a threshold who return within the hour: half do ever, after 20 minutes."""

    def silent(at: float) -> float:
        return 1 - RETURNING + RETURNING * exp(-at / MEAN_MIN)

    return 1 - silent(minutes + 60) / silent(minutes)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of checkouts; half of the shoppers order after an exponential time with a mean of 20 minutes."""
    random, lines = Random(28), list[tuple[float, dict[str, str]]]()
    for number in range(SESSIONS):
        at = random.uniform(0, DAYS * 24 * 60)
        one = {"session_id": f"cart-{number}", "type": "activity", "flow_stage": "checkout", "platform": "web"}
        lines.append((at, {**one, "occurred_at": moment(at)}))
        if random.random() < RETURNING:
            at += random.expovariate(1 / MEAN_MIN)
            lines.append((at, {"session_id": one["session_id"], "type": "order_completed", "occurred_at": moment(at)}))
    lines.sort(key=lambda line: line[0])
    directory = tmp_path_factory.mktemp("shop")
    text = "".join(json.dumps(line) + "\n" for _, line in lines)
    (directory / "events.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return directory


def test_commands_of_the_guide_find_the_law_of_a_shop(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    commands = [line for block in marked(GUIDE, "tune") for line in block.splitlines()]
    ran = {command: winback(*shlex.split(command)[1:]) for command in commands}
    assert {found.err for found in ran.values()} == {""}
    shown = ran["winback tune events.jsonl.gz --shadow"]
    assert "Wait 45 minutes at the checkout. Of 100 people contacted then, about" in " ".join(shown.out.split())
    assert ran["winback tune events.jsonl.gz --shadow --toml"].out == '[detection.idle]\ncheckout = "45m"\n'
    assert "Wait 45 minutes at the checkout" in (shop / "thresholds.html").read_text()
    cautious: Any = ran["winback tune events.jsonl.gz --shadow --stage checkout --cautious --json"].stage()
    assert cautious["threshold"] in {"45m", "50m"}
    assert cautious["high"] <= 0.1


def test_promise_for_a_shop_is_true(shop: Path) -> None:
    found = winback("tune", str(shop / "events.jsonl.gz"), "--shadow", "--json")
    row = found.stage()
    assert found.document["data"]["days"] == 21
    assert row["status"] == "ok"
    assert true_share(40) > 0.1 > true_share(45)
    assert row["low"] <= true_share(45) <= row["high"]
    assert abs(row["share"] - true_share(45)) < 0.01
    assert abs(row["backtest"]["realised"] - true_share(row["backtest"]["threshold_seconds"] / 60)) < 0.02
    outside = [
        point["threshold_seconds"]
        for point in row["curve"]
        if not point["low"] <= true_share(point["threshold_seconds"] / 60) <= point["high"]
    ]
    assert len(outside) <= 3
