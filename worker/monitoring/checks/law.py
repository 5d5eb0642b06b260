"""Findings of doctor about the law table: entries that weren't checked recently, and countries without one."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from detectors.normalize import countries
from state.session_record import Session
from tasks.delivery.payload import phone_of
from tasks.policy.law.places import place_of
from tasks.policy.law.table import covers, table
from tasks.policy.settings import ContactSettings
from worker.monitoring.finding import Finding

_NAMED = 10  # countries; the others are only counted
_MONTHS = 12


def findings(contact: ContactSettings, sessions: Iterable[Session], today: date) -> Iterator[Finding]:
    """Check the table against the date and against a sample of the data."""
    if contact.law == "off":
        yield Finding("law", "ok", "off: only the settings say when people may be contacted (contact.law)")
        return
    old = [code for code, entry in table().items() if _months_since(entry.checked_on, today) > _MONTHS]
    if old:
        text = f"{_listed(old)}: last checked more than a year ago"
        yield Finding("law", "warn", text, "install a newer Winback, or compare with the sources (winback law show)")
    without = [code for code, _ in _countries(sessions).most_common() if not covers(code)]
    if without:
        text = f"{_listed(without)}: in the data, without an entry: only the settings count there"
        yield Finding("law", "warn", text, "set the hours of their law: contact.by_country.<country>.quiet_hours")
    if not old and not without:
        yield Finding("law", "ok", f"{len(table())} entries restrict the settings (winback law list)")


def _countries(sessions: Iterable[Session]) -> Counter[str]:
    found: Counter[str] = Counter()
    for session in sessions:
        phone, country = phone_of(session.fields) or "", countries.country(session.fields.get("country", "")) or ""
        found.update(code for code in place_of(phone, country).jurisdictions if "-" not in code)
    return found


def _months_since(month: str, today: date) -> int:
    year, number = map(int, month.split("-"))
    return (today.year - year) * 12 + today.month - number


def _listed(codes: list[str]) -> str:
    more = len(codes) - _NAMED
    return ", ".join(codes[:_NAMED]) + (f" and {more} more" if more > 0 else "")
