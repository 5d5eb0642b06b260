"""A table in PostgreSQL: upserts in batches, and polls of an index with SKIP LOCKED.

As a program it is the poll that reports.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

import psycopg

from bench.alternatives.fed_from_stream import fed
from bench.alternatives.measure import Meter
from bench.alternatives.postgres_server import PostgresServer
from bench.alternatives.reports import ready, report, server_url, silent_ms
from bench.alternatives.workload import BATCH, Cost, sessions_in
from bench.shop_log import Logged
from worker.supervision.embedded_valkey import EmbeddedValkey

POLL_EVERY_S = 1.0
POLL_ROWS = 20
TABLE = """
DROP TABLE IF EXISTS session;
CREATE TABLE session (
  session_id text PRIMARY KEY,
  last_activity timestamptz NOT NULL,
  stage text NOT NULL,
  platform text NOT NULL,
  cart jsonb,
  full_name text,
  phone_number text,
  country_code text,
  language text,
  reported_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX waiting ON session (last_activity) WHERE reported_at IS NULL;
"""
PERSON = ("full_name", "phone_number", "country_code", "language")
COLUMNS = ("session_id", "last_activity", "stage", "platform", "cart", *PERSON)
TYPES = ("text", "timestamptz", "text", "text", "jsonb", *["text"] * len(PERSON))
UPSERT = f"""
INSERT INTO session AS known ({", ".join(COLUMNS)})
SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in TYPES)})
ON CONFLICT (session_id) DO UPDATE SET
  last_activity = excluded.last_activity, stage = excluded.stage, platform = excluded.platform, reported_at = NULL,
  {", ".join(f"{name} = coalesce(excluded.{name}, known.{name})" for name in COLUMNS[4:])}
WHERE excluded.last_activity > known.last_activity
"""  # noqa: S608 - constants of this file
SILENT = """
SELECT session_id, stage, platform, cart, full_name, phone_number, country_code, language FROM session
WHERE reported_at IS NULL AND last_activity < now() - %s * interval '1 millisecond'
ORDER BY last_activity LIMIT %s FOR UPDATE SKIP LOCKED
"""
REPORTED = "UPDATE session SET reported_at = now() WHERE session_id = ANY(%s)"


def cost(server: PostgresServer, log: Sequence[Logged], *, synchronous: bool) -> Cost:
    """Write a log, one transaction per batch. `synchronous`: a commit waits for the disk, as by default."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute("SELECT set_config('synchronous_commit', %s, false)", ["on" if synchronous else "off"])
        meter = Meter(server.pid)
        with meter.running():
            for start in range(0, len(log), BATCH):
                note(connection, [event for _, event in log[start : start + BATCH]])
        row = connection.execute("SELECT count(*), pg_total_relation_size('session') FROM session").fetchone()
    assert row is not None
    assert row[0] == sessions_in(log)
    return meter.cost(log, row[1])


def cost_fed(server: PostgresServer, stream: EmbeddedValkey, log: Sequence[Logged]) -> Cost:
    """Write a log that is read from a stream, as in Winback; a commit doesn't wait for the disk, as there."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute("SELECT set_config('synchronous_commit', 'off', false)")
        return fed(stream, log, lambda events: note(connection, events), server.pid)


def note(connection: psycopg.Connection[Any], events: Sequence[dict[str, Any]]) -> None:
    """Write events of any number of sessions; one statement can touch a row once, so events of a session are merged."""
    rows: dict[str, dict[str, Any]] = {}
    for event in events:
        row = rows.setdefault(event["session_id"], {})
        row["last_activity"], row["stage"], row["platform"] = (
            event["occurred_at"],
            event["flow_stage"],
            event["platform"],
        )
        if cart := event.get("cart"):
            row["cart"] = json.dumps(cart)
        if customer := event.get("customer"):
            row |= customer
    # Sorted, so that two writers can't block each other.
    sessions = sorted(rows)
    columns = [[rows[session].get(name) for session in sessions] for name in COLUMNS[1:]]
    connection.execute(UPSERT, [sessions, *columns], prepare=True)


def main() -> None:
    with psycopg.connect(server_url()) as connection:
        connection.execute("SELECT 1")
        connection.commit()
        ready()
        next_at = monotonic()
        while True:
            while found := connection.execute(SILENT, [silent_ms(), POLL_ROWS]).fetchall():
                for session, *_ in found:
                    report(session)
                connection.execute(REPORTED, [[session for session, *_ in found]])
                connection.commit()
            connection.commit()
            next_at += POLL_EVERY_S
            sleep(max(0.0, next_at - monotonic()))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
