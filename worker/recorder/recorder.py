"""The recorder: reads copies of applied events, writes them to files, and only then removes them."""

import secrets
import time
from collections.abc import Callable
from threading import Event

import structlog

from state.errors import StateError
from state.recording import Copies, Copy, RecorderReport
from tasks.failpoints import reached
from worker.monitoring.alarms import ALARM
from worker.recorder.files import RecordingFiles
from worker.recorder.lines import line_of
from worker.recorder.pseudonyms import Pseudonyms

TURN_S = 15.0
"""How long a recorder keeps the turn after it stopped renewing it."""
ROUND_S = 2.0
"""Copies are collected for this long, so that they compress well."""
AT_A_TIME = 5000
DISK_AWAY_S = 30.0
STATE_AWAY_S = 2.0

log = structlog.stdlib.get_logger("winback.recorder")


class Recorder:
    """One process that records. Of several, one has the turn, and the others wait for it."""

    def __init__(
        self,
        copies: Copies,
        files: RecordingFiles,
        pseudonyms: Pseudonyms,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        self._copies, self._files, self._pseudonyms = copies, files, pseudonyms
        self._monotonic, self._heartbeat = monotonic, heartbeat
        self._name = secrets.token_hex(8)
        self._disk_at = float("-inf")
        self._written = 0
        self.why = ""
        """Why nothing is written; empty if it is."""
        self.has_turn = False

    def run(self, stopped: Event) -> None:
        """Record until `stopped`. While Redis is down, nothing is recorded."""
        problem = ""
        while not stopped.is_set():
            try:
                is_full = self.step()
                problem = ""
            except StateError as exc:
                if str(exc) != problem:
                    log.error("state_unreachable", error=str(exc), kept_in="Redis")  # noqa: TRY400 - one line
                problem = str(exc)
                stopped.wait(STATE_AWAY_S)
                continue
            if not is_full:
                stopped.wait(ROUND_S)
        self.stop()

    def step(self) -> bool:
        """Do one round; return whether there can be more copies.

        Raises:
            StateError: Redis doesn't answer. Copies are kept there.
        """
        self._heartbeat()
        self.has_turn = self._copies.take_turn(self._name, round(TURN_S * 1000))
        if not self.has_turn:
            self._files.end_file()
            return False
        # While the disk is full, no copies are asked for: they could only wait and expire.
        if self._monotonic() - self._disk_at < DISK_AWAY_S:
            self._report(asks=False)
            return False
        found = self._copies.read(AT_A_TIME)
        wrote = self._write(found)
        self._report(asks=wrote)
        return wrote and any(len(copies) >= AT_A_TIME for copies in found.values())

    def stop(self) -> None:
        """End the file, and report the end. Copies are made for another minute, for the next recorder."""
        self._files.end_file()
        try:
            if self.has_turn:
                self._report(asks=False, stops=True)
        except StateError as exc:
            log.error("state_unreachable", error=str(exc), kept_in="Redis")  # noqa: TRY400 - as above

    def _write(self, found: dict[str, list[Copy]]) -> bool:
        lines = [line for copies in found.values() for copy in copies if (line := self._line(copy)) is not None]
        if lines:
            try:
                self._files.write(b"".join(lines), self._copies.now_ms())
            except OSError as problem:
                self._fail((problem.strerror or "unknown error").lower())
                return False
            reached("recording_written")
        if self.why:
            log.info("recording_again")
        self.why = ""
        self._copies.remove(found)
        self._written += len(lines)
        return True

    def _line(self, copy: Copy) -> bytes | None:
        try:
            return line_of(copy.event, copy.arrival_ms, self._pseudonyms)
        except Exception as problem:  # noqa: BLE001 - one event must not end all recording; the text can be personal
            log.error("event_not_recorded", error=type(problem).__name__)  # noqa: TRY400 - as above
            return None

    def _fail(self, why: str) -> None:
        self._disk_at = self._monotonic()
        if why != self.why:
            text = f"the recording can't be written ({why}); events aren't recorded until it can"
            log.error(ALARM, alarm="recording", text=text)
        self.why = why

    def _report(self, *, asks: bool, stops: bool = False) -> None:
        counts = self._copies.sign(asks=asks)
        report = RecorderReport(self._written, counts.lost, self.why, self._files.size, stops)
        self._copies.report(report)
        self._written = 0
