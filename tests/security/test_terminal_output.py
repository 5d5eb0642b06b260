"""Text of shops and shoppers can't forge a line, move the cursor or reverse text in an operator's terminal.

Log lines: test_logs_hostile.py. The rejected stream: test_rejected_cli.py, too.
"""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.decision_support import Shop, shop_on
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, apply, arrived, event
from tests.support.ingest_support import ingest_of, publish
from tests.support.logging_lines import FORGERIES
from tests.support.outreaches import sweep
from tests.support.stored_state import now_ms
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

TEXTS = [text for text in FORGERIES if "\ud800" not in text]
"""Half a character is replaced when the event is read."""


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def hostile(text: str) -> dict[str, object]:
    return event(
        session="s-1",
        customer={"full_name": text, "phone_number": "+573001234567", "country_code": "CO", "language": "es"},
        cart={"total_value": 1, "currency": "COP", "items": [{"name": text, "sku": text, "quantity": 1, "price": 1}]},
        engagement={"reason": text, "metadata": {text: text}},
    )


def harmless(shown: str) -> bool:
    """Return whether only line ends affect a terminal or the order of the text."""
    return not [char for char in shown if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}]


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_in_a_session_reaches_the_terminal_as_it_is(shop: Shop, text: str) -> None:
    state = shop.state
    apply(state, arrived(hostile(text), now_ms(state) - HOUR_MS))
    assert sweep(state) == 1
    for command in ("explain s-1", "explain s-1 --reveal", "outreach list", "status", "report"):
        shown = shop.run(*command.split())
        assert harmless(shown), command
        assert not [line for line in shown.splitlines() if line.startswith("forged")], command
    # JSON escapes its contents, and a parser gets them unchanged.
    for command in ("explain s-1 --reveal", "outreach list"):
        assert harmless(shop.run(*command.split(), "--json"))
    (listed,) = shop.json("outreach", "list")
    assert listed["session"] == "s-1"


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_of_a_refused_event_reaches_the_terminal(shop: Shop, text: str) -> None:
    publish(
        shop.state, event(session=text), event(text), hostile(text) | {"flow_stage": text, "currency": text, text: 1}
    )
    ingest_of(shop.state).step()
    shown = shop.run("rejected", "list")
    assert harmless(shown)
    assert "forged" not in shown + json.dumps(shop.json("rejected", "list"))


@pytest.mark.parametrize("text", TEXTS)
def test_an_event_that_is_checked_is_shown_harmlessly(shop: Shop, tmp_path: Path, text: str) -> None:
    customer = JANE | {"full_name": text, "email": text, "language": text, "country_code": text}
    made = event(session=text, customer=customer, cart={"total_value": text, "items": [{"name": text}]})
    (tmp_path / "event").write_text("\n".join(json.dumps(one) for one in (made | {text: text}, event(text, text))))
    for options in ((), ("--json",)):
        assert harmless(shop.run("event", "check", str(tmp_path / "event"), *options, code=1))


@pytest.mark.parametrize("text", TEXTS)
def test_pause_is_printed_with_its_reason_on_one_line(shop: Shop, text: str) -> None:
    shop.run("pause", "--reason", text)
    assert harmless(shop.run("status"))
    assert harmless(shop.run("status", "--json"))
