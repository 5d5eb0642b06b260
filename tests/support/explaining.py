"""A shop for `winback explain`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.decision_support import Shop, shop_on
from worker.supervision.embedded_valkey import EmbeddedValkey


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def told(shop: Shop, session: str = "s-1") -> Any:  # noqa: ANN401 - JSON
    return shop.json("explain", session)
