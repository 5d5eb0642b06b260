"""The lines of roles reach the output complete."""

import io
import time
from pathlib import Path

import pytest

from tests.support.processes import (
    SLEEP,
    Lines,
    Terminal,
    python,
)
from worker.supervision.child_process import PrefixedOutput
from worker.supervision.supervisor import (
    STOP_ORDER,
    Supervisor,
)


@pytest.fixture
def lines() -> Lines:
    return Lines()


def test_both_outputs_of_a_role_are_passed_on_completely(lines: Lines) -> None:
    code = """
import signal, sys, time
def last_words(*_):
    sys.stdout.write("".join(f"  {n} \\n" for n in range(2_000)) + "without an end")
    sys.exit()
signal.signal(signal.SIGTERM, last_words)
print("to stderr", file=sys.stderr, flush=True)
time.sleep(600)
"""

    def slowly(role: str, line: str) -> None:
        time.sleep(0.0002)  # most lines are still in the pipe when the role is gone
        lines(role, line)

    with Supervisor([python("beat", code)], output=slowly) as supervisor:
        supervisor.wait_until(lambda: lines.of("beat") == ["to stderr"])
    assert lines.of("beat") == ["to stderr", *(f"  {n} " for n in range(2_000)), "without an end"]


def test_endless_line_is_split_and_bad_bytes_are_harmless(lines: Lines) -> None:
    code = "import sys, time; sys.stdout.buffer.write('é'.encode() * 200_000 + b'\\nok \\xff\\n'); sys.stdout.flush(); "
    with Supervisor([python("sweep", code + SLEEP)], output=lines) as supervisor:
        supervisor.wait_until(lambda: "ok \ufffd" in lines.of("sweep"))
    *pieces, _ = lines.of("sweep")
    assert "".join(pieces) == "é" * 200_000
    assert len(pieces) > 1


def test_lines_of_several_roles_never_mix(tmp_path: Path) -> None:
    code = "import sys\nfor n in range(500): print(sys.argv[1] * 300)\nprint('done', flush=True)\n" + SLEEP
    with (tmp_path / "log").open("w+") as log:
        with Supervisor([python(name, code, name) for name in STOP_ORDER], output=PrefixedOutput(log)) as supervisor:
            supervisor.wait_until(lambda: (tmp_path / "log").read_text().count("| done\n") == len(STOP_ORDER))
        written = (tmp_path / "log").read_text().splitlines()
    assert sorted(set(written)) == sorted(f"{name:<8} | {text}" for name in STOP_ORDER for text in (name * 300, "done"))
    assert len(written) == 501 * len(STOP_ORDER)


def test_prefixes_are_coloured_only_on_a_terminal() -> None:
    plain, terminal = io.StringIO(), Terminal()
    PrefixedOutput(plain)("beat", "tick")
    PrefixedOutput(terminal)("beat", "tick")
    assert plain.getvalue() == "beat     | tick\n"
    assert terminal.getvalue() == "\x1b[31mbeat     | \x1b[0mtick\n"


def test_roles_continue_when_their_output_is_closed(tmp_path: Path) -> None:
    closed = (tmp_path / "log").open("w")
    output = PrefixedOutput(closed)
    closed.close()
    code = "import sys\nfor n in range(20_000): print('x' * 100)\nopen(sys.argv[1], 'w').close()\n" + SLEEP
    with Supervisor([python("ingest", code, tmp_path / "done")], output=output) as supervisor:
        supervisor.wait_until((tmp_path / "done").exists)
        assert supervisor.alive()
