"""Replay: sends recorded events again, with the recorded gaps divided by a speed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tasks.delivery.addresses import is_loopback
from winback.operations.json_lines import JsonLine
from winback.operations.recorded_events import NotReplayableError, Schedule, read, retimed
from worker.errors import StartError

LONGEST_PAUSE_S = 0.2
"""The longest time until a Ctrl-C is noticed, and the interval of a progress bar."""
SHORTEST_PAUSE_S = 0.001
"""Events that are due within this time are sent together."""
BURST_S = 0.1
"""After a pause that took too long, a replay can exceed its maximum rate by this many seconds of events."""


@dataclass(slots=True)
class ReplayTotals:
    """The progress of a replay."""

    sent: int = 0
    skipped: int = 0
    """Lines without a time at which to send them."""
    out_of_order: int = 0
    """Events that occurred before an earlier line's event; sent immediately."""
    seconds: float = 0.0
    first_ms: int = 0
    """When the first event occurred (Unix ms); 0 before it."""
    latest_ms: int = 0
    """When the latest of the events so far occurred (Unix ms)."""
    lag_s: float = 0.0
    """How late the first event of the last batch was sent."""
    worst_lag_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Return the events sent per second since the start."""
        return self.sent / self.seconds if self.seconds else 0.0


class Replay:
    """One replay. The clock (Unix s), the pauses and the sending are arguments."""

    def __init__(
        self,
        send: Callable[[Sequence[bytes]], object],
        *,
        speed: float,
        now: Callable[[], float],
        pause: Callable[[float], object],
        stopped: Callable[[], bool],
        limit: int | None = None,
        max_rate: float | None = None,
        skipped: Callable[[str], None] = lambda _: None,
        progress: Callable[[ReplayTotals], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing happens before `run`.

        Args:
            send: Takes events as JSON, in the order in which they are to arrive.
            speed: 2 halves every gap.
            now: The clock.
            pause: Waits for a number of seconds, or less if the replay is being stopped.
            stopped: Returns whether it is being stopped.
            limit: End after this number of events.
            max_rate: The highest number of events per second, even if more are due.
            skipped: Called with the reason why a line was left out.
            progress: Called with the progress after each batch and each pause.
        """
        self._send = send
        self._speed = speed
        self._now = now
        self._pause = pause
        self._stopped = stopped
        self._limit = limit
        self._spacing_s = 1 / max_rate if max_rate else 0.0
        self._skipped = skipped
        self._progress = progress
        self._batch: list[bytes] = []
        self._batch_due_s: float | None = None
        self._schedule: Schedule | None = None
        self._next_free_s = 0.0
        self.totals = ReplayTotals()

    def run(self, batches: Iterable[Sequence[JsonLine]]) -> None:
        """Send every event at its time, until the end, the limit, or a stop.

        Due events are never delayed by waiting for a batch of lines.

        Raises:
            StateError: From `send`.
        """
        for lines in batches:
            for line in lines:
                if self._is_over():
                    break
                self._take(line)
            self._flush()
            if self._is_over():
                break

    def _is_over(self) -> bool:
        return self._stopped() or (self._limit is not None and self.totals.sent + len(self._batch) >= self._limit)

    def _take(self, line: JsonLine) -> None:
        try:
            event, recorded_ms = read(line.text)
        except NotReplayableError as exc:
            self.totals.skipped += 1
            self._skipped(f"line {line.number}: {exc}")
            return
        if self._schedule is None:
            self._next_free_s = self._now()
            self._schedule = Schedule(recorded_ms, round(self._next_free_s * 1000), self._speed)
            self.totals.first_ms = recorded_ms
        in_order = recorded_ms >= self.totals.latest_ms
        due_s = self._schedule.moment(recorded_ms) / 1000
        if not self._waits_until(due_s):
            return
        self._batch.append(retimed(event, recorded_ms, self._schedule))
        if in_order:
            self.totals.latest_ms = recorded_ms
            # An event that is out of order was due long before it was read: it doesn't count for the lag.
            self._batch_due_s = due_s if self._batch_due_s is None else self._batch_due_s
        else:
            self.totals.out_of_order += 1

    def _waits_until(self, due_s: float) -> bool:
        """Send due events in the meantime; return False if the replay is being stopped."""
        now = self._now()
        due_s = max(due_s, self._next_free_s)
        while (left := due_s - now) > 0:
            self._flush()
            if self._stopped():
                return False
            self._pause(min(max(left, SHORTEST_PAUSE_S), LONGEST_PAUSE_S))
            self._show()
            now = self._now()
        if self._spacing_s:
            self._next_free_s = max(self._next_free_s, now - BURST_S) + self._spacing_s
        return True

    def _flush(self) -> None:
        if not self._batch:
            return
        self.totals.lag_s = 0.0 if self._batch_due_s is None else max(0.0, self._now() - self._batch_due_s)
        self.totals.worst_lag_s = max(self.totals.worst_lag_s, self.totals.lag_s)
        self._send(self._batch)
        self.totals.sent += len(self._batch)
        self._batch, self._batch_due_s = [], None
        self._show()

    def _show(self) -> None:
        if self._schedule is not None:
            self.totals.seconds = self._now() - self._schedule.start_ms / 1000
        self._progress(self.totals)


def require_harmless(mode: str, endpoint: str, *, whose: str = "delivery") -> None:
    """Refuse to replay if people would be contacted about activity from long ago.

    Args:
        mode: `live`, `shadow`, or empty if unknown.
        endpoint: The address for requests.
        whose: Whose mode it is: `delivery` for the settings here.

    Raises:
        StartError: Requests are sent, and not to this machine.
    """
    import httpx

    if mode == "live" and not is_loopback(httpx.URL(endpoint).host):
        host = httpx.URL(endpoint).host
        raise StartError(
            f"replay: {whose}.mode is live and {whose}.endpoint is {host}: people would be contacted about the past; "
            "set WINBACK_DELIVERY__MODE=shadow, or point WINBACK_DELIVERY__ENDPOINT at winback mock-api"
        )
