"""The code of the guide for the outcome feed works as written."""

import http.client
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from state.outcome_feed import FeedEntry
from tasks.outcomes.entry import entry_of
from tasks.outcomes.names import NAMES
from tasks.outcomes.settings import key_of
from tests.security.redis_users import make_users, url_of
from tests.support.cli_support import dead_port
from tests.support.feed import feed_of
from tests.support.pages import ROOT, marked, program
from tests.support.processes import until
from tests.support.states import SECRET as IDENTITY_SECRET
from tests.support.webhooks import SECRET
from tests.tasks.test_outcome_entry import outcome
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.webhooks.signing import headers

pytestmark = pytest.mark.xdist_group("valkey")
GUIDE = ROOT / "docs" / "guides" / "outcome-feed.md"
URL = "redis://winback-reader:PASSWORD@winback-redis:6379/0"


@pytest.fixture
def reader(real_state: State, valkey: EmbeddedValkey) -> Any:  # noqa: ANN401 - of the guide
    """The guide's names, connected as the user for readers."""
    make_users(real_state.client)
    names: dict[str, Any] = {}
    (code,) = marked(GUIDE, "stream")
    exec(code.replace(URL, url_of("reader", valkey)), names)  # noqa: S102 - it is ours
    names["feed"].xgroup_create("winback:outcomes", "mail-tool", id="0", mkstream=True)
    yield names
    names["feed"].close()
    for user in real_state.client.execute_command("ACL", "USERS"):  # type: ignore[no-untyped-call]
        if user != b"default":
            real_state.client.execute_command("ACL", "DELUSER", user)  # type: ignore[no-untyped-call]


def fill(state: State) -> None:
    made = [outcome(session=f"cart-{kind}", kind=kind, place=place) for place, kind in enumerate(NAMES)]
    made.append(outcome(session="cart-holdout", kind="suppressed", reason="holdout", place=99))
    feed_of(state).append([entry_of(one, IDENTITY_SECRET) for one in made], most=1000)


def test_consumer_skips_contacted_people(real_state: State, reader: dict[str, Any]) -> None:
    fill(real_state)
    skipped: list[str] = []
    reader["skip_contacted_people"]("0", skipped.append)
    assert skipped == []
    reader["skip_contacted_people"](">", skipped.append)
    assert skipped == ["cart-sent", "cart-unknown", "cart-holdout"]
    assert real_state.client.xpending("winback:outcomes", "mail-tool")["pending"] == 0


def test_consumer_that_fails_reads_its_entry_again(real_state: State, reader: dict[str, Any]) -> None:
    feed_of(real_state).append([entry_of(outcome(), IDENTITY_SECRET)], most=1000)

    def fails(_: str) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        reader["skip_contacted_people"](">", fails)
    skipped: list[str] = []
    reader["skip_contacted_people"]("0", skipped.append)
    assert skipped == ["cart-1"]


def signed(entry: FeedEntry, *, late_s: int = 0) -> Mapping[str, str]:
    return headers(entry.id, int(time.time()) - late_s, entry.body, [key_of(SecretStr(SECRET))])


def test_python_receiver_accepts_only_signed_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINBACK_WEBHOOK_SECRET", SECRET)
    names: dict[str, Any] = {}
    (code,) = marked(GUIDE, "python")
    exec(code, names)  # noqa: S102 - it is ours
    entry = entry_of(outcome(), IDENTITY_SECRET)
    body = entry.body.encode()
    assert names["outcome_of"](signed(entry), body)["data"]["outcome"] == "contacted"
    assert names["outcome_of"](signed(entry), body + b" ") is None
    assert names["outcome_of"](signed(entry, late_s=301), body) is None


def test_php_receiver_accepts_only_signed_requests(tmp_path: Path) -> None:
    (code,) = marked(GUIDE, "php")
    (tmp_path / "index.php").write_text(code, encoding="utf-8")
    port = dead_port()
    command = [program("php"), "-S", f"127.0.0.1:{port}", "-t", str(tmp_path)]
    environment = os.environ | {"WINBACK_WEBHOOK_SECRET": SECRET}
    entry = entry_of(outcome(), IDENTITY_SECRET)

    def status(body: str, given: Mapping[str, str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/", body.encode(), dict(given))
        found = connection.getresponse().status
        connection.close()
        return found

    def answers() -> bool:
        try:
            return bool(status("", {}))
        except OSError:
            return False

    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            until(answers)
            assert status(entry.body, signed(entry)) == 204
            assert status(entry.body + " ", signed(entry)) == 401
            assert status(entry.body, signed(entry, late_s=301)) == 401
            assert status(entry.body, {}) == 401
        finally:
            process.terminate()
