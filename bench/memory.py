"""Redis memory for one waiting session with the data of the README's example."""

from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from detectors.parsing import parse
from detectors.sequence import position
from state.sessions import Change
from tasks.record import fields_of
from worker import runtime
from worker.settings import load
from worker.valkey import EmbeddedValkey

EXAMPLE = (
    b'{"session_id":"%s","type":"activity","flow_stage":"checkout","platform":"web","customer":{"full_name":"Jane Doe",'
    b'"phone_number":"+573001234567","email":"jane.doe@example.com","country_code":"CO","language":"es"},"cart":'
    b'{"total_value":149.99,"currency":"COP","items":[{"name":"Wireless Headphones","sku":"WH-1000XM5","quantity":1,'
    b'"price":149.99}]},"engagement":{"preferred_channel":"auto","metadata":{"utm_campaign":"spring_sale",'
    b'"last_clicked_button":"Proceed to Payment"}}}'
)


def measure(number: int = 100_000) -> float:
    """Return bytes of Redis memory for each waiting session, with `number` of them."""
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        settings = load({"WINBACK_REDIS_URL": server.url, "WINBACK_IDENTITY_SECRET": "bench-bench-bench"})
        state = runtime.open_state(settings)
        plain = Redis.from_url(server.url)
        before = int(plain.info("memory")["used_memory_dataset"])
        now_ms = state.stream.watermark().now_ms
        for start in range(0, number, 1000):
            changes = []
            for index in range(start, start + 1000):
                event = parse(EXAMPLE % f"sess_{index:09x}".encode()).event
                assert event is not None
                assert event.session_id is not None
                at = position(event, now_ms + index)
                changes.append(
                    Change(
                        session_id=event.session_id,
                        stamp=at.stamp,
                        activity=at.activity,
                        signal=at.signal,
                        purchase=at.purchase,
                        silent_since_ms=at.silent_since_ms,
                        fields=fields_of(event),
                    )
                )
            state.sessions.apply(changes)
        return (int(plain.info("memory")["used_memory_dataset"]) - before) / number


if __name__ == "__main__":
    print(f"{measure():.0f} bytes a session")
