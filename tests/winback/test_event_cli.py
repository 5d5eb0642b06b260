"""`winback event emit` and `winback event schema`."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import typer
from typer.testing import CliRunner, Result

from detectors.activity import ActivityEvent
from detectors.parsing import parse
from winback.cli import event
from worker.errors import StartError
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("event_cli")

SEED = {
    "type": "activity",
    "session_id": "sess_abc123xyz",
    "occurred_at": "2025-05-13T22:45:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "customer": {
        "full_name": "Jane Doe",
        "phone_number": "+573001234567",
        "email": "jane.doe@example.com",
        "country_code": "CO",
        "language": "es",
        "consent": {"call": True, "whatsapp": True},
    },
    "cart": {
        "total_value": 149.99,
        "items": [{"name": "Wireless: Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
        "currency": "COP",
    },
    "engagement": {"preferred_channel": "auto", "metadata": {"utm_campaign": "spring=sale"}},
}
FLAGS = shlex.split("""
--session=sess_abc123xyz --stage=checkout --platform=web --occurred-at=2025-05-13T22:45:00Z
--name='Jane Doe' --phone=+573001234567 --email=jane.doe@example.com --country=CO --language=es --consent
--item='Wireless: Headphones:WH-1000XM5:1:149.99' --cart-total=149.99 --currency=COP
--channel=auto --metadata=utm_campaign=spring=sale
""")
NO_COUNTRY = ["--session", "s", "--stage", "checkout", "--platform", "web"]
SOUND = {"session_id": "s", "type": "exit"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), port=0) as started:
        yield started


class Shop:
    """The command line and the stream that it writes to."""

    def __init__(self, url: str, namespace: str) -> None:
        self.env = {"WINBACK_REDIS_URL": url, "WINBACK_NAMESPACE": namespace}
        self.client = redis.Redis.from_url(url, decode_responses=True)
        self.key = f"{namespace}:events"

    def run(self, *arguments: str, stdin: str = "") -> Result:
        return run(*arguments, stdin=stdin, **self.env)

    def entries(self) -> list[tuple[str, dict[str, str]]]:
        found: Any = self.client.xrange(self.key)
        return list(found)

    def events(self) -> list[Any]:
        return [json.loads(fields["event"]) for _, fields in self.entries()]


@pytest.fixture
def shop(server: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    found = Shop(server.url, f"t{uuid4().hex[:12]}")
    yield found
    found.client.close()


def run(*arguments: str, stdin: str = "", **env: str) -> Result:
    app = typer.Typer()
    app.command()(event.emit)
    app.command()(event.schema)
    return CliRunner().invoke(app, arguments, input=stdin, env=env, catch_exceptions=False)


def test_flags_make_one_event_with_the_names_of_the_contract(shop: Shop) -> None:
    done = shop.run("emit", *FLAGS)

    ((entry_id, fields),) = shop.entries()
    assert (done.exit_code, done.stdout) == (0, f"{entry_id}\n")
    assert json.loads(fields["event"]) == SEED
    assert not parse(fields["event"].encode()).problems


def test_an_order_carries_its_value_and_currency(shop: Shop) -> None:
    shop.run("emit", "--session", "s", "--type", "order_completed", "--order-value", "20", "--currency", "USD")

    assert shop.events() == [{"type": "order_completed", "session_id": "s", "order_value": 20.0, "currency": "USD"}]


def test_emit_warns_of_what_leaves_a_shopper_unreachable(shop: Shop) -> None:
    done = shop.run("emit", *NO_COUNTRY, "--name", "Jane Doe", "--phone", "3001234567")

    assert (done.exit_code, len(shop.entries())) == (0, 1)
    assert done.stderr.startswith("warning: customer.country_code: is missing next to a number without +; ")


def test_emit_names_the_field_that_no_event_of_a_session_has(shop: Shop) -> None:
    lines = [{**SEED, "session_id": id_, "customer": {"full_name": "Jane", "fax": "1"}} for id_ in ("a", "b", "b")]
    done = shop.run("emit", "-", stdin="\n".join(map(json.dumps, lines * 9)))

    *warnings, more, none = done.stderr.splitlines()
    assert (done.exit_code, len(warnings)) == (0, 20)
    assert warnings[0] == "line 1: warning: customer.fax: is not a field of an event; it would be ignored"
    assert more.endswith(" more warnings; winback event check lists them")
    assert none == "no request for 2 sessions: the session ends as unreachable without customer.phone_number"


def test_emptied_cart_and_superseded_session_have_flags(shop: Shop) -> None:
    shop.run("emit", "--session", "s", "--type", "exit", "--empty-cart", "--previous-session", "old", "--force")

    assert shop.events() == [
        {"type": "exit", "session_id": "s", "previous_session_id": "old", "cart": {"items": []}},
    ]


def test_parts_of_an_item_may_be_left_empty(shop: Shop) -> None:
    shop.run("emit", "--session", "s", "--type", "exit", "--item", ":A:2:", "--item", "B:::1.5")

    assert shop.events()[0]["cart"]["items"] == [{"sku": "A", "quantity": 2}, {"name": "B", "price": 1.5}]


def test_lossy_event_is_not_sent_unless_forced(shop: Shop) -> None:
    refused = shop.run("emit", "--session", "s")

    assert refused.exit_code == 1
    assert refused.stderr == (
        "flow_stage: is missing; an activity needs flow_stage and platform; "
        "the event would only show that the shopper is still active (not sent; --force sends it anyway)\n"
    )
    assert shop.entries() == []

    forced = shop.run("emit", "--session", "s", "--force")

    assert forced.exit_code == 0
    assert shop.events() == [{"type": "activity", "session_id": "s"}]


def test_json_lines_are_sent_unchanged_and_ids_printed(shop: Shop) -> None:
    lines = [json.dumps({**SOUND, "session_id": f"s{number}"}) for number in range(3000)]

    done = shop.run("emit", "-", stdin="\n".join(lines))

    assert done.exit_code == 0
    assert [fields["event"] for _, fields in shop.entries()] == lines
    assert done.stdout.split() == [entry_id for entry_id, _ in shop.entries()]


def test_events_can_come_from_a_file(shop: Shop) -> None:
    Path("events.jsonl").write_text(json.dumps(SOUND))

    shop.run("emit", "events.jsonl")

    assert shop.events() == [SOUND]


def test_bad_line_is_named_with_its_number_and_the_others_sent(shop: Shop) -> None:
    done = shop.run("emit", "-", stdin=f"{json.dumps(SOUND)}\n\nrubbish\n{json.dumps(SOUND)}\n")

    assert done.exit_code == 1
    assert done.stderr == "line 3: is not valid JSON; the event would be rejected (not sent; --force sends it anyway)\n"
    assert shop.events() == [SOUND, SOUND]
    assert done.stdout.split() == [entry_id for entry_id, _ in shop.entries()]


def test_json_output_has_one_object_a_line_with_id_or_problems(shop: Shop) -> None:
    done = shop.run("emit", "-", "--json", stdin=f"rubbish\n{json.dumps(SOUND)}\n")

    ((entry_id, _),) = shop.entries()
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"line": 1, "problems": ["is not valid JSON; the event would be rejected"]},
        {"line": 2, "id": entry_id},
    ]
    assert json.loads(shop.run("emit", "--session", "s", "--type", "exit", "--json").stdout)["line"] is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "event emit: describe one event with flags"),
        (["-", "--session", "s"], "event emit: describe one event with flags"),
        (["--session", "s", "--item", "A:B:C"], "--item (number 1): write NAME:SKU:QUANTITY:PRICE"),
        (["--session", "s", "--item", "A:B:1:1", "--item", "A:B:x:1"], "--item (number 2): write"),
        (["--session", "s", "--metadata", "campaign"], "--metadata (number 1): write KEY=VALUE"),
        (["--session", "s", "--currency", "COP"], "--currency: needs an amount"),
        (["--session", "s", "--empty-cart", "--item", "A:B:1:1"], "--empty-cart: leave it out"),
    ],
)
def test_flags_without_an_event_end_in_one_line_with_a_hint(shop: Shop, arguments: list[str], line: str) -> None:
    with pytest.raises(StartError) as stopped:
        shop.run("emit", *arguments)

    assert str(stopped.value).startswith(line)
    assert "\n" not in str(stopped.value)


def test_without_a_server_in_the_settings_nothing_can_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WINBACK_REDIS_URL", raising=False)

    with pytest.raises(StartError, match="redis_url"):
        run("emit", "--session", "s", "--type", "exit")


def test_the_schema_is_json_and_names_every_field() -> None:
    printed = json.loads(run("schema").stdout)

    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(printed["properties"]) == set(ActivityEvent.model_fields) - {"also_named"}
