"""Recordings of a few sessions as files, in minutes from a moment, and the commands that read them."""

import gzip
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from winback.cli.commands import run

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
LONG_BEFORE = -30 * 24 * 60
"""The minute of an event with which the tests' sessions are far from the recording's begin."""
ENDS = 2880
Line = dict[str, Any]
NO_QUIET_HOURS = {"WINBACK_CONTACT__QUIET_HOURS": "off"}
FAR = {
    f"WINBACK_DETECTION__IDLE__{stage}": "6d" for stage in ("PRODUCT_SELECTION", "CART_REVIEW", "CHECKOUT", "PAYMENT")
}
"""Thresholds that use no contact up."""


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.out)

    def stage(self, name: str = "checkout", platform: str | None = None) -> Any:  # noqa: ANN401 - as above
        rows = self.document["stages"]
        return next(row for row in rows if (row["stage"], row["platform"]) == (name, platform))

    def counts(self, *minutes: int) -> list[tuple[int, int]]:
        """Return contacts that were followed, and returns, at some thresholds of the checkout."""
        found = {point["threshold_seconds"] // 60: point for point in self.stage()["curve"]}
        return [
            (found[minute]["followed"], found[minute]["returned"]) if minute in found else (0, 0) for minute in minutes
        ]


def moment(minute: float) -> str:
    return (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def seen(session: str, minute: float, stage: str = "checkout", **more: Line) -> Line:
    return {
        "session_id": session,
        "type": "activity",
        "occurred_at": moment(minute),
        "flow_stage": stage,
        "platform": "web",
        **more,
    }


def ordered(session: str, minute: float, **more: Line | list[str]) -> Line:
    return {"session_id": session, "type": "order_completed", "occurred_at": moment(minute), **more}


def clock(minute: float = ENDS) -> Line:
    return seen("clock-1", minute, "payment")


def recorded(path: Path, lines: Iterable[Line], *, packed: bool = False, ends: float = ENDS) -> str:
    """Write a recording that began long before its sessions; return its path."""
    every = [clock(LONG_BEFORE), *lines, clock(ends)]
    text = "".join(json.dumps(line) + "\n" for line in sorted(every, key=lambda line: line["occurred_at"])).encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    return str(path)


def winback(*arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Ran:
    """Run a command in this process."""
    out, err = TextIOWrapper(BytesIO(), "utf-8"), TextIOWrapper(BytesIO(), "utf-8")
    fake_in = TextIOWrapper(BytesIO(stdin), "utf-8")
    with (
        patch.object(sys, "argv", ["winback", *arguments]),
        patch.multiple(sys, stdout=out, stderr=err, stdin=fake_in),
        patch.dict("os.environ", {**NO_QUIET_HOURS, **FAR, "WINBACK_CONFIG": "/dev/null", **(env or {})}),
    ):
        code = run() or 0
        out.flush()
        err.flush()
        shown = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return Ran(code, *shown)
