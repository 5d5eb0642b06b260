"""`winback rejected list`, on what a real ingest quarantined."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from winback.cli import rejected
from winback.operations.producer import Producer
from worker import runtime
from worker.ingest.consumer import Ingest
from worker.settings import Settings, load
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("rejected_cli")

CART_LOST = b'{"session_id": "s", "type": "exit", "cart": {"items": [{"name": "hunter2", "quantity": "hunter2"}]}}'
STAGE_MISSING = b'{"session_id": "s", "type": "activity", "platform": "tv"}'
UNREADABLE = b'{"session_id": {"hunter2": 1}, "type": "activity"}'
SOUND = b'{"session_id": "s", "type": "exit"}'


class Shop:
    """The command, and an ingest that reads what it is given."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.settings: Settings = load(env)
        self.state = runtime.open_state(self.settings)

    def takes_in(self, *events: bytes) -> list[str]:
        ids = Producer(self.state.client, self.state.keys.events).send(events)
        ingest = Ingest(self.state, self.settings.ingest, consumer="test", heartbeat=lambda: None)
        while self.state.streams.watermark().first:
            ingest.step()
        return ids

    def run(self, *arguments: str) -> Result:
        app = typer.Typer()
        app.command()(rejected.list_rejected)
        return CliRunner().invoke(app, arguments, env=self.env, catch_exceptions=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), port=0) as started:
        yield started


@pytest.fixture
def shop(server: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    found = Shop({"WINBACK_REDIS_URL": server.url, "WINBACK_NAMESPACE": f"t{uuid4().hex[:12]}"})
    yield found
    found.state.client.close()


def test_shop_with_readable_events_has_no_rejected_ones(shop: Shop) -> None:
    shop.takes_in(SOUND)

    assert shop.run().stdout == "no event was rejected\n"
    assert shop.run("--json").stdout == "[]\n"


def test_row_names_entry_field_reason_and_outcome(shop: Shop) -> None:
    _, lost, unreadable = shop.takes_in(SOUND, CART_LOST, UNREADABLE)

    heading, first, second = [re.split(r"\s{2,}", line.strip()) for line in shop.run().stdout.splitlines()]

    assert heading == ["when", "entry", "session", "field", "outcome", "reason"]
    assert first[1:4] == [unreadable, "-", "session_id"]
    assert first[5].startswith("must be text of 1 to 512 characters")
    assert first[4] == "quarantined"
    assert second[1:4] == [lost, "s", "cart.items.0.quantity"]
    assert second[4] == "applied without it"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", second[0])


def test_narrow_terminal_cuts_no_entry_id_off(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = shop.takes_in(CART_LOST)
    monkeypatch.setattr(rejected, "out", lambda: Console(width=60, highlight=False))

    text = shop.run().stdout

    assert max(map(len, text.splitlines())) <= 60
    assert entry in text


def test_several_problems_of_one_event_are_one_row(shop: Shop) -> None:
    shop.takes_in(STAGE_MISSING.replace(b'"s"', b'"s", "cart": 1'))

    (row,) = json.loads(shop.run("--json").stdout)

    assert {"platform", "cart"} == set(re.findall(r"\b(platform|cart)\b", row["field"] + " " + row["reason"]))


def test_latest_are_first_and_a_limit_reports_more(shop: Shop) -> None:
    ids = shop.takes_in(*[UNREADABLE] * 5)

    rows = json.loads(shop.run("--json", "--limit", "2").stdout)
    table = shop.run("--limit", "2").stdout.splitlines()

    assert [row["entry"] for row in rows] == [ids[4], ids[3]]
    assert table[-1] == "the latest 2 of 5; for more, raise --limit"
    assert len(json.loads(shop.run("--json").stdout)) == 5


def test_session_of_an_unreadable_event_is_shown(shop: Shop) -> None:
    shop.takes_in(b'{"SessionId": "https://me:secret@shop.example/cart/9?token=x", "type": "nonsense-7"}')

    (row,) = json.loads(shop.run("--json").stdout)

    assert row["session"] == "https://shop.example/cart/9"


def test_nothing_else_of_an_event_is_shown(shop: Shop) -> None:
    shop.takes_in(CART_LOST, UNREADABLE)

    assert "hunter2" not in shop.run().stdout + shop.run("--json").stdout


def test_reason_is_shown_literally(shop: Shop) -> None:
    shop.state.client.xadd(shop.state.keys.rejected, {"entry": "1-1", "field": "x", "reason": "[bold]\x1b[2J\n!"})

    assert "[bold]\\x1b[2J\\n!" in shop.run().stdout
