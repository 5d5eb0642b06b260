"""The commands of the collector's guide do what it says."""

import base64
import json
import shlex
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.collecting import SERVER, CollectorProcess, emptied, streamed
from tests.support.pages import ROOT, marked
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
GUIDE = ROOT / "docs" / "guides" / "collect.md"


def test_event_of_the_guide_reaches_the_stream(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    start, send = marked(GUIDE, "collect")
    assert start.splitlines()[-1] == "winback collect"
    program, flag, login, url, data, body = shlex.split(send.replace("\\\n", " "))
    assert (program, flag, login, url, data) == (
        "curl",
        "--user",
        "$WINBACK_COLLECT__SERVER_KEYS:",
        "http://127.0.0.1:8330/events",
        "--data",
    )
    with emptied(valkey.url) as redis, CollectorProcess(valkey.url, tmp_path) as process:
        connection: HTTPConnection = process.connection()
        basic = base64.b64encode(login.replace("$WINBACK_COLLECT__SERVER_KEYS", SERVER).encode()).decode()
        headers = {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/events", body, headers)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"success": True})
        assert [event["session_id"] for event in streamed(redis)] == ["cart-1"]
