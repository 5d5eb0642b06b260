"""The requests that the mock has received: in memory, in a file, and as totals."""

import json
import os
import stat
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from detectors.json_values import JsonObject
from winback.simulation.mock_api.replies import Outcome
from worker.errors import StartError


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One request to the API.

    Attributes:
        at: When it was received, in seconds since the epoch.
        path: The documented address that it was sent to.
        status: The status of the reply; None if the connection was closed instead.
        outcome: The result of the request.
        key: Its idempotency key, if well-formed.
        raw: The body as received.
        headers_ok: Whether its headers were valid; None if they weren't checked.
        problems: One line for each breach of the contract.
    """

    at: float
    path: str
    status: int | None
    outcome: Outcome
    key: str | None
    raw: bytes
    headers_ok: bool | None
    problems: tuple[str, ...]


class Ledger:
    """All requests so far. Not thread-safe."""

    def __init__(self, store: Path | None, keep: int) -> None:
        self._file = _open(store) if store else None
        self._keep = keep
        self.clear()

    def clear(self) -> None:
        """Clear the memory and restart the totals. The file stays as it is."""
        self._latest: deque[tuple[RequestEntry, bool]] = deque(maxlen=self._keep)
        self._counts: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._known: set[str] = set()
        self._contacts: Counter[str] = Counter()

    def note(self, entry: RequestEntry, document: object) -> None:
        """Record one request, to the file before anything else.

        Args:
            entry: The request.
            document: Its parsed body; None if it wasn't parsed or isn't JSON.

        Raises:
            OSError: The file can't be written; nothing was recorded.
        """
        session = text_at(document, "session", "session_id")
        answered_well = entry.outcome in {"accepted", "replayed"}
        duplicate = answered_well and not self._known.isdisjoint({entry.key, session})
        if self._file is not None:
            line = _line(entry, document, duplicate=duplicate) + b"\n"
            if os.write(self._file, line) != len(line):
                raise OSError("the line was written only in part")
        self._latest.append((entry, duplicate))
        self._counts["requests"] += 1
        self._counts[entry.outcome] += 1
        self._counts["duplicates"] += duplicate
        self._statuses["none" if entry.status is None else str(entry.status)] += 1
        if entry.headers_ok is not None:
            self._counts["invalid" if entry.problems else "valid"] += 1
        if answered_well:
            self._known.update(known for known in (entry.key, session) if known is not None)
        if entry.outcome == "accepted" and (phone := text_at(document, "customer", "phone_number")):
            self._contacts[phone] += 1

    def summary(self) -> JsonObject:
        """Return the totals since the start or the last `clear`.

        `accepted` requests are those that would contact a person. `duplicates` are accepted or replayed ones whose
        idempotency key or session id had been accepted before. `valid` and `invalid` count only validated requests,
        regardless of the reply. `statuses` counts the replies, with `none` for missing ones.
        """
        names = ("requests", "accepted", "valid", "invalid", "replayed", "in_flight", "refused", "forced", "dropped")
        return {
            **{name: self._counts[name] for name in names},
            "duplicates": self._counts["duplicates"],
            "people_contacted": len(self._contacts),
            "people_contacted_more_than_once": sum(contacts > 1 for contacts in self._contacts.values()),
            "statuses": dict(sorted(self._statuses.items())),
        }

    def requests(self) -> bytes:
        """Return the latest requests as JSON, oldest first, and the number of earlier ones not in memory any more."""
        lines = [_line(entry, _read(entry.raw), duplicate=duplicate) for entry, duplicate in self._latest]
        left_out = self._counts["requests"] - len(lines)
        return b'{"left_out": %d, "requests": [%s]}' % (left_out, b", ".join(lines))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def text_at(document: object, *path: str) -> str | None:
    """Return the text under these names, or None if there is none."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, str) else None


def _line(entry: RequestEntry, document: object, *, duplicate: bool) -> bytes:
    record = {
        "received_at": datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "path": entry.path,
        "status": entry.status,
        "outcome": entry.outcome,
        "idempotency_key": entry.key,
        "headers_ok": entry.headers_ok,
        "valid": None if entry.headers_ok is None else not entry.problems,
        "duplicate": duplicate,
        "problems": list(entry.problems),
        # Bytes that aren't UTF-8 are kept as lone surrogates: encode("utf-8", "surrogateescape") restores them.
        "body_raw": entry.raw.decode("utf-8", "surrogateescape"),
    }
    try:
        return json.dumps({**record, "body": document}, allow_nan=False).encode()
    except ValueError:
        # Python reads NaN and 1e999, but JSON can't represent the results.
        return json.dumps({**record, "body": None}).encode()


def _read(raw: bytes) -> object:
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _open(store: Path) -> int:
    try:
        file = os.open(store, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        # It may have existed before, readable for others. Only the mode of a plain file may be changed.
        if stat.S_ISREG(os.fstat(file).st_mode):
            os.fchmod(file, 0o600)
    except OSError as exc:
        raise StartError(f"--store {store}: {exc.strerror}; name a file that can be written") from exc
    return file
