"""The law table: the content of each entry, and unreadable files."""

import re
from pathlib import Path

import pytest

from tasks.policy.law.limit_text import write_limit
from tasks.policy.law.table import LawError, covers, entries_of, read_entry, table
from worker.errors import StartError
from worker.settings import load

COUNTRIES = {"CO", "MX", "BR", "AR", "CL", "PE", "PY", "UY", "ES", "FR", "US", "CA"}
STATES = {"FL", "AL", "LA", "MD", "MA", "MS", "CT", "NV", "MI", "MN", "NM", "KY", "OK"}
PAGE = Path(__file__).parents[2] / "docs" / "guides" / "contact-law.md"


def test_every_researched_country_and_state_has_an_entry() -> None:
    assert set(table()) == COUNTRIES | {f"US-{state}" for state in STATES}


@pytest.mark.parametrize("code", table())
def test_every_entry_names_its_sources_and_month(code: str) -> None:
    entry = table()[code]
    assert entry.sources
    assert entry.checked_on == "2026-11"
    assert not entry.closed.is_always


@pytest.mark.parametrize(
    ("code", "windows", "holidays", "limits", "consent"),
    [
        ("CO", ("mon-fri 07:00-19:00", "sat 08:00-15:00"), True, ["1/24h"], {"call", "whatsapp"}),
        ("BR", ("mon-fri 09:00-21:00", "sat 10:00-16:00"), True, [], {"call", "whatsapp"}),
        ("PE", (), False, [], {"call", "whatsapp"}),
        ("PY", ("mon-fri 08:00-18:00",), True, [], set()),
        ("ES", ("mon-fri 09:00-21:00",), True, [], {"call"}),
        ("FR", ("mon-fri 10:00-13:00", "mon-fri 14:00-20:00"), True, ["4/30d"], {"call"}),
        ("CA", ("mon-fri 09:30-20:00", "sat 10:30-17:00", "sun 12:00-17:00"), False, [], {"call"}),
        ("US", ("mon-sun 08:00-21:00",), False, [], {"call"}),
        ("US-FL", ("mon-sun 08:00-20:00",), False, ["3/24h"], set()),
        ("US-OK", (), False, ["3/24h"], set()),
        ("US-AL", ("mon-sat 08:00-20:00",), True, [], set()),
        ("US-LA", ("mon-sat 08:00-20:00",), True, [], set()),
        ("US-MS", ("mon-sat 08:00-20:00",), False, [], set()),
        ("US-MD", ("mon-sun 08:00-20:00",), False, [], set()),
        ("US-MA", ("mon-sun 08:00-20:00",), False, [], set()),
        ("US-CT", ("mon-sun 09:00-20:00",), False, [], set()),
        ("US-NV", ("mon-sun 09:00-20:00",), False, [], set()),
        ("US-MI", ("mon-sun 09:00-21:00",), False, [], set()),
        ("US-MN", ("mon-sun 09:00-21:00",), False, [], set()),
        ("US-NM", ("mon-sun 09:00-21:00",), False, [], set()),
        ("US-KY", ("mon-sun 10:00-21:00",), False, [], set()),
        *((code, (), False, [], set()) for code in ("MX", "AR", "CL", "UY")),
    ],
)
def test_law_entry_matches_its_sources(
    code: str, windows: tuple[str, ...], *, holidays: bool, limits: list[str], consent: set[str]
) -> None:
    entry = table()[code]
    assert entry.windows == windows
    assert entry.closed_on_holidays == holidays
    assert [write_limit(limit) for limit in entry.limits] == limits
    assert set(entry.consent) == consent


def codes(jurisdictions: tuple[str, ...], *off: str) -> list[str]:
    return [code for code, _ in entries_of(jurisdictions, off)]


def test_an_entry_can_be_switched_off_a_country_with_its_states() -> None:
    assert codes(("US", "US-FL", "ES", "JP")) == ["US", "US-FL", "ES"]
    assert codes(("US", "US-FL", "ES"), "US-FL") == ["US", "ES"]
    assert codes(("US", "US-FL", "ES"), "US") == ["ES"]


def test_a_territory_has_the_law_of_its_country() -> None:
    assert codes(("PR", "US")) == ["US"]
    assert codes(("RE",)) == ["FR"]
    assert covers("PR")
    assert not covers("JP")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "law file XX.toml: cannot be read: Invalid value (at line 1, column 8)"),
        ('windows = ["mon-fri 7-19"]', "law file XX.toml: windows: is not a time of the day"),
        ('windows = ["21:00-08:00"]', "law file XX.toml: windows: 21:00-08:00 goes beyond its day"),
        ('limits = ["4"]', "law file XX.toml: limits.0: Value error, is not a limit"),
        ('consent = ["sms"]', "law file XX.toml: consent.0: Input should be 'call' or 'whatsapp'"),
        ('hours = "9-5"', "law file XX.toml: hours: Extra inputs are not permitted"),
        ('checked_on = "November"', "law file XX.toml: checked_on: String should match"),
        ("sources = []", "law file XX.toml: sources: Tuple should have at least 1 item"),
    ],
)
def test_a_broken_law_file_is_one_line_with_file_and_field(tmp_path: Path, text: str, message: str) -> None:
    given = {"name": 'name = "X"', "checked_on": 'checked_on = "2026-11"', "sources": 'sources = ["x.example"]'}
    given.pop(text.partition(" ")[0], None)
    file = tmp_path / "XX.toml"
    file.write_text("\n".join([text, *given.values()]), encoding="utf-8")
    with pytest.raises(LawError, match="^" + re.escape(message)) as broken:
        read_entry(file)
    assert "\n" not in str(broken.value)


def test_missing_law_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LawError, match=r"law file XX\.toml: cannot be read"):
        read_entry(tmp_path / "XX.toml")


def test_a_broken_law_file_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise LawError("law file CO.toml: windows: broken")

    monkeypatch.setattr("worker.settings.table", broken)
    with pytest.raises(StartError, match=r"law file CO\.toml: windows: broken"):
        load({})


def test_the_page_has_a_row_for_each_entry_as_it_is() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| `[A-Z]", line)]
    assert rows == [row_of(code) for code in table()]


def row_of(code: str) -> str:
    """Return the page's row of an entry."""
    entry = table()[code]
    windows = "; ".join(entry.windows) or "any time"
    holidays = "closed" if entry.closed_on_holidays else "open"
    limits = ", ".join(write_limit(limit) for limit in entry.limits)
    cells = [entry.name, windows, holidays, limits, ", ".join(entry.consent), ", ".join(entry.registers)]
    return f"| `{code}` | " + " | ".join(cells) + f" | {entry.checked_on} |"
