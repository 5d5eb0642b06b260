"""Metrics as they are served."""

import asyncio
from collections.abc import Sequence

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.cli_support import read
from worker.monitoring.health import Finding
from worker.monitoring.metrics_server import SnapshotCache, create_app
from worker.runtime import State
from worker.settings import Settings

SETTINGS = Settings(redis_url="redis://127.0.0.1:1/0")


class Shown:
    """One answer of `/metrics`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}

    def value(self, name: str, **labels: str) -> float:
        samples = [s for family in self.families.values() for s in family.samples if s.name == name]
        found = [sample.value for sample in samples if sample.labels == labels]
        assert len(found) == 1, (name, labels, samples)
        return float(found[0])

    def values(self, name: str, label: str) -> dict[str, float]:
        """Return the values other than 0, by one label."""
        samples = (s for family in self.families.values() for s in family.samples if s.name == name and s.value)
        return {sample.labels[label]: sample.value for sample in samples}


def show(state: State, *, ours: Sequence[Finding] = ()) -> Shown:
    return Shown(ask(SnapshotCache(lambda: read(state), SETTINGS), ours=ours).text)


def ask(
    looks: SnapshotCache, *, accept: str = "", encoding: str = "", query: str = "", ours: Sequence[Finding] = ()
) -> httpx.Response:
    """Return the server's answer, without a server."""

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(looks, SETTINGS, ours))
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:
            return await client.get(f"/metrics{query}", headers={"accept": accept, "accept-encoding": encoding})

    return asyncio.run(get())
