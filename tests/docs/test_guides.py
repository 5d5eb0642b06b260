"""Code blocks of the guides work as written: the tests run them unchanged."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis import Redis

from tests.support.pages import ROOT, marked, program, run
from worker.celery_support.flower_options import format_task
from worker.supervision.embedded_valkey import EmbeddedValkey

GUIDES = ROOT / "docs" / "guides"
AWAY = "redis://:PASSWORD@127.0.0.1:1/0"

pytestmark = pytest.mark.xdist_group("valkey")

# The parts of the npm package `redis` that the page uses. It prints each command, or fails on a refused password.
STUB = """
export function createClient({ url }) {
  const fail = () => Promise.reject(Object.assign(new Error("WRONGPASS"), { code: undefined }));
  const away = url.includes(":1/");
  return {
    on() { return this; },
    connect: () => (away ? fail() : Promise.resolve()),
    xAdd: (...words) => (away ? fail() : Promise.resolve(console.log(JSON.stringify(words)))),
  };
}
"""
CALLS = """
import { checkoutOpened, orderPaid } from "./page.mjs";
const cart = { id: "cart-1", total: 10, currency: "USD", items: [] };
await checkoutOpened(cart, { name: "Jane Doe", phone: "+573001234567", email: "jane@example.com", country: "CO" });
await orderPaid({ cartId: "cart-1", total: 10, currency: "USD" });
"""


# The parts of PHP's extension `redis` that the page uses.
PHP_STUB = """<?php
class Redis
{
    public function connect(string $host, int $port, float $timeout, $id, int $retry, float $read): void {}
    public function auth(array $credentials): void
    {
        if ($credentials[1] === 'WRONG') {
            throw new Exception('WRONGPASS');
        }
    }
    public function xAdd(string $key, string $id, array $fields): void
    {
        echo json_encode([$key, $id, $fields]), PHP_EOL;
    }
}
"""
PHP_CALLS = "voucher_issued('cart-1', new DateTime('2026-12-01T00:00:00Z'));\n"


@pytest.fixture
def shop(valkey: EmbeddedValkey) -> Iterator[Redis]:
    """An empty server to which the shop writes."""
    with Redis.from_url(valkey.url) as client:
        yield client
        client.flushall()


def python_page(monkeypatch: pytest.MonkeyPatch, url: str) -> dict[str, Any]:
    monkeypatch.setenv("WINBACK_URL", url)
    page: dict[str, Any] = {"__name__": "shop"}
    exec("\n".join(marked(GUIDES / "python.md", "python")), page)  # noqa: S102 - the page is ours
    return page


def events_in(client: Redis) -> list[Any]:
    entries: Any = client.xrange("winback:events")
    return [json.loads(entry[b"event"]) for _, entry in entries]


def test_python_guide_sends_events(shop: Redis, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    page = python_page(monkeypatch, valkey.url)
    item = SimpleNamespace(name="Shoe", sku="S1", quantity=1, price=10)
    cart = SimpleNamespace(pk=7, total=10, currency="USD", items=SimpleNamespace(all=lambda: [item]))
    user = SimpleNamespace(
        cart=cart, get_full_name=lambda: "Jane Doe", phone="+573001234567", email="jane@example.com", country="CO"
    )
    page["checkout"](SimpleNamespace(user=user, LANGUAGE_CODE="es"))
    page["order_paid"](SimpleNamespace(cart_id=7, total=10, currency="USD"))
    first, second = events_in(shop)
    assert (first["session_id"], first["flow_stage"], first["cart"]["items"][0]["sku"]) == ("7", "checkout", "S1")
    assert (second["type"], second["order_value"]) == ("order_completed", 10.0)


def test_python_guide_logs_a_failure_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    page = python_page(monkeypatch, AWAY)
    with caplog.at_level(logging.WARNING):
        page["send_to_winback"]({})
        page["send_to_winback"]({})
    assert caplog.messages == ["Winback gets no events: ConnectionError"]


def node_page(directory: Path, url: str) -> subprocess.CompletedProcess[str]:
    module = directory / "node_modules" / "redis"
    module.mkdir(parents=True)
    (module / "package.json").write_text('{"name": "redis", "type": "module", "exports": "./index.js"}')
    (module / "index.js").write_text(STUB)
    (directory / "page.mjs").write_text("\n".join(marked(GUIDES / "node.md", "node")))
    (directory / "calls.mjs").write_text(CALLS)
    return run(program("node"), "calls.mjs", cwd=directory, WINBACK_URL=url)


def test_node_guide_sends_events_through_a_stub_client(tmp_path: Path) -> None:
    done = node_page(tmp_path, "redis://:PASSWORD@127.0.0.1:6379/0")
    assert (done.returncode, done.stderr) == (0, "")
    calls = [json.loads(line) for line in done.stdout.splitlines()]
    assert [call[:2] for call in calls] == [["winback:events", "*"]] * 2
    assert [json.loads(call[2]["event"])["type"] for call in calls] == ["activity", "order_completed"]


def test_node_guide_logs_a_failure_once(tmp_path: Path) -> None:
    done = node_page(tmp_path, AWAY)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Winback gets no events: WRONGPASS\n"


@pytest.mark.parametrize(
    "page", [page for page in sorted(GUIDES.glob("*.md")) if marked(page, "sh")], ids=lambda page: page.stem
)
@pytest.mark.usefixtures("shop")
def test_shell_blocks_of_a_guide_succeed(page: Path, valkey: EmbeddedValkey, tmp_path: Path) -> None:
    settings = {"WINBACK_REDIS_URL": valkey.url, "WINBACK_IDENTITY_SECRET": "an identity secret for the tests"}
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    for block in marked(page, "sh"):
        done = run("bash", "-euo", "pipefail", "-c", block, cwd=tmp_path, PATH=path, **settings)
        assert done.returncode == 0, done.stdout + done.stderr


def php_page(directory: Path, password: str, calls: str) -> subprocess.CompletedProcess[str]:
    page = [block.replace("<?php", "") for block in marked(GUIDES / "php.md", "php")]
    (directory / "page.php").write_text("\n".join([PHP_STUB, *page, calls]))
    options = ["-d", "error_log=/dev/stderr", "-d", "log_errors=1"]
    return run(program("php"), *options, "page.php", cwd=directory, WINBACK_PASSWORD=password)


def test_php_guide_sends_events_through_a_stub_client(tmp_path: Path) -> None:
    done = php_page(tmp_path, "right", PHP_CALLS)
    assert (done.returncode, done.stderr) == (0, "")
    stream, number, fields = json.loads(done.stdout)
    assert (stream, number, json.loads(fields["event"])["type"]) == ("winback:events", "*", "payment_pending")


def test_php_guide_logs_a_failure_once(tmp_path: Path) -> None:
    done = php_page(tmp_path, "WRONG", PHP_CALLS * 2)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("Winback gets no events: WRONGPASS") == 1


def test_redis_cli_block_sends_an_event(shop: Redis, valkey: EmbeddedValkey, tmp_path: Path) -> None:
    program("redis-cli")
    (block,) = marked(GUIDES / "send-events.md", "redis")
    done = run("bash", "-euc", block, cwd=tmp_path, WINBACK_REDIS_URL=valkey.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [event["flow_stage"] for event in events_in(shop)] == ["payment"]


def test_monitor_page_shows_results_as_flower_does() -> None:
    page = (GUIDES / "monitor.md").read_text(encoding="utf-8")
    for result, shown in (
        ({"outreach": "17-0b…", "outcome": "sent", "attempt": 1}, "sent (attempt 1)"),
        ({"outreach": "17-0b…", "outcome": "postponed", "attempt": 0}, "postponed"),
    ):
        assert format_task(SimpleNamespace(result=str(result))).result == shown
        assert f"`{shown}`" in page
    assert "`{'outreach': '17-0b…', 'outcome': 'sent', 'attempt': 1}`" in page
