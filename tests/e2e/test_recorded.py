"""A shop is recorded by real processes, and tuned on the recording, although a recorder is killed after a write."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tasks.failpoints import VARIABLE
from tests.support.processes import until
from tests.support.recordings import Line, clock, seen, winback
from tests.support.states import SECRET
from tests.support.stored_state import texts
from winback.tuning.files import RecordingFile
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("valkey")]

_CUSTOMER: Line = {"full_name": "Ana Diaz", "country_code": "CO"}


@pytest.fixture
def shop(valkey: EmbeddedValkey, real_state: State, tmp_path: Path) -> "Shop":
    return Shop(valkey, real_state, tmp_path)


class Shop:
    """A shop with ingest and a recorder."""

    def __init__(self, server: EmbeddedValkey, state: State, directory: Path) -> None:
        self.state, self._directory = state, directory
        self._env = {
            **os.environ,
            "WINBACK_REDIS_URL": server.url,
            "WINBACK_IDENTITY_SECRET": SECRET.decode(),
            "WINBACK_RECORD__DIRECTORY": str(directory / "rec"),
            VARIABLE: str(directory),
        }

    @contextmanager
    def running(self, role: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a role; stop it in order if it isn't dead."""
        with subprocess.Popen([sys.executable, "-m", "winback", role], env=self._env, cwd=self._directory) as process:
            try:
                yield process
            finally:
                process.terminate()

    def publish(self, lines: list[Line]) -> None:
        for line in lines:
            self.state.client.xadd(self.state.keys.events, {"event": json.dumps(line)})

    def report(self, name: str) -> str:
        return texts(self.state, self.state.keys.recorder).get(name, "")

    @property
    def files(self) -> list[str]:
        return sorted(map(str, (self._directory / "rec").glob("*.jsonl.gz")))

    @property
    def recorded(self) -> list[bytes]:
        return [line for name in self.files for line in lines_in(name)[0]]


def lines_in(name: str) -> tuple[list[bytes], bool]:
    """Return the lines of a file, and whether it is cut off."""
    file = RecordingFile(name)
    try:
        return [line for some in file for line in some.lines if line], file.is_cut_off
    finally:
        file.close()


def lines_of(number: int) -> list[Line]:
    """Return the events of shoppers. Half of them come back."""
    found = [clock(-10_000)]
    for shopper in range(number):
        customer = {**_CUSTOMER, "phone_number": f"+57300{shopper:07d}"}
        found.append(seen(f"s-{shopper}", shopper, customer=customer))
        if shopper % 2:
            found.append(seen(f"s-{shopper}", shopper + 20))
    return [*sorted(found, key=lambda line: str(line["occurred_at"])), clock(20_000)]


def test_shop_is_tuned_on_its_recording_after_a_kill(shop: Shop, tmp_path: Path) -> None:
    lines = lines_of(60)
    with ExitStack() as stack:
        first = stack.enter_context(shop.running("record"))
        until(lambda: shop.report("at"))
        stack.enter_context(shop.running("ingest"))
        (tmp_path / "recording_written").write_text("KILL")
        shop.publish(lines[:50])
        assert first.wait(timeout=30) == -9
        shop.publish(lines[50:])
        with shop.running("record"):
            until(lambda: int(shop.report("written") or 0) >= len(lines), within_s=40)
    assert shop.report("lost") == "0"
    assert len(shop.files) == 2
    assert not any(b"Ana" in line or b"573000000" in line for line in shop.recorded)
    assert len(set(shop.recorded)) == len(lines)
    (tmp_path / "own").write_text("".join(json.dumps(line) + "\n" for line in lines))
    own = winback("tune", "--shadow", "--json", str(tmp_path / "own"))
    ours = winback("tune", "--shadow", "--json", *shop.files)
    assert own.stage()["curve"][0]["contacts"] > 30
    assert ours.counts(2, 10, 30) == own.counts(2, 10, 30)


def test_torn_file_is_read_up_to_its_last_write(shop: Shop) -> None:
    lines = lines_of(3)
    with shop.running("record"), shop.running("ingest"):
        until(lambda: shop.report("at"))
        shop.publish(lines[:3])
        until(lambda: shop.report("written") == "3")
        shop.publish(lines[3:])
        until(lambda: shop.report("written") == str(len(lines)))
    (name,) = shop.files
    with Path(name).open("r+b") as file:
        file.truncate(Path(name).stat().st_size - 5)
    found, is_cut_off = lines_in(name)
    assert len(found) >= 3
    assert is_cut_off
