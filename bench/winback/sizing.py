"""The needs of a shop of some size: arithmetic on measured figures. Cog puts both on `docs/explanation/sizing.md`."""

import json
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median

from redis.crc import key_slot

from bench.results import KEPT
from state.keys import DAY_MS, OUTREACH_TTL_MS, SESSION_TTL_MS
from state.partitions import PARTITIONS

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "sizing.md"
SLOTS = 16384
DAY_S = 86_400
EVENTS_A_SESSION, PEAK = 10, 10
KNOWN, ABANDONED = 0.1, 0.7
MOST_BUSY = 0.7
NODE_BYTES = 24 * 10**9
SESSION_DAYS, OUTREACH_DAYS = SESSION_TTL_MS // DAY_MS, OUTREACH_TTL_MS // DAY_MS
DISPATCH_S = 0.25
"""`delivery.dispatch_interval`."""
LATENCY_S = 0.5
DEFAULT_IN_FLIGHT = 128
SHOPPERS = (10_000, 100_000, 1_000_000, 14_300_000, 100_000_000)
"""The last but one keeps a hundred million sessions."""

FIGURES = {
    "write": ("XADD one at a time, 64 connections, server", "us"),
    "read": ("XREADGROUP and acknowledge, server", "us"),
    "apply": ("event, server, 3,000,000 waiting", "us"),
    "ingest": ("event, ingest process, 3,000,000 waiting", "us"),
    "spread": ("event, three nodes together against one server", ""),
    "spread_ingest": ("event, ingest process, three nodes", "us"),
    "anonymous": ("waiting session, anonymous", "bytes"),
    "known": ("waiting session, example's data", "bytes"),
    "contacted": ("contacted session, example's data, with its outreach and person", "bytes"),
    "attempts": ("500 ms API, recover worker, prefork 32", "/s"),
    "contact": ("500 ms API, Redis's processor time of an attempt", "us"),
    "worker": ("memory of recover under that load (PSS)", "MiB"),
    "dispatched": ("contacts handed out, RabbitMQ as broker", "/s"),
}
"""By short name: the name of the figure in the results, and its unit."""

HEADS = (
    "shoppers a day",
    "events/s, mean and peak",
    "contacts/s at peak",
    "sessions kept",
    "Redis memory",
    "Redis busy at peak: stream, all else",
    "Redis nodes",
    "ingest",
    "recover workers",
    "their memory",
    "`in_flight`",
)

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Size:
    """The needs of a shop of some size at its peak."""

    shoppers: int
    events: float
    """Per second."""
    contacts: float
    """Per second."""
    sessions: int
    """Kept at a time."""
    memory_bytes: float
    stream_busy: float
    """Share of one server's thread for writing and reading the stream."""
    apply_busy: float
    """All other work of the servers, on as many threads as there are nodes."""
    nodes: int
    """Nodes with partitions; one also has the stream, unless there are several."""
    streams: int
    """Nodes that only have a stream, and so the number of streams; 0: the stream fits next to the partitions."""
    ingest: int
    recover: int
    recover_bytes: float
    in_flight: int


def size(shoppers: int, has: Figures) -> Size:
    """Return the needs of this many sessions a day.

    Raises:
        ValueError: As many nodes as there are partitions aren't enough.
    """
    events = shoppers * EVENTS_A_SESSION / DAY_S * PEAK
    contacts = shoppers * KNOWN * ABANDONED / DAY_S * PEAK
    sessions = shoppers * SESSION_DAYS
    each = (1 - KNOWN) * has["anonymous"] + KNOWN * has["known"]
    outreaches = shoppers * KNOWN * ABANDONED * OUTREACH_DAYS
    memory = sessions * each + outreaches * (has["contacted"] - has["known"])
    stream = events * (has["write"] + has["read"]) / 1e6
    apply = (events * (has["apply"] - has["read"]) + contacts * has["contact"]) / 1e6
    nodes, streams, ingest_us = 1, 0, has["ingest"]
    if stream + apply > MOST_BUSY or memory > NODE_BYTES:
        apply *= has["spread"]
        ingest_us = has["spread_ingest"]
        streams = ceil(stream / MOST_BUSY)
        nodes = _fewest_nodes(memory, apply)
        if not nodes:
            raise ValueError(f"{shoppers:,} shoppers a day: too many for {PARTITIONS} nodes of {_amount(NODE_BYTES)}")
    recover = max(1, ceil(contacts / has["attempts"] / MOST_BUSY))
    return Size(
        shoppers=shoppers,
        events=events,
        contacts=contacts,
        sessions=sessions,
        memory_bytes=memory,
        stream_busy=stream,
        apply_busy=apply,
        nodes=nodes,
        streams=streams,
        ingest=max(1, ceil(events * ingest_us / 1e6 / MOST_BUSY)),
        recover=recover,
        recover_bytes=recover * has["worker"] * 2**20,
        in_flight=max(DEFAULT_IN_FLIGHT, ceil(contacts * (DISPATCH_S + LATENCY_S) / MOST_BUSY)),
    )


def _fewest_nodes(memory_bytes: float, busy: float) -> int:
    """Return how many nodes, two or more, can hold all partitions; 0: as many as there are partitions can't."""
    enough = (
        number
        for number in range(2, PARTITIONS + 1)
        if memory_bytes * fullest(number) / number <= NODE_BYTES and busy * fullest(number) / number <= MOST_BUSY
    )
    return next(enough, 0)


def fullest(nodes: int) -> float:
    """Return the partitions of the fullest node relative to the mean, with evenly distributed slots."""
    parts = [0] * nodes
    for number in range(PARTITIONS):
        slot = key_slot(f"{number:02d}".encode())
        parts[next(place for place in range(nodes) if slot < SLOTS * (place + 1) // nodes)] += 1
    return max(parts) / (PARTITIONS / nodes)


def table(has: Figures) -> str:
    """Return the sizes as a table."""
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    for found in (size(shoppers, has) for shoppers in SHOPPERS):
        nodes = f"{found.nodes}" + (f" + {found.streams} for the stream" if found.streams else "")
        lines.append(
            f"| {found.shoppers:,} | {found.events / PEAK:,.0f}, {found.events:,.0f} | {found.contacts:,.1f} |"
            f" {found.sessions:,} | {_amount(found.memory_bytes)} | {found.stream_busy:.0%}, {found.apply_busy:.0%} |"
            f" {nodes} | {found.ingest} | {found.recover} | {_amount(found.recover_bytes)} | {found.in_flight} |"
        )
    return "\n".join(lines)


def _amount(number: float) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:,.0f} MB"


def figures_in(results: Path = KEPT) -> Figures:
    """Return the medians of a file of results."""
    found = json.loads(results.read_text(encoding="utf-8"))
    listed = found["figures"] if isinstance(found, dict) else found
    rounds = {figure["name"]: figure["rounds"] for figure in listed}
    return {short: median(rounds[name]) for short, (name, _) in FIGURES.items()}


def figures_table(has: Figures) -> str:
    """Return the figures as a table."""
    rows = [f"| `{short}` | {name} | {has[short]:,.2f} {unit} |" for short, (name, unit) in FIGURES.items()]
    return "\n".join(["| | measured | median |", "|---|---|---|", *rows])
