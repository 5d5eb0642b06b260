"""The generated pages have an entry for each of their subjects."""

import re
from pathlib import Path

from reference_pages.log_events import MEANINGS, emitted
from reference_pages.settings import names
from tasks.policy.reasons import REASONS
from tests.support.pages import ROOT
from winback.cli.commands import COMMANDS
from worker.monitoring.metrics import metrics
from worker.settings import Settings
from worker.settings.keys import leaves

REFERENCE = ROOT / "docs" / "reference"


def text_of(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def missing(page: str, *entries: str) -> list[str]:
    text = text_of(page)
    return [entry for entry in entries if f"`{entry}`" not in text]


def test_settings_page_has_every_setting() -> None:
    own = {".".join(path) for path in leaves(Settings)} - {"config"}
    shared = r"(by_stage|by_platform|consent)\.\w+"
    plain = {name for name in own if not re.search(shared, name)}
    assert missing("settings", *plain) == []
    assert plain <= names()
    # The file has one example for sections by stage, platform and source.
    examples = {re.sub(shared, r"\1", name) for name in own - plain}
    assert examples <= {re.sub(shared, r"\1", name) for name in names()}


def test_commands_page_has_every_command() -> None:
    assert missing("cli", *(f"winback {name}" for name in COMMANDS)) == []


def test_outcomes_page_has_every_outcome_and_reason() -> None:
    named = [name for outcome, meanings in REASONS.items() for name in (outcome, *meanings) if name]
    assert missing("outcomes", *named) == []


def test_metrics_page_has_what_is_served_without_a_server() -> None:
    assert missing("metrics", *(metric.name for metric in metrics(None, [], Settings()))) == []


def test_every_log_event_has_a_meaning_and_every_meaning_an_event() -> None:
    assert {event.name for event in emitted()} == set(MEANINGS)


def test_tables_have_one_width() -> None:
    for page in sorted(REFERENCE.glob("*.md")):
        assert uneven(page) == []


def uneven(page: Path) -> list[str]:
    """Return rows with another number of cells than the row above them."""
    lines = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
    cells = [len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0 for line in lines]
    pairs = zip(lines[1:], cells[:-1], cells[1:], strict=True)
    return [line for line, above, here in pairs if above and here and above != here]
