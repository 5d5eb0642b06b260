"""Open privacy requests are reported until they are done."""

import pytest

from state.privacy_keys import privacy_prefix
from state.privacy_requests import Filing
from tests.support.cli_support import make_healthy, read
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.privacy import requests_of
from tests.support.stored_state import now_ms
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.monitoring.health import Finding
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")
NAMES = ("erasures", "data_requests", "shop_erasures", "privacy")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def file(state: State, kind: str, ago_ms: int = MINUTE_MS, shop: str = "shop-a") -> str:
    filing = Filing(kind, "shopify", shop, now_ms(state) - ago_ms, "d", (), ())  # type: ignore[arg-type]
    (request,) = requests_of(state).file([filing])
    return request


def found(state: State) -> dict[str, Finding]:
    findings = health.findings(read(state), Settings())
    return {one.name: one for one in findings if one.name in NAMES}


def test_without_requests_there_is_no_finding(healthy: State) -> None:
    assert found(healthy) == {}


@pytest.mark.parametrize(("ago_ms", "is_late"), [(MINUTE_MS, False), (HOUR_MS + MINUTE_MS, True)])
def test_late_erasure_is_an_alarm(healthy: State, ago_ms: int, *, is_late: bool) -> None:
    request = file(healthy, "erasure", ago_ms)
    assert [(one.mark, one.text) for one in found(healthy).values()] == (
        [("fail", "1 erasure that a shop asked for is open, received 61 min ago")] if is_late else []
    )
    requests_of(healthy).finish(request)
    assert found(healthy) == {}


def test_failed_erasure_is_an_alarm_at_once(healthy: State) -> None:
    requests_of(healthy).postpone(file(healthy, "erasure"), HOUR_MS, "a problem")
    file(healthy, "erasure", shop="shop-b")
    assert found(healthy)["erasures"].mark == "fail"
    assert found(healthy)["erasures"].text.startswith("1 erasure that a shop asked for failed, first ")


@pytest.mark.parametrize(("ago_ms", "mark"), [(MINUTE_MS, "warn"), (8 * DAY_MS, "fail")])
def test_open_data_request_is_an_alarm(healthy: State, ago_ms: int, mark: str) -> None:
    file(healthy, "data request", ago_ms)
    file(healthy, "data request", 0, "shop-b")
    finding = found(healthy)["data_requests"]
    assert finding.mark == mark
    assert finding.text.startswith("2 data requests are open, the first received ")
    assert "winback person export" in finding.hint
    assert "data_requests" in failing([finding])


def test_open_erasure_of_a_shop_is_an_alarm(healthy: State) -> None:
    file(healthy, "shop erasure")
    finding = found(healthy)["shop_erasures"]
    assert finding.text == "1 request to erase a whole shop is open, received 60 s ago"
    assert "shop_erasures" in failing([finding])


def test_too_many_open_requests_are_reported(healthy: State) -> None:
    names = {f"request-{number}": number for number in range(10_000)}
    healthy.client.zadd(f"{privacy_prefix(healthy.keys)}open:erasures", names)
    assert found(healthy)["privacy"].text == "10,000 privacy requests are open, so collectors refuse more of them"
