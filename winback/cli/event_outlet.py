"""Sends the events of `winback event emit`, and prints their problems and warnings on stderr."""

import json as jsonlib
import time

import typer

from detectors.parsing import parse
from winback.operations import event_check
from winback.operations.event_request import Requests
from winback.operations.json_lines import JsonLine
from winback.operations.producer import Producer

_MOST_WARNINGS = 20


class Outlet:
    """Sends valid events and prints the problems of the others."""

    def __init__(self, producer: Producer, *, force: bool, json: bool) -> None:
        self._producer = producer
        self._force = force
        self._json = json
        self._requests = Requests()
        self._warnings = 0
        self.refused = 0

    def send(self, lines: list[JsonLine]) -> None:
        """Send those of the lines that have no problem, and print their ids."""
        now_ms = time.time_ns() // 1_000_000
        passed = [line for line in lines if self._force or self._is_sound(line, now_ms)]
        if not passed:
            return
        ids = self._producer.send([line.text for line in passed])
        if self._json:
            ids = [
                jsonlib.dumps({"line": line.number or None, "id": id_}) for line, id_ in zip(passed, ids, strict=True)
            ]
        typer.echo("\n".join(ids))

    def report(self) -> None:
        """Print the number of warnings that were left out, and the sessions that these events leave unreachable."""
        if self._warnings > _MOST_WARNINGS:
            left_out = self._warnings - _MOST_WARNINGS
            typer.echo(f"{left_out:,} more warnings; winback event check lists them", err=True)
        for why, sessions in self._requests.unreachable().items():
            which = "no request" if sessions == 1 else f"no request for {sessions:,} sessions"
            typer.echo(f"{which}: {why}", err=True)

    def _is_sound(self, line: JsonLine, now_ms: int) -> bool:
        findings = event_check.check(line.text, now_ms)
        if not event_check.is_refused(findings):
            self._warn(line, findings)
            if (event := parse(line.text).event) is not None:
                self._requests.after(event, now_ms)
            return True
        self.refused += 1
        problems = [finding for finding in findings if finding.level == "problem"]
        if self._json:
            typer.echo(jsonlib.dumps({"line": line.number or None, "problems": [str(one) for one in problems]}))
        for problem in problems:
            typer.echo(f"{line.label}{problem} (not sent; --force sends it anyway)", err=True)
        return False

    def _warn(self, line: JsonLine, findings: list[event_check.EventFinding]) -> None:
        for finding in findings:
            self._warnings += 1
            if self._warnings <= _MOST_WARNINGS:
                typer.echo(f"{line.label}warning: {finding}", err=True)
