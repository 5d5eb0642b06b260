"""Every role and every command at work, each as its own server user with minimal rights."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from flower.urls import handlers
from tornado.web import RequestHandler
from typer.testing import CliRunner

from state.cipher import cipher_of
from state.keys import Keys
from state.privacy_requests import Filing, PrivacyRequests
from state.scripts import Scripts
from tests.security.redis_users import refused, rules
from tests.support.running_shop import CART, CHECKOUT, LOGIN, PERSONAL, jane, until
from tests.support.shop_of_users import STREAMS, Shop, shop
from tests.worker.test_metrics_process import serving
from winback.cli.commands import app

__all__ = ["shop"]  # fixtures
pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]


def test_the_whole_way_needs_no_right_that_a_role_has_not(shop: Shop) -> None:
    carts = {"cart": CART, **CHECKOUT}
    shop.send("s-sent", customer=jane(phone_number="+573001234501"), **carts)
    shop.send("s-odd", **CHECKOUT, cart={"total_value": "a lot"})
    shop.send("s-app", customer=jane(phone_number="+573001234502"), **carts)
    shop.send("s-web", previous_session_id="s-app", customer=jane(phone_number="+573001234502"), **carts)
    shop.send("s-paid", customer=jane(phone_number="+573001234503"), **carts)
    shop.send("s-paid", "order_completed", order_value=5, currency="COP")
    shop.send("s-out", "opt_out", customer=jane(phone_number="+573001234504"))
    until(lambda: shop.requests_for("s-sent") and shop.requests_for("s-web"))
    shop.send("s-sent", "order_completed", order_value=149.99, currency="COP")
    shop.api.control(status=404, times=1)
    shop.send("s-dead", customer=jane(phone_number="+573001234505"), **carts)
    until(lambda: shop.size("dead"))
    shop.api.control(status=502, times=1)
    shop.send("s-unknown", customer=jane(phone_number="+573001234506"), **carts)
    until(lambda: shop.size("unknown"))
    # This includes crashed consumers, a deleted group, and the monitor of each role.
    for stream in STREAMS:
        shop.admin.xgroup_destroy(stream, "ingest")
    shop.send("s-after", customer=jane(phone_number="+573001234507"), **carts)
    until(lambda: shop.requests_for("s-after"))
    until(lambda: shop.admin.exists("winback:monitor_lock"))
    erase(shop, "+573001234506")
    for path in ("/api/tasks", "/workers", "/broker", "/api/queues/length"):
        assert httpx.get(shop.flower + path, auth=LOGIN, trust_env=False).status_code == 200, path
    # Only Valkey has it, so a file for Redis can't name it.
    assert refused(shop.admin) - {("winback-recover", "command", "commandlog|reset")} == set()
    assert [line for _, line in shop.lines.all if "NOPERM" in line or "no permissions" in line] == []


def erase(shop: Shop, phone: str) -> None:
    """Have a worker erase a person, as a shop's tool asks for it."""
    cipher, secret = cipher_of(shop.env["WINBACK_ENCRYPTION_KEYS"]), shop.env["WINBACK_IDENTITY_SECRET"].encode()
    requests = PrivacyRequests(Scripts(shop.admin), Keys(), cipher, secret)
    received_ms = int(datetime.now(UTC).timestamp() * 1000)
    filing = Filing("erasure", "shopify", "shop-a", received_ms, "", [{"phone_number": phone}], ["user:u", "alias:a"])
    requests.file([filing])
    until(lambda: not requests.count())


COMMANDS = (
    "status",
    "doctor",
    "doctor --role ingest",
    "report",
    "explain s-sent --reveal",
    "outreach list",
    "pause --reason test",
    "resume",
    "rejected list",
    "optout add {phone}",
    "optout check {phone}",
    "optout export",
    "optout import {file} --yes",
    "optout import {file} --source RNE --replace --yes",
    "optout import {file} --source RNE --replace --yes",
    "optout sources",
    "optout remove {phone} --source RNE",
    "optout remove {phone}",
    "optout add jane.doe@example.com",
    "person show --phone +573001234501",
    "person export --phone +573001234501",
    "explain --phone +573001234501 --all",
    "event emit --session s-emitted --stage checkout --platform web",
    "dead list",
    "dead retry --all --yes",
    "unknown resolve --as sent --all --yes",
    "outreach expire --waiting --yes",
    "forget --session s-web --yes",
    "forget --phone +573001234501 --yes",
    "rotate-keys",
)


def test_operator_user_can_run_every_command(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WINBACK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    shop.send("s-sent", customer=jane(phone_number="+573001234501"), **CHECKOUT, cart=CART)
    until(lambda: CliRunner().invoke(app, ["doctor"], env=shop.env).exit_code == 0)
    shop.admin.execute_command("ACL", "LOG", "RESET")
    phone = "+573001234500"
    (tmp_path / "numbers").write_text(f"{phone}\n")
    for command in COMMANDS:
        shop.run(*command.format(phone=phone, file=tmp_path / "numbers").split())
    # Only Valkey has it, so a file for Redis can't name it; `forget` reports the refusal.
    assert refused(shop.admin) - {("winback-operator", "command", "commandlog|reset")} == set()


def test_metrics_need_only_read_rights_and_show_no_personal_data(shop: Shop, tmp_path: Path) -> None:
    shop.send("s-sent", customer=jane(phone_number="+573001234501"), **CHECKOUT, cart=CART)
    until(lambda: shop.requests_for("s-sent"))
    shop.admin.execute_command("ACL", "LOG", "RESET")
    url = shop.env["WINBACK_REDIS_URL"].replace("operator", "metrics").replace("OPERATOR", "METRICS")
    with serving(url, tmp_path) as (_, client):
        until(
            lambda: re.search(r'^winback_outcomes_total{outcome="sent",reason=""} [1-9]', metrics(client), re.MULTILINE)
        )
        shown = metrics(client)
    assert re.search(r'^winback_role_processes{role="recover"} 1', shown, re.MULTILINE)
    assert not [text for text in (*PERSONAL, "s-sent", "+5730") if text in shown]
    assert refused(shop.admin) == set()


def metrics(client: httpx.Client) -> str:
    return client.get("/metrics").text


OPEN = {"/metrics", "/healthcheck", "/static/", "/login", "/logout"}
"""Flower's public paths; of these, only the metrics contain information."""


def test_flower_does_nothing_without_a_password(shop: Shop) -> None:
    seen = set()
    headers = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "eA",
    }
    with httpx.Client(base_url=shop.flower, trust_env=False) as browser:
        for pattern, handler in flower_routes():
            path = pattern.rstrip("$?").replace("(.+)", "recover").replace("(.*)", "x")
            if any(path.startswith(part) for part in OPEN) or path == ".*":
                continue
            for method in ("get", "post"):
                if getattr(handler, method) is RequestHandler.__dict__[method]:
                    continue
                for auth in (None, ("watcher", "wrong"), ("", "")):
                    reply = browser.request(method.upper(), path, auth=auth)
                    assert reply.status_code == 401, (method, path, auth)
                seen.add((method, path))
        # Older versions had public websockets of events.
        assert browser.get("/api/task/events/task-sent/", headers=headers).status_code == 404
    assert {("get", "/tasks"), ("get", "/api/workers"), ("post", "/api/worker/shutdown/recover")} <= seen


def test_flower_metrics_show_only_workers_and_tasks(shop: Shop) -> None:
    metrics = httpx.get(f"{shop.flower}/metrics", trust_env=False).text
    labels = set(re.findall(r'([a-z_]+)="', metrics))
    assert labels <= {
        "worker",
        "task",
        "type",
        "generation",
        "implementation",
        "major",
        "minor",
        "patchlevel",
        "version",
        "le",
    }
    assert not [text for text in (*PERSONAL, "s-sent") if text in metrics]


def test_no_process_has_a_secret_on_its_command_line(shop: Shop) -> None:
    secrets = [value for name, value in shop.env.items() if "SECRET" in name or "KEY" in name or "AUTH" in name]
    secrets += [word for words in rules().values() for word in words if word.startswith(">")]
    assert len(secrets) > 8
    lines = [line for line in command_lines() if "worker" in line or "celery" in line]
    assert len(lines) >= 5
    assert not [(line, secret) for line in lines for secret in secrets if secret.removeprefix(">") in line]


def command_lines() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended in the meantime
            yield process.read_bytes().replace(b"\0", b" ").decode(errors="replace")


def flower_routes() -> Iterator[tuple[str, Any]]:
    for route in handlers:
        yield (route[0], route[1]) if isinstance(route, tuple | list) else (route.regex.pattern, route.target)
