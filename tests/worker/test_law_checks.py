"""What doctor says of the law: entries that were not checked for long, and countries in the data without one."""

from collections.abc import Iterator
from datetime import date

import pytest

from state.sample import waiting_sessions
from state.session_record import Session
from tasks.policy.law.table import table
from tasks.policy.settings import ContactSettings
from tests.support.cli_support import doctor, environment, listener, make_healthy
from tests.support.durations import HOUR_MS
from tests.support.events import event, happen
from worker.monitoring.checks.law import findings
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
TODAY = date(2026, 12, 1)


def session(phone: str, country: str) -> Session:
    return Session("s", 1, 0, 0, 0, "waiting", "", 0, {"phone": phone, "country": country})


def said(*sessions: Session, today: date = TODAY, **settings: object) -> list[tuple[str, str]]:
    contact = ContactSettings.model_validate(settings)
    return [(finding.mark, finding.text) for finding in findings(contact, sessions, today)]


def test_a_table_that_covers_the_data_is_in_order() -> None:
    ((mark, text),) = said(session("+573001234567", "CO"), session("+17875550123", "PR"))
    assert (mark, text) == ("ok", f"{len(table())} entries restrict the settings (winback law list)")


def test_countries_without_an_entry_are_named_by_frequency() -> None:
    found = [session("+81312345678", "JP"), session("+4930123456", "DE"), session("+573001234567", "JP")]
    assert said(*found) == [("warn", "JP, DE: in the data, without an entry: only the settings count there")]


def test_entry_unchecked_for_a_year_is_named() -> None:
    assert said(today=date(2027, 11, 30))[0][0] == "ok"
    ((mark, text),) = said(today=date(2027, 12, 1))
    assert mark == "warn"
    assert text.startswith("AR, BR, CA")
    assert text.endswith("and 15 more: last checked more than a year ago")


def test_disabled_law_is_reported_and_not_checked() -> None:
    ((mark, text),) = said(session("+81312345678", "JP"), today=date(2030, 1, 1), law="off")
    assert mark == "ok"
    assert text.startswith("off")


# With a server


@pytest.fixture
def env(valkey: EmbeddedValkey) -> Iterator[dict[str, str]]:
    with listener() as (port, _):
        yield environment(valkey.url, WINBACK_DELIVERY__ENDPOINT=f"http://127.0.0.1:{port}/", WINBACK_CONTACT__LAW="on")


def test_waiting_sessions_are_sampled(real_state: State) -> None:
    for number in range(3):
        happen(real_state, event(session=f"s-{number}"), ago_ms=HOUR_MS)
    found = waiting_sessions(real_state.scripts, real_state.keys, ["checkout.web.idle", "payment.web.idle"])
    assert set(found) <= {"s-0", "s-1", "s-2"}
    assert found


def test_doctor_checks_the_countries_of_waiting_sessions(real_state: State, env: dict[str, str]) -> None:
    make_healthy(real_state)
    customer = {"full_name": "Aoi", "phone_number": "+81312345678", "country_code": "JP"}
    happen(real_state, event(customer=customer))
    code, found = doctor(env)
    assert code == 0
    assert found["law"].mark == "warn"
    assert found["law"].text.startswith("JP: in the data")
