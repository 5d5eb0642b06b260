"""`winback outcomes` and its commands, and what `forget` and `person export` do with the feed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from state.webhooks import SenderReport, Webhooks
from tests.support.cli_support import environment
from tests.support.decision_support import Shop as Operating
from tests.support.events import JANE, event, happen
from tests.support.faulty_server import FaultyServer, replies
from tests.support.feed import in_feed, published, relay_of
from tests.support.forgetting_people import PHONE, shop
from tests.support.outcome_processes import Shop
from tests.support.outreaches import taken
from tests.support.webhooks import SECRET
from winback.cli.outcomes import app
from worker.errors import StartError
from worker.runtime import State
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.roles import roles

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")
Run = Callable[..., str]


@pytest.fixture
def run(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, code: int = 0, **env: str) -> str:
        result = CliRunner().invoke(app, arguments, env={**environment(valkey.url), **env})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout.strip()

    return call


def test_session_is_shown_as_in_the_feed(run: Run) -> None:
    assert run("session", "cart-1") == "cart-1"
    shown = run("session", "jane@example.com")
    assert shown.startswith("hash:")
    assert run("session", "gid://shopify/Cart/c1-7?key=abc") == run("session", "gid://shopify/Cart/c1-7")


def test_resume_says_whether_webhooks_had_been_stopped(run: Run, real_state: State) -> None:
    assert run("resume") == "webhooks had not been stopped"
    Webhooks(real_state.scripts, real_state.keys).report(SenderReport(gone=True))
    assert run("resume") == "webhooks are sent again"


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "outcomes.webhook_url: is missing; set WINBACK_OUTCOMES__WEBHOOK_URL"),
        (
            {"WINBACK_OUTCOMES__WEBHOOK_URL": "https://shop.example/"},
            "outcomes.webhook_secrets: is missing; set WINBACK",
        ),
    ],
)
def test_sender_without_url_or_secret_does_not_start(run: Run, env: dict[str, str], words: str) -> None:
    for command in ((), ("test",)):
        with pytest.raises(StartError, match=words):
            run(*command, **env)


def test_test_posts_a_signed_request(run: Run) -> None:
    with Shop() as receiver:
        env = {"WINBACK_OUTCOMES__WEBHOOK_URL": receiver.url, "WINBACK_OUTCOMES__WEBHOOK_SECRETS": SECRET}
        assert run("test", **env) == "http_200: accepted"
        assert receiver.accepted[0][1] == {}
        wrong = env | {"WINBACK_OUTCOMES__WEBHOOK_SECRETS": "bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXch"}
        assert run("test", code=1, **wrong) == "http_401: NOT accepted"


def test_test_follows_no_redirect(run: Run) -> None:
    with FaultyServer(
        replies(b"HTTP/1.1 307 There\r\nlocation: https://10.0.0.1/\r\ncontent-length: 0\r\n\r\n")
    ) as server:
        env = {"WINBACK_OUTCOMES__WEBHOOK_URL": server.url, "WINBACK_OUTCOMES__WEBHOOK_SECRETS": SECRET}
        assert run("test", code=1, **env) == "http_307: NOT accepted"


def test_up_starts_the_sender_if_there_is_a_url() -> None:
    assert "outcomes" not in [role.name for role in roles(load({}))]
    found = roles(load({"WINBACK_OUTCOMES__WEBHOOK_URL": "https://shop.example/"}))
    assert [role.grace_s for role in found if role.name == "outcomes"] == [15]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://shop.example/", "must begin with https://"),
        ("https://jane:pw@shop.example/", "has a user name"),
        ("https://10.0.0.1/", "leads to a private address"),
        ("https://169.254.169.254/", "leads to a link-local address"),
        ("shop.example", "is not a URL"),
    ],
)
def test_unsafe_url_is_refused_in_one_line(url: str, words: str) -> None:
    with pytest.raises(StartError, match=words):
        load({"WINBACK_OUTCOMES__WEBHOOK_URL": url})


def test_private_url_can_be_allowed() -> None:
    env = {"WINBACK_OUTCOMES__WEBHOOK_URL": "https://10.0.0.1/", "WINBACK_OUTCOMES__ALLOW_PRIVATE_WEBHOOK": "true"}
    assert load(env).outcomes.webhook_url == "https://10.0.0.1/"


@pytest.mark.parametrize("moved", [False, True])
def test_forget_removes_outcomes_of_the_person(shop: Operating, *, moved: bool) -> None:
    state = shop.state
    state.outbox.end_unsent(taken(state), "suppressed", "opted_out")
    state.outbox.end_unsent(taken(state, "another"), "suppressed", "opted_out")
    happen(
        state, event(session="another", customer={**JANE, "phone_number": "+573009999999", "email": "x@example.com"})
    )
    relay = relay_of(state)
    if moved:
        relay.move()
    shown = shop.run("person", "export", "--phone", PHONE, "--exact")
    exported, _ = json.JSONDecoder().raw_decode(shown)
    assert len(exported["outcomes"]) == 1
    assert exported["complete"]
    shop.json("forget", "--scan", "--phone", PHONE, "--exact", "--yes")
    relay.move()
    left = [one["session_id"] for one in in_feed(state)]
    assert left == (["another"] if moved else [None, "another"])
    assert published(state) == []
