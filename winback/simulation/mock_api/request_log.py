"""The line that the mock prints for each request, without personal data."""

import json
import os
import re
import sys
from datetime import UTC, datetime

from winback.simulation.mock_api.ledger import RequestEntry

# The characters of the shops' session ids. Any other text could be personal, and isn't printed.
_SESSION_ID = re.compile(r"[A-Za-z0-9._:\-~@+=]{1,128}")


class LinePrinter:
    """Prints to standard output without buffering, until its reader has closed it."""

    def __init__(self, *, quiet: bool, json_lines: bool) -> None:
        self._quiet = quiet
        self._json_lines = json_lines

    def request(self, entry: RequestEntry, session_id: str | None) -> None:
        """Print the time (UTC), status, outcome, idempotency key and session id of one request."""
        if self._quiet:
            return
        session = session_id if session_id is not None and _SESSION_ID.fullmatch(session_id) else None
        at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._json_lines:
            names = ("at", "status", "outcome", "idempotency_key", "session_id")
            self._write(
                json.dumps(dict(zip(names, (at, entry.status, entry.outcome, entry.key, session), strict=True)))
            )
        else:
            self._write(f"{at[11:]} {entry.status or '---'} {entry.outcome:<9} {entry.key or '-'} {session or '-'}")

    def listening(self, url: str) -> None:
        """Print the mock's address, even with `quiet`."""
        self._write(json.dumps({"listening": url}) if self._json_lines else f"winback mock-api listens on {url}")

    def _write(self, line: str) -> None:
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            # `winback mock-api | head` must not end the API; buffered output has to go somewhere at exit.
            self._quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
