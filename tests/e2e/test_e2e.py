"""The whole of it with real processes: `winback up`, a real Valkey, the stand-in API, and events from outside."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from time import monotonic, sleep
from typing import Any, TypeVar
from zlib import crc32

import httpx
import pytest
from redis import Redis

from state.connection import connect
from state.keys import Keys
from winback.simulation.mock_api.process import MockServer
from worker.supervision.embedded_valkey import EmbeddedValkey

T = TypeVar("T")

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

KEYS = {"public_api_key": "public", "private_secret_key": "private"}
LOGIN = ("watcher", "long-enough-password")
THRESHOLD = timedelta(seconds=2)
TIMEOUT = timedelta(seconds=1)
LEASE = 2 * TIMEOUT + timedelta(seconds=10)
PERSONAL = ("+573001234567", "573001234567", "Jane Doe", "jane.doe@example.com", "Wireless Headphones")


@dataclass
class Shop:
    """A shop with Winback behind it."""

    redis: Any  # the driver's stubs know nothing of bytes
    broker: Callable[[], Mapping[str, bytes]]
    """What is in the broker now, by where it is."""
    api: MockServer
    flower: str
    log: Path
    pid: int
    env: dict[str, str]

    def send(self, session_id: str, kind: str = "activity", **more: object) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = {"session_id": session_id, "type": kind, "occurred_at": now, **more}
        streams = int(self.env.get("WINBACK_INGEST__STREAMS", "1"))
        stream = Keys().events_of(crc32(session_id.encode()) % streams)
        self.redis.xadd(stream, {"event": json.dumps(event)})

    def requests_for(self, session_id: str) -> list[dict[str, Any]]:
        return [r for r in self.api.requests() if r["body"]["session"]["session_id"] == session_id]

    def report(self) -> dict[str, Any]:
        command = [sys.executable, "-m", "winback", "report", "--json", "--since", "2d", "--by", "stage"]
        done = subprocess.run(command, env=self.env, capture_output=True, check=True, cwd=Path(__file__).parents[2])
        (row,) = [row for row in json.loads(done.stdout)["rows"] if row["stage"] == "payment"]
        return dict(row)

    def cli(self, *words: str) -> str:
        """Run a command as an operator does, and return what it prints."""
        command = [sys.executable, "-m", "winback", *words]
        done = subprocess.run(
            command, env=self.env, capture_output=True, check=True, cwd=Path(__file__).parents[2], text=True
        )
        return done.stdout

    def outcomes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for key in self.redis.scan_iter("winback:{*}:stats:*"):
            for name, number in self.redis.hgetall(key).items():
                outcome = name.decode().partition("@")[0]
                found[outcome] = found.get(outcome, 0) + int(number)
        return found

    def pid_of(self, role: str) -> int:
        words = {"recover": b"winback.recover", "ingest": b"ingest", "sweep": b"winback.sweep", "beat": b"beat"}[role]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            mine = f"E2E_LOG={self.log}".encode() in environment
            if mine and words in command and command[0] == sys.executable.encode():
                return int(process.name)
        raise AssertionError(f"no process for {role}")


def jane(**more: object) -> dict[str, Any]:
    """A customer; with another number it is another person, who has another address."""
    if "phone_number" in more:
        more.setdefault("email", f"jane.doe+{str(more['phone_number']).removeprefix('+')}@example.com")
    return {
        "full_name": "Jane Doe",
        "phone_number": "+573001234567",
        "email": "jane.doe@example.com",
        "country_code": "CO",
        "language": "es",
        "consent": {"call": True, "whatsapp": True},
        **more,
    }


CART = {
    "total_value": 149.99,
    "currency": "COP",
    "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
}
CHECKOUT: dict[str, Any] = {"flow_stage": "checkout", "platform": "web"}


def until(condition: Callable[[], T], within_s: float = 20.0) -> T:
    deadline = monotonic() + within_s
    while not (found := condition()):
        if monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        sleep(0.05)
    return found


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_redis(url: str) -> Mapping[str, bytes]:
    with Redis.from_url(url) as client:
        return {key.decode(): client.dump(key) or b"" for key in client.scan_iter("*")}


def environment(directory: Path, redis_url: str, api: MockServer, **settings: str) -> dict[str, str]:
    """Return what a role of Winback needs to know, with times that suit a test."""
    (directory / "winback.toml").touch()
    return {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")} | {
        "WINBACK_CONFIG": str(directory / "winback.toml"),
        "WINBACK_REDIS_URL": redis_url,
        "WINBACK_IDENTITY_SECRET": "an identity secret for the tests",
        "WINBACK_DETECTION__IDLE__CHECKOUT": f"{THRESHOLD.total_seconds():.0f}s",
        "WINBACK_DETECTION__IDLE__PAYMENT": f"{THRESHOLD.total_seconds():.0f}s",
        "WINBACK_DETECTION__SWEEP_INTERVAL": "300ms",
        "WINBACK_CONTACT__QUIET_HOURS": "off",
        "WINBACK_CONTACT__LAW": "off",
        "WINBACK_DELIVERY__MODE": "live",
        "WINBACK_DELIVERY__ENDPOINT": api.endpoint,
        "WINBACK_DELIVERY__PUBLIC_API_KEY": " public\n",
        "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "private",
        "WINBACK_DELIVERY__TIMEOUT": f"{TIMEOUT.total_seconds():.0f}s",
        "WINBACK_WORKER__CONCURRENCY": "8",
        "WINBACK_FLOWER__PORT": str(free_port()),
        "WINBACK_FLOWER__BASIC_AUTH": ":".join(LOGIN),
        **settings,
    }


@contextmanager
def running_shop(
    directory: Path,
    redis_url: str = "",
    broker: Callable[[], Mapping[str, bytes]] | None = None,
    /,
    **settings: str,
) -> Iterator[Shop]:
    """Run everything, against an embedded Valkey unless another server is given, and another broker in the settings."""
    with ExitStack() as stack:
        if not redis_url:
            redis_url = stack.enter_context(EmbeddedValkey(directory / "valkey", port=0)).url
        beside = redis_url.replace("/0", "/1")
        api = stack.enter_context(MockServer(port=0, **KEYS))
        log = directory / "up.log"
        env = environment(directory, redis_url, api, **settings) | {"E2E_LOG": str(log)}
        port = env["WINBACK_FLOWER__PORT"]
        with log.open("wb") as out:
            up = subprocess.Popen(
                [sys.executable, "-m", "winback", "up"],
                env=env,
                stdout=out,
                stderr=out,
                cwd=Path(__file__).parents[2],
            )
        try:
            state: Any = stack.enter_context(connect(redis_url))
            shop = Shop(state, broker or (lambda: in_redis(beside)), api, f"http://127.0.0.1:{port}", log, up.pid, env)
            roles = ("ingest", "sweep", "recover", "beat")
            until(lambda: all(state.exists(f"winback:heartbeat:{role}") for role in roles), 40)
            yield shop
        finally:
            up.send_signal(signal.SIGTERM)
            assert up.wait(40) == 0, log.read_text()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(tmp_path_factory.mktemp("shop")) as found:
        yield found


def test_a_silent_checkout_becomes_exactly_one_request_byte_for_byte(shop: Shop) -> None:
    occurred = datetime.now(UTC).replace(microsecond=0)
    first = {
        "session_id": "sess_abc123xyz",
        "type": "activity",
        "occurred_at": (occurred - timedelta(milliseconds=100)).isoformat(),
        **CHECKOUT,
        "customer": jane(),
        "cart": CART,
        "engagement": {"preferred_channel": "auto", "metadata": {"utm_campaign": "spring_sale"}},
    }
    second = {
        "session_id": "sess_abc123xyz",
        "type": "activity",
        "occurred_at": occurred.isoformat(),
        **CHECKOUT,
        "engagement": {"metadata": {"last_clicked_button": "Proceed to Payment"}},
    }
    # One after the other, for metadata keeps the order in which it came.
    for event in (first, second):
        shop.redis.xadd("winback:events", {"event": json.dumps(event)})
        until(lambda: not shop.redis.xlen("winback:events"))
    request = until(lambda: shop.requests_for("sess_abc123xyz"))[0]
    moment = occurred.strftime("%Y-%m-%dT%H:%M:%SZ")
    expected = (
        '{"customer":{"full_name":"Jane Doe","phone_number":"+573001234567","email":"jane.doe@example.com",'
        '"country_code":"CO","language":"es"},"session":{"abandonment_timestamp":"' + moment + '",'
        '"flow_stage":"checkout","platform":"web","session_id":"sess_abc123xyz"},"cart":{"total_value":149.99,'
        '"currency":"COP","items":[{"name":"Wireless Headphones","sku":"WH-1000XM5","quantity":1,"price":149.99}]},'
        '"engagement":{"preferred_channel":"auto","reason":"user_abandoned_checkout",'
        '"metadata":{"utm_campaign":"spring_sale","last_clicked_button":"Proceed to Payment"}}}'
    )
    assert request["body_raw"] == expected
    assert request["valid"]
    assert request["status"] == 200
    until(lambda: shop.outcomes().get("sent") == 1)
    assert len(shop.requests_for("sess_abc123xyz")) == 1


def test_who_goes_on_shopping_is_left_alone_until_they_stop(shop: Shop) -> None:
    customer = jane(phone_number="+573001234501")
    began = monotonic()
    while monotonic() - began < 2 * THRESHOLD.total_seconds():
        shop.send("sess_busy", **CHECKOUT, customer=customer, cart=CART)
        assert not shop.requests_for("sess_busy")
        sleep(0.2)  # the shopper's own pace: it is the silence that is under test
    until(lambda: shop.requests_for("sess_busy"))


def test_who_pays_is_never_contacted(shop: Shop) -> None:
    customer = jane(phone_number="+573001234502")
    shop.send("sess_paid", **CHECKOUT, customer=customer, cart=CART)
    shop.send("sess_paid", "order_completed", order_value=149.99, currency="COP")
    shop.send("sess_other_cart", **CHECKOUT, customer=customer, cart=CART)
    until(lambda: shop.outcomes().get("suppressed.bought_recently") == 1)
    assert not shop.requests_for("sess_paid")
    assert not shop.requests_for("sess_other_cart")


def test_who_leaves_two_carts_is_contacted_once(shop: Shop) -> None:
    customer = jane(phone_number="+573001234503")
    shop.send("sess_cart_1", **CHECKOUT, customer=customer, cart=CART)
    shop.send("sess_cart_2", **CHECKOUT, customer={**customer, "phone_number": "300 123 4503"}, cart=CART)
    until(lambda: shop.outcomes().get("suppressed.contacted_recently") == 1, 4 * LEASE.total_seconds())
    assert len(shop.requests_for("sess_cart_1") + shop.requests_for("sess_cart_2")) == 1


def test_an_unreadable_cart_is_set_aside_and_nothing_else_is_lost_with_it(shop: Shop) -> None:
    shop.send("sess_odd", **CHECKOUT, customer=jane(phone_number="+573001234504"), cart={"total_value": "a lot"})
    until(lambda: shop.requests_for("sess_odd"))
    rejected = shop.redis.xrange("winback:rejected")
    assert [entry[b"field"] for _, entry in rejected] == [b"cart.total_value"]


def test_a_worker_killed_in_the_middle_of_a_request_never_leads_to_a_second_one(shop: Shop) -> None:
    shop.api.control(delay="30s", times=1)
    shop.send("sess_killed", **CHECKOUT, customer=jane(phone_number="+573001234505"), cart=CART)
    key = until(lambda: _sending(shop)) or b""
    os.kill(shop.pid_of("recover"), signal.SIGKILL)
    until(lambda: shop.redis.hget(key, "state") == b"unknown", 2 * LEASE.total_seconds())
    # A new worker took over, and does its work.
    shop.send("sess_after", **CHECKOUT, customer=jane(phone_number="+573001234506"), cart=CART)
    until(lambda: shop.requests_for("sess_after"))
    assert len(shop.requests_for("sess_killed")) <= 1
    assert shop.redis.zcard(key.decode().split("outreach")[0] + "unknown") == 1


def test_an_order_after_a_contact_is_in_the_report_once_with_its_value(shop: Shop) -> None:
    customer = jane(phone_number="+573001234507")
    shop.send("sess_won", flow_stage="payment", platform="ios", customer=customer, cart=CART)
    until(lambda: shop.requests_for("sess_won"))
    until(lambda: shop.report()["contacted"] == 1)
    # From the shop's other system, without the session; then its repetition, then the browser's own.
    order = {"customer": {"phone_number": "+573001234507"}, "order_value": 1234.56, "currency": "COP"}
    for _ in range(2):
        event = {"type": "order_completed", "occurred_at": datetime.now(UTC).isoformat(), **order}
        shop.redis.xadd("winback:events", {"event": json.dumps(event)})
    shop.send("sess_won", "order_completed")
    until(lambda: not shop.redis.xlen("winback:events"))
    found = shop.report()
    assert found["recovered"] == {"orders": 1, "unpriced": 0, "revenue": {"COP": 1234.56}}
    assert (found["sessions"], found["silent"], found["contacted"], found["unknown"]) == (1, 1, 1, 0)


def test_flower_shows_the_tasks_to_who_may_look_and_nobody_else(shop: Shop) -> None:
    assert httpx.get(f"{shop.flower}/api/tasks", trust_env=False).status_code == 401
    assert httpx.get(f"{shop.flower}/", trust_env=False).status_code == 401

    def tasks() -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{shop.flower}/api/tasks", auth=LOGIN, trust_env=False).json()
        return found

    sent = until(lambda: [t for t in tasks().values() if "'outcome': 'sent'" in (t["result"] or "")])
    assert sent[0]["name"] == "winback.recover"
    assert re.fullmatch(r"\('\d\d-[0-9a-f]{16}',\)", sent[0]["args"])
    # Hundreds of sweeps have run by now; none of them takes a place.
    assert {task["name"] for task in tasks().values()} == {"winback.recover"}


def test_nothing_personal_is_in_the_broker_the_logs_or_flower(shop: Shop) -> None:
    assert "attempt" in shop.log.read_text()
    places = {"log": shop.log.read_text(), "api print": shop.api.printed()}
    for path in ("/api/tasks", "/tasks", "/workers", "/api/workers"):
        places[path] = httpx.get(shop.flower + path, auth=LOGIN, trust_env=False, follow_redirects=True).text
    for place, content in shop.broker().items():
        places[place] = content.decode(errors="replace")
    found = [(place, text) for place, content in places.items() for text in PERSONAL if text in content]
    assert found == []


def _sending(shop: Shop) -> bytes | None:
    for key in shop.redis.scan_iter("winback:{*}:outreach:*"):
        record = shop.redis.hmget(key, "session", "state")
        if record == [b"sess_killed", b"sending"]:
            return bytes(key)
    return None
