"""A shop with opt-outs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.optouts import OptOuts
from state.people import person_of
from tests.support.decision_support import Shop, shop_on
from tests.support.events import JANE
from tests.support.states import SECRET
from worker.supervision.embedded_valkey import EmbeddedValkey

PHONE = JANE["phone_number"]
JANES = person_of(PHONE, SECRET)
JOHNS = person_of("+573001234568", SECRET)
REPLACE = ("--source", "RNE", "--replace", "--yes")


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def opt_outs(shop: Shop) -> OptOuts:
    return OptOuts(shop.state.scripts, shop.state.keys)


def numbers(start: int, stop: int) -> str:
    return "".join(f"+57300{number:07d}\n" for number in range(start, stop))


def replace(shop: Shop, text: str, *more: str, code: int = 0) -> str:
    Path("rne.txt").write_text(text)
    return shop.run("optout", "import", "rne.txt", *REPLACE, *more, code=code)
