"""Ingest, stream to applied, one process, beside plain pipelined HSET+ZADD from Python on the same server."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, sleep, time

from redis import Redis

from worker import runtime
from worker.ingest import Ingest, calm_collector
from worker.settings import load
from worker.valkey import EmbeddedValkey

EVENTS_PER_SESSION = 10
EVENTS_BEFORE_LOGIN = 3
STAGES = ("product_selection",) * 7 + ("cart_review", "cart_review", "checkout")
"""Where a session is at each of its events: forward through the flow, as a shopper goes."""
CART = {
    "total_value": 149.99,
    "currency": "COP",
    "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
}


def events(number: int, seed: int = 1) -> list[dict[str, object]]:
    """Make events like a shop's: ten a session, forward through the flow, some carts, some customers."""
    random, began, seen = Random(seed), time() - 60, Counter[str]()
    found: list[dict[str, object]] = []
    for index in range(number):
        session = f"sess_{random.randrange(number // EVENTS_PER_SESSION):09x}"
        stage = STAGES[min(seen[session], len(STAGES) - 1)]
        seen[session] += 1
        event: dict[str, object] = {
            "session_id": session,
            "type": "activity",
            "occurred_at": datetime.fromtimestamp(began + index * 60 / number, UTC).isoformat(),
            "flow_stage": stage,
            "platform": "web",
        }
        if random.random() < 0.15:
            event["cart"] = CART
        # A tenth of the shoppers is known from their fourth event on, and then with every event.
        number_in_shop = int(session.removeprefix("sess_"), 16)
        if number_in_shop % 10 == 0 and seen[session] > EVENTS_BEFORE_LOGIN:
            phone = f"+57300{number_in_shop:07d}"
            event["customer"] = {"full_name": "Jane Doe", "phone_number": phone, "country_code": "CO", "language": "es"}
        found.append(event)
    return found


def measure(number: int = 200_000, rounds: int = 3) -> list[tuple[float, float]]:
    """Return, for each round, events a second of ingest and of the plain commands."""
    made = events(number)
    lines = [json.dumps(event) for event in made]
    calm_collector()
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        env = {"WINBACK_REDIS_URL": server.url, "WINBACK_IDENTITY_SECRET": "bench-bench-bench"}
        return [(_rate(env, lines), _plain(server.url, made)) for _ in range(rounds)]


def _rate(env: dict[str, str], lines: list[str]) -> float:
    state = filled(env, lines)
    began = perf_counter()
    ingested(env, state, len(lines))
    return len(lines) / (perf_counter() - began)


def filled(env: dict[str, str], lines: list[str]) -> runtime.State:
    """Return an emptied server with these events in its stream."""
    state = runtime.open_state(load(env))
    state.client.flushall()
    state.stream.create_group()
    for start in range(0, len(lines), 5000):
        pipe = state.client.pipeline(transaction=False)
        for line in lines[start : start + 5000]:
            pipe.xadd(state.keys.events, {"event": line})
        pipe.execute()
    return state


def ingested(env: dict[str, str], state: runtime.State, number: int) -> None:
    """Apply that many events."""
    settings = load({**env, "WINBACK_INGEST__BLOCK": "100ms"})
    process = Ingest(
        stream=state.stream,
        sessions=state.sessions,
        people=state.people,
        attribution=state.attribution,
        secret=runtime.identity_secret(settings),
        settings=settings.ingest,
        consumer="bench",
        beat=lambda: None,
    )
    process.run(lambda: process.totals.entries >= number, sleep)
    assert process.totals.rejected == 0


def _plain(url: str, made: list[dict[str, object]]) -> float:
    client = Redis.from_url(url)
    client.flushall()
    began, now = perf_counter(), time()
    for start in range(0, len(made), 1000):
        pipe = client.pipeline(transaction=False)
        for event in made[start : start + 1000]:
            session = str(event["session_id"])
            pipe.hset(
                f"session:{session}", mapping={"stage": str(event["flow_stage"]), "at": str(event["occurred_at"])}
            )
            pipe.zadd("idle", {session: now})
        pipe.execute()
    return len(made) / (perf_counter() - began)


if __name__ == "__main__":
    for ours, plain in measure():
        print(f"ingest {ours:,.0f}/s, plain HSET+ZADD {plain:,.0f}/s, ratio {ours / plain:.2f}")
