"""The commands under locales without UTF-8, and with arguments that aren't text, as real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.support.cli_support import environment
from winback.cli.texts import arguments
from worker.errors import StartError
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LOCALES = {
    "C without UTF-8": NO_UTF8,
    "POSIX": {"LC_ALL": "POSIX"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
}
MILDER = ("POSIX", "ascii")
"""In these, Python has UTF-8 for all or for all but the output."""
NOT_TEXT = b"Jos\xe9\xff"


@pytest.fixture(params=["C without UTF-8", *(pytest.param(name, marks=pytest.mark.extended) for name in MILDER)])
def env(request: pytest.FixtureRequest, valkey: EmbeddedValkey) -> dict[str, str]:
    return {**os.environ, **environment(valkey.url), "NO_COLOR": "1", **LOCALES[request.param]}


def run(env: dict[str, str], folder: Path, *words: str | bytes, code: int | None = None) -> str:
    argv = [sys.executable, "-m", "winback", *words]
    root = Path(__file__).parents[2]
    env = {**env, "PYTHONPATH": str(root)}
    done = subprocess.run(argv, env=env, cwd=folder, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    said = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    assert "Traceback" not in said
    if code is not None:
        assert done.returncode == code, said
    return said


def test_an_event_with_an_accent_is_sent_in_every_locale(
    env: dict[str, str], tmp_path: Path, valkey: EmbeddedValkey
) -> None:
    run(
        env,
        tmp_path,
        "event",
        "emit",
        "--session",
        "s-1",
        "--name",
        "José",
        "--stage",
        "checkout",
        "--platform",
        "web",
        code=0,
    )
    with redis.Redis.from_url(valkey.url) as client:
        ((_, fields),) = client.xrevrange("winback:events", count=1)
        client.flushall()
    assert json.loads(fields[b"event"])["customer"]["full_name"] == "José"


@pytest.mark.parametrize(
    "words",
    [
        ("event", "emit", "--session", "s-1", "--name", NOT_TEXT),
        ("event", "emit", "--session", NOT_TEXT),
        ("forget", "--email", NOT_TEXT, "--yes"),
        ("optout", "import", "--source", NOT_TEXT, "nothing.csv"),
        ("pause", "--reason", NOT_TEXT),
        (NOT_TEXT,),
    ],
)
def test_an_argument_that_is_no_text_ends_in_one_line(
    env: dict[str, str], tmp_path: Path, words: tuple[str | bytes, ...]
) -> None:
    assert "is not UTF-8 text" in run(env, tmp_path, *words, code=2)


@pytest.mark.parametrize("words", [("law", "list"), ("law", "show", "BR"), ("mock-api", "--help"), ("nó",)])
def test_output_is_escaped_where_the_encoding_lacks_it(
    env: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert run(env, tmp_path, *words)


def test_a_reason_with_an_accent_is_shown_by_status_and_doctor(env: dict[str, str], tmp_path: Path) -> None:
    try:
        run(env, tmp_path, "pause", "--reason", "José's call", code=0)
        shown = run(env, tmp_path, "status", code=0)
        assert "Jos" in shown
        run(env, tmp_path, "doctor")
    finally:
        run(env, tmp_path, "resume", code=0)


def test_file_with_an_undecodable_name_is_read(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "é.jsonl").write_text("{}\n")
    (tmp_path / os.fsdecode(b"\xff.jsonl")).write_text("{}\n")
    for name in ("é.jsonl", b"\xff.jsonl"):
        assert "is not UTF-8 text" not in run(env, tmp_path, "event", "check", name)
    run(env, tmp_path, "replay", "nopé.jsonl", code=2)


def test_arguments_are_decoded_once() -> None:
    assert arguments(["José", "--x", "a"]) == ["José", "--x", "a"]
    assert arguments([os.fsencode("José").decode("ascii", "surrogateescape")]) == ["José"]
    with pytest.raises(StartError, match=r"argument 2 \(.*\): is not UTF-8 text"):
        arguments(["x", os.fsdecode(NOT_TEXT)])
