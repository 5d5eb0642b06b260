"""A process that reaches an armed failpoint stops there, once; without one nothing happens."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.failpoints import VARIABLE

REACHES_IT_TWICE = """
from tasks.failpoints import reached
reached("reply_read")
print("first", flush=True)
reached("reply_read")
"""


def outcome(directory: Path | None) -> tuple[int, str]:
    env = os.environ | ({VARIABLE: str(directory)} if directory else {})
    done = subprocess.run(
        [sys.executable, "-c", REACHES_IT_TWICE], env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_disabled_failpoint_does_nothing() -> None:
    assert outcome(None) == (0, "first\n")


@pytest.mark.parametrize("armed", ["", "person_reserved"])
def test_a_point_that_is_not_armed_is_passed(tmp_path: Path, armed: str) -> None:
    if armed:
        (tmp_path / armed).write_text("KILL")
    assert outcome(tmp_path) == (0, "first\n")


def test_an_armed_point_kills_the_first_that_comes_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "reply_read").write_text("KILL")
    assert outcome(tmp_path) == (-signal.SIGKILL, "")
    assert outcome(tmp_path) == (0, "first\n")
    assert [path.name.partition(".")[0] for path in tmp_path.iterdir()] == ["reply_read"]
