"""A replay with its own clock."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from winback.operations.json_lines import JsonLine
from winback.operations.replay import Replay, ReplayTotals

MAY = datetime(2025, 5, 13, 22, 40, tzinfo=UTC)
NOW_S = 1_800_000_000.0


class Stage:
    """A clock that only pauses move, and the sends at each of its moments."""

    def __init__(self) -> None:
        self.now = NOW_S
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.skipped: list[str] = []
        self.stop_at = float("inf")

    def play(
        self,
        lines: Sequence[JsonLine],
        *,
        speed: float = 1.0,
        chunk: int = 1000,
        limit: int | None = None,
        max_rate: float | None = None,
        send: Callable[[Sequence[bytes]], None] | None = None,
    ) -> ReplayTotals:
        run = Replay(
            self.send if send is None else send,
            speed=speed,
            now=lambda: self.now,
            pause=self.pause,
            stopped=lambda: self.now >= self.stop_at,
            limit=limit,
            max_rate=max_rate,
            skipped=self.skipped.append,
        )
        run.run(lines[start : start + chunk] for start in range(0, len(lines), chunk))
        return run.totals

    def send(self, events: Sequence[bytes]) -> None:
        self.sent += [(self.now - NOW_S, json.loads(event)) for event in events]

    def pause(self, seconds: float) -> None:
        self.now += seconds

    @property
    def moments(self) -> list[float]:
        return [round(at, 2) for at, _ in self.sent]


def recorded(*seconds: float, **more: object) -> list[JsonLine]:
    return [
        JsonLine(number, json.dumps({"occurred_at": iso(after), "n": number, **more}).encode())
        for number, after in enumerate(seconds, 1)
    ]


def iso(after_s: float) -> str:
    return (MAY + timedelta(seconds=after_s)).isoformat()


def moment_s(event: dict[str, Any], field: str = "occurred_at") -> float:
    return datetime.fromisoformat(event[field]).timestamp() - NOW_S
